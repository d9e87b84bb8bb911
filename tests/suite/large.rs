//! Large runs: report.json stays small, its trials are in a second file, and both are read as one report.

use serde_json::Value;

use crate::support::Folder;

/// One more case than fits into report.json alone, for both variants.
const CASES: usize = 10_001;

const SUITE: &str = "\
version: 1
name: large
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: tiny
checks:
  - contains: days
gate: {repeats: 1}
";

/// A suite of [`CASES`] cases; two of its answers fail the check.
fn suite() -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", SUITE);
    folder.write("prompt.md", "Answer the question from the passages alone.\n\n{{context}}\n");
    folder.write("baseline.md", "You answer questions. Use only the passages.\n\n{{context}}\n");
    let row = |number: usize| {
        let unit = if number == 7 || number == 9000 { "hours" } else { "days" };
        let question = format!("How long is the refund of plan {number}?");
        let context = format!("The refund of plan {number} is {number} {unit} long.");
        format!("{{\"id\": \"case-{number}\", \"query\": \"{question}\", \"context\": \"{context}\"}}\n")
    };
    folder.write("cases.jsonl", &(0..CASES).map(row).collect::<String>());
    folder
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Numbers and verdict of a report.
fn decided(report: &Value) -> [&Value; 3] {
    [&report["verdict"], &report["criteria"], &report["metrics"]]
}

#[test]
fn large_run_round_trips() {
    let folder = suite();
    let outcome =
        folder.promptgate(&["run", "--offline", "--format", "json", "--out", "out"]).expect_code(10);
    let text = folder.read("out/report.json");
    assert!(outcome.stdout == text, "standard output is not report.json");
    assert!(text.len() < 8 << 20, "{} bytes", text.len());
    let report = json(&text);
    let trials = folder.read("out/trials.jsonl");
    assert_eq!(report["trials_file"]["name"], "trials.jsonl");
    assert_eq!(report["trials_file"]["lines"], 2 * CASES);
    assert_eq!(trials.lines().count(), 2 * CASES);
    let cases = report["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), CASES);
    let open = cases.iter().filter(|case| case["trials"].as_array().is_some_and(|trials| !trials.is_empty()));
    assert_eq!(open.map(|case| &case["id"]).collect::<Vec<_>>(), ["case-7", "case-9000"]);
    let last = json(trials.lines().last().expect("a line"));
    assert_eq!(last["case"], "case-10000");
    assert_eq!(last["role"], "baseline");
    assert_eq!(last["repeat"], 0);

    // Shown again it is the same; decided again too, and from itself as a baseline.
    let shown = folder.promptgate(&["report", "out/report.json", "--format", "json"]).expect_code(0);
    assert!(shown.stdout == text, "the report that is shown is another one");
    folder
        .promptgate(&["report", "out/report.json", "--format", "markdown"])
        .expect_code(0)
        .says("case-9000");
    let again = ["compare", "out/report.json", "out/report.json", "--format", "json"];
    let compared = folder.promptgate(&again).expect_code(10);
    // Nothing was written that it could speak of.
    let compared = json(&compared.stdout);
    assert_eq!(compared["trials_file"], Value::Null);
    let (ours, theirs) = (&report["criteria"][0], &compared["criteria"][0]);
    assert_eq!([&ours["estimate"], &ours["verdict"]], [&theirs["estimate"], &theirs["verdict"]]);
    let reused = ["run", "--offline", "--baseline", "report:out/report.json", "--out", "reused"];
    folder.promptgate(&reused).expect_code(10);
    assert_eq!(folder.read("reused/trials.jsonl").lines().count(), 2 * CASES);

    // Shards bring the same.
    for shard in ["1/2", "2/2"] {
        folder.promptgate(&["run", "--offline", "--shard", shard, "--out", "shards"]).expect_code(0);
    }
    folder.promptgate(&["merge", "shards", "--out", "merged"]).expect_code(10);
    assert_eq!(decided(&json(&folder.read("merged/report.json"))), decided(&report));
    assert_eq!(folder.read("merged/trials.jsonl").lines().count(), 2 * CASES);

    refused(&folder, &trials);

    // A smaller run leaves no trials of the larger one.
    folder.write("cases.jsonl", &folder.read("cases.jsonl").lines().take(3).collect::<Vec<_>>().join("\n"));
    folder.promptgate(&["run", "--offline", "--out", "out"]).expect_code(0);
    assert!(!folder.path().join("out/trials.jsonl").exists());
    folder.promptgate(&["report", "out/report.json"]).expect_code(0);
}

/// A report with missing or damaged trials is refused.
fn refused(folder: &Folder, trials: &str) {
    let refused = |arguments: &[&str], words: &str| {
        folder.promptgate(arguments).expect_code(2).says("out/trials.jsonl").says(words);
    };
    folder.write("out/trials.jsonl", &trials.replacen("7 hours", "7 days", 1));
    refused(&["compare", "merged/report.json", "out/report.json"], "these are not the trials");
    folder.write("out/trials.jsonl", &trials[..trials.len() / 2]);
    refused(&["report", "out/report.json"], "expected 20002 lines");
    std::fs::remove_file(folder.path().join("out/trials.jsonl")).expect("it is there");
    let baseline = "report:out/report.json";
    refused(&["run", "--offline", "--baseline", baseline, "--out", "never"], "cannot be read");
    assert!(!folder.path().join("never/report.json").exists());
    folder.write("out/trials.jsonl", trials);
}
