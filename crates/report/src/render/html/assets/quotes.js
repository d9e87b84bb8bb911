// Where the judge's quotes stand in a passage, whatever the spelling of quotes, dashes, blanks and case.

const SPELLINGS = { "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-" };

// A text in one spelling, with the place of each of its characters in the text as it is.
function spelled(text) {
  let plain = "";
  const [starts, ends] = [[], []];
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    const skipped = /[*`\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u.test(character);
    let piece = skipped ? "" : character.normalize("NFKC").toLowerCase();
    if (/^\s+$/u.test(piece)) piece = plain.endsWith(" ") || plain === "" ? "" : " ";
    for (const unit of piece) {
      plain += SPELLINGS[unit] ?? unit;
      while (starts.length < plain.length) {
        starts.push(at);
        ends.push(end);
      }
    }
    at = end;
  }
  return { plain, starts, ends };
}

const quoted = (quote) => spelled(quote.replace(/(…|\.\.\.)\s*$/u, "")).plain.trim();

// The passage with marks around what the candidate's and the baseline's judge quoted.
function highlighted(passage, quotes) {
  const { plain, starts, ends } = spelled(passage);
  const sides = new Uint8Array(passage.length);
  for (const [text, side] of quotes) {
    const wanted = quoted(text);
    const found = wanted.length > 1 ? plain.indexOf(wanted) : -1;
    if (found < 0) continue;
    const end = ends[found + wanted.length - 1];
    for (let at = starts[found]; at < end; at += 1) sides[at] |= side;
  }
  const fragment = document.createDocumentFragment();
  for (let at = 0; at < passage.length; ) {
    let end = at + 1;
    while (end < passage.length && sides[end] === sides[at]) end += 1;
    const piece = shown(passage.slice(at, end));
    fragment.append(sides[at] === 0 ? piece : element("mark", { class: ["", "", "other", "both"][sides[at]] || null }, piece));
    at = end;
  }
  return { fragment, marked: sides.some((side) => side > 0) };
}
