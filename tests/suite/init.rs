//! `init`: the starter suite works at once and overwrites no file.

mod around;
mod columns;
mod hostile;
mod originals;
mod pipeline;
mod questions;

use crate::support::Folder;

#[test]
fn new_suite_checks_and_runs() {
    let folder = Folder::new();
    folder.promptgate(&["init"]).expect_code(0).says("promptgate run --offline");
    folder.promptgate(&["check"]).expect_code(0);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn init_writes_to_another_folder() {
    let folder = Folder::new();
    folder.promptgate(&["init", "quality/gate"]).expect_code(0);
    folder.promptgate(&["run", "quality/gate", "--offline"]).expect_code(0);
}

#[test]
fn init_overwrites_nothing_and_writes_all_or_nothing() {
    let folder = Folder::new();
    folder.write("cases.jsonl", "mine\n");
    folder.promptgate(&["init"]).expect_code(2).says("cases.jsonl exists already; nothing");
    assert_eq!(folder.read("cases.jsonl"), "mine\n");
    assert!(!folder.path().join("promptgate.yaml").exists());
}

const WORKFLOWS: [&str; 3] = ["prompt-pull-request.yml", "prompt-merge.yml", "prompt-dispatch.yml"];

/// The workflows of a folder.
fn workflows(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path().join(".github/workflows"));
    let mut names: Vec<String> = entries
        .map(|entries| {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names
}

#[test]
fn release_suite_checks_and_runs() {
    let folder = Folder::new();
    folder.git(&["init", "--quiet"]);
    // The ledger has no branch at origin yet.
    folder.git(&["init", "--quiet", "--bare", "origin.git"]);
    folder.git(&["remote", "add", "origin", "origin.git"]);
    folder
        .promptgate(&["init", "--release"])
        .expect_code(0)
        .says("wrote promptgate.yaml")
        .says("environments");
    assert_eq!(workflows(&folder), sorted(&WORKFLOWS));
    assert!(folder.read("promptgate.yaml").contains("\n  ledger: git # "));
    assert!(!folder.read("prompts/assistant.md").contains("version:"));
    let merge = folder.read(".github/workflows/prompt-merge.yml");
    assert!(merge.contains("\n  SUITE: . #"), "{merge}");
    folder.git(&["add", "promptgate.yaml", "cases.jsonl", "prompts"]);
    folder.git(&["commit", "--quiet", "--message", "Add the suite"]);
    folder.promptgate(&["check"]).expect_code(0).says("1.0.0, first version");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn release_without_a_remote_keeps_the_ledger_in_a_folder() {
    let folder = Folder::new();
    folder.promptgate(&["init", "--release", "."]).expect_code(0);
    assert!(folder.read("promptgate.yaml").contains("\n  ledger: {path: .promptgate/ledger} # "));
    folder.promptgate(&["check"]).expect_code(0).says("1.0.0, first version");
    // A repository without a remote has nowhere to push a branch either.
    folder.git(&["init", "--quiet", "alone"]);
    folder.promptgate(&["init", "--release", "alone"]).expect_code(0);
    folder.promptgate(&["check", "alone"]).expect_code(0);
}

#[test]
fn release_lines_are_printed_for_a_suite_that_is_there() {
    let folder = Folder::small(3);
    let before = folder.read("promptgate.yaml");
    let outcome = folder.promptgate(&["init", "--release"]).expect_code(0);
    let outcome = outcome.says("add to promptgate.yaml, which was not changed").says("  ledger: ");
    assert_eq!(folder.read("promptgate.yaml"), before);
    assert_eq!(workflows(&folder), sorted(&WORKFLOWS));
    // The printed lines are valid where they are added.
    let lines =
        outcome.stdout.split_once("not changed:\n\n").and_then(|(_, rest)| rest.split_once("\n\nnext:"));
    folder.append("promptgate.yaml", &format!("\n{}\n", lines.expect("lines").0));
    let prompt = folder.read("prompt.md");
    folder.write("prompt.md", &format!("---\nreason: Answers were too long.\n---\n{prompt}"));
    folder.promptgate(&["check", "--baseline", "none"]).expect_code(0);
    folder.write(".github/workflows/prompt-merge.yml", "mine\n");
    let again = folder.promptgate(&["init", "--release"]).expect_code(0);
    again.says("kept promptgate.yaml").says("kept .github/workflows/prompt-merge.yml");
    assert_eq!(folder.read(".github/workflows/prompt-merge.yml"), "mine\n");
}

#[test]
fn release_in_a_subfolder_names_it_in_the_workflows() {
    let folder = Folder::new();
    folder.git(&["init", "--quiet"]);
    folder.promptgate(&["init", "--release", "prompts/reply"]).expect_code(0);
    assert!(folder.path().join("prompts/reply/promptgate.yaml").exists());
    for name in WORKFLOWS.iter().filter(|name| **name != "prompt-dispatch.yml") {
        let workflow = folder.read(&format!(".github/workflows/{name}"));
        assert!(workflow.contains("\n  SUITE: \"prompts/reply\" # "), "{workflow}");
    }
    folder.promptgate(&["init", "--release", "a ${{ b }}"]).expect_code(2).says("cannot name this folder");
    assert!(!folder.path().join("a ${{ b }}").exists());
}

#[test]
fn release_with_a_registry_that_people_write_in_gets_the_pull_workflow() {
    let folder = Folder::small(3);
    let registry = "{langfuse: {base_url: \"https://langfuse.example.org\"}}";
    folder
        .append("promptgate.yaml", &format!("\nrelease: {{ledger: git, registry: {registry}, name: a/b}}\n"));
    folder.promptgate(&["init", "--release"]).expect_code(0);
    let workflow = folder.read(".github/workflows/prompt-pull.yml");
    assert!(workflow.contains("\n  NAME: a/b\n"), "{workflow}");
}

#[test]
fn release_of_an_invalid_configuration_writes_nothing() {
    let folder = Folder::small(3);
    folder.append("promptgate.yaml", "\nrelease: {ledger: svn}\n");
    folder.promptgate(&["init", "--release"]).expect_code(2).says("ledger");
    assert_eq!(workflows(&folder), sorted(&[]));
}
