//! What the README promises.

use promptgate::cli::ExitStatus;

use crate::support::{Folder, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).expect("README.md")
}

#[test]
fn the_exit_codes_are_those_of_the_enum() {
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
fn its_commands_exist() {
    let readme = readme();
    for command in ["run", "check", "compare", "report", "schema", "init", "mock-server"] {
        assert!(readme.contains(&format!("promptgate {command}")), "{command}");
        Folder::new().promptgate(&[command, "--help"]).expect_code(0);
    }
    assert!(readme.contains("cargo run --locked -- run golden/customer-support --offline"));
    assert!(readme.contains("cargo test --locked"));
}

#[test]
fn its_configuration_is_valid() {
    let readme = readme();
    let yaml =
        readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let folder = Folder::small(3);
    folder.write("promptgate.yaml", yaml);
    folder.write("prompts/support.md", "Answer from the passages.\n\n{{context}}\n");
    folder.write("answer.schema.json", "{\"type\": \"object\"}");
    folder.promptgate(&["check", "--baseline", "none"]).expect_code(0);
}
