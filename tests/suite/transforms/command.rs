//! `transform: {command: …}`: answers go through a program before they are graded.

use serde_json::{Value, json};

use crate::support::{Folder, finish};
use crate::target::cases;

/// A program that keeps what follows the last colon.
const PROGRAM: &str = r#"import json, sys
for line in sys.stdin:
    request = json.loads(line)
    output = request["output"].rsplit(":", 1)[-1].strip()
    print(json.dumps({"id": request["id"], "output": output}), flush=True)
"#;

const CONFIGURATION: &str = "\
version: 1
name: shop
dataset: cases.jsonl
target: {answers: answers.jsonl}
baseline: none
gate: {repeats: 1, max_repeats: 1}
transform:
  command: {run: [python3, transform.py], timeout: 20s}
checks:
  - equals: 30 days
";

fn transformed(count: usize) -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", CONFIGURATION);
    folder.write("cases.jsonl", &cases(count));
    folder.write("answers.jsonl", &answers(count, "Sure: 30 days"));
    folder.write("transform.py", PROGRAM);
    folder
}

fn answers(count: usize, output: &str) -> String {
    let line = |number| format!("{}\n", json!({"id": format!("case-{number}"), "output": output}));
    (1..=count).map(line).collect()
}

fn trials(folder: &Folder) -> Vec<Value> {
    let report = folder.report();
    let cases = report["cases"].as_array().expect("cases").iter();
    cases.flat_map(|case| case["trials"].as_array().expect("trials").clone()).collect()
}

#[test]
fn output_of_the_program_is_graded_and_the_answer_is_kept() {
    let folder = transformed(3);
    folder.promptgate(&["run"]).expect_code(0);
    for trial in trials(&folder) {
        assert_eq!(
            (&trial["output"], &trial["transformed"]["from"]),
            (&json!("30 days"), &json!("Sure: 30 days"))
        );
    }
    folder.promptgate(&["case", "case-1"]).says("before `transform`").says("Sure: 30 days");
    assert!(folder.read("promptgate-report/report.html").contains("Sure: 30 days"));
    folder.write("answers.jsonl", &answers(3, "Sure: 4 weeks"));
    folder.promptgate(&["run"]).expect_code(10);
    // An answer that is right already stays as it is.
    folder.write("answers.jsonl", &answers(3, "30 days"));
    folder.promptgate(&["run"]).expect_code(0);
    assert!(trials(&folder).iter().all(|trial| trial["transformed"].is_null()));
}

#[test]
fn program_comes_after_the_other_transformations_and_gets_the_case() {
    let folder = transformed(1);
    folder.edit("promptgate.yaml", "transform:\n", "transform:\n  extract: fenced\n");
    folder.write("answers.jsonl", &answers(1, "Here:\n```\n30\n```\n"));
    let with_unit = PROGRAM.replace(
        "request[\"output\"].rsplit(\":\", 1)[-1].strip()",
        "request[\"output\"] + (\" days\" if request[\"case\"][\"query\"].startswith(\"How long\") else \"\")",
    );
    folder.write("transform.py", &with_unit);
    folder.promptgate(&["run"]).expect_code(0);
    assert_eq!(trials(&folder)[0]["transformed"]["from"], "Here:\n```\n30\n```\n");
}

/// The scripts, and what the reason of the missing grades contains.
#[cfg(unix)]
const BAD: [(&str, &str); 7] = [
    ("read line; exit 3", "exit"),
    ("while read line; do sleep 600; done", "1 s"),
    ("while read line; do echo '30 days'; done", "not valid JSON"),
    ("while read line; do echo '{\"text\": \"30 days\"}'; done", "`output` is missing"),
    ("while read line; do echo '{\"output\": 30}'; done", "not a text"),
    ("while read line; do echo '{\"error\": \"no parser\"}'; done", "no parser"),
    ("while read line; do echo '{\"id\": 7, \"output\": \"30 days\"}'; done", "another request"),
];

