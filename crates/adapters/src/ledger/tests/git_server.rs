//! A bare repository that clones push to.

use std::path::PathBuf;

use tempfile::TempDir;

use super::super::GitBranch;
use crate::git::fixture::{Fixture, run};

pub(super) struct Server {
    folder: TempDir,
}

impl Server {
    /// A repository without commits.
    pub(super) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        run(folder.path(), &["init", "--quiet", "--bare"]);
        Self { folder }
    }

    /// A repository whose `main` has two commits.
    pub(super) fn new() -> Self {
        let server = Self::empty();
        let fixture = Fixture::new();
        fixture.write("prompts/reply.md", "Answer {{question}}\n");
        fixture.commit("start");
        fixture.commit("continue");
        fixture.git(&["push", "--quiet", &server.url(), "main"]);
        server
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// An address that is not taken for a local path, so that git transfers packs.
    pub(super) fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        run(self.folder.path(), arguments)
    }

    pub(super) fn clone_at(&self, arguments: &[&str]) -> Fixture {
        let fixture = Fixture::new();
        let clone = fixture.path().join("clone");
        let clone = clone.to_str().unwrap();
        let url = self.url();
        let all: Vec<&str> =
            ["clone", "--quiet"].iter().chain(arguments).copied().chain([url.as_str(), clone]).collect();
        fixture.git(&all);
        // The clone replaces the repository around it.
        std::fs::remove_dir_all(fixture.path().join(".git")).unwrap();
        for entry in std::fs::read_dir(clone).unwrap() {
            let entry = entry.unwrap();
            std::fs::rename(entry.path(), fixture.path().join(entry.file_name())).unwrap();
        }
        fixture
    }

    /// A ledger in a clone that lives as long as the fixture.
    pub(super) fn ledger(&self, arguments: &[&str]) -> (Fixture, GitBranch) {
        let clone = self.clone_at(arguments);
        let store = GitBranch::new(clone.path(), "origin", "promptgate");
        (clone, store)
    }

    /// Installs a hook, a shell script.
    pub(super) fn hook(&self, name: &str, script: &str) {
        let path = self.folder.path().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// The tip of the ledger's branch.
    pub(super) fn tip(&self) -> String {
        self.git(&["rev-parse", "refs/heads/promptgate"])
    }

    /// Commits a change of the branch's files by hand.
    pub(super) fn commit_by_hand(&self, message: &str, change: impl FnOnce(&Fixture)) {
        let clone = self.clone_at(&["--branch", "promptgate"]);
        change(&clone);
        clone.commit(message);
        clone.git(&["push", "--quiet", "origin", "HEAD:refs/heads/promptgate"]);
    }
}
