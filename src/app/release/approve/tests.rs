use promptgate_release::{Actor, ActorSource, ApprovalRejection, Event};
use promptgate_testing::MemoryLedger;
use serde_json::json;

use super::super::approval_world::{PROMPT, World};
use super::super::testing;
use super::*;
use crate::app::release::testing::{name, text, version};

const NAME: &str = "support/reply";

/// A record of 1.0.0 whose approvers are bob and a team, by carol, from pull request 12.
fn record() -> Record {
    let mut record = testing::record(&name(NAME), "1.0.0", 1, text("Answer."));
    record.policy.approvers = vec!["bob".to_owned(), "@acme/owners".to_owned()];
    record
}

async fn ledger(is_local: bool, records: &[Record]) -> MemoryLedger {
    let ledger = if is_local { MemoryLedger::local() } else { MemoryLedger::default() };
    for record in records {
        let kind = EventKind::Published {
            version: record.version,
            number: record.number,
            digest: record.digest.clone(),
            level: record.level,
            record: None,
            adopted: false,
        };
        let actor = Actor { login: "ci".to_owned(), source: ActorSource::DefaultBranch, run: None };
        let events = vec![Event { at: record.published_at, actor, kind }];
        let tip = ledger.history(&record.name).await.unwrap().tip;
        let addition = Addition { records: vec![record.clone()], events };
        ledger.append(&record.name, &addition, tip.as_ref()).await.unwrap();
    }
    ledger
}

fn options() -> ApproveOptions {
    ApproveOptions { config: None, name: name(NAME), version: version("1.0.0"), digest: None, dry_run: false }
}

async fn run(
    world: &World,
    ledger: &MemoryLedger,
    options: &ApproveOptions,
    environment: &Environment,
) -> Result<Approved, Failure> {
    let identity = world.identity(environment);
    let repository = world.repository();
    let approver = Approver {
        identity: &identity,
        environment,
        repository: Some(&repository),
        folder: "support".to_owned(),
    };
    approve_as(ledger, options, &approver).await
}

async fn dispatched(world: &World, ledger: &MemoryLedger, login: &str) -> Approved {
    run(world, ledger, &options(), &world.environment("workflow_dispatch", login, &[])).await.unwrap()
}

async fn approvals(ledger: &MemoryLedger) -> Vec<Approval> {
    let state = ledger.state(&name(NAME)).await.unwrap().unwrap();
    state.versions[&version("1.0.0")].approvals.clone()
}

#[track_caller]
fn refused<'a>(approved: &'a Approved, words: &str) -> &'a [String] {
    match &approved.result {
        ApproveResult::Refused(reasons) if reasons.join("\n").contains(words) => reasons,
        other => panic!("not refused for {words:?}: {other:?}"),
    }
}

#[tokio::test]
async fn dispatch_on_the_default_branch_counts_once() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    let dry = ApproveOptions { dry_run: true, ..options() };
    let environment = world.environment("workflow_dispatch", "Bob", &[]);
    assert_eq!(run(&world, &ledger, &dry, &environment).await.unwrap().result, ApproveResult::Approved);
    assert_eq!(approvals(&ledger).await, []);
    assert_eq!(dispatched(&world, &ledger, "Bob").await.result, ApproveResult::Approved);
    assert_eq!(dispatched(&world, &ledger, "bob").await.result, ApproveResult::AlreadyApproved);
    let appended = approvals(&ledger).await;
    assert_eq!(appended.len(), 1);
    assert_eq!((appended[0].login.as_str(), appended[0].source), ("Bob", ApprovalSource::Dispatch));
    assert_eq!(appended[0].check(&record(), false), Ok(()));
    let events = ledger.history(&name(NAME)).await.unwrap().events;
    assert_eq!(events[1].actor.source, ActorSource::Dispatch);
    assert!(events[1].actor.run.is_none(), "the server's URL is not set");
}

#[tokio::test]
async fn author_and_unknown_person_are_refused() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    refused(&dispatched(&world, &ledger, "Carol").await, "Carol is an author of the change");
    let unknown = dispatched(&world, &ledger, "mallory").await;
    assert_eq!(refused(&unknown, "mallory is not one of `approvers`").len(), 2);
    refused(&unknown, "GitHub answers 404");
    assert_eq!(approvals(&ledger).await, []);
}

