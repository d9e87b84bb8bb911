//! Pull requests of a prompt that is released, as a workflow runs them.

use super::published::{PRODUCTION, Published};
use super::{LEDGER, REASON};
use crate::ci::{Job, Origin};
use crate::support::Folder;

/// A repository whose suite is released in a folder that no commit holds.
fn origin(release: &str) -> Origin {
    Origin::new(|folder| {
        folder.append("promptgate.yaml", &format!("release: {release}\n"));
        folder.write("prompt.md", &format!("{PRODUCTION}\n"));
    })
}

fn in_folder() -> String {
    format!("{{ledger: {{path: {LEDGER}}}}}")
}

fn renamed(folder: &Folder) {
    folder.write("prompt.md", &format!("{REASON}{PRODUCTION}\n\nName the plan.\n"));
}

fn with_ledger(job: Job) -> Job {
    Published::in_folder(&job.checkout.path().join(LEDGER)).serving();
    job
}

#[test]
fn change_is_compared_with_production_under_the_policy_of_its_base() {
    let origin = origin(&in_folder());
    origin.change(|folder| {
        renamed(folder);
        // A change does not relax its own controls, nor choose another ledger.
        folder.edit("promptgate.yaml", LEDGER, "elsewhere}, levels: {minor: {gate: checks}");
    });
    let job = with_ledger(origin.pull_request());
    let outcome = job.offline().expect_code(0);
    let report = job.checkout.report();
    assert_eq!(report["variants"]["baseline"]["published"]["version"], "1.0.0");
    assert_eq!(
        (&report["release"]["version"], &report["release"]["examined"]),
        (&"1.1.0".into(), &"full".into())
    );
    assert_eq!(report["policy_source"]["commit"], origin.rev("main"));
    let changed = report["policy_source"]["changed"].to_string();
    assert!(changed.contains("release.ledger.path") && changed.contains("release.levels"), "{changed}");
    assert!(
        outcome.stdout.contains("small 1.0.0 → 1.1.0, minor: full gate, no approval"),
        "{}",
        outcome.stdout
    );
    let comment = job.comment().replace(['\u{200b}', '\\'], "");
    assert!(comment.contains("small 1.0.0 → 1.1.0, minor: full gate, no approval"), "{comment}");
}

#[test]
fn change_without_a_reason_or_with_a_low_claim_is_refused() {
    for (front, place, said) in [
        ("name: small", "prompt.md", "it does not say why"),
        ("reason: x\nlevel: patch", "prompt.md:3:8", "`level: patch` is too low"),
        ("reason: x\nversion: 1.0.1", "prompt.md:3:10", "version 1.0.1 is too low"),
        ("reason: x\nversion: 1.0.0", "prompt.md:3:10", "is already published with different content"),
    ] {
        let origin = origin(&in_folder());
        let text = format!("---\n{front}\n---\n{PRODUCTION}\n\nName the plan.\n");
        origin.change(|folder| folder.write("prompt.md", &text));
        let job = with_ledger(origin.pull_request());
        let outcome = job.offline().expect_code(2);
        let text = outcome.text();
        assert!(text.contains(place) && text.contains(said), "{front}: {text}");
        job.outcome("error", 2);
    }
}

#[test]
fn change_that_leaves_suite_and_prompt_alone_is_unchanged() {
    let origin = origin(&in_folder());
    origin.change(|folder| folder.write("README.md", "Read me.\n"));
    let job = with_ledger(origin.pull_request());
    // Main may be ahead of production, and that is not this change's to justify.
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);
}

#[test]
fn change_that_writes_to_a_ledger_in_a_folder_is_refused() {
    let origin = Origin::new(|folder| {
        folder.append("promptgate.yaml", "release: {ledger: {path: ledger}}\n");
        folder.write("prompt.md", &format!("{PRODUCTION}\n"));
        Published::in_folder(&folder.path().join("ledger")).serving();
    });
    origin.change(|folder| {
        renamed(folder);
        let published = Published::in_folder(&folder.path().join("ledger"));
        published.version(2, "1.0.1", "Be kind.");
        published.production(Some("1.0.0"), "1.0.1");
    });
    let outcome = origin.pull_request().offline().expect_code(2);
    assert!(outcome.text().contains("the change under test has written to it"), "{}", outcome.text());
}

#[test]
fn ledger_of_a_change_is_read_from_the_repository_of_its_base() {
    let origin = origin("{ledger: git}");
    // Addresses of a server, behind which are folders of this machine.
    let base = format!("file://{}", origin.folder.path().display());
    Published::on_branch(origin.folder.path(), &base).serving();
    let fork = Folder::new();
    fork.git(&["init", "--quiet", "--bare"]);
    let forged = format!("file://{}", fork.path().display());
    let ledger = Published::on_branch(origin.folder.path(), &forged);
    ledger.version(1, "9.0.0", "Be kind.");
    ledger.production(None, "9.0.0");
    origin.change(renamed);
    let job = origin.pull_request().with("GITHUB_SERVER_URL", "https://git.example");
    for (address, path) in
        [("https://git.example/owner/prompts", &base), ("https://git.example/mallory/prompts", &forged)]
    {
        job.checkout.git(&["config", &format!("url.{path}.insteadOf"), address]);
    }
    for origin in ["https://git.example/owner/prompts", "https://git.example/mallory/prompts.git"] {
        job.checkout.git(&["config", "remote.origin.url", origin]);
        job.offline().expect_code(0);
        let report = job.checkout.report();
        assert_eq!(report["variants"]["baseline"]["published"]["version"], "1.0.0", "{origin}");
    }
}
