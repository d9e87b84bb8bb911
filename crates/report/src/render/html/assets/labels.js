// Labelling: people say of answers whether they pass, and save a labels file for `promptgate calibrate`.

const GOAL = 50;
// Labels of each kind from which calibration corrects for the judge's errors.
const GOAL_OF_KIND = 20;

// The question of each built-in judge; a label answers the same one.
const QUESTIONS = {
  faithfulness: "Is every statement supported by the context?",
  relevance: "Does the answer address the whole question?",
  correctness: "Does the answer agree with the expected one?",
};

// The question for a metric; the judges of a suite have criteria of their own.
function questionOf(metric) {
  return Object.hasOwn(QUESTIONS, metric) ? QUESTIONS[metric] : `Does this answer pass “${metric}”?`;
}

// Whether the judge passes an answer of the candidate; null where it did not grade it.
function judgePasses(trial, metric) {
  const score = trial.grades.find((grade) => grade.scorer === metric)?.score;
  return score === null || score === undefined ? null : score >= 1;
}

// How likely a person disagrees with the judge: 0 is most likely.
function doubt(row, trials, shown, metric) {
  const verdicts = new Set(trials.map((trial) => judgePasses(trial, metric)).filter((passes) => passes !== null));
  const grade = shown.grades.find((of) => of.scorer === metric);
  const judgements = grade?.judgements ?? [];
  const scores = new Set(judgements.map((of) => /: (\d\.\d+)/u.exec(of.title ?? "")?.[1]).filter(Boolean));
  if (verdicts.size > 1 || scores.size > 1) return 0;
  const passes = judgePasses(shown, metric);
  const others = shown.grades.filter((of) => of.scorer.startsWith("check.") && of.score !== null);
  if (others.some((of) => of.score >= 1 !== passes && row.failing.includes(of.scorer))) return 1;
  if (grade?.flags || (grade?.score > 0 && grade?.score < 1)) return 2;
  return passes === false ? 3 : 4;
}

// Cases with an answer that can be labelled, those in doubt first.
function labelQueue(metric) {
  const queue = [];
  for (const row of rows) {
    const details = DATA.cases[row.number];
    if (!details || details.cut || details.left_out > 0) continue;
    const trials = details.trials.filter((trial) => trial.role === "candidate" && trial.output !== null);
    const shown = trials.find((trial) => fails(trial, row)) ?? trials[0];
    if (!shown || judgePasses(shown, metric) === null) continue;
    queue.push({ row, details, trial: shown, doubt: doubt(row, trials, shown, metric) });
  }
  return queue.sort((one, other) => one.doubt - other.doubt || one.row.rank - other.row.rank);
}

class Labels {
  constructor(metrics) {
    this.dialog = document.getElementById("labels");
    // A label is for one metric: its judge is measured with it, and no other.
    this.sets = new Map();
    for (const metric of metrics) {
      const queue = labelQueue(metric);
      if (queue.length > 0) this.sets.set(metric, { queue, given: this.load(metric) });
    }
    this.use(this.sets.has("faithfulness") ? "faithfulness" : this.sets.keys().next().value);
    this.dialog.addEventListener("keydown", (event) => this.key(event));
  }

  // Labels are for this metric from here on.
  use(metric) {
    this.metric = metric;
    ({ queue: this.queue, given: this.given } = this.sets.get(metric) ?? { queue: [], given: {} });
    this.at = Math.max(this.queue.findIndex((item) => this.label(item) === null), 0);
  }

  store(metric) {
    return `promptgate-labels ${DATA.name} ${DATA.run} ${metric}`;
  }

  // The browser may deny storage, as to a page that was opened from disk; then labels last as long as the page.
  load(metric) {
    try {
      const saved = JSON.parse(localStorage.getItem(this.store(metric)) ?? "{}");
      return saved && typeof saved === "object" ? saved : {};
    } catch {
      return {};
    }
  }

  keep() {
    try {
      localStorage.setItem(this.store(this.metric), JSON.stringify(this.given));
    } catch {
      // They stay in memory.
    }
  }

  label(item) {
    return this.given[item.row.number] ?? null;
  }

  // Labels of this metric with a verdict.
  decided() {
    return this.decidedOf(this.sets.get(this.metric));
  }

  decidedOf(set) {
    return set ? set.queue.filter((item) => ["pass", "fail"].includes(set.given[item.row.number]?.label)) : [];
  }

