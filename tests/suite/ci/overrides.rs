//! The label by which a person overrides a verdict.

use serde_json::{Value, json};

use super::{Job, Origin, commands, reworded, worse};
use crate::support::{Folder, MockServer, finish};
use promptgate_testing::github::{GitHub, PullRequest, REPOSITORY};

/// A token that must not appear in any output.
const TOKEN: &str = "ghs_canaryN0tToBeSeen0123456789abcdef";
const LABEL: &str = "promptgate-override";
const AFTER: &str = "2026-11-01T10:20:00Z";

/// The base names grace; author and committer of every commit is `t`.
fn named(folder: &Folder) {
    folder.append("promptgate.yaml", "gate: {override_by: [Grace, t]}\n");
}

/// A pull request that `ann` opened, and GitHub's view of it.
fn pull_request(prepare: impl Fn(&Folder), change: impl Fn(&Folder)) -> (Origin, Job, GitHub) {
    let origin = Origin::new(prepare);
    origin.change(change);
    let github = GitHub::start(origin.folder.path());
    github.add(PullRequest {
        number: 7,
        opened_by: "ann".to_owned(),
        base: origin.rev("main"),
        head: origin.rev("change"),
        merged_as: Vec::new(),
        merged_at: None,
        base_branch: "main",
    });
    let job = origin.pull_request();
    job.event(&origin.pull_request_event(REPOSITORY, REPOSITORY).to_string());
    let job = job
        .with("GITHUB_REPOSITORY", REPOSITORY)
        .with("GITHUB_API_URL", &github.api_url)
        .with("GITHUB_TOKEN", TOKEN);
    (origin, job, github)
}

#[track_caller]
fn offline(job: &Job, code: i32) -> String {
    let outcome = job.offline().expect_code(code);
    for text in [outcome.text(), job.comment(), job.summary(), job.checkout.report().to_string()] {
        assert!(!text.contains("canaryN0t"), "{text}");
    }
    outcome.text()
}

#[test]
fn named_person_turns_a_failing_check_green_and_the_report_says_so() {
    let (_origin, job, github) = pull_request(named, worse);
    // Without the label it fails, and says who may set it.
    let said = offline(&job, 10);
    job.outcome("fail", 10);
    assert!(job.comment().contains("Grace or t sets the label promptgate-override"), "{}", job.comment());
    assert!(!said.contains("overridden"), "{said}");
    assert_eq!(job.checkout.report().get("override"), None);

    // More than a page of events; the last one of the label counts.
    for label in ["bug", LABEL] {
        github.label(7, "mallory", label, "2026-11-01T09:00:00Z");
    }
    github.issue_event(
        7,
        json!({"event": "unlabeled", "label": {"name": LABEL}, "created_at": "2026-11-01T09:01:00Z", "actor": null}),
    );
    github.label(7, "grace", "PromptGate-Override", AFTER);
    let job = job.fresh();
    let said = offline(&job, 0);
    assert_eq!(job.outcome("fail", 0)["overridden_by"], "grace");
    let report = job.checkout.report();
    assert_eq!((&report["verdict"], &report["exit_code"]), (&json!("fail"), &json!(0)));
    assert_eq!(
        report["override"],
        json!({"by": "grace", "at": AFTER, "label": LABEL, "verdict_without": "fail"})
    );
    // Without effect as a mention, and first.
    for text in [job.comment(), job.summary()] {
        assert!(text.contains("grace with the label promptgate-override; the verdict was FAIL"), "{text}");
        assert!(!text.contains("@grace") && !text.contains("A reviewer can"), "{text}");
    }
    assert!(said.contains("overridden by @grace"), "{said}");
    let [(level, _, message)] = &commands(&said)[..] else { panic!("{said}") };
    assert!(level == "warning" && message.contains("overridden by"), "{level} {message}");
    assert!(
        github.requests().iter().any(|request| request.ends_with("events?page=2")),
        "{:?}",
        github.requests()
    );
}

#[test]
fn label_of_an_author_or_a_stranger_changes_nothing() {
    for (login, why) in [
        ("mallory", "mallory set the label promptgate-override, but is not listed in `gate.override_by`"),
        ("t", "is an author of this change"),
    ] {
        let (_origin, job, github) = pull_request(named, worse);
        github.label(7, login, LABEL, AFTER);
        let said = offline(&job, 10);
        assert!(said.contains("warning: override ignored: ") && said.contains(why), "{said}");
        assert_eq!(job.outcome("fail", 10).get("overridden_by"), None);
    }
}

#[test]
fn label_before_the_push_changes_nothing() {
    let (origin, job, github) = pull_request(named, worse);
    github.label(7, "grace", LABEL, "2026-11-01T09:59:59Z");
    let said = offline(&job, 10);
    assert!(said.contains("before this run was triggered; remove it and set it again"), "{said}");
    // The run of the label itself has the head of that moment.
    let mut event = origin.pull_request_event(REPOSITORY, REPOSITORY);
    event["action"] = json!("labeled");
    event["label"] = json!({"name": LABEL});
    event["sender"] = json!({"login": "grace"});
    job.event(&event.to_string());
    offline(&job.fresh(), 0);
}

