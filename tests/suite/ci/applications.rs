//! Pull requests that change an application.

use super::{Origin, worse as worse_prompt};
use crate::support::Folder;
use crate::target::{CONFIGURATION, WORKER, facts};

fn origin() -> Origin {
    Origin::new(|folder| {
        folder.write("promptgate.yaml", CONFIGURATION);
        folder.write("answer.py", WORKER);
        folder.write("facts.json", &facts(12, "days"));
        folder.write("cases.jsonl", &crate::target::cases(12));
    })
}

fn worse(folder: &Folder) {
    folder.write("facts.json", &facts(12, "weeks"));
}

#[test]
fn application_that_got_worse_fails_its_pull_request() {
    let origin = origin();
    origin.change(worse);
    let job = origin.pull_request();
    job.offline().expect_code(10);
    job.outcome("fail", 10);
    let report = job.checkout.report();
    assert_eq!(report["variants"]["baseline"]["application"]["commit"], origin.rev("main"));
    assert!(!report.to_string().contains("was made by this job"), "the checkout is the commit");
}

#[test]
fn change_of_a_file_that_is_no_input_is_unchanged() {
    let inputs = "  workers: 2\n  inputs: [answer.py, facts.json]\n";
    let origin = Origin::new(|folder| {
        folder.write("promptgate.yaml", &CONFIGURATION.replace("  workers: 2\n", inputs));
        folder.write("answer.py", WORKER);
        folder.write("facts.json", &facts(12, "days"));
        folder.write("cases.jsonl", &crate::target::cases(12));
    });
    origin.change(|folder| folder.write("README.md", "A note.\n"));
    let job = origin.pull_request();
    let text = job.offline().text();
    assert!(text.to_lowercase().contains("unchanged"), "{text}");
}