  // Labels of all metrics with a verdict.
  all() {
    return [...this.sets.values()].flatMap((set) => this.decidedOf(set));
  }

  // Chooses the metric, where there are several.
  chooser() {
    const options = [...this.sets.keys()].map((metric) => element("option", { value: metric, selected: metric === this.metric }, metric));
    const select = element("select", { id: "label-metric" }, options);
    select.addEventListener("change", () => {
      this.use(select.value);
      this.fill();
      document.getElementById("label-metric").focus();
    });
    return element("label", { for: "label-metric" }, "Metric ", select);
  }

  disagrees(item) {
    const label = this.label(item)?.label;
    return (label === "pass" || label === "fail") && (label === "pass") !== judgePasses(item.trial, this.metric);
  }

  open() {
    const first = this.queue.findIndex((item) => this.label(item) === null);
    this.at = Math.max(first, 0);
    this.fill();
    if (!this.dialog.open) this.dialog.showModal();
    this.focus();
  }

  focus() {
    document.getElementById("labels-title").focus();
  }

  give(label) {
    const item = this.queue[this.at];
    if (!item) return;
    const note = document.getElementById("label-note")?.value ?? "";
    this.given[item.row.number] = { label, note };
    this.keep();
    // The judge's verdict is shown where it differs, so that one can look again.
    if (this.disagrees(item)) return this.show();
    this.next();
  }

  show() {
    this.fill();
    this.focus();
  }

  next() {
    const later = this.queue.findIndex((item, at) => at > this.at && this.label(item) === null);
    const any = this.queue.findIndex((item) => this.label(item) === null);
    this.at = later >= 0 ? later : any >= 0 ? any : Math.min(this.at + 1, this.queue.length - 1);
    this.show();
  }

  // The labels so far: from the goal on also by kind, where one kind is too rare.
  progress(decided, goal) {
    const given = (label) => decided.filter((item) => this.label(item).label === label).length;
    if (decided.length < goal) return `${decided.length} of ${goal}`;
    const kinds = [given("pass"), given("fail")];
    const rare = Math.min(...kinds) < GOAL_OF_KIND ? `: ${kinds[0]} pass, ${kinds[1]} fail; calibration needs ${GOAL_OF_KIND} of each` : "";
    return `${counted(decided.length, "label")}${rare}`;
  }

  step(by) {
    this.at = Math.min(Math.max(this.at + by, 0), this.queue.length - 1);
    this.show();
  }