#[test]
fn label_is_not_for_another_target_branch() {
    let (_origin, job, github) = pull_request(named, worse);
    github.label(7, "grace", LABEL, AFTER);
    github.issue_event(
        7,
        json!({"event": "base_ref_changed", "created_at": "2026-11-01T10:30:00Z", "actor": null}),
    );
    let said = offline(&job, 10);
    assert!(said.contains("the target branch was changed after the label"), "{said}");

    for (base_branch, merged_at, why) in [
        ("release", None, "is to be merged into release by now, and was evaluated against main"),
        ("main", Some("2026-11-01T10:40:00Z"), "the pull request is not open any more"),
    ] {
        let (origin, job, github) = pull_request(named, worse);
        github.label(7, "grace", LABEL, AFTER);
        github.add(PullRequest {
            number: 7,
            opened_by: "ann".to_owned(),
            base: origin.rev("main"),
            head: origin.rev("change"),
            merged_as: Vec::new(),
            merged_at,
            base_branch,
        });
        let said = offline(&job, 10);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn change_cannot_name_who_overrides() {
    // In its own configuration, which only a policy of the change itself would read.
    for policy in ["", "head"] {
        let (_origin, job, github) = pull_request(
            |_| {},
            |folder| {
                named(folder);
                worse(folder);
            },
        );
        github.label(7, "grace", LABEL, AFTER);
        let job = job.with("PROMPTGATE_POLICY_FROM", policy);
        offline(&job, 10);
        assert!(github.requests().is_empty(), "{:?}", github.requests());
    }
}

#[test]
fn failing_api_is_no_override() {
    for (path, status) in [("/pulls/7", 403), ("/events", 404), ("/graphql", 500), ("/pulls/7", 200)] {
        let (_origin, job, github) = pull_request(named, worse);
        github.label(7, "grace", LABEL, AFTER);
        github.set_fault(move |request| {
            let target = request.split(' ').nth(1)?.split('?').next()?;
            let message = format!("no\n::error::{TOKEN}");
            target
                .ends_with(path)
                .then(|| (status, json!({"message": message}), "retry-after: 0\r\n".to_owned()))
        });
        let said = offline(&job, 10);
        assert!(said.contains("override ignored: "), "{path} {status}: {said}");
        assert!(
            commands(&said).iter().all(|(_, properties, _)| properties.contains("title=promptgate")),
            "{said}"
        );
        job.outcome("fail", 10);
    }
    let (_origin, job, github) = pull_request(named, worse);
    github.label(7, "grace", LABEL, AFTER);
    let said = offline(&job.without("GITHUB_TOKEN"), 10);
    assert!(
        said.contains("no token is set: it is needed to read the label that overrides a verdict"),
        "{said}"
    );
}

#[test]
fn only_a_verdict_is_overridden() {
    let (_origin, job, github) = pull_request(named, reworded);
    github.label(7, "grace", LABEL, AFTER);
    // A pass asks nobody.
    offline(&job, 0);
    assert!(github.requests().is_empty() && job.checkout.report().get("override").is_none());
    // Neither does a run that blocks nobody.
    let (_origin, job, github) = pull_request(named, worse);
    github.label(7, "grace", LABEL, AFTER);
    let job = job.with("PROMPTGATE_MODE", "advisory");
    offline(&job, 0);
    assert!(github.requests().is_empty() && job.checkout.report().get("override").is_none());
    // An invalid flag is none, and a failed evaluation is one.
    finish(job.command(&["--offline", "--min", "nothing=0.5"])).expect_code(2);
    assert!(github.requests().is_empty());
    let server = MockServer::start(&["--require-key", "another"]);
    let (_origin, job, github) = pull_request(named, reworded);
    github.label(7, "grace", LABEL, AFTER);
    job.against(&server).expect_code(0);
    job.outcome("incomplete", 0);
    assert_eq!(job.checkout.report()["override"]["verdict_without"], "incomplete");
}

#[test]
fn joined_shards_are_overridden() {
    let (_origin, mut job, github) = pull_request(named, worse);
    github.label(7, "grace", LABEL, AFTER);
    for shard in ["1/2", "2/2"] {
        let out = format!("shards/{}", shard.replace('/', "-"));
        job = job.with("PROMPTGATE_SHARD", shard).with("PROMPTGATE_OUT", &out).fresh();
        job.offline().expect_code(0);
    }
    assert!(github.requests().is_empty());
    let job = job
        .with("PROMPTGATE_SHARD", "")
        .with("PROMPTGATE_OUT", "")
        .with("PROMPTGATE_MERGE", "shards")
        .fresh();
    offline(&job, 0);
    assert_eq!(job.outcome("fail", 0)["overridden_by"], "grace");
    let report: Value = job.checkout.report();
    assert_eq!(report["override"]["by"], "grace");
}
