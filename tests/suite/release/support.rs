//! A suite that is released: in a folder, in a repository with a ledger on a branch, with a fake Langfuse.

use std::path::PathBuf;
use std::process::Command;

use promptgate_simulated::fake_langfuse::{FakeLangfuse, PUBLIC_KEY, Prompts, ReceivedRequest, SECRET_KEY};
use serde_json::{Value, json};

use crate::support::{Folder, Outcome, finish, git, repository};

/// The prompt.
pub(crate) const NAME: &str = "support/reply";
/// The report of the last run.
pub(crate) const REPORT: &str = "promptgate-report/report.json";
/// The payload of the last push.
const PUSH: &str = "push.json";
/// The first published text.
pub(crate) const FIRST: &str = "Answer the question from these passages alone, in a single sentence.";
/// Texts of minor changes of each other and of the first.
pub(crate) const CHANGES: [&str; 6] = [
    "Answer the question from these passages alone, in a single sentence. Name the plan.",
    "Answer the question from these passages alone, in a single sentence. Name the days.",
    "Answer the question from these passages alone, in a single sentence. Name the price.",
    "Answer the question from these passages alone, in a single sentence. Name the terms.",
    "Answer the question from these passages alone, in a single sentence. Name the offer.",
    "Answer the question from these passages alone, in a single sentence. Name the refund.",
];
/// Controls without approvals, so that a single person can release.
pub(crate) const ALONE: &str = "levels: {major: {approvals: 0}}";

/// A released suite of three cases.
pub(crate) struct Suite {
    /// Its folder, a work tree or not.
    pub(crate) folder: Folder,
    /// The bare repository; `None` without one.
    pub(crate) remote: Option<PathBuf>,
    /// Variables of every command.
    variables: Vec<(String, String)>,
    _remote: Option<Folder>,
}

impl Suite {
    /// In a folder outside a repository; `release` is added to a ledger in the folder `ledger`.
    pub(crate) fn new(release: &str) -> Self {
        let folder = files(&format!("name: {NAME}, ledger: {{path: ledger}}, {release}"));
        Self { folder, remote: None, variables: Vec::new(), _remote: None }
    }

    /// In a clone of a bare repository, whose branch `promptgate` is the ledger.
    pub(crate) fn on_branch(release: &str) -> Self {
        let folder = files(&format!("name: {NAME}, ledger: git, {release}"));
        let bare = Folder::new();
        let remote = bare.path().join("origin.git");
        git(bare.path(), &["init", "--quiet", "--bare", "origin.git"]);
        folder.write(".gitignore", "promptgate-report\n.promptgate\nevent.json\npush.json\nmetrics.json\n");
        folder.git(&["init", "--quiet", "-b", "main"]);
        folder.git(&["config", "user.name", "carol"]);
        folder.git(&["config", "user.email", "carol@example.com"]);
        folder.git(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
        let suite = Self { folder, remote: Some(remote), variables: Vec::new(), _remote: Some(bare) };
        suite.commit("Release the prompt");
        suite
    }

    /// In a folder, with a fake Langfuse.
    pub(crate) fn on_langfuse(langfuse: &Langfuse, release: &str) -> Self {
        let registry =
            format!("registry: {{langfuse: {{base_url: \"{}\"}}}}, {release}", langfuse.server.base_url());
        let mut suite = Self::new(&registry);
        suite.set("LANGFUSE_PUBLIC_KEY", PUBLIC_KEY);
        suite.set("LANGFUSE_SECRET_KEY", SECRET_KEY);
        suite
    }

    /// Another clone of the bare repository, with the same variables.
    pub(crate) fn clone_of(&self) -> Self {
        let folder = Folder::new();
        let remote = self.remote.clone().expect("a remote");
        folder.git(&["clone", "--quiet", remote.to_str().expect("UTF-8"), "."]);
        folder.git(&["config", "user.name", "dave"]);
        folder.git(&["config", "user.email", "dave@example.com"]);
        Self { folder, remote: Some(remote), variables: self.variables.clone(), _remote: None }
    }

    /// Sets a variable of every command from here on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Unsets a variable.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Commits everything and pushes it to main.
    pub(crate) fn commit(&self, message: &str) {
        self.folder.git(&["add", "--all"]);
        let carol = ["-c", "user.name=carol", "-c", "user.email=carol@example.com"];
        self.folder.git(&[&carol[..], &["commit", "--quiet", "-m", message]].concat());
        self.push();
    }

    /// Pushes HEAD to main. The job of the push knows what was there before.
    pub(crate) fn push(&self) {
        let before = self.folder.git(&["for-each-ref", "--format=%(objectname)", "refs/remotes/origin/main"]);
        self.folder.git(&["push", "--quiet", "origin", "HEAD:main"]);
        let after = self.folder.git(&["rev-parse", "HEAD"]);
        let repository = json!({"default_branch": "main"});
        let payload = json!({"repository": repository, "before": before, "after": after});
        self.folder.write(PUSH, &payload.to_string());
    }

    /// Writes the prompt, and commits it in a repository.
    pub(crate) fn edit(&self, text: &str, reason: &str) {
        self.write(&format!("reason: {reason}"), text);
        if self.remote.is_some() {
            self.commit(reason);
        }
    }

    /// Writes the prompt with this front matter.
    pub(crate) fn write(&self, front: &str, text: &str) {
        self.folder.write("prompt.md", &format!("---\n{front}\n---\n{text}\n\n{{{{context}}}}\n"));
    }

    /// A command with the variables of the suite.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs promptgate.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = finish(self.command(arguments));
        assert!(!outcome.text().contains(SECRET_KEY), "{}", outcome.text());
        outcome
    }

