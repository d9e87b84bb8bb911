// The dialog of a case: question, both answers with their diff, grades with reasons, context with quotes.

const SIDES = ["baseline", "candidate"];

// Whether a trial has no answer or fails a metric that its case fails.
function fails(trial, row) {
  if (trial.error || trial.output === null) return true;
  return trial.grades.some((grade) => grade.score === null || (grade.score < 1 && row.failing.includes(grade.scorer)));
}

// The repeat in which the candidate fails, else its first one.
function shownRepeat(row, details) {
  const candidates = (details?.trials ?? []).filter((trial) => trial.role === "candidate");
  return (candidates.find((trial) => fails(trial, row)) ?? candidates[0] ?? details?.trials[0])?.repeat ?? 0;
}

// The text of an answer, with what the other one lacks marked.
function answerText(output, pieces, role) {
  const name = role === "baseline" ? "del" : "ins";
  return (pieces ?? [[output, false]]).map(([piece, changed]) => (changed ? element(name, {}, visible(piece)) : visible(piece)));
}

function repeatsOf(details) {
  return [...new Set(details.trials.map((trial) => trial.repeat))].sort((one, other) => one - other);
}

const trialOf = (details, role, repeat) => details.trials.find((trial) => trial.role === role && trial.repeat === repeat);

// The content of the dialog for one repeat.
function dialogContent(row, details, repeat, compared, choose) {
  const parts = [element("p", { class: "question" }, isolated(details?.query ?? row.query))];
  const labels = row.tags.map((tag) => element("span", { class: "tag" }, isolated(tag)));
  if (row.must) labels.push(element("span", { class: "tag" }, "must pass"));
  if (details?.group) labels.push(element("span", { class: "tag" }, "group ", isolated(details.group)));
  if (labels.length > 0) parts.push(element("p", {}, labels));
  parts.push(element("p", { class: "quiet" }, summary(row, compared)));
  if (!details) {
    parts.push(element("p", { class: "banner" }, "The answers of this case are omitted to limit the size of this page. See report.json, or trials.jsonl for a large run."));
    return parts;
  }
  if (details.shared) parts.push(element("p", { class: "quiet" }, "Both variants sent the same request, so it was answered and judged once."));
  const repeats = repeatsOf(details);
  if (repeats.length === 0) parts.push(element("p", { class: "banner" }, "The run ended before any answer was requested."));
  if (repeats.length > 1) parts.push(repeatButtons(row, details, repeats, repeat, choose));
  const sides = SIDES.map((role) => trialOf(details, role, repeat));
  parts.push(...answers(sides, compared), ...grades(sides, compared, row));
  if (details.expected !== null) {
    parts.push(element("h3", {}, "Expected"), element("p", { class: "expected" }, isolated(details.expected)));
  }
  parts.push(...context(details.context, sides), ...request(row, compared));
  if (details.left_out > 0) parts.push(element("p", { class: "quiet" }, `${details.left_out} trials and passages omitted; see report.json.`));
  return parts;
}

function summary(row, compared) {
  const share = (passes) => (passes === null ? "unknown" : `${passes[0]} of ${passes[1]}`);
  const parts = compared ? [`passed ${share(row.before)} before, ${share(row.now)} now`] : [`passed ${share(row.now)}`];
  if (row.shown !== null) parts.push("; largest change: ", isolated(row.metric), ` ${row.shown}`);
  if (row.failing.length > 0) parts.push("; fails ", ...row.failing.flatMap((name, at) => [at > 0 ? ", " : "", isolated(name)]));
  return parts;
}

function repeatButtons(row, details, repeats, repeat, choose) {
  const button = (of) => {
    const failed = details.trials.some((trial) => trial.repeat === of && trial.role === "candidate" && fails(trial, row));
    const control = element("button", { type: "button", "aria-pressed": of === repeat ? "true" : "false" }, `${of + 1}`, failed ? " ✗" : " ✓", element("span", { class: "visually-hidden" }, failed ? " candidate fails" : " candidate passes"));
    control.addEventListener("click", () => choose(of));
    return control;
  };
  return element("div", { class: "repeats", role: "group", "aria-label": "Repeat" }, element("span", { class: "quiet" }, "Repeat"), repeats.map(button));
}

