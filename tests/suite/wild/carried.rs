//! Features that are carried: the suite is green for a good answer, and red for a bad one where it grades.

use serde_json::json;

use crate::support::{Folder, KEY, MockServer, finish};

/// A suite over recorded answers.
struct Graded {
    feature: &'static str,
    /// The keys that carry the feature.
    configuration: &'static str,
    good: &'static str,
    bad: &'static str,
}

const fn graded(
    feature: &'static str,
    configuration: &'static str,
    good: &'static str,
    bad: &'static str,
) -> Graded {
    Graded { feature, configuration, good, bad }
}

const GOOD: &str = "Refunds take 30 days.";
const BAD: &str = "Parcels take four weeks.";

const GRADED: &[Graded] = &[
    graded("contains", "checks: [{contains: 30 days}]", GOOD, BAD),
    graded("contains ignoring case", "checks: [{contains: {all: [30 DAYS], ignore_case: true}}]", GOOD, BAD),
    graded("any of several", "checks: [{contains: {any: [30 days, thirty days]}}]", GOOD, BAD),
    graded(
        "any of several ignoring case",
        "checks: [{contains: {any: [THIRTY DAYS, 30 DAYS], ignore_case: true}}]",
        GOOD,
        BAD,
    ),
    graded(
        "all of several ignoring case",
        "checks: [{contains: {all: [REFUNDS, DAYS], ignore_case: true}}]",
        GOOD,
        "Refunds take four weeks.",
    ),
    graded("JSON with or without a schema", "checks: [{is_json: true}]", "{\"days\": 30}", GOOD),
    graded(
        "JSON with or without a schema",
        "checks: [{json_schema: {schema: {type: object, required: [days]}}}]",
        "{\"days\": 30}",
        "{\"weeks\": 4}",
    ),
    graded("regex", "checks: [{regex: '\\b[0-9]+ days\\b'}]", GOOD, BAD),
    graded("equals", "checks: [{equals: 30 days}]", "30 days", "31 days"),
    graded("negated forms", "checks: [{not_contains: weeks}]", GOOD, BAD),
    graded(
        "similarity by embeddings",
        "embeddings: {model: tiny-embedding}\nchecks: [{similar: {value: A refund takes 30 days, min: 0.8}}]",
        GOOD,
        BAD,
    ),
    graded(
        "similarity by embeddings",
        "embeddings: {model: tiny-embedding}\nchecks: [{not: {similar: {value: Parcels take four weeks, min: 0.8}}}]",
        GOOD,
        BAD,
    ),
    graded("named metrics", "checks: [{contains: days, name: says-days}]", GOOD, BAD),
    graded("defaults for all tests", "checks: [{contains: days}, {length: {max_words: 5}}]", GOOD, BAD),
    graded("thresholds", "checks: [{contains: days, min: 0.75}]", GOOD, BAD),
    graded(
        "output transform",
        "answer_field: text\nchecks: [{equals: 30 days}]",
        "{\"text\": \"30 days\"}",
        "{\"text\": \"4 weeks\"}",
    ),
    graded(
        "output transform",
        "checks: [{equals: 30 days}]",
        "<think>4 weeks?</think>30 days",
        "<think>30 days?</think>4 weeks",
    ),
    graded(
        "free-text rubric",
        "judge: {model: tiny-judge}\nmetrics: {term: {min: 0.5, rubric: [names the refund of 30 days]}}",
        GOOD,
        BAD,
    ),
    graded(
        "weights",
        "judge: {model: tiny-judge}\nmetrics: {term: {min: 0.5, rubric: [{text: names the refund of 30 days, weight: 3}, \
         {text: names four elephants, weight: 1}]}}",
        GOOD,
        BAD,
    ),
    graded("factuality", "judge: {model: tiny-judge}\nmetrics: {correctness: {min: 0.5}}", GOOD, BAD),
    graded("classification set", "checks: [{one_of: {}}]", "refund", "parcel"),
];

const CASES: usize = 12;

