// A word difference of two texts: Myers' shortest edit script, bounded in length and in edits.

const MOST_WORDS = 12000;
const MOST_EDITS = 1000;

// Scripts that put no blanks between words.
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

function words(text) {
  if (UNSPACED.test(text) && typeof Intl.Segmenter === "function") {
    const segmenter = new Intl.Segmenter("en", { granularity: "word" });
    return Array.from(segmenter.segment(text), (part) => part.segment);
  }
  return text.match(/\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu) ?? [];
}

// For each word of both texts whether only that text has it; null where the texts are too long or too far apart.
function difference(before, after) {
  const [old, fresh] = [words(before), words(after)];
  if (old.length + fresh.length > MOST_WORDS) return null;
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let ends = 0;
  while (ends < old.length - start && ends < fresh.length - start && old[old.length - 1 - ends] === fresh[fresh.length - 1 - ends]) ends += 1;
  const edits = script(old.slice(start, old.length - ends), fresh.slice(start, fresh.length - ends));
  if (edits === null) return null;
  const marked = (list, changed) => list.map((word, at) => [word, changed.has(at - start)]);
  return { before: joined(marked(old, edits.removed)), after: joined(marked(fresh, edits.added)) };
}

// The places that are removed and added on the shortest way from one list to the other.
function script(old, fresh) {
  const [width, height] = [old.length, fresh.length];
  const most = Math.min(width + height, MOST_EDITS);
  // By diagonal, from the lowest one on.
  const furthest = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const trace = [];
  for (let edits = 0; edits <= most; edits += 1) {
    const row = new Int32Array(edits + 1);
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = diagonal === -edits || (diagonal !== edits && furthest[middle + diagonal - 1] < furthest[middle + diagonal + 1]);
      let x = down ? furthest[middle + diagonal + 1] : furthest[middle + diagonal - 1] + 1;
      while (x < width && x - diagonal < height && old[x] === fresh[x - diagonal]) x += 1;
      furthest[middle + diagonal] = x;
      row[(diagonal + edits) / 2] = x;
      if (x >= width && x - diagonal >= height) {
        trace.push(row);
        return backwards(trace, width, height);
      }
    }
    trace.push(row);
  }
  return null;
}

function backwards(trace, width, height) {
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

// Neighbours of one kind as one piece; a blank between two changed words goes with them.
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
