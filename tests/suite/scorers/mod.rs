//! Scorers by command.

mod faults;
mod invalid;
mod policy;

use serde_json::Value;

use crate::support::{Folder, KEY, finish};

/// A scorer that gives 1 to answers with `days`, else 0.
const SCORER: &str = r#"import json, sys
for line in sys.stdin:
    request = json.loads(line)
    days = "days" in request["output"]
    reply = {"id": request["id"], "score": 1 if days else 0, "reason": request["case"]["id"], "details": {"days": days}}
    print(json.dumps(reply), flush=True)
"#;

const CONFIGURATION: &str = "\
version: 1
name: shop
dataset: cases.jsonl
target: {answers: answers.jsonl}
baseline: none
gate: {repeats: 1, max_repeats: 1}
checks:
  - command: {run: [python3, score.py], timeout: 20s}
    name: valid
";

/// Recorded answers to `cases` cases, and the scorer.
fn scored(cases: usize) -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", CONFIGURATION);
    folder.write("cases.jsonl", &crate::target::cases(cases));
    folder.write("answers.jsonl", &answers(cases, "days"));
    folder.write("score.py", SCORER);
    folder
}

fn answers(cases: usize, unit: &str) -> String {
    let line = |number| format!("{{\"id\": \"case-{number}\", \"output\": \"Within {number} {unit}.\"}}\n");
    (1..=cases).map(line).collect()
}

/// A scorer that gives each answer the score that Python computes from `request`.
fn giving(score: &str) -> String {
    SCORER.replace("1 if days else 0", score)
}

/// The grades of the last report.
fn grades(folder: &Folder) -> Vec<Value> {
    let report = folder.report();
    let cases = report["cases"].as_array().expect("cases").iter();
    let trials = cases.flat_map(|case| case["trials"].as_array().expect("trials").clone());
    trials.flat_map(|trial| trial["grades"].as_array().cloned().unwrap_or_default()).collect()
}

#[test]
fn scorer_passes_and_fails_answers() {
    let folder = scored(6);
    folder.promptgate(&["run"]).expect_code(0);
    let first = grades(&folder)[0].clone();
    assert_eq!((&first["scorer"], &first["score"]), (&"check.valid".into(), &1.0.into()));
    assert_eq!((&first["reason"], &first["details"]["days"]), (&"case-1".into(), &true.into()));

    folder.write("answers.jsonl", &answers(6, "days").replace("4 days", "4 weeks"));
    folder.promptgate(&["run"]).expect_code(10).says("check.valid");
    let failed: Vec<Value> = grades(&folder).into_iter().filter(|grade| grade["score"] == 0.0).collect();
    assert_eq!((failed.len(), &failed[0]["reason"]), (1, &"case-4".into()));
}

#[test]
fn minimum_is_required_of_the_mean_score() {
    let folder = scored(12);
    folder.write("score.py", &giving("0.9"));
    folder.append("promptgate.yaml", "    min: 0.8\n");
    folder.edit("promptgate.yaml", "max_repeats: 1}", "max_repeats: 1, rule: point}");
    folder.promptgate(&["run"]).expect_code(0);
    assert!(grades(&folder).iter().all(|grade| grade["score"] == 0.9));
    folder.edit("promptgate.yaml", "min: 0.8", "min: 0.95");
    folder.promptgate(&["run"]).expect_code(10).says("check.valid");
    folder.edit("promptgate.yaml", "    min: 0.95\n", "");
    folder.promptgate(&["run"]).expect_code(10);
}

#[test]
fn scorer_gets_the_case_and_the_answer() {
    let folder = scored(1);
    folder.write(
        "cases.jsonl",
        "{\"id\": \"case-1\", \"query\": \"How long?\", \"context\": \"30 days.\", \"expected\": \"30\", \"tags\": [\"a\"], \"tier\": \"pro\"}\n",
    );
    folder.write(
        "answers.jsonl",
        "{\"id\": \"case-1\", \"output\": \"30 days\", \"contexts\": [\"c\"], \"tool_calls\": [{\"name\": \"f\", \"arguments\": {}}]}\n",
    );
    let expected = r#"1 if (request["case"]["query"], request["case"]["context"], request["case"]["tags"], request["case"]["vars"]["tier"], request["expected"], request["contexts"], request["tool_calls"][0]["name"]) == ("How long?", ["30 days."], ["a"], "pro", "30", ["c"], "f") else 0"#;
    folder.write("score.py", &giving(expected));
    folder.promptgate(&["run"]).expect_code(0);
}

#[test]
fn scorer_sees_the_listed_variables_alone_and_secrets_are_redacted() {
    let folder = scored(2);
    let script = "import json, os, sys\nfor line in sys.stdin:\n    names = ' '.join(sorted(os.environ))\n    \
                  print('key', os.environ['APP_KEY'], file=sys.stderr)\n    \
                  print(json.dumps({'score': 1, 'reason': names, 'details': [os.environ['APP_KEY']]}), flush=True)\n";
    folder.write("score.py", script);
    folder.edit("promptgate.yaml", "timeout: 20s", "timeout: 20s, env: [APP_KEY, APP_MODE]");
    let mut command = folder.command(&["run"]);
    command.env("APP_KEY", KEY).env("OTHER", "x").env("OPENAI_API_KEY", "another");
    finish(command).expect_code(0).says("scorer valid does not get it: APP_MODE");
    let grade = grades(&folder)[0].clone();
    let names: Vec<&str> = grade["reason"].as_str().expect("names").split(' ').collect();
    assert!(names.contains(&"APP_KEY") && names.contains(&"PATH"), "{names:?}");
    assert!(!names.contains(&"OTHER") && !names.contains(&"OPENAI_API_KEY"), "{names:?}");
    assert_eq!(grade["details"][0], "[redacted]");
    for name in ["report.json", "report.html", "report.md", "scorers.log"] {
        let text = folder.read(&format!("promptgate-report/{name}"));
        assert!(!text.contains(KEY), "{name}");
    }
    assert!(folder.read("promptgate-report/scorers.log").contains("key [redacted]"));
}
