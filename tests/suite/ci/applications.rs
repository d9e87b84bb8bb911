//! Pull requests that change an application.

use super::Origin;
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
