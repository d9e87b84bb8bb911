//! The recipes of docs/reports.md, each run by bash and jq over real reports; `curl` keeps what it is sent.
#![cfg(unix)]

use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, Outcome, finish, repository};

/// The commands below `## Recipes`, by the sentence before them.
fn recipes() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(repository().join("docs/reports.md")).expect("docs/reports.md");
    let section =
        text.split("\n## Recipes\n").nth(1).expect("recipes").split("\n## ").next().expect("a section");
    let mut parts = section.split("```sh\n");
    let mut sentence =
        parts.next().expect("an introduction").trim().lines().last().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for part in parts {
        let (command, rest) = part.split_once("\n```").expect("the end of a command");
        found.push((sentence.clone(), command.to_owned()));
        sentence = rest.trim().lines().last().unwrap_or_default().to_owned();
    }
    found
}

fn recipe(start: &str) -> String {
    let found = recipes().into_iter().find(|(sentence, _)| sentence.starts_with(start));
    found.unwrap_or_else(|| panic!("no recipe {start:?}")).1
}

fn run(folder: &Folder, command: &str) -> Outcome {
    let script = format!(
        "set -euo pipefail\ncurl() {{ printf '%s\\n' \"$@\" > arguments; cat > sent; }}\n{command}\n"
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(folder.path()).env_clear();
    bash.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    bash.env("SLACK_WEBHOOK_URL", "https://slack.invalid/hook")
        .env("PUSHGATEWAY_URL", "https://push.invalid");
    finish(bash)
}

/// The report of a fixture, with a name and a reason that need escaping.
fn folder(name: &str) -> Folder {
    let folder = Folder::new();
    let path = repository().join(format!("tests/fixtures/reports/{name}.json"));
    let mut report: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON");
    report["name"] = "a <suite> & \"more\"".into();
    folder.write("promptgate-report/report.json", &report.to_string());
    folder
}

#[test]
fn every_recipe_runs_over_every_report() {
    assert!(recipes().len() >= 5, "{:?}", recipes());
    for name in ["pass", "fail", "inconclusive", "incomplete", "no_baseline", "without_key"] {
        let folder = folder(name);
        for (sentence, command) in recipes() {
            let outcome = run(&folder, &command);
            assert_eq!(outcome.code, 0, "{name}, {sentence}\n{}", outcome.stderr);
        }
    }
}

#[test]
fn slack_message_is_escaped_and_names_what_got_worse() {
    let folder = folder("fail");
    run(&folder, &recipe("A message for Slack")).expect_code(0);
    let sent: Value = serde_json::from_str(&folder.read("sent")).expect("JSON");
    let text = sent["text"].as_str().expect("a text");
    assert!(text.starts_with("*FAIL* a &lt;suite&gt; &amp; \"more\", prompt "), "{text}");
    assert!(text.contains("\n• ") && text.contains("\nWorse: refund-002"), "{text}");
    assert!(folder.read("arguments").contains("https://slack.invalid/hook"));
    let passed = self::folder("pass");
    run(&passed, &recipe("A message for Slack")).expect_code(0);
    let sent: Value = serde_json::from_str(&passed.read("sent")).expect("JSON");
    assert!(!sent["text"].as_str().expect("a text").contains("Worse"), "{sent}");
}

#[test]
fn tables_have_a_line_per_run_and_samples_one_per_metric() {
    let folder = folder("fail");
    let report = folder.report();
    let metrics = report["metrics"].as_array().expect("metrics");
    run(&folder, &recipe("Means for a Prometheus")).expect_code(0);
    let samples = folder.read("sent");
    assert_eq!(
        samples.lines().count(),
        metrics.iter().filter(|it| !it["candidate"]["mean"].is_null()).count()
    );
    assert!(samples.starts_with("promptgate_mean{suite=\"a <suite> & \\\"more\\\"\",metric=\""), "{samples}");
    for _ in 0..2 {
        run(&folder, &recipe("A line per run")).expect_code(0);
        run(&folder, &recipe("The same as CSV")).expect_code(0);
    }
    let lines = folder.read("runs.jsonl");
    assert_eq!((lines.lines().count(), folder.read("runs.csv").lines().count()), (2, 2));
    let line: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["verdict"], report["verdict"]);
    let faithfulness = metrics.iter().find(|it| it["name"] == "faithfulness").expect("faithfulness");
    assert_eq!(line["means"]["faithfulness"], faithfulness["candidate"]["mean"]);
    let table = run(&folder, &recipe("The tags that lost most")).expect_code(0).stdout;
    assert!(table.starts_with("| tag | metric | difference |\n| --- | --- | --- |\n| "), "{table}");
    // A partial run is no point of a series.
    let mut partial = report;
    partial["dataset"]["partial"] =
        serde_json::json!({"selected_by": "case", "of": 9, "whole_digest": "sha256:0"});
    folder.write("promptgate-report/report.json", &partial.to_string());
    run(&folder, &recipe("A line per run")).expect_code(0);
    assert_eq!(folder.read("runs.jsonl").lines().count(), 2);
}