#[cfg(unix)]
#[test]
fn failing_program_leaves_answers_ungraded_and_never_grades_them_as_they_came() {
    for (script, reason) in BAD {
        let folder = transformed(2);
        // As they came, all of them would pass.
        folder.write("answers.jsonl", &answers(2, "30 days"));
        folder.write("transform.sh", script);
        folder.edit(
            "promptgate.yaml",
            "[python3, transform.py], timeout: 20s",
            "[sh, transform.sh], timeout: 1s",
        );
        let outcome = folder.promptgate(&["run"]);
        assert_eq!(outcome.code, 12, "{script}: {}", outcome.text());
        let trials = trials(&folder);
        assert!(!trials.is_empty(), "{script}: {}", outcome.text());
        for trial in trials {
            let grade = &trial["grades"][0];
            let reported = grade["reason"].as_str().unwrap_or_default();
            assert!(grade["score"].is_null() && reported.contains(reason), "{script}: {grade}");
            assert!(trial["transformed"]["fault"]["message"].is_string(), "{script}: {trial}");
        }
    }
}

#[test]
fn failure_on_one_answer_leaves_the_others_graded() {
    let folder = transformed(4);
    let failing = "output = None if request[\"case\"][\"id\"] == \"case-2\" else \"30 days\"";
    let line = "output = request[\"output\"].rsplit(\":\", 1)[-1].strip()";
    folder.write("transform.py", &PROGRAM.replace(line, failing));
    folder.promptgate(&["run"]).expect_code(12);
    let scores: Vec<Option<f64>> =
        trials(&folder).iter().map(|trial| trial["grades"][0]["score"].as_f64()).collect();
    assert_eq!(scores, [Some(1.0), None, Some(1.0), Some(1.0)]);
}

#[test]
fn judges_and_scorers_do_not_grade_what_was_not_transformed() {
    let folder = transformed(2);
    folder.append(
        "promptgate.yaml",
        "  - command: {run: [python3, score.py]}\n    name: valid\nmetrics: {relevance: {}}\njudge: {model: tiny-judge}\n",
    );
    folder.write(
        "score.py",
        "import json, sys\nfor line in sys.stdin:\n    print(json.dumps({'id': json.loads(line)['id'], 'score': 1}), flush=True)\n",
    );
    folder.write("transform.py", &PROGRAM.replace("\"output\": output", "\"error\": \"no parser\""));
    folder.promptgate(&["run", "--offline"]).expect_code(12);
    for trial in trials(&folder) {
        let grades = trial["grades"].as_array().expect("grades");
        let metrics: Vec<&str> = grades.iter().filter_map(|grade| grade["scorer"].as_str()).collect();
        assert_eq!(metrics, ["check.equals", "check.valid", "relevance"]);
        assert!(grades.iter().all(|grade| grade["score"].is_null()), "{trial}");
    }
}

fn committed() -> Folder {
    let folder = transformed(3);
    folder.write(".gitignore", "promptgate-report\n.promptgate\ncount\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder);
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder
}

fn commit(folder: &Folder) {
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "change"]);
}

#[test]
fn program_that_the_change_edits_does_not_count() {
    let folder = committed();
    folder.write("answers.jsonl", &answers(3, "Sure: 4 weeks"));
    let line = "output = request[\"output\"].rsplit(\":\", 1)[-1].strip()";
    folder.write("transform.py", &PROGRAM.replace(line, "output = \"30 days\""));
    commit(&folder);
    folder.promptgate(&["run"]).expect_code(0);
    folder.promptgate(&["run", "--policy-from", "git:main"]).expect_code(10).says("file transform.py");
}

#[test]
fn output_is_cached_by_the_code_and_the_answer() {
    let folder = committed();
    let counting = PROGRAM.replace("    output =", "    open(\"count\", \"a\").write(\"x\")\n    output =");
    folder.write("transform.py", &counting);
    commit(&folder);
    let runs = |folder: &Folder| {
        folder.promptgate(&["run"]).expect_code(0);
        std::fs::read_to_string(folder.path().join("count")).expect("a count").len()
    };
    assert_eq!((runs(&folder), runs(&folder)), (3, 3));
    folder.write("answers.jsonl", &answers(3, "Well: 30 days"));
    // The answers belong to the repository whose digest counts.
    assert_eq!(runs(&folder), 6);
    folder.write("transform.py", &format!("{counting}\n# Another version.\n"));
    assert_eq!(runs(&folder), 9);
}

