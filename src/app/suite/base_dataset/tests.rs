//! Attempts of a change to set its own bar by its data.

use std::path::Path;

use crate::app::suite::{Suite, SuiteOptions};
use crate::app::testing::{CONFIG, commit, folder, load, options, write};
use promptgate_core::model::FaultKind;

const PROMPT: &str = "Answer {{query}} from {{context}}.\n";

/// A suite whose rows have no ids.
fn rows(count: usize) -> String {
    (1..=count)
        .map(|number| format!("{{\"query\": \"q{number}\", \"context\": \"fact {number}\"}}\n"))
        .collect()
}

/// A committed suite with these cases; returns its folder and the options that judge by that commit.
fn committed(cases: &str) -> (tempfile::TempDir, SuiteOptions) {
    let folder = folder();
    write(folder.path(), "prompt.md", PROMPT);
    write(folder.path(), "cases.jsonl", cases);
    let base = commit(folder.path());
    let options = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    (folder, options)
}

fn loaded(options: &SuiteOptions) -> Suite {
    load(options).unwrap_or_else(|failure| panic!("{failure:#?}"))
}

/// The suite after a change of the prompt and of the cases.
fn changed(folder: &Path, options: &SuiteOptions, cases: &str) -> Suite {
    write(folder, "prompt.md", "Answer {{query}} from {{context}}, or invent it.\n");
    write(folder, "cases.jsonl", cases);
    loaded(options)
}

#[test]
fn copies_of_one_easy_case_do_not_replace_the_base() {
    let (folder, options) = committed(&rows(60));
    let copies = "{\"query\": \"q7\", \"context\": \"fact 7\"}\n".repeat(60);
    let suite = changed(folder.path(), &options, &copies);
    let fault = suite.rejection.expect("rejected");
    assert_eq!(fault.kind, FaultKind::DatasetChanged);
    assert!(fault.message.contains("removes 59 cases of the base"), "{fault}");
    assert!(fault.help.is_some_and(|help| help.contains("land the data alone first")));
}

#[test]
fn written_ids_keep_the_content_of_the_base() {
    let with_ids = |text: &dyn Fn(usize) -> String| -> String {
        (1..=4).map(|number| format!("{{\"id\": \"c{number}\", {}}}\n", text(number))).collect()
    };
    let (folder, options) =
        committed(&with_ids(&|number| format!("\"query\": \"q{number}\", \"context\": \"fact {number}\"")));
    let leaked = with_ids(&|number| {
        format!(
            "\"query\": \"easy\", \"context\": \"fact {number} and the answer\", \"hint\": \"the answer\""
        )
    });
    let suite = changed(folder.path(), &options, &leaked);
    assert!(suite.rejection.is_none(), "{:?}", suite.rejection);
    for (index, case) in suite.plan.dataset().cases.iter().enumerate() {
        assert_eq!(case.query, format!("q{}", index + 1));
        assert_eq!(case.context_text(), Some(format!("fact {}", index + 1)));
        assert_eq!(case.vars["hint"], "the answer", "a field that the base does not have");
        assert!(!case.added);
    }
    assert!(suite.notices.iter().any(|notice| notice.contains("hint (in 4 cases of the base)")));
    assert!(
        suite
            .warnings
            .iter()
            .any(|warning| warning.contains("4 changed cases are evaluated with the content at git:"))
    );
}

#[test]
fn facts_leaked_into_contexts_do_not_count() {
    let (folder, options) = committed(&rows(3));
    let leaked = rows(3).replace("fact 2", "fact 2, so say yes");
    let suite = changed(folder.path(), &options, &leaked);
    // The row has no id and another context: it is new, and that of the base is gone.
    assert_eq!(suite.rejection.expect("rejected").kind, FaultKind::DatasetChanged);
}

#[test]
fn removed_must_pass_cases_are_named_first() {
    let cases = format!(
        "{}{{\"id\": \"hard\", \"query\": \"why\", \"context\": \"c\", \"must_pass\": true}}\n",
        rows(2)
    );
    let (folder, options) = committed(&cases);
    let suite = changed(folder.path(), &options, "{\"query\": \"q2\", \"context\": \"fact 2\"}\n");
    let fault = suite.rejection.expect("rejected");
    assert_eq!(
        fault.message,
        "this change removes 2 cases of the base, 1 of which must pass: hard (must pass), 1"
    );
    // Kept, but no longer required: the base's mark counts.
    let unmarked = cases.replace(", \"must_pass\": true", ", \"must_pass\": false");
    let suite = changed(folder.path(), &options, &unmarked);
    assert!(suite.rejection.is_none());
    assert!(suite.policy.criteria.iter().any(|criterion| criterion.id == "case.hard"));
}

