//! A server from Python wheels, one for all tests.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::prepared::{self, free_port};
use crate::support::repository;

/// The time it has to start: 20 s on a quiet machine, and more than a minute on a busy one.
const MAX_START: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(100);

/// A server that `.ci/servers` prepares.
pub(crate) struct PythonServer {
    /// Its name there and in python_server.py.
    name: &'static str,
    /// The path that responds once it is ready.
    health: &'static str,
    /// The process, started once. Tests hold a clone of its address only.
    running: Mutex<Option<Running>>,
}

/// A running server; it exits when its standard input is closed, at the latest with this process.
struct Running {
    child: Child,
    /// Closed when dropped.
    _input: ChildStdin,
    _folder: tempfile::TempDir,
    url: String,
}

impl PythonServer {
    pub(crate) const fn new(name: &'static str, health: &'static str) -> Self {
        Self { name, health, running: Mutex::new(None) }
    }

    /// The address of the server, which is started if it was not; `None` if it is not installed.
    pub(crate) fn url(&self) -> Option<String> {
        let python = self.python()?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.get_or_insert_with(|| self.start(&python));
        assert!(running.child.try_wait().expect("a child").is_none(), "{} exited", self.name);
        Some(running.url.clone())
    }

    /// The Python that it is installed for; `None` if it is not installed.
    pub(crate) fn python(&self) -> Option<PathBuf> {
        Some(prepared::folder(self.name)?.join("python/bin/python"))
    }

    fn start(&self, python: &Path) -> Running {
        let folder = tempfile::tempdir().expect("a folder");
        let ports = [free_port(), free_port()];
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let mut child = Command::new(python)
            .arg(repository().join("tests/real/python_server.py"))
            .arg(self.name)
            .arg(folder.path())
            .args(ports.map(|port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .spawn()
            .expect("Python runs");
        let input = child.stdin.take().expect("its input");
        let url = format!("http://127.0.0.1:{}", ports[0]);
        let started = Instant::now();
        while !is_healthy(&format!("{url}{}", self.health)) {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(child.try_wait().expect("a child").is_none(), "{} does not start:\n{}", self.name, log());
            assert!(started.elapsed() < MAX_START, "{} is not healthy:\n{}", self.name, log());
            std::thread::sleep(PAUSE);
        }
        Running { child, _input: input, _folder: folder, url }
    }
}

fn is_healthy(url: &str) -> bool {
    runtime().block_on(async {
        let response = client().get(url).send().await;
        response.is_ok_and(|response| response.status().is_success())
    })
}

/// A client without a proxy.
pub(crate) fn client() -> reqwest::Client {
    // The first of several calls in a process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A runtime for one test.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
