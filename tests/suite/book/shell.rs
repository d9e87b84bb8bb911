//! Commands of a page, run by one shell in order, and the output that the page shows.

use std::path::Path;
use std::process::Command;

use super::Block;
use crate::support::{Folder, finish};

/// The `sh` blocks of a page, each with the `text` blocks that follow it.
fn steps(blocks: &[Block]) -> Vec<(&Block, Vec<&Block>)> {
    let mut steps: Vec<(&Block, Vec<&Block>)> = Vec::new();
    for block in blocks {
        match block.language.as_str() {
            "sh" => steps.push((block, Vec::new())),
            "text" => steps.last_mut().expect("a command above its output").1.push(block),
            _ => {}
        }
    }
    steps
}

/// Whether the lines of an excerpt occur in the output, in their order. `…` is any text: within a line, or any lines.
pub(super) fn shows(output: &str, excerpt: &str) -> Result<(), String> {
    let mut lines = output.lines();
    for expected in excerpt.lines().filter(|line| !line.trim().is_empty() && line.trim() != "…") {
        if !lines.any(|line| line_shows(line.trim_end(), expected.trim_end())) {
            return Err(format!("{expected:?} is not in the output, or not in this order"));
        }
    }
    Ok(())
}

fn line_shows(line: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut open = false;
    for part in parts {
        open = part.is_empty();
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    open || rest.is_empty()
}

/// Runs the commands in a folder; a block that ends with a code other than 0 has to print it. `environment` is exported
/// first, and `replaced` edits the commands. Returns the number of blocks.
#[track_caller]
pub(super) fn run(
    folder: &Path,
    blocks: &[Block],
    environment: &[(&str, &str)],
    replaced: &[(&str, &str)],
) -> usize {
    let steps = steps(blocks);
    let outputs = Folder::new();
    let mut script = "promptgate() { \"$EXECUTABLE\" \"$@\"; }\n".to_owned();
    for (number, (block, _)) in steps.iter().enumerate() {
        let mut commands = block.text.clone();
        for (from, to) in replaced {
            commands = commands.replace(from, to);
        }
        // Not in a subshell: a later block starts in the folder and with the variables of this one.
        script.push_str(&format!("{{\n{commands}}} > \"$OUTPUTS/{number}\" 2>&1\n"));
        script.push_str(&format!(
            "code=$?; [ $code = 0 ] || {{ echo \"block {number} ends with $code\"; exit 9; }}\n"
        ));
    }
    let mut bash = Command::new("bash");
    bash.args(["-u", "-c", &script]).current_dir(folder).env_clear();
    bash.env("EXECUTABLE", env!("CARGO_BIN_EXE_promptgate")).env("OUTPUTS", outputs.path());
    bash.env("PATH", std::env::var_os("PATH").expect("a PATH")).env("HOME", outputs.path());
    bash.env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        bash.env(format!("GIT_{role}_NAME"), "t").env(format!("GIT_{role}_EMAIL"), "t@example.com");
    }
    bash.envs(environment.iter().copied());
    let outcome = finish(bash);
    for (number, (block, excerpts)) in steps.iter().enumerate() {
        let output = std::fs::read_to_string(outputs.path().join(number.to_string())).unwrap_or_default();
        let end = &outcome.stdout;
        for excerpt in excerpts {
            if let Err(missing) = shows(&output, &excerpt.text) {
                panic!("after\n{}\n{missing}:\n{output}\n{end}{}", block.text, outcome.stderr);
            }
        }
    }
    assert_eq!(outcome.code, 0, "{}{}{:?}", outcome.stdout, outcome.stderr, {
        let last = outcome.stdout.split_whitespace().nth(1).unwrap_or_default();
        std::fs::read_to_string(outputs.path().join(last))
    });
    steps.len()
}

#[test]
fn excerpts_are_compared_by_line_and_order() {
    let output = "PASS  starter  candidate\n\n cost  157 calls, 98 ms\nexit code 0\n";
    for fine in ["PASS  starter  candidate\n…\nexit code 0\n", " cost  157 calls, … ms\n", "PASS  …\n"]
    {
        assert_eq!(shows(output, fine), Ok(()), "{fine}");
    }
    for wrong in ["PASS\n", "exit code 0\nPASS  …\n", " cost  … s,\n", "exit code 0\nexit code 0\n"] {
        assert!(shows(output, wrong).is_err(), "{wrong}");
    }
}
