//! A Prometheus for one test, with data that `promtool` writes.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::mlflow_server::{client, runtime};
use crate::prepared::{self, free_port, until};

/// The attempts to start, as another process may take a free port first.
const MAX_STARTS: u32 = 5;

/// A running Prometheus; killed when dropped.
pub(crate) struct PrometheusServer {
    child: Child,
    _folder: tempfile::TempDir,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
}

impl PrometheusServer {
    /// Starts Prometheus with data in the OpenMetrics format. Returns `None` if it is not installed.
    pub(crate) fn start(metrics: &str) -> Option<Self> {
        let binaries = prepared::folder("prometheus")?;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("metrics.txt"), metrics).expect("metrics");
        std::fs::write(folder.path().join("prometheus.yml"), "global: {scrape_interval: 1h}\n")
            .expect("a file");
        let written = Command::new(binaries.join("promtool"))
            .args(["tsdb", "create-blocks-from", "openmetrics", "metrics.txt", "data"])
            .current_dir(folder.path())
            .output()
            .expect("promtool runs");
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        for _ in 0..MAX_STARTS {
            let port = free_port();
            let mut child = spawn(&binaries, folder.path(), port);
            let url = format!("http://127.0.0.1:{port}");
            if is_up(&mut child, &url) {
                return Some(Self { child, _folder: folder, url });
            }
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("Prometheus does not start:\n{log}");
    }
}

impl Drop for PrometheusServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(binaries: &Path, folder: &Path, port: u16) -> Child {
    let log = std::fs::File::create(folder.join("log")).expect("a log");
    Command::new(binaries.join("prometheus"))
        .args([
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100y",
        ])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("Prometheus runs")
}

/// Whether the server answers queries; `false` if it exited, as it does if its port is taken.
fn is_up(child: &mut Child, url: &str) -> bool {
    let (runtime, client) = (runtime(), client());
    until("Prometheus", || {
        if child.try_wait().expect("a child").is_some() {
            return Some(false);
        }
        let response = runtime.block_on(client.get(format!("{url}/-/ready")).send());
        response.is_ok_and(|response| response.status().is_success()).then_some(true)
    })
}
