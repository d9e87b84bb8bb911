//! Tests as cases.

use serde_json::{Map, Value, json};

use promptgate_core::model::{Diagnostics, Place};
use promptgate_core::text::neutral::is_invisible;

use super::super::draft::{Code, DraftCase, DraftCheck, DraftPrompt, Language, unique};
use super::super::names::Names;
use super::super::sources::extension;
use super::super::template::{Dialect, render, value_at};
use super::Reader;
use super::assertions::{Assertion, Carried, Subject, convert, environment};
use super::tests::Test;

/// A test with the variables of each of its cases.
type Expanded = (Test, Vec<Map<String, Value>>);

impl Reader<'_> {
    /// Makes the cases, and renames the variables of the prompts alike.
    pub(super) fn cases(
        &mut self,
        tests: Vec<Test>,
        prompts: &mut [DraftPrompt],
        is_target: bool,
    ) -> Result<(), Diagnostics> {
        let mut expanded: Vec<Expanded> = Vec::new();
        let mut count = 0;
        for test in tests {
            let rows = self.expanded(&test, count)?;
            count += rows.len();
            expanded.push((test, rows));
        }
        let used: Vec<String> = prompts.iter().flat_map(|prompt| prompt.names(Dialect::Nunjucks)).collect();
        let rows: Vec<&Map<String, Value>> = expanded.iter().flat_map(|(_, rows)| rows).collect();
        let names = if is_target { Names::of_target(&rows) } else { Names::of_prompt(&used, &rows) };
        if is_target {
            self.note_reserved(&expanded);
        }
        let mut taken = Vec::new();
        for (number, (test, rows)) in expanded.iter().enumerate() {
            let described = test.description.as_deref().map(one_line).filter(|text| !text.is_empty());
            let base = described.unwrap_or_else(|| format!("test-{}", number + 1));
            for (index, vars) in rows.iter().enumerate() {
                let id = if rows.len() == 1 { base.clone() } else { format!("{base}-{}", index + 1) };
                let mut case = names.case(vars, &used);
                case.id = unique(&id, &mut taken);
                case.group = (rows.len() > 1).then(|| base.clone());
                if is_target {
                    case.query = Some(self.rendered(prompts.first(), vars));
                }
                for name in used.iter().filter(|name| !is_target && value_at(vars, name).is_none()) {
                    let help = "give it a value in the dataset; as before, it is an empty text now";
                    self.draft.note(
                        &test.place,
                        format!("the variable `{name}` of a prompt has no value"),
                        help,
                    );
                }
                self.assert(test, vars, &mut case);
                self.draft.cases.push(case);
            }
        }
        self.draft.names = names.renamed();
        for prompt in prompts.iter_mut() {
            self.draft.translate(prompt, Dialect::Nunjucks, &names);
        }
        Ok(())
    }

    /// An application gets four variables under another name, or not at all.
    fn note_reserved(&mut self, expanded: &[Expanded]) {
        let with =
            |name: &str| expanded.iter().find(|(_, rows)| rows.iter().any(|row| row.contains_key(name)));
        for (name, here) in [
            ("id", "vars.record_id"),
            ("query", "vars.query_text"),
            ("context", "context"),
            ("expected", "no field"),
        ] {
            if let Some((test, _)) = with(name) {
                let help = "change the program, or the name of the variable in cases.jsonl";
                self.draft.note(
                    &test.place,
                    format!("the application gets the variable `{name}` as {here}"),
                    help,
                );
            }
        }
    }

    /// The text that an application gets: the prompt with its values.
    fn rendered(&mut self, prompt: Option<&DraftPrompt>, vars: &Map<String, Value>) -> String {
        let lookup = |name: &str| value_at(vars, name).cloned();
        let Some(prompt) = prompt else { return String::new() };
        let texts =
            prompt.messages.iter().map(|message| match render(&message.text, Dialect::Nunjucks, &lookup) {
                Ok(text) => text,
                Err(_) => message.text.clone(),
            });
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn assert(&mut self, test: &Test, vars: &Map<String, Value>, case: &mut DraftCase) {
        for assertion in &test.asserts {
            let subject = Subject { vars, is_json: self.is_json(), sources: self.sources };
            let carried = match convert(assertion, &subject) {
                Ok(carried) => carried,
                Err(note) => {
                    self.draft.push_note(note);
                    continue;
                }
            };
            self.note_other_keys_of(assertion, &carried);
            self.draft.carried += 1;
            for carried in carried {
                match carried {
                    Carried::Check(body) => {
                        case.checks.push(DraftCheck { body, name: assertion.name.clone() });
                    }
                    Carried::Criterion(criterion) if !case.criteria.contains(&criterion) => {
                        case.criteria.push(criterion)
                    }
                    Carried::Criterion(_) => {}
                    Carried::Code(code) => {
                        self.read_environment(&code);
                        case.code.push(code);
                    }
                    Carried::Latency(limit) => self.limit_latency(limit, assertion),
                }
            }
        }
    }

    /// Whether the tool parses answers: by a transformation, or because a schema was asked for.
    fn is_json(&self) -> bool {
        let first = match self.root.get("providers").or(self.root.get("targets")) {
            Some(Value::Array(items)) => items.first(),
            one => one,
        };
        let format = first.and_then(|provider| provider.pointer("/config/response_format/type"));
        self.answers_are_json || format.and_then(Value::as_str) == Some("json_schema")
    }

    fn note_other_keys_of(&mut self, assertion: &Assertion, carried: &[Carried]) {
        let is_judged = carried.iter().any(|carried| matches!(carried, Carried::Criterion(_)));
        if is_judged && assertion.threshold.is_some_and(|threshold| threshold < 1.0) {
            let help = "a statement holds or not; for a share of several write a metric: `metrics: {NAME: {rubric: [TEXT, …], min: 0.8}}`";
            self.draft.push_note(assertion.note("its threshold is not carried", help));
        }
        for key in &assertion.other {
            let help = match key.as_str() {
                "provider" | "rubricPrompt" => "one judge decides all criteria: `judge: {model: NAME}`",
                _ => "leave it out",
            };
            self.draft.push_note(assertion.note(format!("its key `{key}` is not carried"), help));
        }
    }

    /// The longest limit is that of the configuration: times are measured over all answers.
    fn limit_latency(&mut self, limit: f64, assertion: &Assertion) {
        let written = |limit: f64| format!("{}ms", limit.round());
        let before = self.draft.limits.get("latency_p95").and_then(Value::as_str).map(str::to_owned);
        let Some(before) = before else {
            self.draft.limits.insert("latency_p95".to_owned(), json!(written(limit)));
            return;
        };
        let milliseconds: f64 = before.trim_end_matches("ms").parse().unwrap_or_default();
        if milliseconds == limit {
            return;
        }
        let most = milliseconds.max(limit);
        self.draft.limits.insert("latency_p95".to_owned(), json!(written(most)));
        let help = "one limit holds for all answers: `limits: {latency_p95: …}` has the longest";
        self.draft.push_note(assertion.note("it differs from the limit of another test", help));
    }

    /// The environment of the program that a scorer runs.
    fn read_environment(&mut self, code: &Code) {
        let text = code.entry.get("code").and_then(Value::as_str).map(str::to_owned);
        let path = code.entry.get("file").and_then(Value::as_str);
        let program = text.or_else(|| {
            let path = path?.strip_prefix(self.sources.prefix.as_str())?;
            let known = match code.language {
                Language::JavaScript => "js mjs cjs",
                Language::Python => "py",
            };
            let text = self.sources.text(path, &Place::default());
            text.ok().filter(|_| known.contains(&extension(path)))
        });
        for name in environment(&program.unwrap_or_default()) {
            if !self.draft.scorer_env.contains(&name) {
                self.draft.scorer_env.push(name);
            }
        }
    }
}

/// A description as an id: one line of at most 80 characters.
fn one_line(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars()
        .filter(|character| !character.is_control() && !is_invisible(None, *character, None))
        .take(80)
        .collect::<String>()
        .trim_end()
        .to_owned()
}