    /// Runs promptgate with other variables.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        finish(command)
    }

    /// Evaluates the prompt with the simulated model.
    #[track_caller]
    pub(crate) fn evaluate(&self) {
        self.run(&["run", "--offline", "--quiet"]).expect_code(0);
    }

    /// Publishes the last report.
    pub(crate) fn publish(&self) -> Outcome {
        self.run(&["publish", "--report", REPORT, "--allow-simulated"])
    }

    /// Promotes: a version or nothing, the label, and other flags.
    pub(crate) fn promote(&self, version: &str, to: &str, flags: &[&str]) -> Outcome {
        let mut arguments = vec!["promote", NAME];
        arguments.extend((!version.is_empty()).then_some(version));
        arguments.extend(["--to", to, "--allow-simulated"]);
        self.run(&[&arguments, flags].concat())
    }

    /// Rolls production back.
    pub(crate) fn rollback(&self, flags: &[&str]) -> Outcome {
        self.run(&[&["rollback", NAME, "--reason", "customers complain"], flags].concat())
    }

    /// Edits, evaluates and publishes the prompt.
    #[track_caller]
    pub(crate) fn release(&self, text: &str, reason: &str) {
        self.edit(text, reason);
        self.evaluate();
        self.publish().expect_code(0);
    }

    /// Promotes a version to staging, then to production.
    #[track_caller]
    pub(crate) fn serve(&self, version: &str) {
        self.promote(version, "staging", &[]).expect_code(0);
        self.promote(version, "production", &[]).expect_code(0);
    }

    /// 1.0.0 and then 1.1.0 on production.
    #[track_caller]
    pub(crate) fn with_two(self) -> Self {
        self.release(FIRST, "first");
        self.serve("1.0.0");
        self.release(CHANGES[0], "plans were missing");
        self.serve("1.1.0");
        self
    }

    /// The JSON that a command prints.
    #[track_caller]
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let outcome = self.run(&[arguments, &["--format", "json"]].concat()).expect_code(code);
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stdout))
    }

    /// The version of a label in the ledger; empty if it is nowhere. The ledger is verified.
    #[track_caller]
    pub(crate) fn label(&self, label: &str) -> String {
        self.run(&["log", "--verify", "--refresh"]).expect_code(0);
        let status = self.json(0, &["status", NAME, "--refresh"]);
        status["prompts"][0]["labels"][label]["version"].as_str().unwrap_or_default().to_owned()
    }

    /// The events of a type in the ledger.
    #[track_caller]
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        let log = self.json(0, &["log", NAME, "--refresh"]);
        let events = log["events"].as_array().expect("events").iter().map(|entry| entry["event"].clone());
        events.filter(|event| event["type"] == kind).collect()
    }

    /// How many events the ledger has, also where it has never been written.
    pub(crate) fn events_or_none(&self) -> usize {
        let outcome = self.run(&["log", NAME, "--refresh", "--format", "json"]);
        let log: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        log["events"].as_array().map_or(0, Vec::len)
    }

    /// The bytes of the whole ledger: every file of the folder, or the tip of the branch.
    pub(crate) fn ledger(&self) -> Vec<(String, Vec<u8>)> {
        match &self.remote {
            Some(remote) => {
                let tip = git(remote, &["for-each-ref", "--format=%(refname) %(objectname)"]);
                vec![(tip, Vec::new())]
            }
            None => bytes(&self.folder.path().join("ledger")),
        }
    }

    /// The variables of a job of GitHub Actions for an event on main, or of a pull request.
    pub(crate) fn job(&self, event: &str, actor: &str) -> Vec<(&'static str, String)> {
        let file = self.folder.path().join(if event == "push" { PUSH } else { "event.json" });
        let push: Value = std::fs::read_to_string(self.folder.path().join(PUSH))
            .map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"));
        let payload = json!({
            "repository": {"default_branch": "main"},
            "pull_request": {"number": 7, "base": {"ref": "main"}, "head": {"sha": "1".repeat(40)}},
            "before": push["before"],
            "after": push["after"],
        });
        std::fs::write(&file, payload.to_string()).expect("a file");
        let reference = if event == "pull_request" { "refs/pull/7/merge" } else { "refs/heads/main" };
        vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", file.display().to_string()),
            ("GITHUB_REF", reference.to_owned()),
            ("GITHUB_ACTOR", actor.to_owned()),
            ("GITHUB_REPOSITORY", promptgate_testing::github::REPOSITORY.to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_RUN_ID", "17".to_owned()),
        ]
    }

    /// Every command from here on is one of such a job.
    pub(crate) fn in_job(&mut self, event: &str, actor: &str) {
        for (name, value) in self.job(event, actor) {
            self.set(name, &value);
        }
    }
}

