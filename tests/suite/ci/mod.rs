//! `promptgate ci` as a workflow runs it: repositories with merge commits, clones of depth 2, local servers.

mod applications;
mod bases;
mod data;
mod evasions;
mod extends;
mod outputs;
mod overrides;
mod pull_requests;
mod several;
mod telemetry;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Folder, KEY, MockServer, Outcome, finish, git};

/// A repository with a branch `main` that holds the small suite, and a change of it on a branch.
pub(crate) struct Origin {
    pub(crate) folder: Folder,
}

/// The environment of a runner: a checkout, an event, and files for outputs.
pub(crate) struct Job {
    pub(crate) checkout: Folder,
    runner: Folder,
    variables: Vec<(String, String)>,
}

impl Origin {
    /// The small suite on `main`, edited by `prepare`.
    pub(crate) fn new(prepare: impl Fn(&Folder)) -> Self {
        let folder = Folder::small(3);
        folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
        folder.git(&["init", "--quiet", "-b", "main"]);
        prepare(&folder);
        let origin = Self { folder };
        origin.commit("start");
        origin
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.folder.write(".gitignore", "promptgate-report\n.promptgate\n");
        self.folder.git(&["add", "--all"]);
        self.folder.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    pub(crate) fn rev(&self, name: &str) -> String {
        self.folder.git(&["rev-parse", name])
    }

    /// Commits a change on a branch while `main` moves on by one unrelated commit.
    pub(crate) fn change(&self, change: impl Fn(&Folder)) {
        self.folder.git(&["switch", "--quiet", "-c", "change"]);
        change(&self.folder);
        self.commit("change");
        self.folder.git(&["switch", "--quiet", "main"]);
        self.folder.write("elsewhere.txt", "main moved on\n");
        self.commit("elsewhere");
    }

    /// The merge commit that GitHub makes for a pull request.
    pub(crate) fn merge(&self) -> String {
        let (base, head) = (self.rev("main"), self.rev("change"));
        self.folder.git(&["switch", "--quiet", "--detach", "main"]);
        let message = format!("Merge {head} into {base}");
        self.folder.git(&["merge", "--quiet", "--no-ff", "-m", &message, "change"]);
        let merge = self.rev("HEAD");
        self.folder.git(&["update-ref", "refs/pull/7/merge", &merge]);
        self.folder.git(&["switch", "--quiet", "main"]);
        merge
    }

    /// A job of `pull_request`: the merge commit, two commits deep, as actions/checkout leaves it.
    pub(crate) fn pull_request(&self) -> Job {
        let merge = self.merge();
        let checkout = self.fetched(&merge, "refs/remotes/pull/7/merge", 2);
        let event = self.pull_request_event("owner/prompts", "owner/prompts");
        Job::new(checkout, "pull_request", &merge, &event)
    }

    /// The payload of `pull_request`.
    pub(crate) fn pull_request_event(&self, base: &str, head: &str) -> Value {
        json!({
            "action": "synchronize",
            "number": 7,
            "pull_request": {
                "number": 7,
                "updated_at": "2026-11-01T10:00:00Z",
                "title": "\n::error::owned\n##[set-output name=verdict;]pass",
                "base": {"ref": "main", "sha": self.rev("main"), "repo": {"full_name": base}},
                "head": {"ref": "change", "sha": self.rev("change"), "repo": {"full_name": head}},
            },
            "repository": {"full_name": base, "default_branch": "main"},
        })
    }

    /// A clone of one commit at the given depth, with HEAD detached at the fetched reference.
    pub(crate) fn fetched(&self, commit: &str, reference: &str, depth: u32) -> Folder {
        let checkout = Folder::new();
        let url = format!("file://{}", self.folder.path().display());
        checkout.git(&["init", "--quiet"]);
        checkout.git(&["remote", "add", "origin", &url]);
        let depth = format!("--depth={depth}");
        self.folder.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        checkout.git(&["fetch", "--quiet", "--no-tags", &depth, "origin", &format!("+{commit}:{reference}")]);
        checkout.git(&["-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", reference]);
        checkout
    }
}

impl Job {
    pub(crate) fn new(checkout: Folder, event: &str, sha: &str, payload: &Value) -> Self {
        let runner = Folder::new();
        runner.write("event.json", &payload.to_string());
        runner.write("output.txt", "");
        runner.write("summary.md", "");
        let at = |name: &str| runner.path().join(name).display().to_string();
        let reference = if event == "pull_request" { "refs/pull/7/merge" } else { "refs/heads/main" };
        let base = if event == "pull_request" { "main" } else { "" };
        let variables = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("CI", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", at("event.json")),
            ("GITHUB_OUTPUT", at("output.txt")),
            ("GITHUB_STEP_SUMMARY", at("summary.md")),
            ("GITHUB_SHA", sha.to_owned()),
            ("GITHUB_REF", reference.to_owned()),
            ("GITHUB_BASE_REF", base.to_owned()),
            ("GITHUB_REPOSITORY", "owner/prompts".to_owned()),
            ("GITHUB_WORKSPACE", checkout.path().display().to_string()),
            // The inputs that nobody set.
            ("PROMPTGATE_CONFIG", String::new()),
            ("PROMPTGATE_BASELINE", String::new()),
            ("PROMPTGATE_POLICY_FROM", String::new()),
            ("PROMPTGATE_SHARD", String::new()),
            ("PROMPTGATE_MERGE", String::new()),
            ("PROMPTGATE_MODE", String::new()),
            ("PROMPTGATE_INCONCLUSIVE", String::new()),
            ("PROMPTGATE_ON_MISSING_CREDENTIALS", String::new()),
            ("PROMPTGATE_ON_NEW_SUITE", String::new()),
            ("PROMPTGATE_DISCLOSE", String::new()),
            ("PROMPTGATE_OUT", String::new()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { checkout, runner, variables }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes a variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut all = vec!["ci"];
        all.extend(arguments);
        let mut command = self.checkout.command(&all);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs with the simulated model.
    pub(crate) fn offline(&self) -> Outcome {
        finish(self.command(&["--offline"]))
    }

    /// Runs against a server, with a key.
    pub(crate) fn against(&self, server: &MockServer) -> Outcome {
        let mut command = self.command(&[]);
        command.env("OPENAI_BASE_URL", &server.base_url).env("OPENAI_API_KEY", KEY);
        finish(command)
    }

    /// A further step of the same job, with its own output and summary files.
    pub(crate) fn fresh(self) -> Self {
        self.runner.write("output.txt", "");
        self.runner.write("summary.md", "");
        self
    }

    pub(crate) fn event(&self, text: &str) {
        self.runner.write("event.json", text);
    }

    /// The outputs, by the rules of the runner: the last of two lines with one name counts.
    pub(crate) fn outputs(&self) -> Vec<(String, String)> {
        let text = self.runner.read("output.txt");
        let mut found: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("not an output: {line:?}"));
            assert!(!name.contains("<<"), "{line}");
            assert!(found.iter().all(|(known, _)| known != name), "{name} twice in:\n{text}");
            found.push((name.to_owned(), value.to_owned()));
        }
        found
    }

    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> String {
        let outputs = self.outputs();
        let found = outputs.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no {name} in {outputs:?}")).1.clone()
    }

    pub(crate) fn summary(&self) -> String {
        self.runner.read("summary.md")
    }

    pub(crate) fn comment(&self) -> String {
        self.checkout.read("promptgate-report/comment.md")
    }

    pub(crate) fn facts(&self) -> Value {
        serde_json::from_str(&self.checkout.read("promptgate-report/ci.json")).expect("ci.json is JSON")
    }

    /// Asserts that ci.json, outputs and summary agree, and returns ci.json.
    #[track_caller]
    pub(crate) fn outcome(&self, verdict: &str, code: i32) -> Value {
        let facts = self.facts();
        assert_eq!((&facts["verdict"], &facts["exit_code"]), (&json!(verdict), &json!(code)), "{facts}");
        assert_eq!(facts["schema"], 1);
        assert_eq!(self.output("verdict"), verdict);
        assert_eq!(self.output("exit-code"), code.to_string());
        facts
    }
}

/// The commands that a runner finds in a log, as name, properties and value; an independent reading of its rules.
pub(crate) fn commands(log: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for line in log.replace("\r\n", "\n").split(['\n', '\r']) {
        let trimmed = line.trim_start();
        if let Some((command, data)) = trimmed.strip_prefix("::").and_then(|rest| rest.split_once("::")) {
            let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
            found.push((name.to_owned(), properties.to_owned(), data.to_owned()));
        } else if let Some((_, rest)) = line.split_once("##[") {
            found.push((rest.to_owned(), "##[".to_owned(), line.to_owned()));
        }
    }
    found
}

/// A regression: the simulated model answers a vague prompt badly.
pub(crate) fn worse(folder: &Folder) {
    folder.write("prompt.md", "Be kind to the customer.\n");
}

/// A change that keeps the quality.
pub(crate) fn reworded(folder: &Folder) {
    folder.write("prompt.md", "Use only these passages. Answer in one sentence.\n\n{{context}}\n");
}

/// The parents of a commit in a checkout.
pub(crate) fn parents(folder: &Path) -> Vec<String> {
    git(folder, &["rev-list", "--parents", "-n", "1", "HEAD"]).split(' ').skip(1).map(str::to_owned).collect()
}
