//! `init --from`: suites of other tools are written as suites that check and run, and nothing is ever overwritten.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::servers::Server;
use crate::support::{Folder, finish, repository};

const CONFIGURATION: &str = "promptgate.yaml";

/// A copy of a fixture.
fn fixture(name: &str) -> Folder {
    let path = format!("tests/fixtures/imports/{name}");
    let folder = Folder::copy_of(&path);
    // A fixture may have a folder `tests` itself.
    std::fs::rename(folder.path().join("tests"), folder.path().join("copied")).expect("a folder");
    let copied = folder.path().join(path.replacen("tests", "copied", 1));
    for entry in std::fs::read_dir(copied).expect("the fixture") {
        let entry = entry.expect("an entry");
        std::fs::rename(entry.path(), folder.path().join(entry.file_name())).expect("a file");
    }
    std::fs::remove_dir_all(folder.path().join("copied")).expect("the rest");
    folder
}

/// The names of all fixtures.
fn fixtures() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("tests/fixtures/imports")).expect("fixtures");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = status.is_ok_and(|status| status.success());
    assert!(
        found || std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref() != Ok("1"),
        "{program} is not installed"
    );
    found
}

/// Whether the programs that an imported suite runs are installed.
fn can_run(folder: &Folder, configuration: &str) -> bool {
    let text = folder.read(configuration);
    (!text.contains("[node,") || has("node")) && (!text.contains("[python3,") || has("python3"))
}

#[test]
fn every_fixture_is_imported_checked_and_run() {
    let names = fixtures();
    assert!(names.len() >= 25, "{names:?}");
    for name in names {
        let folder = fixture(&name);
        let imported = folder.promptgate(&["init", "--from", "."]).expect_code(0);
        assert!(imported.stdout.contains("wrote promptgate.yaml"), "{name}: {}", imported.stdout);
        let checked = folder.promptgate(&["check"]);
        assert_eq!(checked.code, 0, "{name}: {}", checked.text());
        if !can_run(&folder, CONFIGURATION) || name == "19-own-http-application" {
            continue;
        }
        // The simulated model knows no answer, so a suite may fail; it must not be refused or incomplete.
        let run = folder.promptgate(&["run", "--offline"]);
        assert!(matches!(run.code, 0 | 10 | 11), "{name}: {}: {}", run.code, run.text());
    }
}

#[test]
fn own_http_application_answers_the_imported_cases() {
    let server = Server::start(|body, _| {
        let answer = if body["language"] == "de" { "Im Konto." } else { "In your account." };
        assert_eq!(body["question"].as_str().map(|text| text.starts_with("W")), Some(true));
        (200, json!({"answer": {"text": answer}}))
    });
    let folder = fixture("19-own-http-application");
    folder.promptgate(&["init", "--from", "promptfooconfig.yaml"]).expect_code(0);
    folder.edit("promptgate.yaml", "https://help.example.org/api/answer", &server.base_url);
    let mut command = folder.command(&["run", "--offline"]);
    command.env("TARGET_AUTHORIZATION", "Bearer canary-1234567890");
    finish(command).expect_code(0);
    assert!(server.calls() > 0);
}

/// Providers in programs, and the file of each.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("'exec: python3 cli.py'", "", ""),
    ("python:answer.py:call_api", "", ""),
    (
        "file://answer.mjs",
        "answer.mjs",
        "export default class {\n  constructor(options) { this.currency = options.config.currency; }\n  id() { return \"x\"; }\n  \
         async callApi(prompt, context) {\n    console.log(\"called\");\n    \
         const price = { chairs: 40, tables: 120 }[context.vars.item];\n    \
         return { output: `${(price * context.vars.count).toFixed(2)} ${this.currency}` };\n  }\n}\n",
    ),
    (
        "file://answer.cjs",
        "answer.cjs",
        "module.exports = async (prompt) => {\n  const [count, item] = prompt.split(\" \").slice(-2);\n  \
         return { output: ({ chairs: 40, tables: 120 }[item] * count).toFixed(2) };\n};\n",
    ),
];

