// The table of cases, with filters, search and sorting. Rows are created on demand.

const CHUNK = 100;
// Characters of an answer in a cell.
const MAX_CELL = 600;

const share = (passes) => (passes === null ? null : passes[1] === 0 ? 0 : passes[0] / passes[1]);
const passed = (passes) => (passes === null ? "–" : `${passes[0]}/${passes[1]}`);
// Whether a case got worse, fails or lacks a grade.
const isFailure = (row) => row.failing.length > 0 || ["broken", "regressed", "missing", "failing"].includes(row.status);
const byText = new Intl.Collator("en", { numeric: true }).compare;

// Columns: name, heading, sort value, cell; `compared` columns need a baseline.
const COLUMNS = [
  { name: "number", head: "#", value: (row) => row.number, cell: (row) => element("td", { class: "number" }, String(row.number)) },
  { name: "id", head: "case", value: (row) => row.id, cell: (row) => element("th", { scope: "row" }, element("a", { href: `#case-${row.number}` }, isolated(row.id))) },
  { name: "status", head: "status", value: (row) => row.rank, cell: (row) => element("td", {}, chip(row.status)) },
  { name: "query", head: "question", value: (row) => row.query, cell: (row) => element("td", {}, isolated(row.query), row.tags.length > 0 ? element("div", {}, row.tags.map((tag) => element("span", { class: "tag" }, isolated(tag)))) : null) },
  { name: "baseline", head: "baseline's answer", compared: true, cell: (row) => answerCell(row, "baseline") },
  { name: "candidate", head: "candidate's answer", cell: (row) => answerCell(row, "candidate") },
  { name: "before", head: "before", compared: true, value: (row) => share(row.before), cell: (row) => element("td", { class: "number" }, passed(row.before)) },
  { name: "now", head: "now", value: (row) => share(row.now), cell: (row) => element("td", { class: "number" }, passed(row.now)) },
  { name: "difference", head: "difference", compared: true, value: (row) => row.difference, cell: (row) => element("td", {}, row.shown === null ? "–" : [element("span", { class: "number" }, row.shown), " ", isolated(row.metric, { class: "quiet" })]) },
  { name: "fails", head: "fails", value: (row) => (row.failing.length > 0 ? row.failing.join(" ") : null), cell: (row) => element("td", {}, row.failing.flatMap((name, at) => [at > 0 ? ", " : "", isolated(name)])) },
];

// The answers of a row at the repeat in which the candidate fails, in words that differ.
function rowAnswers(row) {
  const details = DATA.cases[row.number];
  if (!details) return null;
  const repeat = shownRepeat(row, details);
  const [before, after] = SIDES.map((role) => trialOf(details, role, repeat));
  const both = typeof before?.output === "string" && typeof after?.output === "string";
  const pieces = both && before.output !== after.output ? wordDiff(before.output, after.output) : null;
  return { baseline: [before, pieces?.before], candidate: [after, pieces?.after] };
}

function answerCell(row, role) {
  row.answers ??= rowAnswers(row) ?? {};
  const [trial, pieces] = row.answers[role] ?? [];
  const cell = element("td", { class: "words" });
  if (!DATA.cases[row.number]) cell.append(element("span", { class: "none" }, "omitted; see report.json"));
  else if (!trial) cell.append("–");
  else if (trial.output === null) cell.append(element("span", { class: "error" }, "no answer"));
  else cell.append(element("div", { class: "clamped", dir: "auto" }, answerText(trial.output.slice(0, MAX_CELL), pieces && cutPieces(pieces), role)));
  return cell;
}

// Pieces of at most as many characters as a cell shows.
function cutPieces(pieces) {
  const shown = [];
  let left = MAX_CELL;
  for (const [text, changed] of pieces) {
    if (left <= 0) break;
    shown.push([text.slice(0, left), changed]);
    left -= text.length;
  }
  return shown;
}

// Gives a cell its role, which the style sheet removes on narrow screens, and its heading.
function labelled(column, cell) {
  cell.setAttribute("role", cell.localName === "th" ? "rowheader" : "cell");
  cell.dataset.label = column.head;
  cell.dataset.column = column.name;
  cell.classList.toggle("empty", cell.textContent === "" || cell.textContent === "–");
  return cell;
}

