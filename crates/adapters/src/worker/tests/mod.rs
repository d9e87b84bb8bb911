//! Worker processes that behave, and those that do not.
#![cfg(unix)]

mod behaved;
mod misbehaved;
mod processes;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use promptgate_core::model::Fault;
use promptgate_core::text::{Redactor, Secret};

/// Echoes the query of each request.
const ECHO: &str = r#"
import json, sys
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"output": case["query"].upper()}), flush=True)
"#;

struct Pool {
    workers: Workers,
    log: Arc<WorkerLog>,
    folder: tempfile::TempDir,
}

fn options(command: &[&str], folder: &std::path::Path) -> WorkerOptions {
    let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    WorkerOptions {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        folder: folder.to_owned(),
        env: ["PATH", "HOME"].into_iter().filter_map(variable).collect(),
        workers: 1,
        timeout: Duration::from_secs(30),
        max_line_bytes: 1 << 20,
        label: "target".to_owned(),
    }
}

impl Pool {
    fn new(command: &[&str], change: impl FnOnce(&mut WorkerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(command, folder.path());
        change(&mut options);
        let redactor = Arc::new(Redactor::new(&[Secret::new("sk-canary-0123456789")]));
        let log = Arc::new(WorkerLog::new(Arc::clone(&redactor)));
        Self { workers: Workers::new(options, redactor, Arc::clone(&log)), log, folder }
    }

    fn python(script: &str) -> Self {
        Self::new(&["python3", "-c", script], |_| {})
    }

    fn shell(script: &str) -> Self {
        Self::new(&["/bin/sh", "-c", script], |_| {})
    }

    async fn ask(&self, id: &str) -> Result<Value, Fault> {
        self.workers.call(&json!({"id": id, "repeat": 0, "query": format!("query {id}")})).await
    }

    /// The ids that processes wrote to the file `pids`.
    fn pids(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.folder.path().join("pids")).unwrap_or_default();
        text.split_whitespace().map(|id| id.parse().unwrap()).collect()
    }
}

/// Whether a process runs; one that has ended and was not awaited by its parent does not.
fn runs(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