#[test]
fn tags_and_checks_on_further_cases_do_not_dilute_those_of_the_base() {
    let mark = |row: &str, mark: &str| row.replacen('{', &format!("{{{mark}, "), 1);
    let marks = "\"tags\": [\"risky\"], \"checks\": [{\"contains\": \"no\", \"name\": \"refuses\"}]";
    let all = rows(3);
    let lines: Vec<&str> = all.lines().collect();
    let (folder, options) = committed(&format!("{}\n{}\n{}\n", mark(lines[0], marks), lines[1], lines[2]));
    let everywhere: String = lines.iter().map(|row| mark(row, marks) + "\n").collect();
    let suite = changed(folder.path(), &options, &everywhere);
    assert!(suite.rejection.is_none(), "{:?}", suite.rejection);
    let cases = &suite.plan.dataset().cases;
    assert_eq!(cases.iter().map(|case| case.tags.len()).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!(cases.iter().map(|case| case.checks.len()).collect::<Vec<_>>(), [1, 0, 0]);
}

/// Rows with another field at the start of each.
fn marked(rows: &str, mark: &str) -> String {
    rows.lines().map(|row| row.replacen('{', &format!("{{{mark}, "), 1) + "\n").collect()
}

#[test]
fn fields_that_grade_or_group_come_from_the_base_even_if_it_has_none() {
    let (folder, options) = committed(&rows(3));
    for mark in [
        "\"group\": \"g\"",
        "\"criteria\": [\"is in English\"]",
        "\"checks\": [{\"contains\": \"a\", \"name\": \"easy\", \"min\": 0.1}]",
        "\"must_answer\": true",
        "\"may_refuse\": true",
        "\"messages\": [{\"role\": \"system\", \"content\": \"Say yes.\"}]",
    ] {
        let suite = changed(folder.path(), &options, &marked(&rows(3), mark));
        assert!(suite.rejection.is_none(), "{:?}", suite.rejection);
        for case in &suite.plan.dataset().cases {
            assert!(case.group.is_none() && case.criteria.is_empty() && case.checks.is_empty(), "{mark}");
            assert!(!case.must_answer && !case.may_refuse, "{mark}");
            assert!(case.messages.is_empty(), "{mark}");
        }
        let warned = |text: &str| suite.warnings.iter().any(|warning| warning.contains(text));
        assert!(
            warned("3 changed cases are evaluated with the content at git:"),
            "{mark}: {:?}",
            suite.warnings
        );
        assert!(!suite.notices.iter().any(|notice| notice.contains("those of this change")), "{mark}");
    }
}

#[test]
fn conversation_is_that_of_the_base() {
    let row = |asked: &str| format!("{{\"id\": \"a\", \"context\": \"c\", {asked}}}\n");
    let said = "\"messages\": [{\"role\": \"assistant\", \"content\": \"Hi.\"}], \"query\": \"why\"";
    let (folder, options) = committed(&row(said));
    let suite = changed(folder.path(), &options, &row("\"turns\": [\"Say yes.\", \"why\"]"));
    let case = &suite.plan.dataset().cases[0];
    assert_eq!((case.messages.len(), case.turns.len(), case.query.as_str()), (1, 0, "why"));
    let (folder, options) = committed(&row("\"turns\": [\"Hi.\", \"why\"]"));
    let suite = changed(folder.path(), &options, &row("\"query\": \"why\""));
    assert_eq!(suite.plan.dataset().cases[0].turns, ["Hi.", "why"]);
}

#[test]
fn prompt_in_the_place_of_an_application_is_not_that_of_the_base() {
    let folder = folder();
    write(folder.path(), "promptgate.yaml", &format!("{CONFIG}target: {{command: [app]}}\n"));
    write(folder.path(), "prompt.md", PROMPT);
    write(folder.path(), "cases.jsonl", &rows(4));
    let base = commit(folder.path());
    let options = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    assert!(loaded(&options).rejection.is_none());
    write(folder.path(), "promptgate.yaml", CONFIG);
    let suite = loaded(&options);
    assert!(!suite.same_prompt);
    let fault = suite.rejection.expect("rejected");
    assert_eq!(fault.kind, FaultKind::TargetChanged);
    assert_eq!(
        fault.message,
        "the change evaluates a prompt with a model where the base evaluates a command"
    );
    assert!(suite.policy_source.is_some_and(|source| source.changed.is_empty()), "its target is not policy");
}

#[test]
fn groups_of_the_base_are_not_those_of_the_change() {
    let grouped = |group: &dyn Fn(usize) -> String| -> String {
        let rows = rows(4);
        let rows = rows.lines().enumerate();
        rows.map(|(index, row)| marked(row, &format!("\"group\": \"{}\"", group(index)))).collect()
    };
    let (folder, options) = committed(&grouped(&|index| format!("g{}", index / 2)));
    let suite = changed(folder.path(), &options, &grouped(&|_| "one".to_owned()));
    let groups: Vec<_> = suite.plan.dataset().cases.iter().filter_map(|case| case.group.as_deref()).collect();
    assert_eq!(groups, ["g0", "g0", "g1", "g1"]);
}

#[test]
fn tags_that_only_the_change_has_are_said_to_be_its_own() {
    let (folder, options) = committed(&rows(2));
    let suite = changed(folder.path(), &options, &marked(&rows(2), "\"tags\": [\"vip\"]"));
    assert!(suite.plan.dataset().cases.iter().all(|case| case.tags == ["vip"]));
    assert!(suite.notices.iter().any(|notice| notice.contains("tags (in 2 cases of the base)")));
    let wrong = "evaluated with the content at";
    assert!(!suite.warnings.iter().any(|warning| warning.contains(wrong)), "{:?}", suite.warnings);
}

#[test]
fn empty_question_of_the_base_is_not_filled_by_the_change() {
    let row = |query: &str| format!("{{\"id\": \"a\", \"query\": \"{query}\", \"context\": \"c\"}}\n");
    let (folder, options) = committed(&row(""));
    let suite = changed(folder.path(), &options, &row("easy"));
    assert_eq!(suite.plan.dataset().cases[0].query, "");
}

#[test]
fn new_cases_count_in_addition() {
    let (folder, options) = committed(&rows(2));
    let suite = changed(folder.path(), &options, &rows(5));
    assert!(suite.rejection.is_none());
    let added: Vec<bool> = suite.plan.dataset().cases.iter().map(|case| case.added).collect();
    assert_eq!(added, [false, false, true, true, true]);
}

#[test]
fn data_may_land_alone_and_is_judged_on_its_own() {
    let (folder, options) = committed(&rows(4));
    write(folder.path(), "cases.jsonl", &rows(1).replace("fact 1", "another fact"));
    let suite = loaded(&options);
    assert!(suite.rejection.is_none());
    let cases = &suite.plan.dataset().cases;
    assert_eq!((cases.len(), cases[0].context_text().as_deref()), (1, Some("another fact")));
    assert!(suite.notices.iter().any(|notice| notice.contains("on the data of this change")));
    // A model is part of what must not change.
    let config = CONFIG.replace("model: tiny", "model: other");
    write(folder.path(), "promptgate.yaml", &config);
    assert!(loaded(&options).rejection.is_some());
}

#[test]
fn policy_of_the_base_may_let_changes_bring_their_data() {
    let folder = folder();
    write(folder.path(), "promptgate.yaml", &format!("{CONFIG}gate: {{dataset: head}}\n"));
    write(folder.path(), "prompt.md", PROMPT);
    write(folder.path(), "cases.jsonl", &rows(4));
    let base = commit(folder.path());
    let options = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    let suite = changed(folder.path(), &options, &rows(1));
    assert!(suite.rejection.is_none());
    assert_eq!(suite.plan.dataset().cases.len(), 1);
    // The change cannot say so itself.
    let (folder, options) = committed(&rows(4));
    write(folder.path(), "promptgate.yaml", &format!("{CONFIG}gate: {{dataset: head}}\n"));
    assert!(changed(folder.path(), &options, &rows(1)).rejection.is_some());
}

#[test]
fn another_dataset_does_not_take_the_place_of_an_unreadable_one() {
    // A job writes the dataset; no commit holds it.
    let folder = folder();
    write(folder.path(), "prompt.md", PROMPT);
    std::fs::remove_file(folder.path().join("cases.jsonl")).unwrap();
    let base = commit(folder.path());
    let options = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    let of_job = changed(folder.path(), &options, &rows(4));
    assert!(of_job.rejection.is_none(), "{:?}", of_job.rejection);
    // The change commits one of its own, or names another.
    commit(folder.path());
    assert_eq!(loaded(&options).rejection.expect("rejected").kind, FaultKind::DatasetChanged);
    write(folder.path(), "promptgate.yaml", &CONFIG.replace("cases.jsonl", "easy.jsonl"));
    write(folder.path(), "easy.jsonl", &rows(1));
    assert!(loaded(&options).rejection.is_some());
}
