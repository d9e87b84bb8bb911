// Buttons that copy a text to the clipboard.

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that was opened from disk may not have a clipboard.
    const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

function copyButton(label, text) {
  const button = element("button", { type: "button", class: "copy" }, label);
  button.addEventListener("click", async () => {
    const copied = await copyText(text);
    button.textContent = copied ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

// A word of a shell command.
const quoted = (word) => (/^[\w@%+=:,./-]+$/u.test(word) && !word.startsWith("-") ? word : `'${word.replaceAll("'", "'\\''")}'`);
const caseCommand = (id) => `promptgate case ${id.startsWith("-") ? "-- " : ""}${quoted(id)}`;
