// Sets up the page: controls, the dialog, and the case in the URL fragment.

const DATA = JSON.parse(document.getElementById("data").textContent);
const rows = [...DATA.rows].sort((one, other) => one.rank - other.rank);
const byNumber = new Map(rows.map((row) => [row.number, row]));
const compared = rows.some((row) => row.before !== null || row.difference !== null) || Object.values(DATA.cases).some((details) => details.trials.some((trial) => trial.role === "baseline"));
const dialog = document.getElementById("case");
const main = document.getElementById("main");
let current = null;

const open = (number) => {
  location.hash = `#case-${number}`;
};
const table = new CaseTable(rows, compared, open);

function frequent(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([one, many], [other, more]) => more - many || byText(one, other)).slice(0, 500);
}

function controls() {
  const find = document.getElementById("find");
  find.addEventListener("input", () => {
    table.words = find.value.toLowerCase().split(/\s+/u).filter(Boolean);
    table.show();
  });
  const statuses = document.getElementById("statuses");
  const present = frequent(rows.map((row) => row.status));
  for (const status of Object.keys(SYMBOLS)) {
    const count = present.find(([of]) => of === status)?.[1];
    if (count === undefined) continue;
    const box = element("input", { type: "checkbox", value: status });
    box.addEventListener("change", () => {
      if (box.checked) table.statuses.add(status);
      else table.statuses.delete(status);
      table.show();
    });
    statuses.append(element("label", {}, box, ` ${status} (${count.toLocaleString("en")})`));
  }
  const choice = (id, values, set) => {
    const select = document.getElementById(id);
    select.closest(".field").hidden = values.length === 0;
    for (const [value, count] of values) select.append(element("option", { value }, visible(value), ` (${count.toLocaleString("en")})`));
    select.addEventListener("change", () => {
      set(select.value);
      table.show();
    });
    return select;
  };
  const tag = choice("tag", frequent(rows.flatMap((row) => row.tags)), (value) => (table.tag = value));
  const failing = choice("fails", frequent(rows.flatMap((row) => row.failing)), (value) => (table.fails = value));
  const failures = document.getElementById("failures");
  failures.checked = table.failures = DATA.red && rows.some(isFailure);
  failures.addEventListener("change", () => {
    table.failures = failures.checked;
    table.show();
  });
  for (const button of document.querySelectorAll("button.tag-filter")) {
    button.addEventListener("click", () => {
      tag.value = table.tag = button.dataset.tag;
      table.show();
      document.getElementById("cases").scrollIntoView();
      find.focus({ preventScroll: true });
    });
  }
  document.getElementById("reset").addEventListener("click", () => {
    for (const box of statuses.querySelectorAll("input")) box.checked = false;
    find.value = tag.value = failing.value = "";
    table.words = [];
    table.failures = failures.checked = false;
    table.statuses.clear();
    table.tag = table.fails = "";
    table.show();
  });
  return find;
}

// Fills the dialog with a case, at the repeat in which the candidate fails.
function fill(row, repeat = null) {
  current = row;
  const details = DATA.cases[row.number];
  repeat ??= shownRepeat(row, details);
  const at = table.matches.indexOf(row);
  const step = (by, words, key) => {
    const target = at < 0 ? undefined : table.matches[at + by];
    const button = element("button", { type: "button", disabled: target === undefined }, `${words} `, element("kbd", {}, key));
    if (target) button.addEventListener("click", () => open(target.number));
    return button;
  };
  const close = element("button", { type: "button" }, "Close ", element("kbd", {}, "Esc"));
  close.addEventListener("click", () => dialog.close());
  const title = element("h2", { id: "case-title", tabindex: -1 }, isolated(row.id), " ", chip(row.status));
  const copies = [copyButton("Copy id", row.id), copyButton("Copy command", caseCommand(row.id))];
  const bar = element("div", { class: "bar" }, title, element("div", { class: "steps" }, copies), element("div", { class: "steps" }, step(-1, "Previous", "k"), step(1, "Next", "j"), close));
  const choose = (of) => {
    fill(row, of);
    dialog.querySelector('.repeats [aria-pressed="true"]')?.focus();
  };
  dialog.replaceChildren(bar, element("div", { class: "inside" }, dialogContent(row, details, repeat, compared, choose)));
  dialog.scrollTop = 0;
}

// Opens the case in the URL fragment, or closes the dialog.
function followFragment() {
  const number = /^#case-([1-9][0-9]*)$/u.exec(location.hash)?.[1];
  const row = number === undefined ? undefined : byNumber.get(Number(number));
  if (!row) {
    if (dialog.open) dialog.close();
    return;
  }
  fill(row);
  if (!dialog.open) dialog.showModal();
  document.getElementById("case-title").focus();
}

function labelling() {
  const button = document.getElementById("label-answers");
  const labels = new Labels(DATA.judges);
  if (labels.queue.length === 0) return;
  button.hidden = false;
  button.addEventListener("click", () => labels.open());
  labels.dialog.addEventListener("close", () => button.focus());
}

const find = controls();
labelling();
document.getElementById("explorer").hidden = rows.length === 0;
table.show();
dialog.addEventListener("close", () => {
  if (location.hash.startsWith("#case-")) history.replaceState(null, "", "#cases");
  const row = current && table.body.querySelector(`tr[data-case="${current.number}"] a`);
  // The dialog may have moved on from the row that opened it.
  if (row && (document.activeElement === document.body || table.body.contains(document.activeElement))) row.focus();
  current = null;
});
main.addEventListener("click", (event) => {
  const number = event.target.closest?.("rect[data-case]")?.dataset.case;
  if (number) open(number);
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || document.getElementById("labels").open) return;
  if (event.key === "/" && !dialog.open) {
    event.preventDefault();
    find.focus();
  } else if (dialog.open && (event.key === "j" || event.key === "k")) {
    const target = table.matches[table.matches.indexOf(current) + (event.key === "j" ? 1 : -1)];
    if (target && table.matches.includes(current)) open(target.number);
  }
});
window.addEventListener("hashchange", followFragment);
followFragment();