  nextDisagreement() {
    const places = this.queue.map((item, at) => [item, at]).filter(([item]) => this.disagrees(item)).map(([, at]) => at);
    const at = places.find((place) => place > this.at) ?? places[0];
    if (at === undefined) return;
    this.at = at;
    this.show();
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.id === "label-note") {
      // Escape leaves the note, not the dialog.
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        this.note(event.target.value);
        this.focus();
      }
      return;
    }
    if (event.target.closest?.("select, textarea")) return;
    const acts = { p: () => this.give("pass"), f: () => this.give("fail"), u: () => this.give("unsure"), j: () => this.step(1), k: () => this.step(-1), d: () => this.nextDisagreement(), n: () => document.getElementById("label-note").focus(), s: () => this.save() };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  note(text) {
    const item = this.queue[this.at];
    const label = item && this.label(item);
    if (!label) return;
    label.note = text;
    this.keep();
  }

  fill() {
    const item = this.queue[this.at];
    const goal = Math.min(GOAL, this.queue.length);
    const decided = this.decided().length;
    const all = this.all().length;
    const disagreeing = this.queue.filter((of) => this.disagrees(of)).length;
    const button = (label, key, act, attributes = {}) => {
      const made = element("button", { type: "button", ...attributes }, `${label} `, element("kbd", {}, key));
      made.addEventListener("click", act);
      return made;
    };
    const close = button("Close", "Esc", () => this.dialog.close());
    const title = element("h2", { id: "labels-title", tabindex: -1 }, this.metric === undefined ? "Labels" : questionOf(this.metric));
    const progress = element("p", { id: "label-progress", role: "status" }, this.progress(this.decided(), goal));
    const meter = element("progress", { max: goal, value: Math.min(decided, goal), "aria-labelledby": "label-progress" });
    const steps = element("div", { class: "steps" }, button("Previous", "k", () => this.step(-1), { disabled: this.at <= 0 }), button("Next", "j", () => this.step(1), { disabled: this.at + 1 >= this.queue.length }), button(`Save ${counted(all, "label")}`, "s", () => this.save(), { id: "label-save", disabled: all === 0 }), close);
    const chooser = this.sets.size > 1 ? [this.chooser()] : [];
    const bar = element("div", { class: "bar" }, title, ...chooser, progress, meter, steps);
    if (!item) {
      this.dialog.replaceChildren(bar, element("div", { class: "inside" }, element("p", { class: "banner" }, "No complete answer graded by a judge is in this page.")));
      return;
    }
    const given = this.label(item);
    const choice = (label, key) => button(label, key, () => this.give(label), { "aria-pressed": given?.label === label ? "true" : "false", class: `choice ${label}`, "data-label": label });
    const note = element("input", { id: "label-note", type: "text", autocomplete: "off", value: given?.note ?? "", maxlength: 500 });
    note.addEventListener("change", () => this.note(note.value));
    const choices = element("div", { class: "choices", role: "group", "aria-label": "Verdict" }, choice("pass", "p"), choice("fail", "f"), choice("unsure", "u"), element("label", { for: "label-note" }, "Note ", element("kbd", {}, "n")), note);
    const earlier = item.trial.turns ? [conversation(item.trial.turns)] : [];
    const parts = [element("p", { class: "quiet" }, isolated(item.row.id), `; judged by `, isolated(this.metric)), ...earlier, element("p", { class: "question" }, isolated(item.details.query)), element("div", { class: "answer" }, element("pre", { dir: "auto", tabindex: 0, "aria-label": "Answer of the candidate" }, visible(item.trial.output))), choices];
    if (given) parts.push(this.verdict(item, given, disagreeing, button));
    if (item.details.expected !== null) parts.push(element("h3", {}, "Expected"), element("p", { class: "expected" }, isolated(item.details.expected)));
    if (item.details.context.length > 0) parts.push(element("h3", {}, "Context"), ...item.details.context.map((passage) => element("div", { class: "passage", dir: "auto" }, visible(passage))));
    this.dialog.replaceChildren(bar, element("div", { class: "inside" }, parts));
    this.dialog.scrollTop = 0;
  }

  // The judge's verdict, which is shown after one's own.
  verdict(item, given, disagreeing, button) {
    const grade = item.trial.grades.find((of) => of.scorer === this.metric);
    const passes = judgePasses(item.trial, this.metric);
    const same = given.label === "unsure" ? "" : this.disagrees(item) ? " You disagree." : " You agree.";
    const parts = [element("strong", {}, `The judge ${passes ? "passes" : "fails"} it.${same}`), " ", isolated(grade.reason)];
    const steps = [button("Next answer", "j", () => this.next(), { id: "label-next" })];
    if (disagreeing > 0) steps.push(button(`${counted(disagreeing, "disagreement")}`, "d", () => this.nextDisagreement()));
    return element("div", { class: this.disagrees(item) ? "judged differs" : "judged", role: "status" }, element("p", {}, parts), element("div", { class: "steps" }, steps));
  }

  // The labels as lines of JSON, metric by metric: unsure ones without `human`, which `calibrate` only judges.
  lines() {
    return [...this.sets].flatMap(([metric, { queue, given }]) => {
      const labelled = queue.filter((item) => given[item.row.number]);
      return labelled.map((item) => `${JSON.stringify(this.line(metric, item, given[item.row.number]))}\n`);
    });
  }

  line(metric, item, { label, note }) {
    const line = { id: item.row.id, query: item.details.query };
    if (item.details.context.length > 0) line.context = item.details.context;
    if (item.details.expected !== null) line.expected = item.details.expected;
    if (item.row.tags.length > 0) line.tags = item.row.tags;
    if (item.trial.turns) line.messages = saidBefore(item.trial.turns).map(([role, content]) => ({ role, content }));
    line.response = item.trial.output;
    if (label !== "unsure") line.human = label === "pass";
    line.metric = metric;
    line.repeat = item.trial.repeat + 1;
    if (note) line.note = note;
    return line;
  }

  save() {
    if (this.all().length === 0) return;
    const link = element("a", { download: "labels.jsonl" });
    link.href = URL.createObjectURL(new Blob(this.lines(), { type: "application/jsonl" }));
    this.dialog.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
}
