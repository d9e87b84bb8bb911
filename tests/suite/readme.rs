//! The README against the program.

use std::collections::BTreeSet;

use promptgate::cli::ExitStatus;

use crate::support::{Folder, finish, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).expect("README.md")
}

#[test]
fn readme_lists_the_exit_codes() {
    let table: Vec<(u8, String)> = readme()
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?.trim().parse().ok()?, cells.next()?.trim().to_owned()))
        })
        .collect();
    let codes: Vec<(u8, String)> =
        ExitStatus::ALL.iter().map(|(status, name)| (status.code(), (*name).to_owned())).collect();
    assert_eq!(table, codes);
}

#[test]
fn readme_commands_exist() {
    let readme = readme();
    let listed: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `promptgate ")?.split_once('`').map(|(command, _)| command))
        .collect();
    for command in &listed {
        Folder::new().promptgate(&[command, "--help"]).expect_code(0);
    }
    let help = Folder::new().promptgate(&["--help"]).expect_code(0).stdout;
    let commands = help.split("Gate:\n").nth(1).and_then(|rest| rest.split("Options:\n").next());
    let known: BTreeSet<&str> = commands
        .expect("commands")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split_whitespace().next()
        })
        .collect();
    assert_eq!(listed, known);
    assert!(readme.contains("cargo run --locked -p promptgate -- run golden/customer-support --offline"));
    assert!(readme.contains("cargo test --locked"));
}

#[test]
fn readme_configuration_is_valid() {
    let readme = readme();
    let yaml =
        readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let folder = Folder::small(3);
    folder.write("promptgate.yaml", yaml);
    folder.write("prompts/support.md", "Answer from the passages.\n\n{{context}}\n");
    folder.write("answer.schema.json", "{\"type\": \"object\"}");
    folder.promptgate(&["check", "--baseline", "none"]).expect_code(0);
}

/// The commands with which docs/lifecycle.md begins.
#[cfg(unix)]
#[test]
fn lifecycle_first_commands_publish_promote_and_roll_back() {
    let text = std::fs::read_to_string(repository().join("docs/lifecycle.md")).expect("docs/lifecycle.md");
    let commands = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
    let folder = Folder::new();
    let shop = folder.path().join("shop");
    let commands = commands.replace("/tmp/shop", shop.to_str().expect("a path"));
    let script = format!("set -euo pipefail\npromptgate() {{ \"$EXECUTABLE\" \"$@\"; }}\n{commands}");
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]).current_dir(repository()).env_clear();
    command.env("EXECUTABLE", env!("CARGO_BIN_EXE_promptgate")).env("HOME", folder.path());
    command.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    let outcome = finish(command).expect_code(0);
    outcome.says("published 1.0.0, a major change").says("production moved back from 1.1.0 to 1.0.0");
}
