//! Several suites in one run: which, their verdicts together, and their files.

use serde_json::Value;

use crate::support::{Folder, MockServer};

/// Suites in folders of their names, each as the small one.
pub(crate) fn suites(names: &[&str]) -> Folder {
    let folder = Folder::new();
    let small = Folder::small(4);
    for name in names {
        for file in ["prompt.md", "baseline.md", "cases.jsonl"] {
            folder.write(&format!("{name}/{file}"), &small.read(file));
        }
        let configuration = small.read("promptgate.yaml").replace("name: small", &format!("name: {name}"));
        folder.write(&format!("{name}/promptgate.yaml"), &configuration);
    }
    folder
}

fn result(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("promptgate-report/suites.json")).expect("suites.json is JSON")
}

fn rows(result: &Value) -> Vec<(String, String, u64)> {
    let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let code = |row: &Value| row["exit_code"].as_u64().expect("a number");
    let row = |row: &Value| (text(row, "name"), text(row, "verdict"), code(row));
    result["suites"].as_array().expect("a list").iter().map(row).collect()
}

fn row(name: &str, verdict: &str, code: u64) -> (String, String, u64) {
    (name.to_owned(), verdict.to_owned(), code)
}

#[test]
fn gravest_verdict_decides_and_every_suite_has_its_report() {
    let folder = suites(&["refunds", "login", "parcels"]);
    folder.write("login/prompt.md", "Be kind to the customer.\n");
    let outcome = folder
        .promptgate(&["run", "refunds", "login", "parcels/promptgate.yaml", "--offline"])
        .expect_code(10);
    let result = result(&folder);
    assert_eq!(result["schema"], "promptgate.suites/v1");
    assert_eq!((&result["verdict"], &result["exit_code"]), (&"fail".into(), &10.into()));
    assert_eq!(
        rows(&result),
        [row("refunds", "pass", 0), row("login", "fail", 10), row("parcels", "pass", 0)]
    );
    for name in ["refunds", "login", "parcels"] {
        for file in ["report.json", "report.md", "report.html", "junit.xml"] {
            assert!(
                folder.path().join(format!("promptgate-report/{name}/{file}")).is_file(),
                "{name} {file}"
            );
        }
    }
    assert!(!folder.path().join("promptgate-report/report.json").exists());
    // The report of the suite that failed is printed, and the table comes last.
    assert!(outcome.stdout.contains("FAIL  3 suites: 1 fail, 2 pass"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("promptgate case"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("suite 2 of 3: login"), "{}", outcome.stderr);
    let calls: u64 =
        result["suites"].as_array().unwrap().iter().map(|row| row["calls"].as_u64().unwrap()).sum();
    assert_eq!(result["calls"], calls);
    let markdown = folder.read("promptgate-report/report.md");
    assert!(markdown.starts_with("### promptgate: ❌ fail: 3 suites: 1 fail, 2 pass\n"), "{markdown}");
    assert_eq!(
        markdown.matches("### promptgate:").count(),
        2,
        "the report of the suite that failed:\n{markdown}"
    );
    let page = folder.read("promptgate-report/report.html");
    assert!(page.contains("<a href=\"login&#x2f;report.html\">"), "{page}");
    let junit = folder.read("promptgate-report/junit.xml");
    assert_eq!(junit.matches("<testsuite ").count(), 3, "{junit}");
    for line in outcome.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn list_stands_for_its_suites() {
    let folder = suites(&["prompts/a", "prompts/b"]);
    for name in ["a", "b"] {
        folder.edit(&format!("prompts/{name}/promptgate.yaml"), "name: prompts/", "name: ");
    }
    folder.write("promptgate.yaml", "version: 1\nsuites: [\"prompts/*\"]\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(rows(&result(&folder)), [row("a", "pass", 0), row("b", "pass", 0)]);
    let outcome = folder.promptgate(&["run", "--all", "--offline", "--format", "json"]).expect_code(0);
    let printed: Value = serde_json::from_str(&outcome.stdout).expect("JSON alone on standard output");
    assert_eq!(rows(&printed), [row("a", "pass", 0), row("b", "pass", 0)]);
    // A command about one suite does not take a list.
    for command in [
        &["doctor"][..],
        &["doctor", "promptgate.yaml"],
        &["calibrate", "labels.jsonl"],
        &["cache", "stats"],
        &["prices"],
        &["status"],
        &["init", "--release"],
    ] {
        folder.write("labels.jsonl", "{}\n");
        let outcome = folder.promptgate(command);
        assert_eq!(outcome.code, 2, "{command:?}: {}", outcome.text());
        let words = "this configuration is a list of suites, not a suite";
        assert!(outcome.text().contains(words), "{command:?}: {}", outcome.text());
        assert!(outcome.text().contains("name one of its suites"), "{command:?}: {}", outcome.text());
    }
}

#[test]
fn list_of_one_suite_has_the_files_of_several() {
    let folder = suites(&["a"]);
    folder.write("promptgate.yaml", "version: 1\nsuites: [a]\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(rows(&result(&folder)), [row("a", "pass", 0)]);
    // The result of several does not stay beside the report of one.
    folder.promptgate(&["run", "a", "--offline"]).expect_code(0);
    assert!(!folder.path().join("promptgate-report/suites.json").exists());
    assert!(folder.path().join("promptgate-report/report.json").exists());
}

#[test]
fn nothing_is_called_if_one_suite_is_wrong() {
    let folder = suites(&["a", "b"]);
    folder.edit("b/promptgate.yaml", "prompt: prompt.md", "prompt: missing.md");
    let outcome = folder.promptgate(&["run", "a", "b", "--offline"]).expect_code(2).says("missing.md");
    assert!(!outcome.stderr.contains("suite 1 of 2"), "{}", outcome.stderr);
    assert!(!folder.path().join("promptgate-report").exists());
}

#[test]
fn wrong_choices_are_explained() {
    let folder = suites(&["a", "b"]);
    for (arguments, words) in [
        (vec!["run", "a", "b", "--candidate", "x.md"], "this flag applies to a single suite"),
        (vec!["run", "a", "b", "--baseline", "file:x.md"], "this flag applies to a single suite"),
        (vec!["run", "a", "b", "--shard", "1/2"], "this flag applies to a single suite"),
        (vec!["run", "a", "b", "--case", "1"], "this flag applies to a single suite"),
        (vec!["run", "a", "b", "--only-failed"], "this flag applies to a single suite"),
        (vec!["run", "a", "b", "--format", "csv"], "several suites are not printed as csv"),
        (vec!["run", "a", "c"], "c"),
        (vec!["run", "a", "--all"], "cannot be used with"),
    ] {
        let outcome = folder.promptgate(&[arguments.as_slice(), &["--offline"]].concat());
        assert_eq!(outcome.code, 2, "{arguments:?}: {}", outcome.text());
        assert!(outcome.text().contains(words), "{arguments:?}: {}", outcome.text());
    }
    folder.edit("b/promptgate.yaml", "name: b", "name: A");
    folder.promptgate(&["run", "a", "b", "--offline"]).expect_code(2).says("are both called A");
    Folder::new()
        .promptgate(&["run", "--all", "--offline"])
        .expect_code(2)
        .says("in this folder or below it");
}

#[test]
fn filter_may_select_cases_of_some_suites() {
    let folder = suites(&["a", "b"]);
    folder.append(
        "b/cases.jsonl",
        "{\"id\": \"only-b\", \"query\": \"How many days?\", \"context\": \"12 days.\"}\n",
    );
    folder.promptgate(&["run", "a", "b", "--filter", "only-*", "--offline"]);
    let result = result(&folder);
    assert_eq!(rows(&result)[0], row("a", "not_evaluated", 0));
    assert!(result["suites"][1]["folder"] == "b", "{result}");
    folder.promptgate(&["run", "a", "b", "--filter", "none-*", "--offline"]).expect_code(3);
}

#[test]
fn budget_is_that_of_all_suites() {
    let folder = suites(&["a", "b"]);
    let calls = |arguments: &[&str]| {
        folder.promptgate(&[&["run"], arguments, &["--offline", "--no-cache"]].concat());
        result(&folder)
    };
    let all = calls(&["a", "b"]);
    let first = all["suites"][0]["calls"].as_u64().unwrap();
    let spent = calls(&["a", "b", "--budget-calls", &first.to_string()]);
    assert_eq!(rows(&spent), [row("a", "pass", 0), row("b", "incomplete", 12)]);
    assert_eq!(spent["calls"], first);
    assert_eq!(spent["exit_code"], 12);
}

#[test]
fn programs_of_one_name_are_not_one_program() {
    let server = MockServer::start(&[]);
    let folder = suites(&["a", "b"]);
    for (name, output) in [("a", "request[\"output\"]"), ("b", "\"nothing\"")] {
        folder.write(
            &format!("{name}/t.py"),
            &format!(
                "import json, sys\nfor line in sys.stdin:\n    request = json.loads(line)\n    \
                 print(json.dumps({{\"id\": request[\"id\"], \"output\": {output}}}), flush=True)\n"
            ),
        );
        folder.append(
            &format!("{name}/promptgate.yaml"),
            "transform: {command: {run: [python3, t.py], timeout: 20s}}\n",
        );
    }
    folder.against(&server.base_url, &["run", "a", "b"]).expect_code(10);
    assert_eq!(rows(&result(&folder)), [row("a", "pass", 0), row("b", "fail", 10)]);
}

#[test]
fn command_about_one_suite_names_those_of_the_list() {
    let folder = suites(&["a", "b", "c", "d", "e", "f", "g"]);
    folder.write("promptgate.yaml", "version: 1\nsuites: [a, b, c, d, e, f, g]\n");
    folder.promptgate(&["doctor"]).expect_code(2).says("name one of its suites: a, b, c, d, e, and 2 more");
    folder.promptgate(&["cache", "stats"]).expect_code(2).says("a, b, c, d, e, and 2 more");
    folder.promptgate(&["doctor", "a", "--offline"]).expect_code(0);
    // The hint of a plan can be typed.
    let outcome = folder.promptgate(&["plan"]).expect_code(0).says("`promptgate plan a/promptgate.yaml`");
    drop(outcome);
    folder.promptgate(&["plan", "a/promptgate.yaml"]).expect_code(0);
}

#[test]
fn datasets_of_a_list_are_reviewed_one_after_the_other() {
    let folder = suites(&["a", "b"]);
    folder.write("promptgate.yaml", "version: 1\nsuites: [a, b]\n");
    folder.append(
        "b/cases.jsonl",
        "{\"id\": \"gives\", \"query\": \"It is Paris. Which city?\", \"context\": \"Paris is a city of many people.\", \"expected\": \"Paris\"}\n",
    );
    let outcome = folder.promptgate(&["dataset", "check"]).expect_code(0);
    assert!(
        outcome.stdout.contains("DATASET  a\n") && outcome.stdout.contains("\nDATASET  b\n"),
        "{}",
        outcome.stdout
    );
    folder.promptgate(&["dataset", "check", "--strict"]).expect_code(10);
    let outcome = folder.promptgate(&["dataset", "check", "--format", "json"]).expect_code(2);
    outcome.says("not printed as JSON").says("name one of its suites");
}

#[test]
fn case_is_that_of_the_last_run() {
    let folder = suites(&["a", "b"]);
    folder.promptgate(&["run", "a", "--offline"]).expect_code(0);
    folder.promptgate(&["case", "case-1"]).expect_code(0).says("promptgate-report/report.json");
    let renamed = folder.read("b/cases.jsonl").replace("\"case-", "\"other-");
    folder.write("b/cases.jsonl", &renamed);
    folder.promptgate(&["run", "a", "b", "--offline"]).expect_code(0);
    folder.promptgate(&["case", "case-1"]).expect_code(0).says("promptgate-report/a/report.json");
    folder.promptgate(&["case", "other-1"]).expect_code(0).says("promptgate-report/b/report.json");
    let outcome = folder.promptgate(&["case", "nowhere"]).expect_code(2);
    outcome.says("no suite of the last run").says("promptgate-report/a, promptgate-report/b");
    folder.write("b/cases.jsonl", &folder.read("a/cases.jsonl"));
    folder.promptgate(&["run", "a", "b", "--offline"]).expect_code(0);
    let outcome = folder.promptgate(&["case", "case-1"]).expect_code(2);
    outcome.says("2 suites of the last run have a case").says("`promptgate case case-1 promptgate-report/b`");
}