#[tokio::test]
async fn member_of_a_team_is_an_approver() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    world.github.member("acme/owners", "frank", "active");
    assert_eq!(dispatched(&world, &ledger, "frank").await.result, ApproveResult::Approved);
    assert_eq!(approvals(&ledger).await[0].teams, ["@acme/owners"]);
    world.github.set_fault(|_| Some((500, json!({}), "retry-after: 0\r\n".to_owned())));
    let environment = world.environment("workflow_dispatch", "grace", &[]);
    let failure = run(&world, &ledger, &options(), &environment).await.unwrap_err();
    assert!(matches!(failure, Failure::Incomplete(_)), "{failure:?}");
    let environment = world.environment("workflow_dispatch", "grace", &[("GITHUB_TOKEN", "")]);
    let failure = run(&world, &ledger, &options(), &environment).await.unwrap_err();
    assert!(failure.diagnostics()[0].message.contains("no token is set"));
    assert_eq!(approvals(&ledger).await.len(), 1);
}

#[tokio::test]
async fn another_digest_is_refused() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    let environment = world.environment("workflow_dispatch", "bob", &[]);
    let digest = record().digest;
    for other in ["", "sha256:", &digest.short()[..11], &"0".repeat(64), &format!("{digest}0")] {
        let options = ApproveOptions { digest: Some(other.to_owned()), ..options() };
        let approved = run(&world, &ledger, &options, &environment).await.unwrap();
        refused(&approved, &format!("version 1.0.0 has the digest {digest}"));
    }
    assert_eq!(approvals(&ledger).await, []);
    for same in [digest.as_str(), digest.short(), &digest.as_str()[7..].to_uppercase()] {
        let options = ApproveOptions { digest: Some(same.to_owned()), ..options() };
        let result = run(&world, &ledger, &options, &environment).await.unwrap().result;
        assert!(!matches!(result, ApproveResult::Refused(_)), "{same}");
    }
    let mut mutated = record();
    mutated.content = text("Deny.");
    ledger.replace_record(mutated);
    let failure = run(&world, &ledger, &options(), &environment).await.unwrap_err();
    assert!(matches!(failure, Failure::Incomplete(_)), "{failure:?}");
}

#[tokio::test]
async fn job_of_a_pull_request_claims_a_login() {
    let world = World::new();
    let shared = ledger(false, &[record()]).await;
    let environment = world.environment("pull_request", "bob", &[]);
    let approved = run(&world, &shared, &options(), &environment).await.unwrap();
    assert_eq!(approved.approval.source, ApprovalSource::Unverified);
    refused(&approved, "nobody can verify the login here");
    assert_eq!(approvals(&shared).await, []);
    // A folder takes the claim, and only a folder counts it.
    let folder = ledger(true, &[record()]).await;
    let approved = run(&world, &folder, &options(), &environment).await.unwrap();
    assert_eq!(approved.result, ApproveResult::Approved);
    assert!(approved.warnings[0].contains("nobody verified the login"));
    let claimed = &approvals(&folder).await[0];
    assert_eq!(claimed.check(&record(), true), Ok(()));
    assert_eq!(claimed.check(&record(), false), Err(ApprovalRejection::Unverified));
    // The same person, now known, is no repetition.
    assert_eq!(dispatched(&world, &folder, "bob").await.result, ApproveResult::Approved);
    assert_eq!(approvals(&folder).await.len(), 2);
    // An author stays one, whoever is claimed to approve elsewhere.
    let environment = world.environment("pull_request", "carol", &[]);
    refused(&run(&world, &folder, &options(), &environment).await.unwrap(), "carol is an author");
}

#[tokio::test]
async fn run_that_somebody_else_repeats_is_nobodys_approval() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    let environment = world.environment("workflow_dispatch", "bob", &[("GITHUB_TRIGGERING_ACTOR", "carol")]);
    let approved = run(&world, &ledger, &options(), &environment).await.unwrap();
    refused(&approved, "bob dispatched this run and carol ran it again");
    assert_eq!(approvals(&ledger).await, []);
    let environment = world.environment("workflow_dispatch", "bob", &[("GITHUB_TRIGGERING_ACTOR", "BOB")]);
    let approved = run(&world, &ledger, &options(), &environment).await.unwrap();
    assert_eq!(approved.result, ApproveResult::Approved);
}

