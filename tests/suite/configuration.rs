//! Diagnostics for files and flags: all at once, each with its place and the next step, before any call.

use crate::support::{Folder, MockServer, finish, repository};

#[test]
fn all_diagnostics_are_reported_at_once() {
    let folder = Folder::small(3);
    folder.write(
        "promptgate.yaml",
        "version: 1\nasert: true\ndataset: cases.jsonl\nprompt: prompt.md\nbaseline: file:baseline.md\n\
         model: tiny\njudge: {model: j, votse: 2}\nchecks:\n  - lenght: {min_chars: 1}\n  - regex: \"(\"\n\
         metrics:\n  faithfulness: {treshold: 0.75}\ngate: {repeats: many}\n",
    );
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    for words in ["asert", "votse", "lenght", "treshold", "many", "promptgate.yaml:2", "promptgate.yaml:7"] {
        assert!(outcome.stderr.contains(words), "no {words} in\n{}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, "");
}

#[test]
fn check_summarizes_a_valid_suite() {
    let folder = Folder::small(3);
    folder.promptgate(&["check"]).expect_code(0).says("3 cases").says("faithfulness").says("18 answers");
}

#[test]
fn configuration_with_every_key_is_accepted() {
    let folder = Folder::small(3);
    let complete = repository().join("tests/fixtures/config/complete.yaml");
    folder.write("promptgate.yaml", &std::fs::read_to_string(complete).expect("the configuration"));
    folder.write("prompts/support.md", "Answer as JSON from these passages.\n\n{{context}}\n");
    folder.write("answer.schema.json", "{\"type\": \"object\"}");
    let tagged = folder.read("cases.jsonl").replace("{\"id\"", "{\"tags\": [\"refunds\"], \"id\"");
    folder.write("cases.jsonl", &tagged);
    let outcome = folder.promptgate(&["check", "--baseline", "none"]).expect_code(0);
    assert!(!outcome.stderr.contains("not yet"), "{}", outcome.stderr);
}

#[test]
fn invalid_row_is_named_by_its_line() {
    let folder = Folder::small(2);
    folder.append("cases.jsonl", "{\"id\": \"x\", \"query\": \n");
    folder.promptgate(&["check"]).expect_code(2).says("cases.jsonl:3");
}

#[test]
fn case_without_judge_input_is_refused() {
    let folder = Folder::small(2);
    folder.append("cases.jsonl", "{\"id\": \"bare\", \"query\": \"Why?\"}\n");
    folder.write("prompt.md", "Answer in one sentence.\n");
    folder.write("baseline.md", "Answer briefly, in one sentence.\n");
    folder.promptgate(&["check"]).expect_code(2).says("bare").says("context");
}

#[test]
fn prompt_without_context_warns() {
    let folder = Folder::small(2);
    folder.write("prompt.md", "Answer in one sentence.\n");
    let outcome = folder.promptgate(&["check"]).expect_code(0);
    assert!(outcome.stderr.contains("warning") && outcome.stderr.contains("context"), "{}", outcome.stderr);
}

#[test]
fn missing_files_are_named() {
    for (from, name) in [
        ("cases.jsonl", "gone.jsonl"),
        ("prompt: prompt.md", "prompt: gone.md"),
        ("file:baseline.md", "file:gone.md"),
    ] {
        let folder = Folder::small(1);
        folder.edit("promptgate.yaml", from, name);
        let file = name.rsplit([':', ' ']).next().expect("a name");
        folder.promptgate(&["run", "--offline"]).expect_code(2).says(file);
    }
    let folder = Folder::new();
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("promptgate init");
    folder.promptgate(&["run", "--offline", "gone.yaml"]).expect_code(2).says("gone.yaml");
}

#[test]
fn unknown_flags_are_refused() {
    let folder = Folder::small(1);
    folder.promptgate(&["run", "--ofline"]).expect_code(2).says("--offline");
    folder.promptgate(&["rum"]).expect_code(2).says("run");
    folder.promptgate(&[]).expect_code(2).says("Usage");
    folder.promptgate(&["run", "--repeats", "0"]).expect_code(2);
    folder
        .promptgate(&["run", "--offline", "--baseline", "gti:main"])
        .expect_code(2)
        .says("did you mean `git:main`?");
    folder.promptgate(&["--version"]).expect_code(0).says(env!("CARGO_PKG_VERSION"));
    folder.promptgate(&["--help"]).expect_code(0).says("mock-server");
}

#[test]
fn flags_can_be_set_by_environment() {
    let folder = Folder::small(2);
    let mut command = folder.command(&["run"]);
    command
        .env("PROMPTGATE_OFFLINE", "true")
        .env("PROMPTGATE_REPEATS", "2")
        .env("PROMPTGATE_OUT", "elsewhere");
    let outcome = finish(command);
    assert!([0, 11].contains(&outcome.code), "{}", outcome.text());
    let report: serde_json::Value =
        serde_json::from_str(&folder.read("elsewhere/report.json")).expect("a report");
    assert_eq!(report["cases"][0]["trials"].as_array().map(Vec::len), Some(4));
}

#[test]
fn key_in_the_configuration_is_refused_without_an_echo() {
    let folder = Folder::small(1);
    folder.edit("promptgate.yaml", "timeout: 5s", "api_key_env: sk-live-1234567890abcdef, timeout: 5s");
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    assert!(!outcome.text().contains("1234567890abcdef"), "{}", outcome.text());
}

#[test]
fn unwritable_report_folder_is_refused() {
    let folder = Folder::small(1);
    folder.write("taken", "a file\n");
    let outcome = folder.promptgate(&["run", "--offline", "--out", "taken"]);
    assert!(outcome.code != 0 && outcome.text().contains("taken"), "{}", outcome.text());
    assert_eq!(folder.read("taken"), "a file\n");
}

#[test]
fn configuration_is_found_from_a_subfolder() {
    let folder = Folder::small(2);
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    let mut command = folder.command(&["check"]);
    command.current_dir(folder.path().join("deep"));
    finish(command).expect_code(0);
}

#[test]
fn budgets_are_hard_limits() {
    let folder = Folder::small(4);
    folder.promptgate(&["run", "--offline", "--budget-calls", "5"]).expect_code(12).says("budget");
    assert!(folder.report()["usage"]["calls"].as_u64().is_some_and(|calls| calls <= 5));
}

#[test]
fn diagnostic_points_into_an_indented_line() {
    let folder = Folder::small(2);
    folder.write(
        "promptgate.yaml",
        "version: 1\ndataset: cases.jsonl\nprompt: prompt.md\nbaseline: none\nmodel: tiny\njudge: {model: j}\n\
         metrics:\n    faithfulness:  {treshold: 0.75}\n",
    );
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let at = lines.iter().position(|line| line.contains("{treshold")).expect("the line");
    assert!(lines[at].contains("|     faithfulness:  {treshold: 0.75}"), "{}", outcome.stderr);
    assert_eq!(lines[at].find("treshold"), lines[at + 1].find("^^^^^^^^"), "{}", outcome.stderr);
}

#[test]
fn diagnostic_without_a_line_names_its_file() {
    let folder = Folder::small(2);
    let outcome = folder.promptgate(&["check", "--min", "faithfullness=0.9"]).expect_code(2);
    assert_eq!(
        outcome.stderr,
        "error: unknown metric `faithfullness`\n  --> flag --min\n   = help: did you mean `faithfulness`?\n\n"
    );
    let nowhere = Folder::new().promptgate(&["check"]).expect_code(2);
    let lines: Vec<&str> = nowhere.stderr.lines().collect();
    assert!(lines[1].starts_with("   = help: "), "{}", nowhere.stderr);
}

#[test]
fn unused_tag_selects_nothing() {
    let folder = Folder::golden();
    folder.promptgate(&["check", "--tag", "refund"]).expect_code(3).says("`refunds`");
}

#[test]
fn invalid_report_folder_fails_before_any_call() {
    let folder = Folder::small(2);
    folder.write("taken", "a file");
    let server = MockServer::start(&[]);
    let outcome = folder.against(&server.base_url, &["run", "--out", "taken/report"]).expect_code(2);
    assert!(
        outcome.stderr.contains("--> taken/report") && outcome.stderr.contains("`--out`"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("requesting"), "{}", outcome.stderr);
}

#[test]
fn line_without_a_colon_is_where_it_is() {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "model: tiny\n", "model tiny\n");
    let text = folder.read("promptgate.yaml");
    let line = text.lines().position(|line| line == "model tiny").expect("the line") + 1;
    folder
        .promptgate(&["check"])
        .expect_code(2)
        .says("no `:` after `model`")
        .says(&format!("promptgate.yaml:{line}:1"))
        .says("write a colon and a space after `model`");
}

#[test]
fn flag_of_a_csv_cell_is_shown_with_the_values_that_are_accepted() {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: cases.csv");
    let rows =
        |flag: &str| folder.write("cases.csv", &format!("id,query,context,must_pass\na,Why?,So.,{flag}\n"));
    rows("yes");
    folder
        .promptgate(&["check"])
        .expect_code(2)
        .says("`must_pass` must be true, false or `strict`, found text \"yes\"")
        .says("write true, false or strict");
    for flag in ["TRUE", "false", "Strict", ""] {
        rows(flag);
        folder.promptgate(&["check"]).expect_code(0);
    }
}

/// A suite whose column `docs` is the context and a variable as well.
fn documented(prompt: &str) -> Folder {
    let folder = Folder::small(3);
    let rows: String = (1..=3)
        .map(|number| format!("{{\"id\": \"c{number}\", \"question\": \"How long is plan {number}?\", \"docs\": \"Plan {number} takes {number} days.\"}}\n"))
        .collect();
    folder.write("cases.jsonl", &rows);
    folder.edit(
        "promptgate.yaml",
        "dataset: cases.jsonl\n",
        "dataset:\n  path: cases.jsonl\n  fields: {context: docs, query: question, vars.docs: docs}\n",
    );
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "baseline: none\n");
    folder.write("prompt.md", prompt);
    folder
}

#[test]
fn names_in_single_braces_are_warned_of() {
    let folder = documented("Use only the passages. Answer {question} from {docs}\n");
    let outcome = folder.promptgate(&["check"]).expect_code(0);
    let outcome = outcome.says("`{question}` in single braces is literal text; write `{{query}}`");
    outcome.says("`{docs}` in single braces is literal text").says("never uses {{context}}");
    folder.promptgate(&["run", "--offline", "--no-cache"]).says("`{docs}` in single braces is literal text");
    // A usual name, without a mapping.
    let folder = Folder::small(2);
    folder.write("prompt.md", "Use only the passages in one sentence: {passages}\n");
    folder.promptgate(&["check"]).expect_code(0).says("`{passages}` in single braces is literal text");
    // Who knows placeholders means the text.
    folder.write("prompt.md", "Use only {{context}}. Answer as {passages}: {title}\n");
    let outcome = folder.promptgate(&["check"]).expect_code(0);
    assert!(!outcome.text().contains("single braces"), "{}", outcome.text());
}

#[test]
fn context_under_another_name_is_used() {
    let never = "never uses {{context}}";
    let folder = documented("Use only these passages.\n\n{{docs}}\n");
    let outcome = folder.promptgate(&["check"]).expect_code(0);
    assert!(!outcome.text().contains(never), "{}", outcome.text());
    folder.write("prompt.md", "Use only the passages.\n");
    folder.promptgate(&["check"]).expect_code(0).says(never);
}
