//! The table of the README that has a command for each claim.

use super::read;
use crate::example_application::is_installed;
use crate::support::{Folder, git};

/// The first code span of each row, in order.
fn commands() -> Vec<String> {
    let readme = read("README.md");
    let section = readme.split("\n## What is different\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = section.expect("a section").lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|row| {
        row.split(" | ").nth(1).and_then(|cell| cell.split('`').nth(1)).expect("a command").to_owned()
    })
    .collect()
}

#[test]
fn claims_are_shown_by_their_commands() {
    let folder = Folder::copy_of("golden");
    for path in ["tests/fixtures/reports", "examples/applications/classifier"] {
        let copy = Folder::copy_of(path);
        let parent = folder.path().join(path);
        std::fs::create_dir_all(parent.parent().expect("a parent")).expect("a folder");
        std::fs::rename(copy.path().join(path), parent).expect("the copy");
    }
    git(folder.path(), &["init", "--quiet"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "start"]);
    // The command, its exit code, and what it shows.
    let shown: [(&str, i32, &[&str]); 8] = [
        (
            "promptgate run golden",
            10,
            &["faithfulness.baseline -0.067", "faithfulness.min 0.917 – ≥ 0.750 ✓ pass"],
        ),
        ("promptgate case", 0, &["why: the passage has another number than 10 quote: “A refund is issued"]),
        ("promptgate report", 0, &["INCONCLUSIVE", "about 102 more repeats would settle it"]),
        ("promptgate run golden", 12, &["the environment variable OPENAI_API_KEY is not set"]),
        ("promptgate calibrate", 0, &["judge fails", "balanced accuracy"]),
        (
            "promptgate run golden",
            0,
            &[
                "PASS customer-support",
                "this change does not count: metrics.faithfulness.min from 0.75 to 0.1",
            ],
        ),
        ("promptgate run examples", 0, &["check.right-label.baseline"]),
        ("sh examples/lifecycle/offline.sh", 0, &[]), // run by release::story
    ];
    let commands = commands();
    assert_eq!(commands.len(), shown.len(), "{commands:#?}");
    for (command, (start, code, texts)) in commands.iter().zip(shown) {
        assert!(command.starts_with(start), "{command} in place of {start}");
        let Some(arguments) = command.strip_prefix("promptgate ") else { continue };
        if command.contains("classifier") && !is_installed("python3", "classifier") {
            continue;
        }
        if command.contains("--policy-from") {
            folder.edit("golden/customer-support/promptgate.yaml", "{min: 0.75}", "{min: 0.1}");
        }
        let mut outcome = folder.promptgate(&arguments.split(' ').collect::<Vec<_>>()).expect_code(code);
        for text in texts {
            outcome = outcome.says(text);
        }
    }
}