#[tokio::test]
async fn authors_that_were_unknown_when_published_are_read_again() {
    let world = World::new();
    let published = world.head();
    world.squash(7, "dan", PROMPT, "second");
    let (_, merged) = world.squash(8, "ann", PROMPT, "third");
    let mut first = record();
    first.change.commit = Some(published);
    let mut second = testing::record(&name(NAME), "1.1.0", 2, text("Answer briefly."));
    second.compared_with = Some(first.version);
    second.policy.approvers = ["ann", "dan", "bob"].map(str::to_owned).to_vec();
    second.change.commit = Some(merged);
    // GitHub was down: no logins.
    second.change.authors = vec!["ann <ann@work.example>".to_owned()];
    second.change.pull_request = None;
    second.change.path = Some(PROMPT.to_owned());
    let ledger = ledger(false, &[first, second]).await;
    let options = ApproveOptions { version: version("1.1.0"), ..options() };
    let by = async |login: &str| {
        run(&world, &ledger, &options, &world.environment("workflow_dispatch", login, &[])).await
    };
    refused(&by("ann").await.unwrap(), "ann is an author of the change");
    refused(&by("dan").await.unwrap(), "dan is an author of the change");
    assert_eq!(by("bob").await.unwrap().result, ApproveResult::Approved);
    world.github.set_fault(|_| Some((503, json!({}), "retry-after: 0\r\n".to_owned())));
    assert!(matches!(by("bob").await, Err(Failure::Incomplete(_))), "GitHub is down");
}

#[tokio::test]
async fn change_that_cannot_be_read_is_approved_by_nobody() {
    let world = World::new();
    let mut record = record();
    record.change.pull_request = None;
    record.change.commit = Some("1".repeat(40));
    let ledger = ledger(true, &[record]).await;
    let environment = world.environment("workflow_dispatch", "bob", &[]);
    run(&world, &ledger, &options(), &environment).await.unwrap_err();
    let identity = world.identity(&environment);
    let approver = Approver {
        identity: &identity,
        environment: &environment,
        repository: None,
        folder: "support".to_owned(),
    };
    let failure = approve_as(&ledger, &options(), &approver).await.unwrap_err();
    assert!(failure.diagnostics()[0].message.contains("there is none here"), "{failure:?}");
    assert_eq!(approvals(&ledger).await, []);
}

#[tokio::test]
async fn somebody_elsewhere_is_known_by_every_name_of_git() {
    let world = World::new();
    let folder = ledger(true, &[record()]).await;
    let environment = |user: &str| Environment::of([("USER".to_owned(), user.to_owned())]);
    world.git(&["config", "user.name", "Bob B"]);
    world.git(&["config", "user.email", "bob@example.com"]);
    let approved = run(&world, &folder, &options(), &environment("bob")).await.unwrap();
    assert_eq!((approved.result, approved.approval.login.as_str()), (ApproveResult::Approved, "bob"));
    world.git(&["config", "user.name", "carol"]);
    refused(&run(&world, &folder, &options(), &environment("bob")).await.unwrap(), "carol is an author");
    let stranger = run(&world, &folder, &options(), &environment("stranger")).await.unwrap();
    refused(&stranger, "is an author");
    world.git(&["config", "user.name", "Dan"]);
    let stranger = run(&world, &folder, &options(), &environment("stranger")).await.unwrap();
    refused(&stranger, "members of @acme/owners are known to GitHub alone");
    assert_eq!(world.github.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn unknown_name_or_version_is_an_error_with_what_is_near() {
    let (world, ledger) = (World::new(), ledger(false, &[record()]).await);
    let environment = world.environment("workflow_dispatch", "bob", &[]);
    let failed =
        async |options: ApproveOptions| run(&world, &ledger, &options, &environment).await.unwrap_err();
    let failure = failed(ApproveOptions { name: name("support/replay"), ..options() }).await;
    assert!(matches!(&failure, Failure::Diagnostics(_)));
    assert!(failure.diagnostics()[0].message.contains("has no prompt support/replay"));
    let failure = failed(ApproveOptions { version: version("1.0.1"), ..options() }).await;
    assert!(failure.diagnostics()[0].message.contains("has no version 1.0.1"));
    ledger.set_unavailable(Some("the remote is down"));
    assert!(matches!(failed(options()).await, Failure::Incomplete(_)));
}
