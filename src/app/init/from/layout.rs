//! The files of a draft: configuration, prompts, dataset, and the scorers for its code.

mod naming;

use promptgate_core::text::neutral;
use serde_json::{Map, Value, json};

use super::draft::{Answerer, Draft, DraftCase, DraftPrompt, Language, Model};
use super::original::Original;
use super::yaml::{block, flow, scalar};

/// The scorers for code, which read the assertions from a file beside them.
const JAVASCRIPT: &str = include_str!("scripts/javascript.mjs");
const PYTHON: &str = include_str!("scripts/python.py");
pub(super) const DATASET: &str = "cases.jsonl";
/// The model where the source names none that could be carried.
const MODEL: &str = "gpt-4o-mini";
const JUDGE: &str = "gpt-4o";
/// The model of embeddings for `similar`.
const EMBEDDINGS: &str = "text-embedding-3-small";
/// Cases from which on a mean of criteria is better than a verdict for each.
const MANY: usize = 20;

/// A draft in files, by path, and the draft as it was written.
pub(super) fn files(mut draft: Draft, origin: &str) -> (Vec<(String, String)>, Draft) {
    naming::hoist(&mut draft);
    naming::name(&mut draft);
    let mut files = vec![("promptgate.yaml".to_owned(), configuration(&draft, origin))];
    for prompt in draft.prompts.iter().filter(|prompt| !prompt.is_original) {
        files.push((path_of(prompt), prompt_text(prompt)));
    }
    files.push((
        DATASET.to_owned(),
        draft.cases.iter().map(|case| format!("{}\n", row(case, draft.question.as_deref()))).collect(),
    ));
    for (language, script, name) in
        [(Language::JavaScript, JAVASCRIPT, "javascript.mjs"), (Language::Python, PYTHON, "python.py")]
    {
        if let Some(data) = assertions(&draft, language) {
            let stem = name.split('.').next().unwrap_or_default();
            files.push((format!("scorers/{name}"), script.to_owned()));
            files.push((format!("scorers/{stem}.json"), format!("{data:#}\n")));
        }
    }
    files.append(&mut draft.files);
    (files, draft)
}

/// The file of a prompt: its own, or the copy.
pub(super) fn path_of(prompt: &DraftPrompt) -> String {
    if let Some(original) = prompt.original.as_ref().filter(|_| prompt.is_original) {
        return original.path.clone();
    }
    format!("prompts/{}.yaml", prompt.label)
}

fn prompt_text(prompt: &DraftPrompt) -> String {
    let mut text: String =
        prompt.front_matter.iter().map(|(key, value)| format!("{key}: {}\n", flow(value))).collect();
    text.push_str("messages:\n");
    for message in &prompt.messages {
        text.push_str(&format!("  - role: {}\n{}", message.role, block(4, "content", &message.text)));
    }
    text
}

/// A line of the dataset; `question` is the column of the query where it has another name.
fn row(case: &DraftCase, question: Option<&str>) -> Value {
    let mut row = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            row.insert(key.to_owned(), value);
        }
    };
    set("id", Some(Value::from(case.id.as_str())));
    set("group", case.group.as_deref().map(Value::from));
    set("tags", (!case.tags.is_empty()).then(|| json!(case.tags)));
    set(question.unwrap_or("query"), case.query.as_deref().map(Value::from));
    set("context", case.context.clone());
    set("expected", case.expected.clone());
    set("criteria", (!case.criteria.is_empty()).then(|| json!(case.criteria)));
    let checks: Vec<Value> = case.checks.iter().map(naming::entry).collect();
    set("checks", (!checks.is_empty()).then(|| json!(checks)));
    set("vars", (!case.vars.is_empty()).then(|| Value::Object(case.vars.clone())));
    Value::Object(row)
}

/// The data of a scorer; `None` without an assertion in this language.
fn assertions(draft: &Draft, language: Language) -> Option<Value> {
    let of = |case: &DraftCase| -> Vec<Value> {
        case.code.iter().filter(|code| code.language == language).map(|code| code.entry.clone()).collect()
    };
    let mut cases: Vec<(String, Vec<Value>)> =
        draft.cases.iter().map(|case| (case.id.clone(), of(case))).collect();
    let mut always = Vec::new();
    if let [(_, first), rest @ ..] = cases.as_slice()
        && !rest.is_empty()
    {
        always = first
            .iter()
            .filter(|entry| rest.iter().all(|(_, others)| others.contains(entry)))
            .cloned()
            .collect();
    }
    for (_, entries) in &mut cases {
        entries.retain(|entry| !always.contains(entry));
    }
    let cases: Map<String, Value> = cases
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(id, entries)| (id, Value::from(entries)))
        .collect();
    if always.is_empty() && cases.is_empty() {
        return None;
    }
    Some(json!({"names": draft.names, "every_case": always, "cases": cases}))
}