function answers(sides, compared) {
  const [before, after] = sides;
  const both = typeof before?.output === "string" && typeof after?.output === "string";
  const same = both && before.output === after.output;
  const pieces = both && !same ? wordDiff(before.output, after.output) : null;
  let note = null;
  if (same) note = "Both answers are identical.";
  else if (pieces) note = "Struck through: only in the baseline. Underlined: only in the candidate.";
  else if (both) note = "Too long or too different for a word diff.";
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
    box.append(element("p", { class: "quiet" }, "Not requested in this repeat."));
    return box;
  }
  if (trial.turns) box.append(conversation(trial.turns));
  if (trial.output === null) {
    box.append(...fault("No answer", trial.error));
  } else {
    const text = element("pre", { dir: "auto", tabindex: 0, "aria-label": `Answer of the ${role}` });
    text.append(...answerText(trial.output, pieces, role));
    box.querySelector("h4").append(copyButton("Copy", trial.output));
    if (trial.output === "") text.append(element("span", { class: "quiet" }, "an empty answer"));
    box.append(text);
    if (trial.raw) box.append(element("details", { class: "raw" }, element("summary", { class: "quiet" }, "answer before `transform`"), element("pre", { dir: "auto", tabindex: 0, "aria-label": `Answer of the ${role} before transform` }, visible(trial.raw))));
  }
  if (trial.facts.length > 0) {
    box.append(element("dl", {}, trial.facts.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, isolated(value))])));
  }
  return box;
}

function fault(title, error) {
  if (!error) return [element("p", { class: "error" }, title)];
  const parts = [element("p", { class: "error" }, `${title} (${error.kind}): `, isolated(error.message))];
  if (error.help) parts.push(element("p", { class: "quiet" }, "Next: ", isolated(error.help)));
  return parts;
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

// Scorers that the candidate fails, then judged ones, then the others.
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
  const parts = [element("div", {}, isolated(grade.reason))];
  if (grade.missing) parts.push(...fault("Not graded", grade.missing));
  if (grade.flags) parts.push(element("div", {}, grade.flags.map((flag) => element("span", { class: "tag" }, isolated(flag)))));
  const inner = (grade.judgements ?? []).flatMap((judgement) => [
    judgement.title ? element("p", {}, isolated(judgement.title)) : null,
    element("ul", { class: "evidence" }, judgement.entries.map(entry)),
  ]);
  if (grade.details) inner.push(element("pre", {}, visible(grade.details)));
  if (grade.took) inner.push(element("p", { class: "quiet" }, isolated(grade.took)));
  if (inner.length > 0) {
    const open = grade.score === null || grade.score < 1;
    parts.push(element("details", { open }, element("summary", { class: "quiet" }, grade.judgements ? "judge reasoning" : "details"), inner));
  }
  return parts;
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
  const highlightedPassages = passages.map((passage) => highlighted(passage, quotes));
  const parts = [element("h3", {}, "Context")];
  if (highlightedPassages.some((passage) => passage.marked)) {
    const legend = element("p", { class: "quiet" }, "Marked: quoted by the judge ", element("mark", {}, "for the candidate"));
    if (sides[0]) legend.append(", ", element("mark", { class: "other" }, "for the baseline"), ", ", element("mark", { class: "both" }, "for both"));
    parts.push(legend);
  } else if (quotes.length > 0) {
    parts.push(element("p", { class: "quiet" }, "None of the judge's quotes occurs here verbatim."));
  }
  return [...parts, ...highlightedPassages.map((passage) => element("div", { class: "passage", dir: "auto" }, passage.fragment))];
}

// The turns before an answer, folded.
function conversation(turns) {
  const title = turns.length === 1 ? "1 earlier turn" : `${turns.length} earlier turns`;
  return element("details", { class: "block" }, element("summary", {}, title), saidBefore(turns).map(message));
}

// Role and text of what was said in these turns.
function saidBefore(turns) {
  return turns.flatMap(([query, reply]) => [["user", query], ["assistant", reply]]).filter(([, text]) => text !== "");
}

function message([role, text]) {
  return element("div", { class: "message" }, element("h4", {}, role), element("pre", { dir: "auto", tabindex: 0, "aria-label": `${role} message` }, visible(text)));
}

// The messages that were sent, folded.
function request(row, compared) {
  const sent = DATA.requests[row.number];
  if (!sent) return [];
  const asText = (messages) => messages.map(([role, text]) => `${role}:\n${text}\n`).join("\n");
  const block = (title, messages) => element("details", { class: "block" }, element("summary", {}, title), element("p", {}, copyButton("Copy request", asText(messages))), messages.map(message));
  const parts = [element("h3", {}, "Request")];
  if (compared && sent.baseline.length > 0) parts.push(block("Messages to the baseline", sent.baseline));
  parts.push(block(compared && sent.baseline.length === 0 ? "Messages, the same for both" : "Messages to the candidate", sent.candidate));
  return parts;
}