#[test]
fn key_of_a_judge_is_refused_to_programs() {
    for (command, whose) in [
        ("  - command: {run: [python3, score.py], env: [OPENAI_API_KEY]}\n    name: valid\n", "a scorer"),
        ("  - contains: days\n", "a transformation"),
    ] {
        let folder = transformed(1);
        folder.write("score.py", "");
        folder.append(
            "promptgate.yaml",
            &format!("{command}metrics: {{relevance: {{}}}}\njudge: {{model: j}}\n"),
        );
        if whose == "a transformation" {
            folder.edit("promptgate.yaml", "timeout: 20s", "timeout: 20s, env: [OPENAI_API_KEY]");
        }
        let outcome = folder.promptgate(&["check"]).expect_code(2);
        outcome.says(&format!("OPENAI_API_KEY is the key of a judge, which {whose} must not get"));
        folder.edit("promptgate.yaml", "{model: j}", "{model: j, endpoint: {api_key_env: JUDGE_KEY}}");
        folder.promptgate(&["check"]).expect_code(0);
    }
}

#[test]
fn mistakes_are_named() {
    for (to, words) in [
        ("{timeout: 20s}", "run"),
        ("{run: []}", "run"),
        ("{run: [python3, transform.py], timeout: 0s}", "a timeout of 0 leaves no time for an answer"),
        ("{run: [python3, transform.py], workers: 0}", "workers"),
        ("{run: [python3, transform.py], env: [GITHUB_TOKEN]}", "GITHUB_TOKEN"),
        ("{run: [python3, transform.py], shell: true}", "shell"),
    ] {
        let folder = transformed(1);
        folder.edit("promptgate.yaml", "{run: [python3, transform.py], timeout: 20s}", to);
        folder.promptgate(&["check"]).expect_code(2).says(words);
    }
}

#[test]
fn variables_of_the_program_are_those_that_are_listed() {
    let folder = transformed(1);
    folder.edit("promptgate.yaml", "timeout: 20s", "timeout: 20s, env: [APP_MODE]");
    let line = "output = request[\"output\"].rsplit(\":\", 1)[-1].strip()";
    let script = PROGRAM.replace(line, "output = os.environ[\"APP_MODE\"] + os.environ.get(\"OTHER\", \"\")");
    folder.write("transform.py", &script.replace("import json", "import os, json"));
    let mut command = folder.command(&["run"]);
    command.env("APP_MODE", "30 days").env("OTHER", "x");
    finish(command).expect_code(0);
}

#[test]
fn secrets_of_the_program_are_redacted_offline() {
    const SECRET: &str = "canary-4d1f-of-the-shop";
    let folder = transformed(2);
    folder.write(
        "transform.py",
        "import json, os, sys\nfor line in sys.stdin:\n    request = json.loads(line)\n    \
         print(os.environ[\"SHOP_TOKEN\"], file=sys.stderr)\n    \
         print(json.dumps({\"id\": request[\"id\"], \"output\": os.environ[\"SHOP_TOKEN\"]}), flush=True)\n",
    );
    folder.edit("promptgate.yaml", "timeout: 20s", "timeout: 20s, env: [SHOP_TOKEN]");
    let mut command = folder.command(&["run", "--offline"]);
    command.env("SHOP_TOKEN", SECRET);
    let outcome = finish(command).expect_code(10);
    assert!(!outcome.text().contains(SECRET), "{}", outcome.text());
    for file in ["scorers.log", "report.json", "report.md", "report.html", "junit.xml"] {
        let text = folder.read(&format!("promptgate-report/{file}"));
        assert!(!text.contains(SECRET), "{file}");
    }
}
