//! Reports with a file of trials: nothing is lost, and no other file is accepted.

use std::fs::File;
use std::path::Path;

use serde_json::{Value, json};

use super::{message, rendered, style};
use crate::fixtures::{self, all};
use crate::{Digesting, Format, Report, TRIALS_FILE, TrialsFile, read, schema, write_trials};
use promptgate_core::model::Diagnostics;

/// A report.json with its file of trials, and at most `kept` trials in itself.
struct Saved {
    folder: tempfile::TempDir,
    report: Report,
    text: String,
}

fn saved(mut report: Report, kept: usize) -> Saved {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Digesting::new(File::create(folder.path().join(TRIALS_FILE)).unwrap());
    let lines = write_trials(&report, &mut out).unwrap();
    let file = TrialsFile { name: TRIALS_FILE.to_owned(), digest: out.digest(), lines };
    report.leave_trials_to(file, kept);
    let text = rendered(&report, Format::Json, style());
    Saved { folder, report, text }
}

impl Saved {
    fn read(&self) -> Result<Report, Diagnostics> {
        self.read_text(&self.text)
    }

    fn read_text(&self, text: &str) -> Result<Report, Diagnostics> {
        read("out/report.json", text, |name| File::open(self.folder.path().join(name)))
    }

    fn trials(&self) -> String {
        std::fs::read_to_string(self.beside()).unwrap()
    }

    fn beside(&self) -> std::path::PathBuf {
        self.folder.path().join(TRIALS_FILE)
    }

    /// Replaces the trials, and updates digest and number in the report.
    fn forge(&mut self, trials: &str) {
        std::fs::write(self.beside(), trials).unwrap();
        let mut out = Digesting::new(std::io::sink());
        std::io::Write::write_all(&mut out, trials.as_bytes()).unwrap();
        let mut value: Value = serde_json::from_str(&self.text).unwrap();
        value["trials_file"]["digest"] = json!(out.digest());
        value["trials_file"]["lines"] = json!(trials.lines().count());
        self.text = value.to_string();
    }
}

#[test]
fn large_report_restores_its_run() {
    for (name, report) in all() {
        let run = report.to_run().unwrap();
        for kept in [0, 7, 2000] {
            let saved = saved(report.clone(), kept);
            let read = saved.read().unwrap();
            assert_eq!(read, saved.report, "{name}");
            assert_eq!(read.to_run().unwrap(), run, "{name}");
            for format in Format::ALL {
                let (again, first) =
                    (rendered(&read, format, style()), rendered(&saved.report, format, style()));
                assert_eq!(again, first, "{name} as {format}");
            }
        }
    }
}