#[test]
fn own_programs_answer_through_their_adapters() {
    for (provider, name, text) in PROGRAMS {
        let folder = fixture("20-own-programs");
        folder.edit("promptfooconfig.yaml", "file://answer.py", provider);
        if !name.is_empty() {
            folder.write(name, text);
        }
        folder.promptgate(&["init", "--from", "."]).expect_code(0);
        if !can_run(&folder, CONFIGURATION) {
            continue;
        }
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, 0, "{provider}: {}", outcome.text());
        // The answers are those of the program, and a wrong one is seen.
        folder.edit("cases.jsonl", "\"80.00\"", "\"81.00\"");
        folder.promptgate(&["run", "--offline"]).expect_code(10);
    }
}

/// Imports a fixture and has it grade one recorded answer to every case; returns which cases pass.
fn graded(name: &str, answers: &[(&str, &str)]) -> Option<Vec<bool>> {
    let folder = fixture(name);
    folder.promptgate(&["init", "--from", "."]).expect_code(0);
    if !can_run(&folder, CONFIGURATION) {
        return None;
    }
    let kept = |line: &&str| {
        let dropped = ["prompt:", "model:", "parameters:", "endpoint:", "judge:", "# to "];
        !dropped.iter().any(|start| line.starts_with(start))
    };
    let mut configuration: String =
        folder.read("promptgate.yaml").lines().filter(kept).map(|line| format!("{line}\n")).collect();
    configuration.push_str("target: {answers: answers.jsonl}\ngate: {repeats: 1, max_repeats: 1}\n");
    folder.write("promptgate.yaml", &configuration);
    let lines = answers.iter().map(|(id, output)| format!("{}\n", json!({"id": id, "output": output})));
    folder.write("answers.jsonl", &lines.collect::<String>());
    let outcome = folder.promptgate(&["run", "--no-judge"]);
    assert!(matches!(outcome.code, 0 | 10), "{name}: {}", outcome.text());
    let report = folder.report();
    let passes = answers.iter().map(|(id, _)| {
        let cases = report["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["id"] == *id).expect("the case");
        let grades = case["trials"][0]["grades"].as_array().expect("grades");
        assert!(!grades.is_empty() && grades.iter().all(|grade| grade["score"].is_number()), "{grades:?}");
        grades.iter().all(|grade| grade["score"] == 1.0)
    });
    Some(passes.collect())
}

#[test]
fn scorers_in_javascript_decide_as_their_assertions() {
    for (answers, expected) in [
        (["The total is 240.00 EUR.", "The total is 51.00 EUR for two lamps of 25.50."], [true, true]),
        (["The total is 241.00 EUR.", "The total is 51.00."], [false, false]),
        (["240.00 EUR\n\n\n", "51.00 EUR, EUR, EUR, for all"], [false, false]),
    ] {
        let answers = [("test-1", answers[0]), ("test-2", answers[1])];
        if let Some(passes) = graded("06-javascript-scorers", &answers) {
            assert_eq!(passes, expected, "{answers:?}");
        }
    }
}

#[test]
fn scorers_in_python_decide_as_their_assertions() {
    for (answers, expected) in [
        (["select count(*) from orders where day like '05%'", "select max(total) from orders"], [true, true]),
        (["select count(*) from order", "select max(total) from orders; delete from orders"], [false, false]),
        (["select count(*)", "select total from orders"], [false, false]),
    ] {
        let answers = [("test-1", answers[0]), ("test-2", answers[1])];
        if let Some(passes) = graded("11-python-scorers", &answers) {
            assert_eq!(passes, expected, "{answers:?}");
        }
    }
}

#[test]
fn scorer_that_throws_fails_with_its_reason() {
    let folder = fixture("06-javascript-scorers");
    folder.edit("promptfooconfig.yaml", "output.split('\\n').length <= 3", "output.nothing.length <= 3");
    folder.promptgate(&["init", "--from", "."]).expect_code(0);
    if can_run(&folder, CONFIGURATION) {
        folder.promptgate(&["run", "--offline"]).expect_code(10);
        let reason = folder.report()["cases"][0]["trials"][0]["grades"][0]["reason"].to_string();
        assert!(reason.contains("TypeError") && reason.contains("output.nothing.length"), "{reason}");
    }
}

#[test]
fn suite_in_another_folder_finds_the_files_of_the_source() {
    for name in ["04-tickets-as-json", "06-javascript-scorers", "11-python-scorers", "20-own-programs"] {
        let folder = fixture(name);
        folder.promptgate(&["init", "gate/suite", "--from", "promptfooconfig.yaml"]).expect_code(0);
        folder.promptgate(&["check", "gate/suite"]).expect_code(0);
        if can_run(&folder, "gate/suite/promptgate.yaml") {
            let run = folder.promptgate(&["run", "gate/suite", "--offline"]);
            assert!(matches!(run.code, 0 | 10), "{name}: {}", run.text());
        }
    }
}

/// The files below a folder.
fn listed(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => names.extend(listed(&path)),
            false => names.push(path.display().to_string()),
        }
    }
    names.sort();
    names
}

