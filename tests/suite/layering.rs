//! Which crate may use which, held against `cargo metadata`, and the length of source files.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::repository;

/// Every crate of the workspace and the crates of the workspace that its code may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("promptgate-core", &[]),
    ("promptgate-engine", &["core"]),
    ("promptgate-report", &["core"]),
    ("promptgate-release", &["core"]),
    ("promptgate-adapters", &["core", "release"]),
    ("promptgate-simulated", &["core", "engine", "release"]),
    ("promptgate-testing", &["core", "release"]),
    ("promptgate", &["core", "engine", "report", "release", "adapters", "simulated"]),
];

/// The workspace's packages as `cargo metadata` prints them, without their dependencies resolved.
fn packages() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--locked"])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

#[test]
fn crates_depend_only_on_allowed_crates() {
    let mut wrong = Vec::new();
    let packages = packages();
    assert_eq!(packages.len(), ALLOWED.len(), "every crate has a row in the table");
    for package in &packages {
        let name = package["name"].as_str().expect("a name");
        let Some((_, allowed)) = ALLOWED.iter().find(|(listed, _)| *listed == name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let used = dependency["name"].as_str().expect("a name");
            // Tests may use what the program may not.
            let for_tests = dependency["kind"] == "dev" || dependency["optional"] == true;
            if let Some(used) = used.strip_prefix("promptgate-")
                && !for_tests
                && !allowed.contains(&used)
            {
                wrong.push(format!("{name} uses promptgate-{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn default_members_are_all_members() {
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).expect("Cargo.toml");
    assert!(
        manifest.contains("default-members = [\".\", \"crates/*\"]"),
        "`cargo test` in the root tests every crate"
    );
    let folders: BTreeSet<String> = std::fs::read_dir(repository().join("crates"))
        .expect("crates")
        .map(|entry| format!("promptgate-{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    let listed = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).filter(|name| name != "promptgate");
    assert_eq!(folders, listed.collect::<BTreeSet<String>>());
}

#[test]
fn source_files_stay_below_500_lines() {
    fn visit(folder: &Path, long: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(&path, long);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = std::fs::read_to_string(&path).expect("a file").lines().count();
                if lines > 500 {
                    long.push(format!("{}: {lines} lines", path.display()));
                }
            }
        }
    }
    let mut long = Vec::new();
    visit(&repository().join("src"), &mut long);
    visit(&repository().join("crates"), &mut long);
    assert!(long.is_empty(), "{}", long.join("\n"));
}
