//! llama.cpp's server, with one of two models.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::prepared::{self, free_port, until};
use crate::support::{KEY, repository};

/// A running server; it exits when its standard input is closed.
pub(crate) struct LlamaServer {
    child: Child,
    pub(crate) base_url: String,
}

impl LlamaServer {
    /// Serves the model of random weights as `tiny` and `tiny-judge`. It has two slots, so that calls queue; each has
    /// half of the context. Returns `None` if the server is not installed.
    pub(crate) fn tiny() -> Option<Self> {
        let model = prepared::folder("llama")?.join("model.gguf");
        Self::start(&model, ["tiny,tiny-judge", "2", "16384"])
    }

    /// Serves SmolLM2-135M-Instruct as `smollm2` and `smollm2-judge`. It has one slot: with more, the text would depend
    /// on which calls are computed together. Returns `None` if the server or the model is not installed.
    pub(crate) fn smollm2() -> Option<Self> {
        let model = prepared::folder("smollm2")?.join("model.gguf");
        Self::start(&model, ["smollm2,smollm2-judge", "1", "4096"])
    }

    fn start(model: &Path, options: [&str; 3]) -> Option<Self> {
        let python = prepared::folder("llama")?.join("python/bin/python");
        let port = free_port();
        let mut child = Command::new(python)
            .arg(repository().join("tests/real/llama.py"))
            .arg(model)
            .args([&port.to_string(), KEY])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let ready = lines.map_while(Result::ok).any(|line| line == "ready");
        let server = Self { child, base_url: format!("http://127.0.0.1:{port}/v1") };
        assert!(ready, "the server did not start");
        until("the health of llama.cpp's server", || is_healthy(port).then_some(()));
        Some(server)
    }
}

impl Drop for LlamaServer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether `GET /health` returns 200; it returns 503 while the model is being loaded.
fn is_healthy(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let mut response = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut response).is_ok()
        && response.starts_with("HTTP/1.1 200 ")
}

/// All trials of a report.
pub(crate) fn trials(report: &Value) -> Vec<&Value> {
    let cases = report["cases"].as_array().expect("cases");
    cases.iter().flat_map(|case| case["trials"].as_array().expect("trials")).collect()
}