fn configuration(draft: &Draft, origin: &str) -> String {
    let mut text = format!(
        "# Imported from {}. Validate with `promptgate check`, try without a key with `promptgate run --offline`.\n",
        neutral::terminal(origin)
    );
    comments(draft, &mut text);
    let copies = draft.copies(&str::to_owned, &|original| original.path.clone());
    text.extend(copies.iter().map(|line| format!("# {}\n", neutral::terminal(line))));
    text.push_str(&format!("version: 1\nname: {}\n", scalar(&draft.name)));
    let fields = draft.question.as_deref().map(|name| {
        // The prompt inserts it by its own name; a judge reads it as the question.
        format!(", fields: {{query: {name}, vars.{name}: {name}}}")
    });
    let fields = fields.unwrap_or_default();
    text.push_str(&format!(
        "dataset: {{path: {DATASET}{fields}, must_pass: true}} # every case has to pass\n"
    ));
    if let Some(first) = draft.prompts.first() {
        text.push_str(&format!(
            "prompt: {} # the candidate; the baseline is the same file at the git merge base\n",
            scalar(&path_of(first))
        ));
        for other in draft.prompts.iter().skip(1) {
            let path = path_of(other);
            text.push_str(&format!(
                "# to compare: promptgate run --candidate file:{path} --baseline file:{}\n",
                path_of(first)
            ));
        }
    }
    match &draft.answerer {
        Answerer::Model(model) => {
            let first = draft.prompts.first().filter(|prompt| prompt.is_original);
            let has_model =
                first.and_then(|prompt| prompt.original.as_ref()).is_some_and(Original::has_model);
            text.push_str(&if has_model {
                let endpoint = Model { endpoint: model.endpoint.clone(), ..Model::default() };
                format!("# model and parameters: as the prompt file says\n{}", model_lines(&endpoint))
            } else {
                model_lines(model)
            });
        }
        Answerer::Target(target) => text.push_str(&target_lines(target)),
        Answerer::Unknown => text.push_str(&format!(
            "model: {MODEL} # replace it: the source names no model that could be carried\n"
        )),
    }
    for alternative in &draft.alternatives {
        text.push_str(&format!("# {alternative}\n"));
    }
    let has_criteria = draft.cases.iter().any(|case| !case.criteria.is_empty());
    if has_criteria || draft.judge.is_some() || !draft.metrics.is_empty() {
        text.push_str(&judge(draft));
    }
    if has_criteria && draft.cases.len() > MANY {
        text.push_str(
            "# for a mean over all cases in place of a verdict for each: metrics: {criteria: {min: 0.9}}\n",
        );
    }
    if draft
        .checks
        .iter()
        .chain(draft.cases.iter().flat_map(|case| &case.checks))
        .any(|check| naming::is_similar(&check.body))
    {
        let is_elsewhere = matches!(&draft.answerer, Answerer::Model(model) if !model.endpoint.is_empty());
        let endpoint = if is_elsewhere { ", endpoint: {protocol: openai}" } else { "" };
        text.push_str(&format!("embeddings: {{model: {EMBEDDINGS}{endpoint}}} # for `similar`\n"));
    }
    if !draft.transform.is_empty() {
        text.push_str(&format!("transform: {}\n", flow(&Value::Object(draft.transform.clone()))));
    }
    let checks = checks(draft);
    if !checks.is_empty() {
        text.push_str("checks:\n");
        text.extend(checks.iter().map(|check| format!("  - {}\n", flow(check))));
    }
    for (key, map) in [("metrics", &draft.metrics), ("limits", &draft.limits)] {
        if !map.is_empty() {
            text.push_str(&format!("{key}: {}\n", flow(&Value::Object(map.clone()))));
        }
    }
    text
}

