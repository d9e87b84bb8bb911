//! The executable, folders to run it in, and servers to run it against.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Exit code and output of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Outcome {
    /// The outcome, if the code is this one.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Both streams.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Asserts that the output contains the text, wherever its lines are broken.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let text = self.text();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words) || flat.contains(words), "no {words:?} in:\n{text}");
        self
    }
}

/// A temporary folder to run promptgate in.
pub(crate) struct Folder {
    directory: tempfile::TempDir,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A copy of the golden suite.
    pub(crate) fn golden() -> Self {
        let folder = Self::new();
        copy(&repository().join("golden/customer-support"), folder.path());
        folder
    }

    /// A copy of a folder of this repository, at the same path.
    pub(crate) fn copy_of(path: &str) -> Self {
        let folder = Self::new();
        copy(&repository().join(path), &folder.path().join(path));
        folder
    }

    /// A suite of `cases` cases that every simulated answer passes: two metrics and one check.
    pub(crate) fn small(cases: usize) -> Self {
        let folder = Self::new();
        folder.write("promptgate.yaml", SMALL);
        folder.write(
            "prompt.md",
            "Answer the question from the passages alone, in one sentence.\n\n{{context}}\n",
        );
        folder.write(
            "baseline.md",
            "You answer questions. Use only the passages, in one sentence.\n\n{{context}}\n",
        );
        let rows: String = (1..=cases)
            .map(|number| {
                format!(
                    "{{\"id\": \"case-{number}\", \"query\": \"How many days does plan {number} give for a \
                     refund?\", \"context\": \"Plan {number} gives {} days for a refund of the full price.\"}}\n",
                    number + 10
                )
            })
            .collect();
        folder.write("cases.jsonl", &rows);
        folder
    }

    /// Moves the small suite into a folder below.
    pub(crate) fn move_suite(&self, to: &str) {
        let to = self.path().join(to);
        std::fs::create_dir_all(&to).expect("a folder");
        for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
            std::fs::rename(self.path().join(name), to.join(name)).expect("a file");
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Reads a file.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Replaces the only occurrence of some text in a file.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {name}");
        self.write(name, &text.replace(from, to));
    }

    /// Adds text to the end of a file.
    pub(crate) fn append(&self, name: &str, text: &str) {
        self.write(name, &(self.read(name) + text));
    }

    /// Turns the self-test off, for counting calls.
    pub(crate) fn without_self_test(self) -> Self {
        self.edit(
            "promptgate.yaml",
            "judge: {model: tiny-judge}",
            "judge: {model: tiny-judge, self_test: false}",
        );
        self
    }

    /// The report that the last run wrote.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.read("promptgate-report/report.json")).expect("report.json is JSON")
    }

    /// The executable in this folder, with a scrubbed environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_promptgate"));
        command.current_dir(self.path()).args(arguments).env_clear().stdin(Stdio::null());
        for name in ["PATH", "TMPDIR", "SystemRoot", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// Runs promptgate to its end.
    pub(crate) fn promptgate(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(arguments))
    }

    /// Runs promptgate against an endpoint, with a key.
    pub(crate) fn against(&self, base_url: &str, arguments: &[&str]) -> Outcome {
        let mut command = self.command(arguments);
        command.env("OPENAI_BASE_URL", base_url).env("OPENAI_API_KEY", KEY);
        finish(command)
    }

    /// Runs git, which must succeed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(self.path(), arguments)
    }
}

/// A key that must not appear in any output.
pub(crate) const KEY: &str = "sk-canary-7f3a9b2c4d5e6f70";

/// The configuration of [`Folder::small`].
pub(crate) const SMALL: &str = "\
version: 1
name: small
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: tiny
parameters: {temperature: 0}
endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}
judge: {model: tiny-judge}
checks:
  - length: {min_chars: 1}
metrics:
  faithfulness: {min: 0.75}
  relevance: {min: 0.5}
";

/// Runs git in a folder, which must succeed.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command) -> Outcome {
    let output = command.output().expect("the executable runs");
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// A `promptgate mock-server`; killed when dropped.
pub(crate) struct MockServer {
    child: Child,
    /// `http://127.0.0.1:PORT/v1`.
    pub(crate) base_url: String,
}

impl MockServer {
    /// Starts on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_promptgate"))
            .args(["mock-server", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the mock server starts");
        let stdout = child.stdout.take().expect("its output");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let base_url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let base_url = base_url.unwrap_or_else(|| panic!("no base URL in {line:?}")).to_owned();
        Self { child, base_url }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that answers every HTTP request with the same bytes, then closes the connection.
pub(crate) struct Canned {
    /// `http://127.0.0.1:PORT/v1`.
    pub(crate) base_url: String,
}

impl Canned {
    /// Answers with a status line, headers and a body; `Content-Length` is added.
    pub(crate) fn answering(status: &str, content_type: &str, body: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Answers the requests of a tunnel with a status, as a proxy does; returns its address.
    pub(crate) fn tunnel(status: &str) -> String {
        let proxy = Self::raw(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
        proxy.base_url.trim_start_matches("http://").trim_end_matches("/v1").to_owned()
    }

    /// Answers with exactly these bytes; with none, the connection is closed without an answer.
    pub(crate) fn raw(answer: String) -> Self {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let answer = answer.clone();
                std::thread::spawn(move || {
                    let mut request = Vec::new();
                    let mut buffer = [0; 4096];
                    // Reads head and body; the head has the body's length.
                    while let Ok(read) = stream.read(&mut buffer) {
                        request.extend_from_slice(&buffer[..read]);
                        if read == 0 || whole(&request) {
                            break;
                        }
                    }
                    let _ = stream.write_all(answer.as_bytes());
                });
            }
        });
        Self { base_url: format!("http://{address}/v1") }
    }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(str::trim).map(str::to_owned)
        })
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    body.len() >= length
}
