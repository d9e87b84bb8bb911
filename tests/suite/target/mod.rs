//! Applications as targets: command workers, servers and recorded answers.

mod baseline;
mod contexts;
mod deterministic;
mod environment;
mod faults;
mod http;
mod known_failures;
mod personal_data;
mod pull_request;
mod recorded;
mod retrieval;

use crate::support::Folder;

/// A worker that looks its answers up in `facts.json`, and returns the passage that it used.
pub(crate) const WORKER: &str = r#"import json, sys
facts = json.load(open("facts.json"))
for line in sys.stdin:
    case = json.loads(line)
    passage = facts[case["id"]]
    reply = {"id": case["id"], "output": passage, "contexts": [passage], "usage": {"prompt_tokens": 20, "completion_tokens": 5}}
    print(json.dumps(reply), flush=True)
"#;

/// Its configuration.
pub(crate) const CONFIGURATION: &str = "\
version: 1
name: shop
dataset: cases.jsonl
target:
  command: [python3, answer.py]
  workers: 2
  timeout: 10s
checks:
  - contains: days
    name: says-days
    baseline: true
metrics:
  faithfulness: {min: 0.75}
judge: {model: tiny-judge}
";

/// A repository with an application and `cases` cases; its one commit is `main`, and the branch `change` is checked out.
fn application(cases: usize) -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", CONFIGURATION);
    folder.write("answer.py", WORKER);
    folder.write("facts.json", &facts(cases, "days"));
    folder.write("cases.jsonl", &self::cases(cases));
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "first");
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder
}

/// Rows with a question each.
pub(crate) fn cases(cases: usize) -> String {
    (1..=cases)
        .map(|number| {
            format!("{{\"id\": \"case-{number}\", \"query\": \"How long is plan {number} refunded?\"}}\n")
        })
        .collect()
}

/// The facts that the worker answers with.
pub(crate) fn facts(cases: usize, unit: &str) -> String {
    let facts: serde_json::Map<String, serde_json::Value> = (1..=cases)
        .map(|number| {
            (format!("case-{number}"), format!("Plan {number} is refunded within 30 {unit}.").into())
        })
        .collect();
    serde_json::Value::from(facts).to_string()
}

fn commit(folder: &Folder, message: &str) {
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", message]);
}

/// Processes whose command line contains `text`.
#[cfg(target_os = "linux")]
pub(crate) fn processes_with(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("a process table").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}
