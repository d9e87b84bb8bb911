//! A repository with merged pull requests, on a simulated GitHub, for unit tests of authors and approvals.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::identity::{Identity, identity};
use crate::app::Environment;
use promptgate_adapters::git::Repository;
use promptgate_testing::github::{GitHub, PullRequest, REPOSITORY};

pub(super) const PROMPT: &str = "support/prompt.md";
pub(super) const CONFIG: &str = "support/promptgate.yaml";
const MAIN: &str = r#"{"repository": {"default_branch": "main"}}"#;
const PULL_REQUEST: &str = r#"{"repository": {"default_branch": "main"}, "pull_request": {"number": 7,
    "base": {"ref": "main"}, "head": {"sha": "1111111111111111111111111111111111111111"}}}"#;

/// The repository and its GitHub.
pub(super) struct World {
    folder: TempDir,
    pub(super) github: GitHub,
}

impl World {
    /// A repository with a prompt and its configuration on `main`, by `owner`.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["-c", "init.defaultBranch=main", "init", "--quiet"], "owner");
        let github = GitHub::start(folder.path());
        let world = Self { folder, github };
        world.write(CONFIG, "prompt: prompt.md\n");
        world.write("other.txt", "one");
        world.commit("owner", PROMPT, "first");
        world
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn repository(&self) -> Repository {
        Repository::discover(self.path()).unwrap()
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        run(self.path(), arguments, "owner")
    }

    pub(super) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits a file by `author`, who is also the committer; the first line of the message is the text.
    pub(super) fn commit(&self, author: &str, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--all"]);
        run(self.path(), &["commit", "--quiet", "-m", text], author);
        self.head()
    }

    /// Merges a pull request by `author` that changes a file, as one commit with the same bytes; returns its last head
    /// and the commit on `main`.
    pub(super) fn squash(&self, number: u64, author: &str, path: &str, text: &str) -> (String, String) {
        let base = self.head();
        self.git(&["checkout", "--quiet", "-b", &format!("pr-{number}")]);
        let head = self.commit(author, path, text);
        self.git(&["checkout", "--quiet", "main"]);
        let merged = self.merge_as(number, author, path, text);
        self.add(number, author, &base, &head, &merged);
        (head, merged)
    }

    /// Commits what a squash merge would: by the author, committed by GitHub.
    pub(super) fn merge_as(&self, number: u64, author: &str, path: &str, text: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--all"]);
        let author = format!("{author} <{author}@example.com>");
        let message = format!("Merge pull request {number}");
        run(self.path(), &["commit", "--quiet", "--author", &author, "-m", &message], "");
        self.head()
    }

    pub(super) fn add(&self, number: u64, opened_by: &str, base: &str, head: &str, merged: &str) {
        self.github.add(PullRequest {
            number,
            opened_by: opened_by.to_owned(),
            base: base.to_owned(),
            head: head.to_owned(),
            merged_as: vec![merged.to_owned()],
            merged_at: Some("2026-11-01T12:00:00Z"),
            base_branch: "main",
        });
    }

    /// The variables of a job, with the differences.
    pub(super) fn environment(&self, event: &str, actor: &str, more: &[(&str, &str)]) -> Environment {
        let file = self.path().join(".git/event.json");
        std::fs::write(&file, if event == "pull_request" { PULL_REQUEST } else { MAIN }).unwrap();
        let file = file.display().to_string();
        let head = self.head();
        let reference = if event == "pull_request" { "refs/pull/7/merge" } else { "refs/heads/main" };
        let pairs = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", &*file),
            ("GITHUB_REF", reference),
            ("GITHUB_SHA", &*head),
            ("GITHUB_ACTOR", actor),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_RUN_ID", "17"),
            ("GITHUB_API_URL", &*self.github.api_url),
            ("GITHUB_TOKEN", "ghs_hush"),
        ];
        let all = pairs.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        // Of two values of a variable, the last one holds, also an empty one.
        Environment::of(all.collect::<BTreeMap<String, String>>())
    }

    pub(super) fn identity(&self, environment: &Environment) -> Identity {
        identity(environment, self.path()).unwrap()
    }
}

/// Runs git as a person; an empty name is GitHub.
fn run(folder: &Path, arguments: &[&str], person: &str) -> String {
    let (name, email) = match person {
        "" => ("GitHub".to_owned(), "noreply@github.com".to_owned()),
        person => (person.to_owned(), format!("{person}@example.com")),
    };
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .envs([("GIT_AUTHOR_NAME", &name), ("GIT_COMMITTER_NAME", &name)])
        .envs([("GIT_AUTHOR_EMAIL", &email), ("GIT_COMMITTER_EMAIL", &email)])
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