/// A suite of recorded answers that are all the same.
fn recorded(configuration: &str, expected: &str, answer: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "promptgate.yaml",
        &format!(
            "version: 1\nname: wild\ndataset: cases.jsonl\nbaseline: none\ntarget: {{answers: answers.jsonl}}\n\
             gate: {{repeats: 1, max_repeats: 1}}\n{configuration}\n"
        ),
    );
    let lines = |line: &dyn Fn(String) -> serde_json::Value| -> String {
        (1..=CASES).map(|number| format!("{}\n", line(format!("case-{number}")))).collect()
    };
    let query = |id: &str| format!("How many days does the refund of {id} take?");
    folder.write("cases.jsonl", &lines(&|id| json!({"id": id, "query": query(&id), "expected": expected})));
    folder.write("answers.jsonl", &lines(&|id| json!({"id": id, "output": answer})));
    folder
}

#[test]
fn graded_features_are_green_for_good_answers_and_red_for_bad_ones() {
    let mut unexpected = Vec::new();
    for Graded { feature, configuration, good, bad } in GRADED {
        for (answer, code) in [(good, 0), (bad, 10)] {
            let expected = if *feature == "classification set" { "refund" } else { GOOD };
            let outcome = recorded(configuration, expected, answer).promptgate(&["run", "--offline"]);
            if outcome.code != code {
                unexpected.push(format!("{feature}: {configuration}: {answer}\n{}", outcome.text()));
            }
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// Changes of the small suite, which a simulated model answers.
const PROMPTED: [(&str, &str, &str); 3] = [
    ("prompts in text files", "prompt.md", "Answer the question from the passages alone.\n\n{{context}}\n"),
    (
        "prompts as maps with id and label",
        "prompt.md",
        "---\nname: refunds\nversion: \"2\"\n---\nAnswer the question from the passages alone.\n\n{{context}}\n",
    ),
    ("prompts in text files", "prompt.txt", "Answer the question from the passages alone.\n\n{{context}}\n"),
];

#[test]
fn prompt_files_are_carried() {
    for (feature, file, text) in PROMPTED {
        let folder = Folder::small(6);
        folder.write(file, text);
        folder.edit("promptgate.yaml", "prompt: prompt.md", &format!("prompt: {file}"));
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, 0, "{feature}: {}", outcome.text());
        folder.edit("promptgate.yaml", "min_chars: 1", "min_chars: 1000");
        folder.promptgate(&["run", "--offline"]).expect_code(10);
    }
}

/// Other ways to write the prompt and the dataset of the small suite.
const WRITTEN: [(&str, &str, &str); 4] = [
    (
        "inline prompts",
        "prompt: prompt.md",
        "prompt: {text: 'Answer the question from the passages alone. {{context}}'}",
    ),
    (
        "inline prompts",
        "prompt: prompt.md",
        "prompt: {messages: [{role: system, content: 'Answer from the passages alone. {{context}}'}, {role: user, content: '{{query}}'}]}",
    ),
    ("variables from files", "dataset: cases.jsonl", "dataset: {path: files.jsonl, files: [context]}"),
    (
        "defaults for all tests",
        "dataset: cases.jsonl",
        "dataset: {path: bare.jsonl, defaults: {context: Refunds take 30 days.}}",
    ),
];

#[test]
fn other_ways_to_write_prompt_and_dataset_are_carried() {
    for (feature, from, to) in WRITTEN {
        let folder = Folder::small(6);
        folder.write("docs/refunds.txt", "Refunds take 30 days.\n");
        let rows = |more: &str| {
            "{\"query\": \"How many days do refunds take?\"MORE}\n".replace("MORE", more).repeat(6)
        };
        folder.write("files.jsonl", &rows(", \"context\": \"file://docs/refunds.txt\""));
        folder.write("bare.jsonl", &rows(""));
        folder.edit("promptgate.yaml", from, to);
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, 0, "{feature}: {}", outcome.text());
        folder.edit("promptgate.yaml", "min_chars: 1", "min_chars: 1000");
        folder.promptgate(&["run", "--offline"]).expect_code(10);
    }
}

#[test]
fn parameters_of_requests_are_carried() {
    for (feature, parameters) in PARAMETERS {
        let folder = Folder::small(3);
        folder.edit("promptgate.yaml", "{temperature: 0}", parameters);
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, 0, "{feature}: {}", outcome.text());
    }
}

