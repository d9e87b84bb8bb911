//! Baselines read through git, never touching the work tree.

use crate::support::{Folder, git};

/// The small suite in a repository: a first commit, then an edit of the prompt on a branch.
fn repository() -> Folder {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "first"]);
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder
        .write("prompt.md", "Use only these passages. Answer the question in one sentence.\n\n{{context}}\n");
    folder.git(&["commit", "--quiet", "-am", "second"]);
    folder
}

#[test]
fn default_baseline_is_the_merge_base() {
    let folder = repository();
    let first = folder.git(&["rev-parse", "main"]);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    assert_eq!(report["variants"]["baseline"]["prompt"]["commit"], first.as_str());
    assert_ne!(
        report["variants"]["baseline"]["prompt"]["digest"],
        report["variants"]["candidate"]["prompt"]["digest"]
    );
    assert_eq!(folder.git(&["status", "--porcelain", "--untracked-files=no"]), "");
}

#[test]
fn baseline_accepts_references_and_paths() {
    let folder = repository();
    folder.promptgate(&["run", "--offline", "--baseline", "git:main"]).expect_code(0);
    folder.promptgate(&["run", "--offline", "--baseline", "git:main:baseline.md"]).expect_code(0);
    let report = folder.report();
    assert!(
        report["variants"]["baseline"]["prompt"]["source"]
            .as_str()
            .is_some_and(|it| it.contains("baseline.md"))
    );
    folder
        .promptgate(&["run", "--offline", "--baseline", "git:no-such-ref"])
        .expect_code(2)
        .says("no-such-ref");
    folder.promptgate(&["run", "--offline", "--baseline", "git:--upload-pack=x"]).expect_code(2);
    folder
        .promptgate(&["run", "--offline", "--baseline", "git:main:no-such.md"])
        .expect_code(2)
        .says("no-such.md");
}

#[test]
fn new_prompt_is_judged_by_thresholds_alone() {
    let folder = repository();
    folder.write("new.md", "Answer from the passages, in one sentence.\n\n{{context}}\n");
    folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: new.md");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "third"]);
    // The configuration at the base still names prompt.md: that is what is compared with.
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert!(folder.report()["variants"]["baseline"].is_object());

    // A repository whose base has no such suite at all.
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "-m", "empty"]);
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "first prompt ever"]);
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    assert!(report["variants"]["baseline"].is_null());
    assert!(outcome.text().contains("new"), "{}", outcome.text());
    let baseline = |it: &serde_json::Value| it["id"].as_str().is_some_and(|id| id.ends_with(".baseline"));
    assert!(!report["criteria"].as_array().expect("criteria").iter().any(baseline));
}

#[test]
fn shallow_merge_commit_finds_its_base() {
    let folder = repository();
    folder.git(&["switch", "--quiet", "main"]);
    folder.write("README", "moves main on\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "main moves"]);
    let base = folder.git(&["rev-parse", "HEAD"]);
    folder.git(&["switch", "--quiet", "--detach"]);
    folder.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
    folder.git(&["branch", "merged"]);
    let clone = Folder::new();
    let url = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth", "2", "--branch", "merged", &url, "."]);
    let mut command = clone.command(&["run", "--offline"]);
    command
        .env("GITHUB_BASE_REF", "main")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_ACTIONS", "true");
    crate::support::finish(command).expect_code(0);
    assert_eq!(clone.report()["variants"]["baseline"]["prompt"]["commit"], base.as_str());

    // Depth 1: the base is not there, and that is not "no change".
    let clone = Folder::new();
    git(clone.path(), &["clone", "--quiet", "--depth", "1", "--branch", "merged", &url, "."]);
    let mut command = clone.command(&["run", "--offline"]);
    command
        .env("GITHUB_BASE_REF", "main")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_ACTIONS", "true");
    crate::support::finish(command).expect_code(2).says("depth");
}

/// Each of these once made the criteria against the baseline vanish, and the run pass.
#[test]
fn baseline_does_not_vanish_with_the_repository() {
    type Damage = (&'static str, fn(&Folder));
    let damages: [Damage; 4] = [
        ("a file that does not lead to a repository", |folder| {
            std::fs::remove_dir_all(folder.path().join(".git")).unwrap();
            folder.write(".git", "gitdir: /nowhere\n");
        }),
        ("no HEAD", |folder| std::fs::remove_file(folder.path().join(".git/HEAD")).unwrap()),
        ("no objects", |folder| std::fs::remove_dir_all(folder.path().join(".git/objects")).unwrap()),
        ("not installed", |_| {}),
    ];
    for (reason, damage) in damages {
        let folder = repository();
        folder.write("prompt.md", "Be kind to the customer.\n");
        damage(&folder);
        let mut command = folder.command(&["run", "--offline"]);
        command.env("HOME", "/nowhere");
        if reason == "not installed" {
            command.env("PATH", "/nowhere");
        }
        crate::support::finish(command).expect_code(2).says(reason).says("`baseline: none`");
    }
    // Outside of any repository a variable of the CI system still names a base.
    let folder = repository();
    std::fs::remove_dir_all(folder.path().join(".git")).unwrap();
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    for name in ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] {
        let mut command = folder.command(&["run", "--offline"]);
        command.env(name, "main");
        crate::support::finish(command).expect_code(2).says(name).says("names the base of a change");
    }
}

#[test]
fn unknown_trunk_is_an_error_where_a_criterion_needs_a_baseline() {
    let folder = repository();
    folder.git(&["branch", "--quiet", "-m", "main", "develop"]);
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("`baseline: git:develop`");
    folder.append("promptgate.yaml", "baseline: git:develop\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert!(folder.report()["variants"]["baseline"].is_object());
    // Checks alone need none.
    let folder = repository();
    folder.git(&["branch", "--quiet", "-m", "main", "develop"]);
    folder.promptgate(&["run", "--offline", "--no-judge"]).expect_code(0);
}

#[test]
fn uncommitted_edit_is_the_candidate() {
    let folder = repository();
    folder.write("prompt.md", "Be kind to the customer.\n");
    folder.promptgate(&["run", "--offline", "--baseline", "git:HEAD"]).expect_code(10);
    assert!(folder.report()["variants"]["candidate"]["prompt"]["commit"].is_null());
}