/// Runs a script of examples/lifecycle to its end, which leaves nothing in the current folder.
#[track_caller]
pub(crate) fn run_example(script: &str) -> Outcome {
    let folder = Folder::new();
    let mut command = Command::new("sh");
    command.arg(repository().join("examples/lifecycle").join(script)).current_dir(folder.path()).env_clear();
    command.env("PROMPTGATE", env!("CARGO_BIN_EXE_promptgate")).env("HOME", folder.path());
    for name in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // As where a job runs it.
    command.env("CI", "true").env("GITHUB_ACTIONS", "true");
    let outcome = finish(command).expect_code(0);
    assert!(std::fs::read_dir(folder.path()).expect("a folder").next().is_none(), "it works elsewhere");
    outcome
}

fn files(release: &str) -> Folder {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.append("promptgate.yaml", &format!("release: {{{}}}\n", release.trim_end_matches([',', ' '])));
    folder
}

fn bytes(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else {
            let read = std::fs::read(&path).expect("a file");
            found.push((path.display().to_string(), read));
        }
    }
    found.sort();
    found
}

/// A fake Langfuse on its own threads.
pub(crate) struct Langfuse {
    pub(crate) server: FakeLangfuse,
    _runtime: tokio::runtime::Runtime,
}

impl Langfuse {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let server = runtime.block_on(FakeLangfuse::start()).expect("a free port");
        Self { server, _runtime: runtime }
    }

    /// The registry's versions that hold a label.
    pub(crate) fn holders(&self, label: &str) -> Vec<u64> {
        self.server.edit(|prompts| prompts.holders(NAME, label))
    }

    /// The number of versions.
    pub(crate) fn count(&self) -> usize {
        self.server.edit(|prompts| prompts.versions.get(NAME).map_or(0, Vec::len))
    }

    /// What is stored, to be put back later.
    pub(crate) fn saved(&self) -> Prompts {
        self.server.edit(|prompts| prompts.clone())
    }

    /// The requests that were received from a position on.
    pub(crate) fn since(&self, position: usize) -> Vec<ReceivedRequest> {
        self.server.requests().split_off(position)
    }
}
