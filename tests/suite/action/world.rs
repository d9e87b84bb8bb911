//! A pull request as a GitHub Actions job sees it: a repository with a merge commit, a clone of depth 2, the
//! event file, an endpoint and a GitHub API server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::composite::{Cache, Done, Job};
use super::github::{GitHub, TOKEN};
use crate::support::{Folder, KEY, MockServer, git, repository};

/// Everything that a job needs.
pub(crate) struct World {
    /// The checked-out clone.
    pub(crate) workspace: PathBuf,
    pub(crate) github: GitHub,
    pub(crate) endpoint: MockServer,
    pub(crate) cache: Cache,
    /// `with:`.
    pub(crate) inputs: BTreeMap<String, String>,
    /// Variables of the job.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where the action is.
    pub(crate) action: PathBuf,
    /// Holds the clone and the files of the runner.
    folder: Folder,
    jobs: usize,
}

/// A prompt as good as the base's.
pub(crate) const GOOD: &str = "Use only these passages. Answer in one sentence.\n\n{{context}}\n";
/// A prompt without its context.
pub(crate) const BAD: &str = "Be kind to the customer.\n";

impl World {
    /// A pull request that applies `change` to the small suite.
    pub(crate) fn of(change: impl FnOnce(&Folder)) -> Self {
        Self::from(|_| {}, change)
    }

    /// A pull request that applies `change` to the small suite as edited by `prepare`.
    pub(crate) fn from(prepare: impl FnOnce(&Folder), change: impl FnOnce(&Folder)) -> Self {
        let origin = Folder::small(4);
        origin.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
        prepare(&origin);
        origin.git(&["init", "--quiet", "-b", "main"]);
        commit(&origin, "start");
        origin.git(&["switch", "--quiet", "-c", "change"]);
        change(&origin);
        commit(&origin, "change");
        let head = origin.git(&["rev-parse", "HEAD"]);
        // The target branch has moved on since.
        origin.git(&["switch", "--quiet", "main"]);
        origin.write("NEWS", "other work\n");
        commit(&origin, "other work");
        let base = origin.git(&["rev-parse", "HEAD"]);
        origin.git(&["switch", "--quiet", "--detach", "main"]);
        origin.git(&["merge", "--quiet", "--no-ff", "-m", &format!("Merge {head} into {base}"), "change"]);
        let merge = origin.git(&["rev-parse", "HEAD"]);
        origin.git(&["update-ref", "refs/pull/7/merge", "HEAD"]);

        let folder = Folder::new();
        let workspace = folder.path().join("workspace");
        std::fs::create_dir(&workspace).expect("a folder");
        clone(&workspace, origin.path(), "refs/pull/7/merge", "refs/remotes/pull/7/merge");
        let repo = json!({"full_name": "acme/prompts"});
        let event = json!({
            "pull_request": {
                "number": 7,
                "title": "::error::x\n##[error]y",
                "base": {"sha": base, "ref": "main", "repo": repo},
                "head": {"sha": head, "ref": "change", "repo": repo},
            },
            "repository": {"full_name": "acme/prompts", "default_branch": "main"},
        });
        let github = GitHub::start();
        let endpoint = MockServer::start(&[]);
        let mut environment = BTreeMap::new();
        let binary = env!("CARGO_BIN_EXE_promptgate");
        let home = folder.path().display().to_string();
        for (name, value) in [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", &github.url),
            ("GITHUB_BASE_REF", "main"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_JOB", "prompt-gate"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_REPOSITORY", "acme/prompts"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_SHA", &merge),
            ("GITHUB_TOKEN_OF_THE_JOB", TOKEN),
            ("HOME", &home),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("JOB_INDEX", "0"),
            ("OPENAI_API_KEY", KEY),
            ("OPENAI_BASE_URL", &endpoint.base_url),
            ("PROMPTGATE_BINARY", binary),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_OS", "Linux"),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        let mut world = Self {
            workspace,
            github,
            endpoint,
            cache: Cache::default(),
            inputs: BTreeMap::new(),
            environment,
            action: repository(),
            folder,
            jobs: 0,
        };
        world.event("pull_request", &event);
        world
    }

    /// The event of the job.
    pub(crate) fn event(&mut self, name: &str, payload: &Value) {
        self.folder.write("event.json", &payload.to_string());
        let path = self.folder.path().join("event.json").display().to_string();
        self.environment.insert("GITHUB_EVENT_PATH".to_owned(), path);
        self.environment.insert("GITHUB_EVENT_NAME".to_owned(), name.to_owned());
    }

    /// The current event.
    pub(crate) fn payload(&self) -> Value {
        serde_json::from_str(&self.folder.read("event.json")).expect("JSON")
    }

    /// Sets a variable of the job; an empty one is not set.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        if value.is_empty() {
            self.environment.remove(name);
        } else {
            self.environment.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// Sets an input of the action.
    pub(crate) fn with(&mut self, name: &str, value: &str) -> &mut Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Uses a mock server with these faults as the endpoint.
    pub(crate) fn served(&mut self, arguments: &[&str]) -> &mut Self {
        self.endpoint = MockServer::start(arguments);
        let url = self.endpoint.base_url.clone();
        self.set("OPENAI_BASE_URL", &url)
    }

    /// Replaces the executable by a script.
    pub(crate) fn program(&mut self, script: &str) -> &mut Self {
        self.folder.write("program", &format!("#!/bin/sh\n{script}\n"));
        let path = self.folder.path().join("program");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        }
        let path = path.display().to_string();
        self.set("PROMPTGATE_BINARY", &path)
    }