const PARAMETERS: [(&str, &str); 2] = [
    ("response format", "{temperature: 0, response_format: {type: json_object}}"),
    (
        "tools",
        "{temperature: 0, tools: [{type: function, function: {name: refund, parameters: {type: object}}}]}",
    ),
];

#[test]
fn native_providers_are_carried() {
    for (protocol, key, base_url) in [
        ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
    ] {
        let server = MockServer::start(&[]);
        let folder = Folder::small(3);
        folder.edit("promptgate.yaml", "endpoint: {", &format!("endpoint: {{protocol: {protocol}, "));
        let mut command = folder.command(&["run"]);
        command.env(key, KEY).env(base_url, &server.base_url);
        finish(command).expect_code(0);
    }
}

#[test]
fn judged_retrieval_is_carried() {
    for (passage, code) in [(GOOD, 0), (BAD, 10)] {
        for metric in ["context_recall", "context_precision"] {
            let configuration = format!("judge: {{model: tiny-judge}}\nmetrics: {{{metric}: {{min: 0.5}}}}");
            let folder = recorded(&configuration, GOOD, "Within 30 days.");
            let retrieved = format!("\"contexts\": [{}], \"output\"", json!(passage));
            folder.write("answers.jsonl", &folder.read("answers.jsonl").replace("\"output\"", &retrieved));
            let outcome = folder.promptgate(&["run", "--offline"]);
            assert_eq!(outcome.code, code, "{metric}: {}", outcome.text());
        }
    }
}

#[test]
fn transform_by_code_is_carried() {
    for (answer, code) in [("{\"answer\": [\"30 days\"]}", 0), ("{\"answer\": [\"4 weeks\"]}", 10)] {
        let configuration =
            "transform: {command: {run: [python3, transform.py]}}\nchecks: [{equals: 30 days}]";
        let folder = recorded(configuration, GOOD, answer);
        folder.write(
            "transform.py",
            "import json, sys\nfor line in sys.stdin:\n    request = json.loads(line)\n    \
             output = json.loads(request[\"output\"])[\"answer\"][0]\n    \
             print(json.dumps({\"id\": request[\"id\"], \"output\": output}), flush=True)\n",
        );
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, code, "{}", outcome.text());
    }
}

const NATIVE: &str = "native Anthropic or Google provider";
const APPLICATION: &str = "own application";

#[test]
fn own_application_is_carried() {
    for (answer, code) in [(GOOD, 0), (BAD, 10)] {
        let folder = recorded("checks: [{contains: days}]", GOOD, answer);
        folder.edit(
            "promptgate.yaml",
            "target: {answers: answers.jsonl}",
            "target: {command: [python3, app.py], workers: 1}",
        );
        let program = "import json, sys\nfor line in sys.stdin:\n    \
                       print(json.dumps({\"id\": json.loads(line)[\"id\"], \"output\": ANSWER}), flush=True)\n";
        folder.write("app.py", &program.replace("ANSWER", &json!(answer).to_string()));
        folder.promptgate(&["run", "--offline"]).expect_code(code);
    }
}

pub(super) fn features() -> impl Iterator<Item = &'static str> {
    let graded = GRADED.iter().map(|suite| suite.feature);
    let prompted = PROMPTED.iter().map(|(feature, ..)| *feature);
    let parameters = PARAMETERS.iter().map(|(feature, _)| *feature);
    let written = WRITTEN.iter().map(|(feature, ..)| *feature);
    graded.chain(prompted).chain(written).chain(parameters).chain([
        APPLICATION,
        NATIVE,
        "other assertion types",
        "output transform",
    ])
}
