// Word diff of two texts: Myers' shortest edit script, bounded in length and number of edits.

const MAX_WORDS = 12000;
const MAX_EDITS = 1000;

// Scripts without spaces between words.
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

function words(text) {
  if (UNSPACED.test(text) && typeof Intl.Segmenter === "function") {
    const segmenter = new Intl.Segmenter("en", { granularity: "word" });
    return Array.from(segmenter.segment(text), (part) => part.segment);
  }
  return text.match(/\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu) ?? [];
}

// For each text, its pieces marked as changed or not; null for texts that are too long or too different.
function wordDiff(before, after) {
  const [oldWords, newWords] = [words(before), words(after)];
  if (oldWords.length + newWords.length > MAX_WORDS) return null;
  let start = 0;
  while (start < oldWords.length && start < newWords.length && oldWords[start] === newWords[start]) start += 1;
  let ends = 0;
  while (ends < oldWords.length - start && ends < newWords.length - start && oldWords[oldWords.length - 1 - ends] === newWords[newWords.length - 1 - ends]) ends += 1;
  const edits = editScript(oldWords.slice(start, oldWords.length - ends), newWords.slice(start, newWords.length - ends));
  if (edits === null) return null;
  const marked = (list, changed) => list.map((word, at) => [word, changed.has(at - start)]);
  return { before: joined(marked(oldWords, edits.removed)), after: joined(marked(newWords, edits.added)) };
}

// Indices removed from and added to a list in the shortest edit script.
function editScript(oldWords, newWords) {
  const [width, height] = [oldWords.length, newWords.length];
  const maxEdits = Math.min(width + height, MAX_EDITS);
  // By diagonal, from the lowest one on.
  const furthest = new Int32Array(2 * maxEdits + 3);
  const middle = maxEdits + 1;
  const trace = [];
  for (let edits = 0; edits <= maxEdits; edits += 1) {
    const row = new Int32Array(edits + 1);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = diagonal === -edits || (diagonal !== edits && furthest[middle + diagonal - 1] < furthest[middle + diagonal + 1]);
      let x = down ? furthest[middle + diagonal + 1] : furthest[middle + diagonal - 1] + 1;
      while (x < width && x - diagonal < height && oldWords[x] === newWords[x - diagonal]) x += 1;
      furthest[middle + diagonal] = x;
      row[(diagonal + edits) / 2] = x;
      if (x >= width && x - diagonal >= height) {
        trace.push(row);
        return backtrack(trace, width, height);
      }
    }
    trace.push(row);
  }
  return null;
}

function backtrack(trace, width, height) {
  const [removed, added] = [new Set(), new Set()];
  let [x, y] = [width, height];
  for (let edits = trace.length - 1; edits > 0; edits -= 1) {
    const row = trace[edits - 1];
    const at = (diagonal) => {
      const place = (diagonal + edits - 1) / 2;
      return place < 0 || place >= row.length ? -1 : row[place];
    };
    const diagonal = x - y;
    const down = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const from = down ? diagonal + 1 : diagonal - 1;
    const [oldX, oldY] = [at(from), at(from) - from];
    if (down) added.add(oldY);
    else removed.add(oldX);
    [x, y] = [oldX, oldY];
  }
  return { removed, added };
}

// Joins neighbors of one kind; a space between two changed words counts as changed.
function joined(marked) {
  const pieces = [];
  marked.forEach(([word, changed], at) => {
    const blank = /^\s+$/u.test(word) && at > 0 && at + 1 < marked.length && marked[at - 1][1] && marked[at + 1][1];
    const kind = changed || blank;
    const last = pieces[pieces.length - 1];
    if (last && last[1] === kind) last[0] += word;
    else pieces.push([word, kind]);
  });
  return pieces;
}
