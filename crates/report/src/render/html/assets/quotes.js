// Finds the judge's quotes in a passage, regardless of quotation marks, dashes, spaces and case.

const CANONICAL = { "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-" };

// Normalized text, with the position of each of its characters in the original.
function normalized(text) {
  let plain = "";
  const [starts, ends] = [[], []];
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    const skipped = /[*`\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u.test(character);
    let piece = skipped ? "" : character.normalize("NFKC").toLowerCase();
    if (/^\s+$/u.test(piece)) piece = plain.endsWith(" ") || plain === "" ? "" : " ";
    for (const unit of piece) {
      plain += CANONICAL[unit] ?? unit;
      while (starts.length < plain.length) {
        starts.push(at);
        ends.push(end);
      }
    }
    at = end;
  }
  return { plain, starts, ends };
}

const normalizedQuote = (quote) => normalized(quote.replace(/(…|\.\.\.)\s*$/u, "")).plain.trim();

// The passage with the quotes of the candidate's and the baseline's judge marked.
function highlighted(passage, quotes) {
  const { plain, starts, ends } = normalized(passage);
  const sides = new Uint8Array(passage.length);
  for (const [text, side] of quotes) {
    const quote = normalizedQuote(text);
    const start = quote.length > 1 ? plain.indexOf(quote) : -1;
    if (start < 0) continue;
    const end = ends[start + quote.length - 1];
    for (let at = starts[start]; at < end; at += 1) sides[at] |= side;
  }
  const fragment = document.createDocumentFragment();
  for (let at = 0; at < passage.length; ) {
    let end = at + 1;
    while (end < passage.length && sides[end] === sides[at]) end += 1;
    const piece = visible(passage.slice(at, end));
    fragment.append(sides[at] === 0 ? piece : element("mark", { class: ["", "", "other", "both"][sides[at]] || null }, piece));
    at = end;
  }
  return { fragment, marked: sides.some((side) => side > 0) };
}
