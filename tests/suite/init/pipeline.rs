//! The pipeline that `init` writes, and the lines of .gitignore.

use super::around::{folder, works};
use crate::support::Folder;

const PROMPT: (&str, &str) = ("prompt.md", "You help gardeners. Answer in one sentence.\n");
const WORKFLOW: &str = ".github/workflows/prompt-gate.yml";
const ACTION: &str = "acme/promptgate@0123456789abcdef0123456789abcdef01234567";

/// A repository with a prompt, whose remote has this address.
fn repository(remote: &str) -> Folder {
    let folder = folder(&[PROMPT]);
    folder.git(&["init", "--quiet"]);
    if !remote.is_empty() {
        folder.git(&["remote", "add", "origin", remote]);
    }
    folder
}

#[test]
fn remote_on_github_gets_a_workflow_with_owner_and_commit() {
    let folder = repository("https://x:ghp_secret@github.com/acme/shop.git");
    folder.write(".gitignore", "*.log");
    let outcome = works(&folder, &["--action", ACTION], "prompt.md");
    assert!(
        !outcome.text().contains("ghp_secret") && !outcome.text().contains("OWNER"),
        "{}",
        outcome.text()
    );
    outcome
        .says("found git remote https://github.com/acme/shop.git")
        .says("create the environment `prompt-gate`");
    let workflow = folder.read(WORKFLOW);
    assert!(workflow.contains(&format!("- uses: {ACTION}\n")) && !workflow.contains("config:"), "{workflow}");
    assert_eq!(folder.read(".gitignore"), "*.log\npromptgate-report/\n.promptgate/\n");
    assert!(folder.read("promptgate.yaml").contains("baseline: git:merge-base # "));
}

#[test]
fn placeholder_comes_with_the_command_that_replaces_it() {
    let folder = repository("git@github.com:acme/shop.git");
    folder.write(".gitignore", "/.promptgate\npromptgate-report\n");
    let outcome = works(&folder, &[], "prompt.md");
    // A build that belongs to a release names its own action.
    if folder.read(WORKFLOW).contains("OWNER/promptgate@COMMIT") {
        let command = outcome.stdout.lines().find(|line| line.starts_with("  sed ")).expect("the command");
        let (command, _) = command.split_once("   # ").expect("a comment");
        let command = command.replace("YOU/promptgate@FULL_COMMIT", ACTION);
        let status =
            std::process::Command::new("sh").args(["-c", &command]).current_dir(folder.path()).status();
        assert!(status.expect("sh").success());
        assert!(folder.read(WORKFLOW).contains(&format!("uses: {ACTION} #")));
    }
    assert_eq!(folder.read(".gitignore"), "/.promptgate\npromptgate-report\n");
    for action in
        ["acme/promptgate", "acme/promptgate@main", "a/b/c@0123456789abcdef0123456789abcdef01234567"]
    {
        folder.promptgate(&["init", "x", "--action", action]).expect_code(2).says("OWNER/REPO@COMMIT");
    }
}

#[test]
fn suite_in_a_subfolder_is_named_in_the_pipeline() {
    let folder = repository("https://github.com/acme/shop.git");
    folder.promptgate(&["init", "gate", "--prompt", "prompt.md"]).expect_code(0);
    assert!(folder.read(WORKFLOW).contains("          config: \"gate\"\n"), "{}", folder.read(WORKFLOW));
    folder.promptgate(&["run", "gate", "--offline"]).expect_code(0);
    folder.promptgate(&["init", "gate", "--ci", "gitlab"]).expect_code(0);
    assert!(folder.read(".gitlab-ci.yml").contains("promptgate ci gate --policy-from "));
}

#[test]
fn files_of_ci_systems_are_kept_and_written_beside() {
    for (system, own, other) in [
        ("gitlab", ".gitlab-ci.yml", ".gitlab/prompt-gate.yml"),
        ("circleci", ".circleci/config.yml", ".circleci/prompt-gate.yml"),
        ("buildkite", ".buildkite/pipeline.yml", ".buildkite/prompt-gate.yml"),
        ("jenkins", "Jenkinsfile", "Jenkinsfile.prompt-gate"),
    ] {
        let command = match system {
            "jenkins" => "promptgate run --policy-from",
            _ => "promptgate ci --policy-from",
        };
        let found = repository("");
        found.write(own, "mine\n");
        let outcome = works(&found, &[], "prompt.md");
        outcome.says(&format!("found CI system {system}")).says(other);
        assert_eq!(found.read(own), "mine\n");
        assert!(found.read(other).contains(command), "{system}");
        // Without a repository, only the flag writes one.
        let asked = folder(&[PROMPT]);
        works(&asked, &["--ci", system], "prompt.md");
        assert!(asked.read(own).contains(command), "{system}");
    }
    let kept = repository("https://gitlab.example.org/a/b.git");
    kept.write(WORKFLOW, "mine\n");
    works(&kept, &[], "prompt.md").says(&format!("kept {WORKFLOW}"));
    assert_eq!(kept.read(WORKFLOW), "mine\n");
    let none = repository("https://gitlab.example.org/a/b.git");
    works(&none, &["--ci", "none"], "prompt.md");
    assert!(!none.path().join(".gitlab-ci.yml").exists());
}

#[test]
fn workflow_of_an_existing_suite_is_added() {
    let folder = Folder::small(3);
    folder.git(&["init", "--quiet"]);
    let before = folder.read("promptgate.yaml");
    folder.promptgate(&["init", "--ci", "github"]).expect_code(0).says(&format!("wrote {WORKFLOW}"));
    assert_eq!(folder.read("promptgate.yaml"), before);
    let again = folder.promptgate(&["init", "--ci", "github"]).expect_code(0);
    let again = again.says(&format!("kept {WORKFLOW}")).says("nothing is left to do");
    assert!(!again.stdout.contains("next:"), "{}", again.stdout);
    folder.promptgate(&["init", "--ci", "gitlab"]).expect_code(0);
    assert!(
        !folder.read(".gitlab-ci.yml").contains("Include this file"),
        "{}",
        folder.read(".gitlab-ci.yml")
    );
    folder.promptgate(&["init", "--ci", "gitlab"]).expect_code(0).says("kept .gitlab-ci.yml");
    assert!(!folder.path().join(".gitlab/prompt-gate.yml").exists());
}

#[test]
fn starter_suite_in_a_repository_gets_the_workflow() {
    let folder = Folder::new();
    folder.git(&["init", "--quiet"]);
    folder.git(&["remote", "add", "origin", "git@github.com:acme/shop.git"]);
    let outcome = works(&folder, &[], "prompts/assistant.md");
    outcome.says("no prompt was found").says("found git remote git@github.com:acme/shop.git");
    assert!(folder.read(WORKFLOW).contains("OPENAI_API_KEY: "));
    assert_eq!(folder.read(".gitignore"), "promptgate-report/\n.promptgate/\n");
}

#[test]
fn branch_with_an_unusual_name_is_the_baseline() {
    let folder = repository("https://github.com/acme/shop.git");
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Add a prompt"]);
    folder.git(&["branch", "--quiet", "--move", "trunk"]);
    works(&folder, &[], "prompt.md");
    assert!(folder.read("promptgate.yaml").contains("baseline: \"git:trunk\" # "));
    assert!(folder.read(WORKFLOW).contains("branches: [\"trunk\"]"));
}
