// An opened case: question, both answers with their difference, grades with reasons, context with quotes.

const SIDES = ["baseline", "candidate"];

// Whether a trial is without an answer or fails a metric that its case fails.
function fails(trial, row) {
  if (trial.error || trial.output === null) return true;
  return trial.grades.some((grade) => grade.score === null || (grade.score < 1 && row.failing.includes(grade.scorer)));
}

function repeatsOf(opened) {
  return [...new Set(opened.trials.map((trial) => trial.repeat))].sort((one, other) => one - other);
}

const trialOf = (opened, role, repeat) => opened.trials.find((trial) => trial.role === role && trial.repeat === repeat);

// What is inside the dialog below its bar, for one repeat.
function inside(row, opened, repeat, compared, choose) {
  const parts = [element("p", { class: "question" }, isolated(opened?.query ?? row.query))];
  const labels = row.tags.map((tag) => element("span", { class: "tag" }, isolated(tag)));
  if (row.must) labels.push(element("span", { class: "tag" }, "must pass"));
  if (opened?.group) labels.push(element("span", { class: "tag" }, "group ", isolated(opened.group)));
  if (labels.length > 0) parts.push(element("p", {}, labels));
  parts.push(element("p", { class: "quiet" }, summary(row, compared)));
  if (!opened) {
    parts.push(element("p", { class: "banner" }, "The answers of this case are not in this page, to keep it small. report.json has them; of a large run, trials.jsonl beside it."));
    return parts;
  }
  if (opened.shared) parts.push(element("p", { class: "quiet" }, "Both variants sent the same request: it was answered and judged once."));
  const repeats = repeatsOf(opened);
  if (repeats.length === 0) parts.push(element("p", { class: "banner" }, "No answer was asked for before the run ended."));
  if (repeats.length > 1) parts.push(repeatButtons(row, opened, repeats, repeat, choose));
  const sides = SIDES.map((role) => trialOf(opened, role, repeat));
  parts.push(...answers(sides, compared), ...grades(sides, compared, row));
  if (opened.expected !== null) {
    parts.push(element("h3", {}, "Expected"), element("p", { class: "expected" }, isolated(opened.expected)));
  }
  parts.push(...context(opened.context, sides));
  if (opened.left_out > 0) parts.push(element("p", { class: "quiet" }, `${opened.left_out} trials and passages are left out here; report.json has them.`));
  return parts;
}

function summary(row, compared) {
  const share = (passes) => (passes === null ? "not known" : `${passes[0]} of ${passes[1]}`);
  const told = compared ? [`passed ${share(row.before)} before, ${share(row.now)} now`] : [`passed ${share(row.now)}`];
  if (row.shown !== null) told.push("; moved most: ", isolated(row.metric), ` ${row.shown}`);
  if (row.failing.length > 0) told.push("; fails ", ...row.failing.flatMap((name, at) => [at > 0 ? ", " : "", isolated(name)]));
  return told;
}

function repeatButtons(row, opened, repeats, repeat, choose) {
  const button = (of) => {
    const failed = opened.trials.some((trial) => trial.repeat === of && trial.role === "candidate" && fails(trial, row));
    const made = element("button", { type: "button", "aria-pressed": of === repeat ? "true" : "false" }, `${of + 1}`, failed ? " ✗" : " ✓", element("span", { class: "unseen-text" }, failed ? " candidate fails" : " candidate passes"));
    made.addEventListener("click", () => choose(of));
    return made;
  };
  return element("div", { class: "repeats", role: "group", "aria-label": "Repeat" }, element("span", { class: "quiet" }, "Repeat"), repeats.map(button));
}

function answers(sides, compared) {
  const [before, after] = sides;
  const both = typeof before?.output === "string" && typeof after?.output === "string";
  const same = both && before.output === after.output;
  const pieces = both && !same ? difference(before.output, after.output) : null;
  let note = null;
  if (same) note = "Both answers are the same, word for word.";
  else if (pieces) note = "Struck through: only the baseline says it. Underlined: only the candidate says it.";
  else if (both) note = "Too long, or too far apart, for a word difference.";
  const shownSides = compared ? SIDES : ["candidate"];
  const boxes = shownSides.map((role) => {
    const trial = sides[SIDES.indexOf(role)];
    const side = role === "baseline" ? pieces?.before : pieces?.after;
    return answer(role, trial, side);
  });
  return [element("h3", {}, "Answers"), note && element("p", { class: "quiet" }, note), element("div", { class: "answers" }, boxes)].filter(Boolean);
}

function answer(role, trial, pieces) {
  const box = element("div", { class: "answer" }, element("h4", {}, role));
  if (!trial) {
    box.append(element("p", { class: "quiet" }, "Not asked for in this repeat."));
    return box;
  }
  if (trial.output === null) {
    box.append(...fault("No answer", trial.error));
  } else {
    const text = element("pre", { dir: "auto", tabindex: 0, "aria-label": `Answer of the ${role}` });
    const name = role === "baseline" ? "del" : "ins";
    for (const [piece, changed] of pieces ?? [[trial.output, false]]) {
      text.append(changed ? element(name, {}, shown(piece)) : shown(piece));
    }
    if (trial.output === "") text.append(element("span", { class: "quiet" }, "an empty answer"));
    box.append(text);
  }
  if (trial.facts.length > 0) {
    box.append(element("dl", {}, trial.facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, isolated(value))])));
  }
  return box;
}

