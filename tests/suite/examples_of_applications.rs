//! The applications of examples/applications pass as they are, and fail after the change that makes them worse.

use std::process::Command;

use crate::example_application::Example;
use crate::support::repository;

#[test]
fn worker_in_node_passes_and_fails() {
    let Some(example) = Example::with_tool("node-worker", "node") else { return };
    let failed = ["check.right-price", "check.two-decimals"];
    example.pass_and_fail(("worker.mjs", "// A note."), &failed);
    let report = example.report();
    let outputs = report["cases"].as_array().expect("cases").iter();
    let outputs: Vec<&str> = outputs.filter_map(|case| case["trials"][0]["output"].as_str()).collect();
    assert!(outputs.contains(&"3 × candle: 0.30000000000000004 EUR."), "{outputs:?}");
}

#[test]
fn classifier_passes_and_fails_in_a_slice() {
    let Some(example) = Example::with_tool("classifier", "python3") else { return };
    let failed = ["check.right-label.baseline", "slice.german.check.right-label.min"];
    let outcome = example.pass_and_fail(("classify.py", "# A note."), &failed);
    outcome.says("Check right-label on cases tagged german averaged 0.25");
}

#[test]
fn extractor_passes_and_fails_beside_its_known_gap() {
    let Some(example) = Example::with_tool("extractor", "python3") else { return };
    example.pass_and_fail(("extract.py", "# A note."), &["check.amount"]);
    let report = example.report();
    let cases = report["cases"].as_array().expect("cases").iter();
    let broken: Vec<&str> =
        cases.filter(|case| case["status"] == "broken").filter_map(|case| case["id"].as_str()).collect();
    assert_eq!(broken, ["german", "german-thousands", "german-large", "german-euro"]);
}

#[test]
fn agent_passes_and_fails() {
    let Some(example) = Example::with_tool("agent", "python3") else { return };
    let failed = ["check.right-outcome", "case.late-1", "case.late-2", "case.late-3"];
    example.pass_and_fail(("agent.py", "# A note."), &failed);
    let report = example.report();
    let cases = report["cases"].as_array().expect("cases");
    let late = cases.iter().find(|case| case["id"] == "late-1").expect("the case");
    let calls = late["trials"].as_array().expect("trials").iter().map(|trial| {
        let calls = trial["tool_calls"].as_array().expect("calls").iter();
        (trial["role"].as_str().expect("a role"), calls.filter_map(|call| call["name"].as_str()).collect())
    });
    for (role, calls) in calls {
        let calls: Vec<&str> = calls;
        let expected: &[&str] =
            if role == "candidate" { &["look_up_order", "refund"] } else { &["look_up_order"] };
        assert_eq!(calls, expected, "{role}");
    }
}

#[test]
fn chat_passes_and_forgets_earlier_turns() {
    let Some(example) = Example::with_tool("chat", "python3") else { return };
    let failed = ["check.right-answer", "case.changed-pizza", "case.changed-size"];
    example.pass_and_fail(("chat.py", "# A note."), &failed);
    let report = example.report();
    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["id"] == "changed-pizza").expect("the case");
    for trial in case["trials"].as_array().expect("trials") {
        let reply = trial["turns"][0]["reply"]["content"].as_str().expect("a reply");
        assert_eq!(
            (trial["turns"][0]["query"].as_str(), reply),
            (Some("A large margherita."), "A large margherita is 11 EUR. Thank you!")
        );
        let is_candidate = trial["role"] == "candidate";
        assert_eq!(trial["output"] == "A diavola. Small or large?", is_candidate, "{trial}");
    }
}

#[test]
fn recorded_answers_pass_and_fail() {
    let Some(example) = Example::with_tool("recorded-csv", "python3") else { return };
    let outcome = example.pass_and_fail(("answers.jsonl", ""), &["broken_cases"]);
    outcome.says("8 cases broke");
}

#[test]
fn recorded_answers_are_those_of_the_export() {
    let Some(example) = Example::with_tool("recorded-csv", "python3") else { return };
    let converted = || {
        let export = std::fs::File::open(example.file("export.csv")).expect("the export");
        let output = Command::new("python3").arg(example.file("convert.py")).stdin(export).output();
        let output = output.expect("python3 runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let recorded = || std::fs::read_to_string(example.file("answers.jsonl")).expect("the answers");
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(converted()), lines(recorded()));
    example.worsen();
    assert_eq!(lines(converted()), lines(recorded()), "after the change");
    example.append("export.csv", "T-113,9.5,,,upstream timed out");
    let last = lines(converted()).pop().expect("a line");
    assert_eq!(last, r#"{"id": "T-113", "latency_ms": 9500.0, "error": "upstream timed out"}"#);
}

#[test]
fn every_application_has_a_readme_of_ten_lines_and_a_place_in_the_index() {
    let folder = repository().join("examples/applications");
    let read = |path: std::path::PathBuf| {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let index = read(folder.join("README.md"));
    let targets = read(repository().join("docs/targets.md"));
    let mut applications = 0;
    for entry in std::fs::read_dir(&folder).expect("the examples").map(|entry| entry.expect("an entry")) {
        if !entry.path().is_dir() {
            continue;
        }
        let name = entry.file_name().into_string().expect("UTF-8");
        let readme = read(entry.path().join("README.md"));
        assert!(readme.lines().count() <= 10, "{name}");
        assert!(
            readme.contains("promptgate run --offline") && readme.contains("git apply worse.patch"),
            "{name}"
        );
        assert!(index.contains(&format!("[{name}]({name})")), "{name} is missing in the index");
        assert!(
            targets.contains(&format!("../examples/applications/{name})")),
            "{name} is missing in docs/targets.md"
        );
        applications += 1;
    }
    assert_eq!(applications, 7);
}