#[test]
fn kept_trials_are_worst_and_bounded() {
    let report = fixtures::fail();
    let of_case = report.cases[0].trials.len();
    let ids = |kept: usize| -> Vec<String> {
        let saved = saved(report.clone(), kept);
        let value: Value = serde_json::from_str(&saved.text).unwrap();
        let errors =
            jsonschema::validator_for(&schema()).unwrap().validate(&value).map_err(|it| it.to_string());
        assert_eq!(errors, Ok(()));
        assert_eq!(value["trials_file"]["lines"], json!(report.trials()));
        let open = |case: &&Value| case["trials"].as_array().is_some_and(|trials| !trials.is_empty());
        let cases = value["cases"].as_array().unwrap();
        cases.iter().filter(open).map(|case| case["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(of_case - 1), Vec::<String>::new());
    let one = ids(of_case);
    assert_eq!(one.len(), 1);
    let worst = crate::view::worst(&report)[0].case.id.clone();
    assert_eq!(one, [worst]);
    let all = ids(usize::MAX);
    assert!(all.len() > 1 && all.len() < report.cases.len(), "{all:?}");
    for case in &report.cases {
        let open = all.contains(&case.id);
        let bad = matches!(case.status.as_str(), "broken" | "regressed" | "missing" | "fixed");
        assert_eq!(open, bad || !case.failing.is_empty(), "{}", case.id);
    }
}

#[test]
fn lines_have_trial_and_case() {
    let report = fixtures::fail();
    let saved = saved(report.clone(), 0);
    let lines = saved.trials();
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for case in &report.cases {
        for (place, trial) in case.trials.iter().enumerate() {
            let mut line = lines.next().unwrap();
            let fields = line.as_object_mut().unwrap();
            assert_eq!(fields.shift_remove("case"), Some(json!(case.id)));
            assert_eq!(fields.shift_remove("query"), (place == 0).then(|| json!(case.query)));
            let context = case.context.as_ref().filter(|_| place == 0);
            assert_eq!(fields.shift_remove("context"), context.map(|context| json!(context)));
            let expected = case.expected.as_ref().filter(|_| place == 0);
            assert_eq!(fields.shift_remove("expected"), expected.map(|expected| json!(expected)));
            let requests = fields.shift_remove("requests");
            assert_eq!(requests.is_some(), place == 0 && !case.requests.is_unknown());
            assert!(fields.shift_remove("messages").is_none_or(|_| place == 0));
            assert_eq!(line, serde_json::to_value(trial.unwrap()).unwrap());
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn long_question_is_cut_between_words_and_restored() {
    let mut report = fixtures::pass();
    report.cases[0].query = "wörds and mœre ".repeat(40);
    report.cases[1].query = "k".repeat(300);
    let saved = saved(report.clone(), 0);
    let value: Value = serde_json::from_str(&saved.text).unwrap();
    let first = value["cases"][0]["query"].as_str().unwrap();
    assert!(first.chars().count() <= 201 && first.ends_with(" mœre…"), "{first}");
    // A single long word may be a key.
    assert_eq!(value["cases"][1]["query"], json!("…"));
    let read = saved.read().unwrap();
    assert_eq!(read.cases[0].query, report.cases[0].query);
    assert_eq!(read.cases[1].query, report.cases[1].query);
}

#[test]
fn other_trials_are_refused() {
    let whole = saved(fixtures::fail(), 12);
    let refused = |change: &dyn Fn(&Path, &str)| {
        let saved = saved(fixtures::fail(), 12);
        change(&saved.beside(), &saved.trials());
        message(saved.read().unwrap_err())
    };
    let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
    let missing = refused(&|path, _| std::fs::remove_file(path).unwrap());
    assert!(
        missing.starts_with("out/trials.jsonl: the trials of out/report.json cannot be read"),
        "{missing}"
    );
    type Change = fn(&str) -> String;
    let changes: [Change; 6] = [
        |text| text[..text.len() / 2].to_owned(),
        |text| text[..text.len() - 1].to_owned(),
        |text| text.lines().skip(1).map(|line| format!("{line}\n")).collect(),
        |text| text.replacen("\"score\":1.0", "\"score\":0.9", 1),
        |_| "{\"case\": \"other\"}\n".to_owned(),
        |_| String::new(),
    ];
    for (place, change) in changes.iter().enumerate() {
        let message = refused(&|path, text| write(path, &change(text)));
        assert!(
            message.starts_with("out/trials.jsonl: these are not the trials of out/report.json")
                && message.contains("help: a large run writes"),
            "{place}: {message}"
        );
    }
    for name in ["../trials.jsonl", "/trials.jsonl", "a\\b", "c:trials", "..", ""] {
        let mut value: Value = serde_json::from_str(&whole.text).unwrap();
        value["trials_file"]["name"] = json!(name);
        let message = message(whole.read_text(&value.to_string()).unwrap_err());
        assert!(message.contains("must name a file in this folder"), "{name}: {message}");
    }
    let mut value: Value = serde_json::from_str(&whole.text).unwrap();
    value["trials_file"]["lines"] = json!(7);
    let message = message(whole.read_text(&value.to_string()).unwrap_err());
    assert!(message.contains("`trials_file.lines` is 7, but out/trials.jsonl has"), "{message}");
}

#[test]
fn forged_trials_are_checked_like_a_report() {
    type Edit = fn(Vec<String>) -> Vec<String>;
    let edits: [(&str, Edit); 9] = [
        ("is not in the report, or not in its order", |mut lines| {
            lines.reverse();
            lines
        }),
        ("duplicate trial", |mut lines| {
            lines.insert(1, lines[1].clone());
            lines
        }),
        ("is not in the report", |mut lines| {
            lines[0] = lines[0].replace("refund-001", "refund-999");
            lines
        }),
        ("needs its `query`", |lines| lines.into_iter().skip(1).collect()),
        ("another `query`", |mut lines| {
            lines[0] = lines[0].replace("How many", "How few");
            lines
        }),
        ("not a trial", |mut lines| {
            lines[2].truncate(40);
            lines
        }),
        ("needs `output`", |mut lines| {
            lines[2] = lines[2].replace("\"finish_reason\":\"stop\"", "\"finish_reason\":null");
            lines
        }),
        ("`repeat` must be below", |mut lines| {
            lines[2] = lines[2].replace("\"repeat\":1", "\"repeat\":77");
            lines
        }),
        ("differ from those in the report", |lines| {
            let other = |line: String| line.replace("\"refusal\":false", "\"refusal\":true");
            lines.into_iter().map(other).collect()
        }),
    ];
    for (expected, edit) in edits {
        let mut saved = saved(fixtures::fail(), 12);
        let lines = saved.trials().lines().map(str::to_owned).collect();
        let text: String = edit(lines).into_iter().map(|line| line + "\n").collect();
        assert_ne!(text, saved.trials(), "{expected}");
        saved.forge(&text);
        let message = message(saved.read().unwrap_err());
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(message.starts_with("out/trials.jsonl:") && message.contains("help: "), "{message}");
    }
}
