//! The questions of `init` on a terminal, which util-linux's script(1) makes.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::around::folder;
use crate::support::Folder;

/// Runs `init` on a terminal with these answers; the output, or `None` where script(1) is not installed.
fn answered(folder: &Folder, arguments: &str, answers: &str) -> Option<String> {
    let line = format!("{} init {arguments}; echo code $?", env!("CARGO_BIN_EXE_promptgate"));
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(folder.path())
        .env_clear();
    command.env("PATH", std::env::var_os("PATH")?).env("HOME", folder.path()).env("TERM", "xterm");
    let mut child = match command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            let required = std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref() == Ok("1");
            assert!(!required, "script: {error}");
            return None;
        }
    };
    child.stdin.take().expect("its input").write_all(answers.as_bytes()).expect("answers");
    let output = child.wait_with_output().expect("its output");
    Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"))
}

const FILES: [(&str, &str); 4] = [
    ("p/a.md", "Answer {{question}}.\n"),
    ("p/b.md", "Explain {{question}} to gardeners.\n"),
    ("cases.csv", "question\nWhy?\n"),
    ("more.csv", "question\nHow?\n"),
];

#[test]
fn answers_choose_prompt_dataset_task_and_model() {
    let folder = folder(&FILES);
    let Some(text) = answered(&folder, "", "2\n2\nagents\nagent\ngpt-4.1\n") else { return };
    let (found, asked) = (text.find("found prompt p/b.md"), text.find("Task: "));
    assert!(found.is_some() && found < asked && text.matches("found prompt").count() == 1, "{text}");
    assert!(text.contains("  2  p/b.md") && text.contains("code 0"), "{text}");
    assert!(text.contains("expected rag, classify, extract, chat, agent or guess"), "{text}");
    let configuration = folder.read("promptgate.yaml");
    for line in ["prompt: p/b.md #", "  path: more.csv", "model: gpt-4.1\n", "# - tool_called"] {
        assert!(configuration.contains(line), "{line}: {configuration}");
    }
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn enter_takes_defaults_and_yes_asks_nothing() {
    let asked = folder(&FILES);
    let Some(text) = answered(&asked, "", "\n\n\n") else { return };
    assert!(text.contains("code 0") && asked.path().join("suites/b/promptgate.yaml").exists(), "{text}");
    let silent = folder(&FILES);
    let text = answered(&silent, "--yes --prompt p/a.md", "").expect("script");
    assert!(!text.contains('[') && text.contains("code 0"), "{text}");
}

#[test]
fn end_of_the_input_writes_nothing() {
    let folder = folder(&FILES);
    let Some(text) = answered(&folder, "", "x\n") else { return };
    assert!(text.contains("expected numbers of the list, or all"), "{text}");
    assert!(text.contains("nothing was written") && text.contains("code 2"), "{text}");
    assert!(!folder.path().join("promptgate.yaml").exists());
}
