//! Git repositories in temporary folders, for tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A repository that is removed when it goes out of scope.
pub(crate) struct Fixture {
    folder: TempDir,
}

/// Runs git with an isolated configuration and returns its output.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
        .args(["-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgSign=false"])
        .args(["-c", "advice.detachedHead=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Fixture {
    /// An empty repository with the branch `main`.
    pub(crate) fn new() -> Self {
        let fixture = Self { folder: TempDir::new().unwrap() };
        fixture.git(&["init", "--quiet"]);
        fixture
    }

    /// A clone over the file protocol, which supports `--depth`.
    pub(crate) fn clone_of(origin: &Self, arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("file://{}", origin.path().display());
        let mut all = vec!["clone", "--quiet"];
        all.extend(arguments);
        all.extend([url.as_str(), "."]);
        run(folder.path(), &all);
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run(self.folder.path(), arguments)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let full = self.folder.path().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, content).unwrap();
    }

    /// Commits all files and returns the object name.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A pull request: `main` has a newer commit, `change` has one commit, and `refs/pull/1/merge` merges both. Also
    /// returns the tip of main and the merge commit.
    pub(crate) fn pull_request() -> (Self, String, String) {
        let fixture = Self::new();
        fixture.write("prompts/a.md", "old {{query}}\n");
        fixture.commit("start");
        fixture.git(&["checkout", "--quiet", "-b", "change"]);
        fixture.write("prompts/a.md", "new {{query}}\n");
        fixture.write("prompts/fresh.md", "fresh\n");
        fixture.commit("change the prompt");
        fixture.git(&["checkout", "--quiet", "main"]);
        fixture.write("other.txt", "moved on\n");
        let main = fixture.commit("move on");
        fixture.git(&["checkout", "--quiet", "--detach", "main"]);
        fixture.git(&["merge", "--quiet", "--no-ff", "-m", "merge it", "change"]);
        let merge = fixture.git(&["rev-parse", "HEAD"]);
        fixture.git(&["update-ref", "refs/pull/1/merge", &merge]);
        fixture.git(&["checkout", "--quiet", "main"]);
        (fixture, main, merge)
    }

    /// A checkout as `actions/checkout` creates it for a pull request: the merge commit, shallow and detached.
    pub(crate) fn checkout_of_pull_request(origin: &Self, depth: &str, reference: &str) -> Self {
        let fixture = Self::new();
        let url = format!("file://{}", origin.path().display());
        fixture.git(&["remote", "add", "origin", &url]);
        let refspec = format!("+refs/pull/1/merge:{reference}");
        fixture.git(&["fetch", "--quiet", "--no-tags", "--depth", depth, "origin", &refspec]);
        fixture.git(&["checkout", "--quiet", "--detach", reference]);
        fixture
    }
}
