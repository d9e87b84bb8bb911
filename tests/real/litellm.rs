//! LiteLLM's proxy in front of the mock server: the routes of OpenAI and Anthropic, over each of which promptgate runs.

use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::prepared::{self, free_port};
use crate::python_server::{client, runtime};
use crate::support::{Folder, MockServer, Outcome, finish, repository};

/// The time it has to start: its imports alone take 20 s on a quiet machine.
const MAX_START: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(200);
const MASTER_KEY: &str = "sk-litellm-0123456789";

/// A running proxy; it exits when its standard input is closed.
struct LiteLlm {
    child: Child,
    _input: ChildStdin,
    _folder: tempfile::TempDir,
    url: String,
}

impl LiteLlm {
    /// Starts in front of a mock server; `None` if it is not installed.
    fn start(server: &MockServer) -> Option<Self> {
        let python = prepared::folder("litellm")?.join("python/bin/python");
        let folder = tempfile::tempdir().expect("a folder");
        let root = server.base_url.trim_end_matches("/v1");
        let model = |name: &str, model: &str, base: &str| {
            format!(
                "  - model_name: {name}\n    litellm_params: {{model: {model}, api_base: \"{base}\", api_key: none}}\n"
            )
        };
        let config = format!(
            "model_list:\n{}{}litellm_settings: {{num_retries: 0, telemetry: false, use_chat_completions_url_for_anthropic_messages: true}}\ngeneral_settings: {{master_key: {MASTER_KEY}}}\n",
            model("by-openai", "openai/tiny", &server.base_url),
            model("by-anthropic", "anthropic/tiny", root),
        );
        std::fs::write(folder.path().join("config.yaml"), config).expect("a configuration");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let port = free_port();
        let mut child = Command::new(python)
            .arg(repository().join("tests/real/litellm_proxy.py"))
            .args([folder.path().join("config.yaml").to_str().expect("a path"), &port.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .spawn()
            .expect("Python runs");
        let input = child.stdin.take().expect("its input");
        let url = format!("http://127.0.0.1:{port}");
        let started = Instant::now();
        while !is_alive(&url) {
            let log = || std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert!(child.try_wait().expect("a child").is_none(), "LiteLLM does not start:\n{}", log());
            assert!(started.elapsed() < MAX_START, "LiteLLM is not ready:\n{}", log());
            std::thread::sleep(PAUSE);
        }
        Some(Self { child, _input: input, _folder: folder, url })
    }

    /// Runs the small suite through the proxy.
    fn run(&self, protocol: &str, model: &str, arguments: &[&str]) -> Outcome {
        let folder = Folder::small(4);
        let endpoint = format!(
            "endpoint: {{protocol: {protocol}, base_url: \"{}/v1\", api_key_env: GATE_KEY, ",
            self.url
        );
        folder.edit("promptgate.yaml", "endpoint: {timeout: 5s, ", &format!("{endpoint}timeout: 60s, "));
        folder.edit("promptgate.yaml", "model: tiny\n", &format!("model: {model}\n"));
        folder.edit("promptgate.yaml", "judge: {model: tiny-judge", &format!("judge: {{model: {model}"));
        let mut command = folder.command(&[&["run"], arguments].concat());
        command.env("GATE_KEY", MASTER_KEY);
        finish(command)
    }
}

impl Drop for LiteLlm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_alive(url: &str) -> bool {
    let url = format!("{url}/health/liveliness");
    runtime().block_on(async {
        client().get(&url).send().await.is_ok_and(|response| response.status().is_success())
    })
}

#[test]
fn litellm_serves_openai_and_anthropic_from_the_mock_server() {
    let server = MockServer::start(&[]);
    let Some(proxy) = LiteLlm::start(&server) else { return };
    for protocol in ["openai", "anthropic"] {
        for model in ["by-openai", "by-anthropic"] {
            proxy.run(protocol, model, &[]).expect_code(0);
        }
    }
}

#[test]
fn faults_behind_litellm_are_never_green() {
    let server = MockServer::start(&["--fault", "length=1"]);
    let Some(proxy) = LiteLlm::start(&server) else { return };
    for protocol in ["openai", "anthropic"] {
        for model in ["by-openai", "by-anthropic"] {
            proxy.run(protocol, model, &["--no-judge"]).expect_code(10);
        }
        proxy.run(protocol, "unknown", &["--no-judge"]).expect_code(12);
    }
}
