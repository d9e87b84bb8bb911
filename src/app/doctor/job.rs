//! Checks of the job of a CI system: the event, the files for its results, and what the token may do.

use super::{Findings, Severity};
use crate::app::Environment;
use crate::app::github::GitHub;
use promptgate_adapters::github::Event;
use promptgate_adapters::github::api::{self, Permission};
use promptgate_report::doctor::{Check, CheckStatus};

/// Files that GitHub gives a job for its results.
const RESULT_FILES: [&str; 2] = ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"];
const TOKEN_HELP: &str = "give the job `permissions: {contents: read, pull-requests: write}`; the token of a pull request from a fork is \
     read-only, and then the job summary has the text of the comment";

/// Checks the job.
pub(super) async fn check(offline: bool, environment: &Environment, findings: &mut Findings) {
    if !environment.is_github() {
        findings.skip("ci", "this is not a job of GitHub Actions");
        return;
    }
    let event = match environment.event() {
        Ok(event) => event,
        Err(diagnostic) => {
            findings.diagnostic(Severity::Usage, "ci", &diagnostic);
            None
        }
    };
    result_files(environment, findings);
    if let Some(event) = &event {
        describe(event, findings);
    }
    token(event.as_ref(), offline, environment, findings).await;
}

fn result_files(environment: &Environment, findings: &mut Findings) {
    for name in RESULT_FILES {
        let problem = match environment.path(name) {
            None => Some(format!("{name} is not set, so this result of the job is not written")),
            Some(path) => match std::fs::File::options().append(true).open(&path) {
                Ok(_) => None,
                Err(error) => Some(format!("{name}: {}: {error}", path.display())),
            },
        };
        if let Some(message) = problem {
            let check = Check::new("ci", CheckStatus::Warning, message);
            findings.add(check.help("leave the variables that GitHub sets as they are"));
        }
    }
}

fn describe(event: &Event, findings: &mut Findings) {
    let kind = event.kind.as_str();
    match &event.pull_request {
        Some(pull_request) if pull_request.fork => {
            let message =
                format!("pull request {} is from a fork: its jobs have no secrets", pull_request.number);
            let check = Check::new("ci", CheckStatus::Warning, message);
            findings.add(check.help("push the branch to the repository itself to evaluate it with the key"));
        }
        Some(pull_request) => {
            findings.ok("ci", format!("event {kind}, pull request {}", pull_request.number))
        }
        None => findings.ok("ci", format!("event {kind}")),
    }
}

/// The permissions of the token, found out without writing anything.
async fn token(event: Option<&Event>, offline: bool, environment: &Environment, findings: &mut Findings) {
    let number = event.and_then(|event| event.pull_request.as_ref()).map(|it| it.number);
    let github = match GitHub::of(environment, "the comment is written with it") {
        Ok(github) => github,
        Err(diagnostic) => {
            let check = Check::new("token", CheckStatus::Warning, diagnostic.message);
            return findings.add(Check { help: diagnostic.help, ..check });
        }
    };
    if offline {
        return findings.skip("token", "GitHub is not called (--offline)");
    }
    let Some(number) = number else {
        return findings.skip("token", "what it may write shows in the job of a pull request");
    };
    let check = match api::comment_permission(&github.client, &github.repository, number).await {
        Ok(Permission::Write) => {
            let message = format!("it may comment on pull request {number} of {}", github.repository);
            Check::new("token", CheckStatus::Ok, message)
        }
        Ok(Permission::Read) => {
            let message = format!("it may read pull request {number}, and not comment on it");
            Check::new("token", CheckStatus::Warning, message).help(TOKEN_HELP)
        }
        Ok(Permission::Nothing) => {
            let message = format!("it has no access to the pull requests of {}", github.repository);
            Check::new("token", CheckStatus::Warning, message).help(TOKEN_HELP)
        }
        Err(error) => {
            Check { help: error.help.clone(), ..Check::new("token", CheckStatus::Warning, error.message) }
        }
    };
    findings.add(check);
}
