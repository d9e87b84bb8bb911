//! What installers read from the tree: templates of names, versions, and the form in which examples use the action.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::repack::{TARGETS, VERSION, member, release};
use crate::support::repository;

#[test]
fn hooks_install_the_wheel_of_this_version() {
    let wheel = format!("promptgate-cli=={VERSION}");
    for (file, uses) in [(".pre-commit-hooks.yaml", 2), ("pyproject.toml", 1)] {
        let text = std::fs::read_to_string(repository().join(file)).expect("a file");
        assert_eq!(text.matches("promptgate-cli==").count(), uses, "{file}");
        assert_eq!(text.matches(&wheel).count(), uses, "{file}: expected {wheel}");
    }
}

#[test]
fn examples_use_the_action_in_one_form() {
    let mut uses = 0;
    for folder in ["examples/ci", "examples/lifecycle", "docs"] {
        for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            for line in text.lines().filter(|line| line.contains("uses: ") && line.contains("/promptgate@")) {
                assert!(line.contains("uses: OWNER/promptgate@COMMIT"), "{}: {line}", path.display());
                uses += 1;
            }
        }
    }
    assert!(uses >= 14, "{uses}");
}

#[test]
fn binstall_finds_the_archives_of_a_release() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--locked"])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "promptgate").expect("promptgate");
    let binstall = &package["metadata"]["binstall"];
    assert_eq!(binstall["pkg-fmt"], "tgz");
    let repo = package["repository"].as_str().expect("a repository");
    let folder = release();
    let scripts = std::fs::read_to_string(repository().join("release/checksums.sh")).expect("a script");
    for target in TARGETS {
        assert!(scripts.contains(target), "{target} is of a release");
        let fill = |template: &Value| {
            let extension = if target.contains("windows") { ".exe" } else { "" };
            [
                ("repo", repo),
                ("version", VERSION),
                ("target", target),
                ("bin", "promptgate"),
                ("binary-ext", extension),
            ]
            .iter()
            .fold(template.as_str().expect("a template").to_owned(), |text, (name, value)| {
                text.replace(&format!("{{ {name} }}"), value)
            })
        };
        let url = fill(&binstall["pkg-url"]);
        let (releases, name) = url.rsplit_once('/').expect("an address");
        // Where the action downloads from.
        let checksums = std::fs::read_to_string(repository().join("action/checksums.txt")).expect("a file");
        let first = checksums.lines().next().and_then(|line| line.strip_prefix("# ")).expect("an address");
        assert_eq!(releases, format!("{first}/v{VERSION}"));
        let archive: PathBuf = folder.path().join("dist").join(name);
        assert!(!member(&archive, &fill(&binstall["bin-dir"])).is_empty(), "{url}");
    }
}