class CaseTable {
  constructor(rows, compared, open) {
    this.rows = rows;
    this.compared = compared;
    this.columns = COLUMNS.filter((column) => compared || !column.compared);
    this.sorted = { name: "status", down: false };
    this.words = [];
    this.statuses = new Set();
    this.tag = "";
    this.fails = "";
    this.failures = false;
    this.texts = rows.map((row) => [row.id, row.query, row.status, row.metric ?? "", ...row.failing, ...row.tags].join("\n").toLowerCase());
    this.matches = rows;
    this.created = 0;
    this.body = document.querySelector("#table tbody");
    this.more = document.getElementById("more");
    this.head();
    this.more.addEventListener("click", () => this.add());
    const box = this.body.closest(".scroll");
    box.addEventListener("scroll", () => {
      if (box.scrollTop + box.clientHeight > box.scrollHeight - 400) this.add();
    }, { passive: true });
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && !event.target.closest("a") && String(document.getSelection()) === "") open(Number(row.dataset.case));
    });
    this.body.addEventListener("keydown", (event) => this.move(event));
  }

  head() {
    const line = document.querySelector("#table thead tr");
    for (const column of this.columns) {
      const arrow = element("span", { "aria-hidden": "true" });
      const button = element("button", { type: "button" }, column.head, arrow);
      const cell = element("th", { role: "columnheader", scope: "col", "data-column": column.name }, column.value ? button : column.head);
      button.addEventListener("click", () => {
        const again = this.sorted.name === column.name;
        this.sorted = { name: column.name, down: again && !this.sorted.down };
        this.show();
      });
      column.arrow = arrow;
      column.headCell = cell;
      line.append(cell);
    }
  }

  // Applies filters and order, and shows the first rows.
  show() {
    const matching = this.rows.filter((row, at) => this.accepts(row, this.texts[at]));
    const column = this.columns.find((of) => of.name === this.sorted.name);
    const direction = this.sorted.down ? -1 : 1;
    const keyed = matching.map((row) => [column.value(row), row]);
    // Rows without a value come last in both directions; ties are worst first.
    keyed.sort(([one, row], [other, next]) => {
      if (one === null || other === null) return (one === null) - (other === null) || row.rank - next.rank;
      const order = typeof one === "string" ? byText(one, other) : one - other;
      return order * direction || row.rank - next.rank;
    });
    this.matches = keyed.map(([, row]) => row);
    for (const of of this.columns) {
      const sorts = of === column;
      if (sorts) of.headCell.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else of.headCell.removeAttribute("aria-sort");
      of.arrow.textContent = sorts ? (this.sorted.down ? " ▼" : " ▲") : "";
    }
    this.body.replaceChildren();
    this.body.closest(".scroll").scrollTop = 0;
    this.created = 0;
    this.add();
    const [shownCount, all] = [this.matches.length, this.rows.length];
    const summary = shownCount === all ? `${counted(all, "case")}` : `${shownCount.toLocaleString("en")} of ${counted(all, "case")}`;
    document.getElementById("counted").textContent = `${summary}, by ${column.name === "status" && !this.sorted.down ? "status, worst first" : column.head}`;
  }

  accepts(row, text) {
    if (this.statuses.size > 0 && !this.statuses.has(row.status)) return false;
    if (this.failures && !isFailure(row)) return false;
    if (this.tag !== "" && !row.tags.includes(this.tag)) return false;
    if (this.fails !== "" && !row.failing.includes(this.fails)) return false;
    return this.words.every((word) => text.includes(word));
  }

  // Creates the next rows.
  add() {
    const next = this.matches.slice(this.created, this.created + CHUNK);
    this.body.append(...next.map((row) => element("tr", { role: "row", "data-case": row.number, class: isFailure(row) ? "red" : null }, this.columns.map((column) => labelled(column, column.cell(row))))));
    this.created += next.length;
    this.more.hidden = this.created >= this.matches.length;
    this.more.textContent = `Show more (${this.created.toLocaleString("en")} of ${this.matches.length.toLocaleString("en")} shown)`;
  }

  // Arrow keys, Home and End move between rows.
  move(event) {
    const row = event.target.closest("tr");
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    let target = null;
    if (event.key === "ArrowDown") {
      if (!row.nextElementSibling) this.add();
      target = row.nextElementSibling;
    } else if (event.key === "ArrowUp") target = row.previousElementSibling;
    else if (event.key === "Home") target = this.body.firstElementChild;
    else if (event.key === "End") target = this.body.lastElementChild;
    else return;
    event.preventDefault();
    target?.querySelector("a")?.focus();
  }
}
