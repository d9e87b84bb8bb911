//! promptfoo, unchanged, runs the configurations of tests/fixtures/imports, and promptgate the suites that are imported from
//! them, on the same answers: their deterministic assertions give the same verdict for each test, or the difference is
//! meant and listed here and in docs/migrating.md.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::prepared;
use crate::support::{Folder, repository};

/// Answers that every test of a fixture gets, one after the other.
struct Answers {
    fixture: &'static str,
    answers: &'static [&'static str],
}

const fn answers_of(fixture: &'static str, answers: &'static [&'static str]) -> Answers {
    Answers { fixture, answers }
}

/// 47 characters, of which 40 have two units in UTF-16.
const EMOJI: &str = "chairs \u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\
    \u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\
    \u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\
    \u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}";

const ANSWERS: &[Answers] = &[
    answers_of(
        "01-returns-desk",
        &[
            "You have 30 days, if not worn outside.",
            "As an AI, no.",
            "You get a full refund within 30 days.",
            "You have 30\u{a0}days.",
        ],
    ),
    answers_of(
        "02-defaults-for-all",
        &[
            "We are closed in GHENT and Bruges.",
            "I don't know Bruges station.",
            "I DON'T KNOW, Ghent is closed.",
        ],
    ),
    answers_of(
        "04-tickets-as-json",
        &[
            "{\"team\": \"facilities\", \"urgent\": true}",
            "{\"team\":\"people\",\"urgent\":false}",
            "{\"team\": \"it\", \"error\": 1, \"urgent\": true}",
            "none",
            "```json\n{\"team\": \"it\", \"urgent\": true}\n```",
        ],
    ),
    answers_of(
        "05-javascript-in-disguise",
        &[
            "{\"slogan\": \"Umbrella, tea and kettle: no rain on umbrellas\", \"words\": 4, \"tags\": [\"kitchen\"]}",
            "{\"slogan\": \"tea from kettles\", \"words\": 4, \"tags\": [\"kitchen\"]}",
            "{\"slogan\": \"rain\", \"words\": \"4\", \"tags\": []}",
            "{\"slogan\": \"a cheap umbrella with a guarantee\"}",
            "yes",
        ],
    ),
    answers_of(
        "06-javascript-scorers",
        &["The total is 240.00 EUR.", "51.00 EUR for two", "240.00\n51.00\nEUR\nEUR", "nothing"],
    ),
    answers_of("07-fast-enough", &["wooden chairs for the kitchen", "tap", EMOJI]),
    answers_of(
        "08-patterns",
        &[
            "Confirmed: 2026-03-03 09:30",
            "sorry, 2026-03-03 09:30",
            "2026-03-03 12:00, call +491234567890",
            "12.00 PM",
            "٢٠٢٦-03-03 12:00",
        ],
    ),
    answers_of(
        "09-any-of-several",
        &["See orthopedics.", "See Dermatology.", "The SKIN CLINIC, or surgery", "trauma, then cardiology"],
    ),
    answers_of(
        "10-all-of-several",
        &[
            "flour, milk, eggs",
            "flour, milk, eggs, yeast, garlic",
            "tomato, mozzarella, basil",
            "TOMATO, mozzarella, basil, bacon and chicken",
        ],
    ),
    answers_of(
        "11-python-scorers",
        &[
            "select count(*) from orders where day like '05%'",
            "select max(total) from orders",
            "delete from orders",
            "select count(*)",
        ],
    ),
    answers_of(
        "13-labels",
        &["negative", "positive", "{\"label\": \"neutral\"}", "{ \"label\" : \"neutral\" }", "Negative"],
    ),
    answers_of("15-prompts-times-models", &["For OSLO: a coat", "Lisbon", "sandals for Lisbon and Oslo"]),
    answers_of("16-tests-in-csv", &["Free, five euros.", "yes", "bicycle: 5 euros", "no"]),
    answers_of(
        "17-tests-and-variables-from-files",
        &["No, on Tuesday, 8 people, two birds, 13:00.", "Yes.", "eight"],
    ),
    answers_of(
        "18-templates-and-weights",
        &[
            "{\"reply\": \"Once a week, with sand. Prune in spring with shears.\"}",
            "{\"reply\": \"Each week. In spring.\"}",
            "{\"reply\": \"Use Growmore.\"}",
        ],
    ),
    answers_of("20-own-programs", &["80.00", "120.00", "error: 120.00"]),
    answers_of("25-json-on-azure", &["Tasks: decide on Friday.", "Tasks", "friday"]),
    answers_of(
        "26-several-test-files",
        &["220 Celsius for a long time", "Celsius: 170", "200 Celsius is far too much"],
    ),
];

/// Differences that are meant: fixture, answer, number of the test, promptfoo's verdict, and why.
const MEANT: &[(&str, &str, usize, bool, &str)] = &[
    (
        "01-returns-desk",
        "You have 30\u{a0}days.",
        0,
        false,
        "typographic spaces, quotes and dashes are read as plain ones",
    ),
    ("07-fast-enough", EMOJI, 1, false, "`length` counts code points"),
    ("16-tests-in-csv", "bicycle: 5 euros", 2, true, "every check is a requirement: no share of weights"),
    (
        "18-templates-and-weights",
        "{\"reply\": \"Each week. In spring.\"}",
        0,
        true,
        "every check is a requirement: no share of weights",
    ),
    (
        "18-templates-and-weights",
        "{\"reply\": \"Once a week, with sand. Prune in spring with shears.\"}",
        1,
        false,
        "an assertion set with `threshold`",
    ),
];

/// Assertions that a judge, a clock or an embedding decides.
const NOT_COMPARED: [&str; 8] = [
    "llm-rubric",
    "not-llm-rubric",
    "similar",
    "latency",
    "not-latency",
    "cost",
    "model-graded-closedqa",
    "perplexity",
];

/// The verdict on each test, by answer: `None` if nothing was compared.
type Verdicts = Vec<Vec<Option<bool>>>;

/// A copy of a fixture, with a provider for each answer.
fn copied(answered: &Answers) -> Folder {
    let path = format!("tests/fixtures/imports/{}", answered.fixture);
    let folder = Folder::copy_of(&path);
    for (number, answer) in answered.answers.iter().enumerate() {
        let text = format!(
            "export default class {{\n  id() {{ return \"answer-{number}\"; }}\n  async callApi() {{ return {{ output: {}, cost: 0, logProbs: [-0.1] }}; }}\n}}\n",
            json!(answer)
        );
        folder.write(&format!("{path}/answer-{number}.mjs"), &text);
    }
    // A grader that agrees, and an embedding that is the same for all.
    folder.write(
        &format!("{path}/grader.mjs"),
        "export default class {\n  id() { return \"grader\"; }\n  async callApi() { return { output: JSON.stringify({ pass: true, score: 1, reason: \"\" }) }; }\n  \
         async callEmbeddingApi() { return { embedding: [1, 0] }; }\n}\n",
    );
    folder
}

fn verdicts_of_promptfoo(prepared: &Path, answered: &Answers) -> Verdicts {
    let folder = copied(answered);
    let suite = folder.path().join("tests/fixtures/imports").join(answered.fixture);
    let node = std::fs::read_to_string(prepared.join("node-path")).expect("the path of Node.js");
    let name = ["yaml", "json"]
        .map(|end| format!("promptfooconfig.{end}"))
        .into_iter()
        .find(|name| suite.join(name).exists());
    let mut command = Command::new(node.trim());
    command
        .arg(prepared.join("node/node_modules/promptfoo/dist/src/entrypoint.js"))
        .args(["eval", "--no-cache", "--no-table", "--no-progress-bar", "--no-write", "-c"])
        .arg(name.expect("a configuration"))
        .args(["-o", "out.json", "--grader", "file://grader.mjs", "-r"])
        .args((0..answered.answers.len()).map(|number| format!("file://answer-{number}.mjs")))
        .current_dir(&suite)
        .env_clear()
        .env("HOME", folder.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PROMPTFOO_CONFIG_DIR", folder.path().join("promptfoo"))
        .env("PROMPTFOO_DISABLE_TELEMETRY", "1")
        .env("PROMPTFOO_DISABLE_UPDATE", "1")
        .env("PROMPTFOO_DISABLE_REMOTE_GENERATION", "1")
        .env("PROMPTFOO_PYTHON", "python3");
    let output = command.output().expect("promptfoo runs");
    // 100 says that a test failed.
    assert!(
        matches!(output.status.code(), Some(0 | 100)),
        "{}: {}",
        answered.fixture,
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(suite.join("out.json")).expect("out.json");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let results = report["results"]["results"].as_array().expect("results");
    let of_answer = |number: usize| {
        let id = format!("answer-{number}");
        let is_mine = |result: &&Value| {
            result["provider"]["id"] == id.as_str()
                && result["promptIdx"] == json!(number_of_prompt(results, &id))
        };
        let mut mine: Vec<&Value> = results.iter().filter(is_mine).collect();
        // The order of the files of a pattern is not defined.
        mine.sort_by_key(|result| (text_of(&result["vars"]["dish"]), result["testIdx"].as_u64()));
        mine.into_iter().map(verdict_of_promptfoo).collect()
    };
    (0..answered.answers.len()).map(of_answer).collect()
}

/// The lowest index among the prompts of an answer: that of the first prompt.
fn number_of_prompt(results: &[Value], provider: &str) -> u64 {
    let mine = results.iter().filter(|result| result["provider"]["id"] == provider);
    mine.filter_map(|result| result["promptIdx"].as_u64()).min().expect("a result")
}

fn verdict_of_promptfoo(result: &Value) -> Option<bool> {
    let components = result["gradingResult"]["componentResults"].as_array().expect("results of assertions");
    let kind = |component: &Value| component["assertion"]["type"].as_str().unwrap_or_default().to_owned();
    let compared: Vec<&Value> = components
        .iter()
        .filter(|component| !NOT_COMPARED.contains(&kind(component).as_str()) && !kind(component).is_empty())
        .collect();
    // With a threshold, of the test or of a set, which has no type, the verdict is that of the weighted score.
    if !result["testCase"]["threshold"].is_null()
        || components.iter().any(|component| kind(component).is_empty())
    {
        return result["success"].as_bool();
    }
    (!compared.is_empty()).then(|| compared.iter().all(|component| component["pass"] == true))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn verdicts_of_promptgate(answered: &Answers) -> Verdicts {
    let mut verdicts = Vec::new();
    for answer in answered.answers {
        let path = format!("tests/fixtures/imports/{}", answered.fixture);
        let folder = Folder::copy_of(&path);
        folder.promptgate(&["init", &path, "--from", &path]).expect_code(0);
        let configuration = folder.read(&format!("{path}/promptgate.yaml"));
        let dropped = [
            "prompt:",
            "model:",
            "parameters:",
            "endpoint:",
            "judge:",
            "embeddings:",
            "limits:",
            "target:",
            "  command:",
            "# to ",
        ];
        let kept = configuration.lines().filter(|line| !dropped.iter().any(|start| line.starts_with(start)));
        let mut configuration: String = kept.map(|line| format!("{line}\n")).collect();
        configuration.push_str(
            "target: {answers: answers.jsonl}\nbaseline: none\ngate: {repeats: 1, max_repeats: 1}\n",
        );
        folder.write(&format!("{path}/promptgate.yaml"), &configuration);
        let rows = folder.read(&format!("{path}/cases.jsonl"));
        let (mut ids, mut lines, mut cases) = (Vec::new(), String::new(), String::new());
        let mut rows: Vec<Value> =
            rows.lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
        rows.sort_by_key(|row| text_of(&row["vars"]["dish"]));
        for mut row in rows {
            if let Some(checks) = row["checks"].as_array_mut() {
                checks.retain(|check| {
                    check.get("similar").is_none() && check.pointer("/not/similar").is_none()
                });
            }
            lines.push_str(&format!("{}\n", json!({"id": row["id"], "output": answer})));
            cases.push_str(&format!("{row}\n"));
            ids.push(row["id"].as_str().expect("an id").to_owned());
        }
        folder.write(&format!("{path}/cases.jsonl"), &cases);
        folder.write(&format!("{path}/answers.jsonl"), &lines);
        let outcome = folder.promptgate(&["run", &path, "--no-judge"]);
        assert!(matches!(outcome.code, 0 | 10), "{}: {answer}: {}", answered.fixture, outcome.text());
        let report = folder.report();
        let of_case = |id: &String| {
            let case = report["cases"].as_array()?.iter().find(|case| case["id"] == id.as_str())?;
            let grades = case["trials"][0]["grades"].as_array().expect("grades");
            assert!(grades.iter().all(|grade| grade["score"].is_number()), "{grades:?}");
            (!grades.is_empty()).then(|| grades.iter().all(|grade| grade["score"] == 1.0))
        };
        verdicts.push(ids.iter().map(of_case).collect());
    }
    verdicts
}

#[test]
fn deterministic_assertions_decide_alike() {
    let Some(prepared) = prepared::folder("promptfoo") else { return };
    let (mut unexpected, mut compared, mut red, mut seen) = (Vec::new(), 0, 0, Vec::new());
    for answered in ANSWERS {
        let theirs = verdicts_of_promptfoo(&prepared, answered);
        let ours = verdicts_of_promptgate(answered);
        for ((answer, theirs), ours) in answered.answers.iter().zip(theirs).zip(ours) {
            assert_eq!(theirs.len(), ours.len(), "{}: as many tests as cases", answered.fixture);
            for (number, (theirs, ours)) in theirs.into_iter().zip(ours).enumerate() {
                let (Some(theirs), Some(ours)) = (theirs, ours) else { continue };
                compared += 1;
                red += usize::from(!theirs);
                let meant = MEANT.iter().find(|(fixture, text, test, verdict, _)| {
                    (*fixture, *text, *test, *verdict) == (answered.fixture, *answer, number, theirs)
                });
                match meant {
                    Some(meant) if theirs != ours => seen.push(meant),
                    _ if theirs != ours => {
                        unexpected.push(format!(
                            "{}: test {number}: {answer:?}: promptfoo {theirs}, promptgate {ours}",
                            answered.fixture
                        ));
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    assert_eq!(seen.len(), MEANT.len(), "every difference that is listed is there");
    assert!(compared >= 150 && red >= 50, "{compared} verdicts, {red} of them red");
    let page = std::fs::read_to_string(repository().join("docs/migrating.md")).expect("the page");
    for (_, _, _, _, why) in MEANT {
        assert!(page.contains(why), "docs/migrating.md does not say: {why}");
    }
}
