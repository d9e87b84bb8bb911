//! Suites in temporary folders, for tests without a process.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::suite::{self, Suite, SuiteOptions};
use super::{Environment, Failure};
use promptgate_core::model::Diagnostic;

/// A configuration with two checks and no judge.
pub(crate) const CONFIG: &str = "\
version: 1
dataset: cases.jsonl
prompt: prompt.md
baseline: none
model: tiny
checks:
  - {contains: yes, name: affirms}
";

/// A folder with a small valid suite of three cases.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "promptgate.yaml", CONFIG);
    write(folder.path(), "prompt.md", "Answer with yes or no.\n");
    let cases: String = (1..=3)
        .map(|number| {
            format!("{{\"id\": \"case-{number}\", \"query\": \"q{number}\", \"tags\": [\"t{number}\"]}}\n")
        })
        .collect();
    write(folder.path(), "cases.jsonl", &cases);
    folder
}

/// Writes a file of a suite.
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Commits all files of a folder; returns the commit.
pub(crate) fn commit(folder: &Path) -> String {
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "state"],
    ] {
        git(folder, arguments);
    }
    git(folder, &["rev-parse", "HEAD"])
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Options that select the suite of a folder.
pub(crate) fn options(folder: &Path) -> SuiteOptions {
    SuiteOptions { config: Some(folder.to_owned()), ..SuiteOptions::default() }
}

/// Loads a suite in an environment without variables.
pub(crate) fn load(options: &SuiteOptions) -> Result<Suite, Failure> {
    block_on(suite::load(options, Some(true), &Environment::default()))
}

/// The diagnostics of a suite that does not load.
pub(crate) fn diagnostics(options: &SuiteOptions) -> Vec<Diagnostic> {
    match load(options) {
        Ok(_) => panic!("the suite loads"),
        Err(failure) => failure.diagnostics(),
    }
}

/// Waits for a future.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
