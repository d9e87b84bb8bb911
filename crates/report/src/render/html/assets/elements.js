// Elements and text. Text is only inserted as text nodes.

// Invisible and direction-changing characters; escaping.rs has the same rule.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

const isPlain = (character) => character === "" || character.codePointAt(0) < 128;
const isSelector = (character) => character >= "\ufe00" && character <= "\ufe0f";

function isInvisible(text, at, character) {
  const before = at > 0 ? text[at - 1] : "";
  const after = text[at + character.length] ?? "";
  if (character === "\u200c" || character === "\u200d") return isPlain(before) || isPlain(after);
  if (isSelector(character)) return before === "" || isSelector(before);
  return !(character === "\r" && after === "\n");
}

// Creates an element with attributes and children; strings become text nodes.
function element(name, attributes = {}, ...children) {
  const created = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === true) created.setAttribute(attribute, "");
    else if (value !== false && value !== null && value !== undefined) created.setAttribute(attribute, String(value));
  }
  created.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return created;
}

// Text with labels in place of invisible characters.
function visible(text) {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (!isInvisible(text, match.index, match[0])) continue;
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    fragment.append(text.slice(from, match.index), element("span", { class: "invisible", title: "invisible character" }, `U+${code}`));
    from = match.index + match[0].length;
  }
  fragment.append(text.slice(from));
  return fragment;
}

// Text isolated from the direction of the surrounding text.
const isolated = (text, attributes = {}) => element("bdi", attributes, visible(text));

// Without a baseline a case is failing, passing or graded.
const SYMBOLS = { broken: "✗", regressed: "▼", missing: "!", failing: "✗", flaky: "~", fixed: "✓", improved: "▲", lower: "↓", higher: "↑", same: "=", passing: "✓", graded: "·" };
const chip = (status) =>
  element("span", { class: `chip ${status}` }, element("span", { "aria-hidden": "true" }, `${SYMBOLS[status] ?? ""} `), status);

const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
