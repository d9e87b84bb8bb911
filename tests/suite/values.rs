//! Values of cases that are in files of their own, and values that rows lack.

use crate::ci::Origin;
use crate::support::Folder;

/// The small suite, with contexts in files.
fn with_files(cases: usize) -> Folder {
    let folder = Folder::small(cases);
    prepare(&folder, cases);
    folder
}

fn prepare(folder: &Folder, cases: usize) {
    let rows: String = (1..=cases)
        .map(|number| {
            folder.write(
                &format!("docs/plan-{number}.txt"),
                &format!("Plan {number} gives {} days for a refund of the full price.\n", number + 10),
            );
            format!(
                "{{\"id\": \"case-{number}\", \"query\": \"How many days does plan {number} give for a refund?\", \
                 \"context\": \"file://docs/plan-{number}.txt\"}}\n"
            )
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: {path: cases.jsonl, files: [context]}");
}

#[test]
fn contexts_are_read_from_the_listed_files() {
    let folder = with_files(3);
    folder.promptgate(&["check"]).expect_code(0);
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("PASS");
    let report = folder.report();
    assert_eq!(report["cases"][0]["context"][0], "Plan 1 gives 11 days for a refund of the full price.");
    let digest = report["dataset"]["digest"].clone();
    folder.write("docs/plan-1.txt", "Plan 1 gives 12 days for a refund of the full price.\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_ne!(folder.report()["dataset"]["digest"], digest);
}

#[test]
fn variables_are_read_from_the_listed_files() {
    let folder = Folder::small(2);
    folder.write("notes.md", "Answer in French.\n");
    folder.append("prompt.md", "\n{{notes}}\n");
    folder.write("cases.csv", "query,context,notes\nWhy?,So.,notes.md\nHow?,Thus.,notes.md\n");
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: {path: cases.csv, files: [vars.notes]}");
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "baseline: none\n");
    folder.promptgate(&["run", "--offline"]);
    let sent = folder.report()["messages"].to_string();
    assert!(sent.contains("Answer in French."), "{sent}");
}

#[test]
fn files_that_cannot_be_read_are_errors_of_their_rows() {
    let folder = with_files(3);
    folder.write("outside.txt", "");
    std::fs::remove_file(folder.path().join("docs/plan-1.txt")).unwrap();
    std::fs::write(folder.path().join("docs/plan-2.txt"), b"\x89PNG\x00\x00").unwrap();
    folder.edit("cases.jsonl", "file://docs/plan-3.txt", "../../etc/hostname");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
    for words in [
        "`context`: docs/plan-1.txt: file not found",
        "`context`: docs/plan-2.txt: is not UTF-8",
        "`context`: `../../etc/hostname` is outside the repository",
        "--> cases.jsonl:1",
        "--> cases.jsonl:2",
        "--> cases.jsonl:3",
        "`dataset.files` lists the field",
    ] {
        assert!(outcome.stderr.contains(words), "{words} not in {}", outcome.stderr);
    }
    folder.edit("cases.jsonl", "file://docs/plan-1.txt", "docs");
    folder.promptgate(&["check"]).expect_code(2).says("docs: is a folder");
}

#[test]
fn paths_are_text_unless_the_configuration_lists_the_field() {
    let folder = with_files(2);
    folder.edit("promptgate.yaml", "files: [context]", "files: []");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
    outcome.says("`context` refers to a file").says("files: [context]");
    let folder = Folder::small(2);
    folder.write(
        "cases.jsonl",
        "{\"query\": \"Why?\", \"context\": \"docs/a.txt\", \"files\": [\"context\"]}\n",
    );
    folder.promptgate(&["run", "--offline"]);
    assert_eq!(folder.report()["cases"][0]["context"][0], "docs/a.txt");
}

#[test]
fn invalid_lists_and_defaults_have_their_place() {
    for (dataset, words) in [
        ("files: [checks]", "values of `checks` are not read from files"),
        ("files: [contxt]", "unknown field `contxt`; did you mean `context`?"),
        ("files: [document]", "`dataset.files` lists `document`, but no row has it"),
        ("defaults: {id: a}", "`id` cannot have a default"),
        ("defaults: {checks: []}", "checks of all cases are `checks:` of the configuration"),
        ("defaults: {must_pass: true}", "write `must_pass` beside `defaults`"),
        ("defaults: {tags: refunds}", "`tags` must be a list of texts"),
        ("defaults: {contxt: a}", "unknown field `contxt`; did you mean `context`?"),
        ("defaults: {notes: file://a.txt}", "`notes` refers to a file"),
    ] {
        let folder = Folder::small(2);
        folder.edit(
            "promptgate.yaml",
            "dataset: cases.jsonl",
            &format!("dataset: {{path: cases.jsonl, {dataset}}}"),
        );
        let outcome = folder.promptgate(&["check"]).expect_code(2);
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{dataset}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains("promptgate.yaml") || dataset.contains("document"),
            "{}",
            outcome.stderr
        );
        outcome.says(words);
    }
}

#[test]
fn defaults_are_the_values_that_rows_lack() {
    let folder = Folder::small(2);
    folder.append("prompt.md", "\nFor the tier {{tier}}.\n");
    folder.write("cases.csv", "id,query,context,tier\na,Why?,So.,free\nb,Why not?,So.,\n");
    folder.edit(
        "promptgate.yaml",
        "dataset: cases.jsonl",
        "dataset: {path: cases.csv, defaults: {tier: pro, tags: [refunds], expected: So.}}",
    );
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "baseline: none\n");
    folder.promptgate(&["run", "--offline"]);
    let report = folder.report();
    let sent = report["messages"].to_string();
    assert!(sent.contains("For the tier free.") && sent.contains("For the tier pro."), "{sent}");
    assert_eq!(report["cases"][1]["tags"][0], "refunds");
    assert_eq!(report["cases"][0]["expected"], "So.");
}

#[test]
fn changed_file_is_a_change_of_the_dataset() {
    let origin = Origin::new(|folder| prepare(folder, 3));
    origin.change(|folder| {
        folder.write("docs/plan-1.txt", "Plan 1 gives 99 days for a refund of the full price.\n");
        folder.edit("prompt.md", "in one sentence", "in one short sentence");
    });
    let job = origin.pull_request();
    job.offline();
    let report = job.checkout.report();
    assert_eq!(report["dataset_changes"]["changed"]["count"], 1, "{}", report["dataset_changes"]);
    // The content of the base decides.
    assert_eq!(report["cases"][0]["context"][0], "Plan 1 gives 11 days for a refund of the full price.");
}