function fault(what, error) {
  if (!error) return [element("p", { class: "error" }, what)];
  const told = [element("p", { class: "error" }, `${what} (${error.kind}): `, isolated(error.message))];
  if (error.help) told.push(element("p", { class: "quiet" }, "Next: ", isolated(error.help)));
  return told;
}

function grades(sides, compared, row) {
  const scorers = worstFirst([...new Set(sides.flatMap((trial) => trial?.grades.map((grade) => grade.scorer) ?? []))], sides, row);
  if (scorers.length === 0) return [];
  const roles = compared ? SIDES : ["candidate"];
  const lines = scorers.map((scorer) => {
    const cells = roles.flatMap((role) => {
      const grade = sides[SIDES.indexOf(role)]?.grades.find((of) => of.scorer === scorer);
      return [element("td", { class: "number", "data-label": `${role}:` }, score(grade, scorer, row)), element("td", { class: "reason" }, grade ? reason(grade) : "")];
    });
    return element("tr", {}, element("th", { scope: "row" }, isolated(scorer)), cells);
  });
  const heads = roles.flatMap((role) => [element("th", { scope: "col", class: "number" }, role), element("th", { scope: "col" }, "reason")]);
  const table = element("table", { class: "grades" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "scorer"), heads)), element("tbody", {}, lines));
  return [element("h3", {}, "Grades"), element("div", { class: "scroll", role: "region", "aria-label": "Grades", tabindex: 0 }, table)];
}

// What the candidate fails, then what is judged, then the others.
function worstFirst(scorers, sides, row) {
  const rank = (scorer) => {
    const grade = sides[1]?.grades.find((of) => of.scorer === scorer);
    if (grade && (grade.score === null || (grade.score < 1 && row.failing.includes(scorer)))) return 0;
    return grade?.judgements ? 1 : 2;
  };
  return scorers.map((scorer, at) => [rank(scorer), at, scorer]).sort((one, other) => one[0] - other[0] || one[1] - other[1]).map(([, , scorer]) => scorer);
}

function score(grade, scorer, row) {
  if (!grade) return element("span", { class: "quiet" }, "–");
  if (grade.score === null) return element("span", { class: "score none" }, "! missing");
  const low = grade.score < 1 && (row.failing.includes(scorer) || scorer.startsWith("check."));
  return element("span", { class: low ? "score low" : "score" }, `${low ? "✗ " : ""}${grade.score.toFixed(3)}`);
}

function reason(grade) {
  const told = [element("div", {}, isolated(grade.reason))];
  if (grade.missing) told.push(...fault("Not graded", grade.missing));
  if (grade.flags) told.push(element("div", {}, grade.flags.map((flag) => element("span", { class: "tag" }, isolated(flag)))));
  const inner = (grade.judgements ?? []).flatMap((judgement) => [
    judgement.title ? element("p", {}, isolated(judgement.title)) : null,
    element("ul", { class: "evidence" }, judgement.entries.map(entry)),
  ]);
  if (grade.details) inner.push(element("pre", {}, shown(grade.details)));
  if (grade.took) inner.push(element("p", { class: "quiet" }, isolated(grade.took)));
  if (inner.length > 0) {
    const open = grade.score === null || grade.score < 1;
    told.push(element("details", { open }, element("summary", { class: "quiet" }, grade.judgements ? "what the judge says" : "details"), inner));
  }
  return told;
}

function entry(of) {
  const quotes = (of.quotes ?? []).map((quote) => element("div", {}, element("q", {}, isolated(quote))));
  return element("li", {}, element("span", { class: "verdict-word" }, isolated(of.verdict), ": "), isolated(of.text), of.reasoning ? element("div", { class: "quiet" }, isolated(of.reasoning)) : null, of.problem ? element("div", { class: "error" }, isolated(of.problem)) : null, quotes);
}

function context(passages, sides) {
  if (passages.length === 0) return [];
  const quotes = sides.flatMap((trial, at) =>
    (trial?.grades ?? []).flatMap((grade) => (grade.judgements ?? []).flatMap((judgement) => judgement.entries.flatMap((of) => (of.quotes ?? []).map((quote) => [quote, at === 1 ? 1 : 2])))),
  );
  const found = passages.map((passage) => highlighted(passage, quotes));
  const parts = [element("h3", {}, "Context")];
  if (found.some((passage) => passage.marked)) {
    const legend = element("p", { class: "quiet" }, "Marked is what the judge quoted: ", element("mark", {}, "for the candidate"));
    if (sides[0]) legend.append(", ", element("mark", { class: "other" }, "for the baseline"), ", ", element("mark", { class: "both" }, "for both"));
    parts.push(legend);
  } else if (quotes.length > 0) {
    parts.push(element("p", { class: "quiet" }, "None of the judge's quotes stands here word for word."));
  }
  return [...parts, ...found.map((passage) => element("div", { class: "passage", dir: "auto" }, passage.fragment))];
}
