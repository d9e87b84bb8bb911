use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use super::*;
use promptgate_core::model::{
    CallOrigin, CallReason, CaseStatus, CriterionVerdict, DatasetCode, EndedKind, FaultKind, FinishReason,
    ReasonCode, Verdict,
};
use promptgate_report::suites::SuiteVerdict;

/// The folders whose code sets flags of grades.
const GRADING: [&str; 2] = ["crates/engine/src/judge", "crates/engine/src/execute"];
/// How a flag is set in that code.
const FLAGS: [&str; 8] = [
    r#"flag: "([a-z_]+)""#,
    r#"flags\.push\("([a-z_]+)""#,
    r#"fault\([^;]*?Some\("([a-z_]+)"\)\)"#,
    r#"flags = \["([a-z_]+)""#,
    r#"format!\("([a-z_]+_refused):"#,
    r#""([a-z_]+_refused)""#,
    r#"flags: vec!\["([a-z_]+)""#,
    r#"(?:UNKNOWN_END|UNQUOTED): &str = "([a-z_]+):?""#,
];
/// An enum of codes whose variants hold data, and how it names them.
const OBSTACLES: (&str, &str) = ("crates/release/src/promotion.rs", r#"Self::\w+[^"\n]* => "([a-z_]+)""#);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn captured(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn captured_in((path, pattern): (&str, &str)) -> Vec<String> {
    let found = captured(pattern, &std::fs::read_to_string(root().join(path)).unwrap());
    assert!(found.len() > 5, "{path}: {found:?}");
    found
}

/// The flags of grades, which have no type: found where the source sets them.
fn flags() -> BTreeSet<String> {
    fn visit(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                visit(&path, found);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.extend(FLAGS.iter().flat_map(|pattern| captured(pattern, code)));
            }
        }
    }
    let mut found = BTreeSet::from([FinishReason::INVALID_JSON.to_owned()]);
    GRADING.iter().for_each(|folder| visit(&root().join(folder), &mut found));
    found
}

/// Every code of the program, with everything that carries it.
fn codes() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    let mut add = |code: &str, kind| {
        found.entry(code.to_owned()).or_default().insert(kind);
    };
    ReasonCode::ALL.iter().for_each(|it| add(it.as_str(), "reason"));
    FaultKind::ALL.iter().for_each(|it| add(it.as_str(), "fault"));
    Verdict::ALL.iter().for_each(|it| add(it.as_str(), "verdict"));
    CriterionVerdict::ALL.iter().for_each(|it| add(it.as_str(), "verdict"));
    SuiteVerdict::BY_GRAVITY.iter().for_each(|it| add(it.as_str(), "verdict"));
    EndedKind::ALL.iter().for_each(|it| add(it.as_str(), "end"));
    CaseStatus::ALL.iter().for_each(|it| add(it.as_str(), "status"));
    CallOrigin::ALL.iter().for_each(|it| add(it.as_str(), "call"));
    CallReason::ALL.iter().for_each(|it| add(it.as_str(), "call"));
    DatasetCode::ALL.iter().for_each(|it| add(it.as_str(), "finding"));
    captured_in(OBSTACLES).iter().for_each(|it| add(it, "obstacle"));
    ExitStatus::ALL.iter().for_each(|(status, _)| add(&status.code().to_string(), "exit code"));
    flags().iter().for_each(|it| add(it, "flag"));
    found
}

#[test]
fn every_code_has_an_entry_and_every_entry_a_code() {
    let expected = codes();
    assert!(expected.len() > 80, "{expected:?}");
    let of =
        |entry: &'static Explanation| (entry.code.clone(), entry.kinds.iter().map(String::as_str).collect());
    let explained: BTreeMap<String, BTreeSet<&str>> = explain::all().iter().map(of).collect();
    let missing: Vec<_> = expected.keys().filter(|code| !explained.contains_key(*code)).collect();
    assert!(missing.is_empty(), "without an entry in docs/codes.md: {missing:?}");
    let dead: Vec<_> = explained.keys().filter(|code| !expected.contains_key(*code)).collect();
    assert!(dead.is_empty(), "entries of docs/codes.md without a code: {dead:?}");
    assert_eq!(explained, expected, "what carries a code");
}

#[test]
fn every_entry_says_meaning_cause_and_next_step_once() {
    let codes: BTreeSet<&str> = explain::all().iter().map(|entry| entry.code.as_str()).collect();
    assert_eq!(codes.len(), explain::all().len(), "an entry is written twice");
    for entry in explain::all() {
        for (name, text) in [("meaning", &entry.meaning), ("why", &entry.why), ("next", &entry.next)] {
            assert!(text.ends_with('.') && !text.contains("**"), "{}: {name}: {text:?}", entry.code);
        }
    }
}

#[test]
fn code_is_found_however_it_is_written() {
    for (written, code) in [
        ("faults_differ", "faults_differ"),
        ("Faults-Differ", "faults_differ"),
        ("parameter_refused:temperature", "parameter_refused"),
        ("12", "12"),
    ] {
        assert_eq!(explain::explain(written).unwrap().code, code);
    }
    let error = explain::explain("fault_differs").unwrap_err();
    assert_eq!(error.help.as_deref(), Some("did you mean `faults_differ`?"));
    let error = explain::explain("no-such-thing-at-all").unwrap_err();
    assert_eq!(error.help.as_deref(), Some("`promptgate explain --list` prints all codes"));
}

#[test]
fn explanation_fits_the_terminal() {
    let text = text(explain::explain("faults_differ").unwrap(), 60);
    assert!(text.starts_with("faults_differ (reason)\n\nFailed attempts hit"), "{text}");
    assert!(text.contains("\nwhy   ") && text.contains("\nnext  "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}