    /// A folder for files of the test.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A job on a fresh machine that keeps workspace and cache.
    pub(crate) fn job(&mut self) -> Done {
        self.jobs += 1;
        let temporary = self.folder.path().join(format!("temporary-{}", self.jobs));
        std::fs::create_dir(&temporary).expect("a folder");
        let mut environment = self.environment.clone();
        environment.insert("GITHUB_RUN_ID".to_owned(), (1000 + self.jobs).to_string());
        let cache = self.workspace.join(".promptgate");
        if !cache.is_symlink() {
            let _ = std::fs::remove_dir_all(cache);
        }
        let job = Job {
            action: self.action.clone(),
            workspace: &self.workspace,
            temporary: &temporary,
            inputs: self.inputs.clone(),
            environment,
        };
        let done = job.run(&mut self.cache);
        self.checked(&done);
        done
    }

    /// Invariants of every job: no secret appears anywhere, and no untrusted text is a command.
    fn checked(&self, done: &Done) {
        let summaries: String = done.steps.iter().map(|step| step.summary.as_str()).collect();
        let bodies: String = self.github.own().concat();
        for text in [done.log(), summaries, bodies] {
            assert!(!text.contains(KEY) && !text.contains(TOKEN), "{text}");
            for line in text.lines() {
                assert!(!line.contains("##["), "{line}");
                let command = line.trim_start().strip_prefix("::");
                let ours = ["error ", "warning ", "notice ", "stop-commands", "add-mask"];
                assert!(command.is_none_or(|of| ours.iter().any(|name| of.starts_with(name))), "{line}");
            }
        }
    }
}

/// Checks out like `actions/checkout` with `fetch-depth: 2`.
pub(crate) fn clone(workspace: &Path, origin: &Path, from: &str, to: &str) {
    git(workspace, &["init", "--quiet", "."]);
    git(workspace, &["remote", "add", "origin", &format!("file://{}", origin.display())]);
    git(workspace, &["fetch", "--quiet", "--no-tags", "--depth=2", "origin", &format!("+{from}:{to}")]);
    git(workspace, &["checkout", "--quiet", "--force", to]);
}

fn commit(folder: &Folder, message: &str) {
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
}
