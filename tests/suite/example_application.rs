//! An application of examples/applications, in a repository of its own at the same path.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Folder, Outcome, finish, git};

/// A copy of the application, committed on `main`.
pub(crate) struct Example {
    folder: Folder,
    path: String,
    /// The folder of programs that come before those of the system.
    programs: Option<PathBuf>,
}

impl Example {
    /// The example of this name; `None` with a message where its tool is not installed.
    pub(crate) fn with_tool(name: &str, tool: &str) -> Option<Self> {
        is_installed(tool, name).then(|| Self::new(name))
    }

    /// The example of this name, with programs of a folder.
    pub(crate) fn with_programs(name: &str, programs: &Path) -> Self {
        Self { programs: Some(programs.to_owned()), ..Self::new(name) }
    }

    fn new(name: &str) -> Self {
        let path = format!("examples/applications/{name}");
        let folder = Folder::copy_of(&path);
        // Of somebody who tried the example where it is.
        for left in [".promptgate", "promptgate-report", "__pycache__"] {
            let _ = std::fs::remove_dir_all(folder.path().join(&path).join(left));
        }
        folder.git(&["init", "--quiet"]);
        let example = Self { folder, path, programs: None };
        example.commit();
        example
    }

    /// The path of a file of the example.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(&self.path).join(name)
    }

    /// Adds a line to a file.
    pub(crate) fn append(&self, name: &str, line: &str) {
        self.folder.append(&format!("{}/{name}", self.path), &format!("{line}\n"));
    }

    /// Commits all files.
    pub(crate) fn commit(&self) {
        self.folder.git(&["add", "--all"]);
        self.folder.git(&["commit", "--quiet", "-m", "next"]);
    }

    /// Runs the gate with the simulated judge.
    pub(crate) fn run(&self) -> Outcome {
        let mut command = self.folder.command(&["run", "--offline", &self.path]);
        if let Some(programs) = &self.programs {
            let system = std::env::var_os("PATH").unwrap_or_default();
            let path = std::iter::once(programs.clone()).chain(std::env::split_paths(&system));
            command.env("PATH", std::env::join_paths(path).expect("a path"));
        }
        finish(command)
    }

    /// Applies the change that makes the application worse, in its folder as its README says.
    pub(crate) fn worsen(&self) {
        git(&self.file(""), &["apply", "worse.patch"]);
    }

    /// The report of the last run.
    pub(crate) fn report(&self) -> Value {
        self.folder.report()
    }

    /// The criteria that failed in the last run.
    pub(crate) fn failed(&self) -> Vec<String> {
        let report = self.report();
        let criteria = report["criteria"].as_array().expect("criteria").iter();
        let failed = criteria.filter(|criterion| criterion["verdict"] == "fail");
        failed.map(|criterion| criterion["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Runs the example as it is, with a change that does no harm, and with the change that makes it worse; returns the
    /// last outcome.
    #[track_caller]
    pub(crate) fn pass_and_fail(&self, harmless: (&str, &str), failed: &[&str]) -> Outcome {
        self.run().expect_code(0).says("candidate and baseline are equal");
        self.append(harmless.0, harmless.1);
        let text = self.run().expect_code(0).text();
        assert!(!text.contains("candidate and baseline are equal"), "{text}");
        self.commit();
        self.worsen();
        let outcome = self.run().expect_code(10);
        assert_eq!(self.failed(), failed);
        outcome
    }
}

/// Whether a tool that an example needs is installed; where it is not, says that the example is skipped.
pub(crate) fn is_installed(tool: &str, example: &str) -> bool {
    let mut probe = Command::new(tool);
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_installed = probe.status().is_ok_and(|status| status.success());
    if !is_installed {
        assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "{tool} not found");
        let message = format!("skipped examples/applications/{example}: {tool} is not installed\n");
        let _ = std::io::stderr().write_all(message.as_bytes());
    }
    is_installed
}