/// Notes as comments.
fn comments(draft: &Draft, text: &mut String) {
    if draft.notes.is_empty() {
        return;
    }
    text.push_str("# Not carried, and what to do:\n");
    for note in &draft.notes {
        let place = note.place.as_ref().map(|place| match place.line {
            Some(line) => format!("{}:{line}: ", place.file),
            None => format!("{}: ", place.file),
        });
        let message = format!("{}{}", place.unwrap_or_default(), note.message);
        text.push_str(&format!("# - {}\n", neutral::terminal(&message)));
        if let Some(help) = &note.help {
            text.push_str(&format!("#   {}\n", neutral::terminal(help)));
        }
    }
}

/// The lines of a model with its parameters and endpoint.
pub(super) fn model_lines(model: &Model) -> String {
    let mut text = match model.name.as_str() {
        "" => String::new(),
        name => format!("model: {}\n", scalar(name)),
    };
    for (key, map) in [("parameters", &model.parameters), ("endpoint", &model.endpoint)] {
        if !map.is_empty() {
            text.push_str(&format!("{key}: {}\n", flow(&Value::Object(map.clone()))));
        }
    }
    text
}

fn target_lines(target: &Value) -> String {
    let mut text = "target:\n".to_owned();
    for (key, value) in target.as_object().into_iter().flatten() {
        match value {
            Value::Object(map) => {
                text.push_str(&format!("  {key}:\n"));
                text.extend(map.iter().map(|(key, value)| format!("    {key}: {}\n", flow(value))));
            }
            value => text.push_str(&format!("  {key}: {}\n", flow(value))),
        }
    }
    text
}

/// The judge: the source's, else one from the vendor of the candidate.
fn judge(draft: &Draft) -> String {
    let candidate = match &draft.answerer {
        Answerer::Model(model) => Some(model),
        _ => None,
    };
    let is_elsewhere = candidate.is_some_and(|model| !model.endpoint.is_empty());
    let mut map = Map::new();
    let mut comment = "";
    match &draft.judge {
        Some(judge) => {
            map.insert("model".to_owned(), Value::from(judge.name.as_str()));
            if candidate.is_none_or(|model| model.endpoint != judge.endpoint) {
                let mut endpoint = judge.endpoint.clone();
                if endpoint.is_empty() && is_elsewhere {
                    endpoint.insert("protocol".to_owned(), Value::from("openai"));
                }
                if !endpoint.is_empty() {
                    map.insert("endpoint".to_owned(), Value::Object(endpoint));
                }
            }
            if !judge.parameters.is_empty() {
                map.insert("parameters".to_owned(), Value::Object(judge.parameters.clone()));
            }
        }
        None => {
            comment = " # the source names no grader: choose one, preferably not the model under test";
            let own = candidate.filter(|_| is_elsewhere).map_or(JUDGE, |model| model.name.as_str());
            map.insert("model".to_owned(), Value::from(own));
        }
    }
    // Code that an application runs must not be able to ask the judge.
    let env = match &draft.answerer {
        Answerer::Target(target) => target.get("env").cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    if !map.contains_key("endpoint")
        && env.as_array().is_some_and(|names| names.contains(&json!("OPENAI_API_KEY")))
    {
        map.insert("endpoint".to_owned(), json!({"api_key_env": "JUDGE_API_KEY"}));
    }
    format!("judge: {}{comment}\n", flow(&Value::Object(map)))
}

/// The checks of every answer, and the scorers.
fn checks(draft: &Draft) -> Vec<Value> {
    let mut checks: Vec<Value> = draft.checks.iter().map(naming::entry).collect();
    let mut env = draft.scorer_env.clone();
    env.sort();
    for (language, program, name) in [
        (Language::JavaScript, ["node", "scorers/javascript.mjs"], "javascript"),
        (Language::Python, ["python3", "scorers/python.py"], "python"),
    ] {
        if draft.cases.iter().any(|case| case.code.iter().any(|code| code.language == language)) {
            let command =
                if env.is_empty() { json!({"run": program}) } else { json!({"run": program, "env": env}) };
            checks.push(json!({"command": command, "name": name}));
        }
    }
    let is_graded = |case: &DraftCase| !case.checks.is_empty() || !case.criteria.is_empty();
    if checks.is_empty() && draft.metrics.is_empty() && !draft.cases.iter().any(is_graded) {
        checks.push(json!({"length": {"min_chars": 1}}));
    }
    checks
}