#[test]
fn import_overwrites_nothing_and_writes_all_or_nothing() {
    let folder = fixture("06-javascript-scorers");
    folder.write("cases.jsonl", "mine\n");
    folder.write("scorers/javascript.json", "mine\n");
    let before = listed(folder.path());
    let outcome = folder.promptgate(&["init", "--from", "."]).expect_code(2);
    outcome.says("cases.jsonl, scorers/javascript.json exist already; nothing was written");
    assert_eq!(listed(folder.path()), before);
    assert_eq!(folder.read("cases.jsonl"), "mine\n");
    let folder = fixture("01-returns-desk");
    folder.write("promptgate.yml", "version: 1\n");
    folder.promptgate(&["init", "--from", "."]).expect_code(2).says("promptgate.yml exists already; nothing");
    assert!(!folder.path().join("promptgate.yaml").exists());
}

#[test]
fn lines_that_are_not_carried_are_printed_and_strict_refuses_them() {
    let folder = fixture("07-fast-enough");
    let before = listed(folder.path());
    let strict = folder.promptgate(&["init", "--from", ".", "--strict"]).expect_code(2);
    strict.says("a limit on the cost needs the price of the model").says("promptfooconfig.yaml:9");
    assert_eq!(listed(folder.path()), before);
    let outcome = folder.promptgate(&["init", "--from", "."]).expect_code(0).says("not carried: 4 lines");
    assert!(outcome.stdout.contains("\npromptfooconfig.yaml:9: `cost`: a limit"), "{}", outcome.stdout);
    let configuration = folder.read("promptgate.yaml");
    assert!(configuration.contains("# - promptfooconfig.yaml:9: `cost`"), "{configuration}");
    let folder = fixture("01-returns-desk");
    folder.promptgate(&["init", "--from", ".", "--strict"]).expect_code(0).says("not carried: nothing");
}

#[test]
fn folder_without_or_with_several_sources_is_an_error() {
    let folder = Folder::new();
    folder
        .promptgate(&["init", "--from", "."])
        .expect_code(2)
        .says("there is nothing to import")
        .says("a promptfoo configuration");
    folder
        .promptgate(&["init", "--from", "none.yaml"])
        .expect_code(2)
        .says("none.yaml")
        .says("cannot read the source");
    folder.write("a.prompty", "---\nmodel: m\n---\nuser:\nHi\n");
    folder.write("b.prompty", "---\nmodel: m\n---\nuser:\nHi\n");
    folder
        .promptgate(&["init", "--from", "."])
        .expect_code(2)
        .says("several files could be imported: a.prompty, b.prompty");
    folder.promptgate(&["init", "x", "--from", "b.prompty"]).expect_code(0);
    folder.promptgate(&["check", "x"]).expect_code(0);
    folder.promptgate(&["init", "--strict"]).expect_code(2);
    folder.promptgate(&["init", "--from", ".", "--release"]).expect_code(2);
}

#[test]
fn large_sources_are_imported() {
    let folder = Folder::new();
    let rows: String = (0..20_000)
        .map(|number| format!("Question {number} {},contains: {number}\n", "about a long story ".repeat(25)))
        .collect();
    assert!(rows.len() > 9 << 20);
    folder.write("tests.csv", &format!("question,__expected\n{rows}"));
    folder.write(
        "promptfooconfig.yaml",
        "prompts: ['{{question}}']\nproviders: [openai:gpt-4o-mini]\ntests: tests.csv\n",
    );
    folder.promptgate(&["init", "--from", "."]).expect_code(0).says("20000 cases, 20000 assertions carried");
    let first: Value =
        serde_json::from_str(folder.read("cases.jsonl").lines().next().expect("a row")).expect("JSON");
    assert_eq!(first["checks"], json!([{"contains": "0"}]));
    folder.write("broken.yaml", &"prompts: [\n".repeat(1 << 20));
    folder.promptgate(&["init", "x", "--from", "broken.yaml"]).expect_code(2).says("broken.yaml");
}
