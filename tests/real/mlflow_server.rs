//! MLflow's tracking server, one for all tests.

use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::prepared::{self, free_port};
use crate::support::repository;

/// The time it has to start: 20 s on a quiet machine, and more than a minute on a busy one.
const MAX_START: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(100);

/// A running server; it exits when its standard input is closed, at the latest with this process.
pub(crate) struct MlflowServer {
    child: Child,
    /// Closed when dropped.
    _input: ChildStdin,
    _folder: tempfile::TempDir,
    pub(crate) uri: String,
}

/// The server, started once. Tests hold a clone of its address only.
static SERVER: Mutex<Option<MlflowServer>> = Mutex::new(None);

/// The address of the server; `None` if it is not installed.
pub(crate) fn uri() -> Option<String> {
    let python = prepared::folder("mlflow")?.join("python/bin/python");
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let running = server.get_or_insert_with(|| start(&python));
    assert!(running.child.try_wait().expect("a child").is_none(), "MLflow exited");
    Some(running.uri.clone())
}

/// The Python that has MLflow's client; `None` if it is not installed.
pub(crate) fn python() -> Option<std::path::PathBuf> {
    Some(prepared::folder("mlflow")?.join("python/bin/python"))
}

fn start(python: &Path) -> MlflowServer {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let log = std::fs::File::create(folder.path().join("log")).expect("a log");
    let mut child = Command::new(python)
        .arg(repository().join("tests/real/mlflow_server.py"))
        .arg(folder.path())
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("the log"))
        .stderr(log)
        .spawn()
        .expect("Python runs");
    let input = child.stdin.take().expect("its input");
    let uri = format!("http://127.0.0.1:{port}");
    let started = Instant::now();
    while !is_healthy(&uri) {
        let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        assert!(child.try_wait().expect("a child").is_none(), "MLflow does not start:\n{}", log());
        assert!(started.elapsed() < MAX_START, "MLflow is not healthy:\n{}", log());
        std::thread::sleep(PAUSE);
    }
    MlflowServer { child, _input: input, _folder: folder, uri }
}

fn is_healthy(uri: &str) -> bool {
    runtime().block_on(async {
        let response = client().get(format!("{uri}/health")).send().await;
        response.is_ok_and(|response| response.status().is_success())
    })
}

/// Sends JSON to the registry's API, past promptgate, as another client does.
pub(crate) async fn call(method: reqwest::Method, uri: &str, path: &str, body: &Value) -> Value {
    let url = format!("{uri}/api/2.0/mlflow/{path}");
    let request =
        client().request(method, url).header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.expect("a response");
    let status = response.status();
    let body = response.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status}: {body}");
    serde_json::from_str(&body).expect("JSON")
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