#[test]
fn pull_request_cannot_weaken_what_its_application_may_do() {
    let origin = origin();
    origin.change(|folder| {
        worse(folder);
        folder.edit("promptgate.yaml", "  timeout: 10s\n", "  timeout: 10s\n  env: [GITHUB_TOKEN_OF_MINE]\n");
        folder.edit("promptgate.yaml", "  - contains: days\n", "  - contains: weeks\n");
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    outcome.says("target.env");
}

#[test]
fn application_that_does_not_build_at_the_base_is_incomplete() {
    let origin = Origin::new(|folder| {
        let setup = "  workers: 2\n  setup: [sh, -c, 'echo no lock file >&2; exit 4']\n";
        folder.write("promptgate.yaml", &CONFIGURATION.replace("  workers: 2\n", setup));
        folder.write("answer.py", WORKER);
        folder.write("facts.json", &facts(12, "days"));
        folder.write("cases.jsonl", &crate::target::cases(12));
    });
    origin.change(|folder| {
        worse(folder);
        folder.edit("promptgate.yaml", "echo no lock file >&2; exit 4", "true");
    });
    let job = origin.pull_request();
    job.offline().expect_code(12).says("the setup of the baseline's application").says("no lock file");
}

const PROMPT_ALONE: &str = "\
version: 1
name: shop
dataset: cases.jsonl
prompt: prompt.md
model: tiny
checks:
  - contains: days
    name: says-days
    baseline: true
";

const COMMAND: &str = "target: {command: [python3, answer.py], workers: 1, timeout: 10s}\n";
const ANSWERS: &str = "target: {answers: answers.jsonl}\n";
const SERVER: &str = "target: {http: {start: [python3, answer.py, '{port}'], url: 'http://127.0.0.1:{port}/', \
                      output: $.answer}}\n";

/// A base with this target, and files for any other.
fn origin_with(target: &str) -> Origin {
    Origin::new(|folder| {
        folder.write("promptgate.yaml", &format!("{target}{PROMPT_ALONE}"));
        folder.write("answer.py", WORKER);
        folder.write("facts.json", &facts(3, "days"));
    })
}

/// Each kind of target hides that what the base evaluates got worse.
#[test]
fn another_kind_of_target_than_that_of_the_base_is_incomplete() {
    let prompt = "a prompt with a model";
    for (base, own, evaluated, at_base) in [
        (COMMAND, "", prompt, "a command"),
        ("", ANSWERS, "recorded answers", prompt),
        ("", COMMAND, "a command", prompt),
        (COMMAND, ANSWERS, "recorded answers", "a command"),
        (COMMAND, SERVER, "a server", "a command"),
        (ANSWERS, COMMAND, "a command", "recorded answers"),
    ] {
        let answers: String = (1..=3)
            .map(|number| format!("{{\"id\": \"case-{number}\", \"output\": \"{number} days\"}}\n"))
            .collect();
        let origin = origin_with(base);
        if base == ANSWERS {
            origin.folder.write("answers.jsonl", &answers);
            origin.commit("answers");
        }
        origin.change(|folder| {
            folder.write("promptgate.yaml", &format!("{own}{PROMPT_ALONE}"));
            folder.write("answers.jsonl", &answers);
            if base == COMMAND {
                folder.write("answer.py", "raise SystemExit('broken')\n");
            } else {
                worse_prompt(folder);
            }
        });
        let job = origin.pull_request();
        let said = format!("the change evaluates {evaluated} where the base evaluates {at_base}");
        let outcome = job.offline().expect_code(12);
        outcome.says(&said);
        assert_eq!(job.outcome("incomplete", 12)["reason"], "target_changed", "{said}");
        let comment = job.comment();
        assert!(comment.contains("by itself first"), "{comment}");
        let warnings = job.checkout.report()["warnings"].to_string();
        assert!(!warnings.contains("does not count: target:"), "{warnings}");
    }
}

#[test]
fn application_of_the_same_kind_may_change_its_command() {
    let origin = origin_with(COMMAND);
    origin.change(|folder| {
        folder.write("app.py", WORKER);
        folder.edit("promptgate.yaml", "answer.py", "app.py");
    });
    let job = origin.pull_request();
    job.offline();
    // Few cases may leave a drop open, but the two are compared.
    let report = job.checkout.report();
    assert!(["pass", "inconclusive"].contains(&report["verdict"].as_str().unwrap_or_default()), "{report}");
    assert_eq!(report["variants"]["candidate"]["application"]["source"], "python3 app.py");
    // A run by the change's own policy is not compared by its kind of target.
    let origin = origin_with(COMMAND);
    origin.change(|folder| folder.write("promptgate.yaml", PROMPT_ALONE));
    let outcome = origin.pull_request().with("PROMPTGATE_POLICY_FROM", "head").offline();
    assert!(!outcome.text().contains("where the base evaluates"), "{}", outcome.text());
}

/// A change that adds the first application of a repository, in a folder of its own.
fn first_application() -> Origin {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        folder.write("app/promptgate.yaml", CONFIGURATION);
        folder.write("app/answer.py", WORKER);
        folder.write("app/facts.json", &facts(6, "days"));
        folder.write("app/cases.jsonl", &crate::target::cases(6));
    });
    origin
}

#[test]
fn program_that_the_base_lacks_is_named_before_anything_runs() {
    let origin = first_application();
    let folder = &origin.folder;
    folder.git(&["switch", "--quiet", "change"]);
    folder.promptgate(&["check", "app"]).expect_code(0);
    let outcome = folder.promptgate(&["run", "app", "--offline"]).expect_code(12);
    assert!(!outcome.text().contains("can't open file"), "{}", outcome.text());
    let outcome = outcome.says("answer.py is not in the base commit");
    outcome.says("(merge base with main)").says("merge the suite first").says("--baseline none");
    // The file of another folder is not that of the application.
    folder.write("answer.py", WORKER);
    folder
        .promptgate(&["run", "app", "--offline"])
        .expect_code(12)
        .says("answer.py is not in the base commit");
    folder.edit("app/promptgate.yaml", "    baseline: true\n", "");
    folder.promptgate(&["run", "app", "--offline", "--baseline", "none"]).expect_code(0);
}

#[test]
fn program_that_the_base_lacks_is_a_new_suite_in_ci() {
    let origin = first_application();
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "app");
    let outcome = job.offline().expect_code(12);
    assert_eq!(job.outcome("incomplete", 12)["reason"], "new_suite");
    outcome.says("INCOMPLETE: new suite").says("answer.py is not in the base commit");
    let job = job.with("PROMPTGATE_ON_NEW_SUITE", "skip").fresh();
    job.offline().expect_code(0).says("NOT EVALUATED: new suite");
}
