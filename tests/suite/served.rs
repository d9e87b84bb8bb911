//! A `promptgate serve` over a ledger in a folder, for tests of several kinds.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use promptgate_adapters::ledger;
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore as _};
use promptgate_release::{
    Actor, ActorSource, Content, Event, EventKind, Label, MoveCause, Name, PromptKind, Record, State, Version,
};
use promptgate_testing::registry::record;
use promptgate_testing::rollout_start;
use serde_json::{Value, json};

use crate::support::{Folder, SMALL};

/// The folder of the ledger.
pub(crate) const LEDGER: &str = "ledger";

/// A suite whose `release:` names a ledger in a folder.
pub(crate) struct Released {
    pub(crate) folder: Folder,
}

impl Released {
    /// `support/reply` with 2.3.1 in production and 2.4.0 in staging, and `triage`, a chat prompt.
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        let release = "release: {name: support/reply, ledger: {path: ledger}}\n";
        folder.write("promptgate.yaml", &format!("{SMALL}{release}"));
        let released = Self { folder };
        let system = |text: &str| vec![(MessageRole::System, text.to_owned())];
        released.publish("support/reply", "2.3.1", &system("You are {{company}}'s agent. {{question}}"));
        released.publish("support/reply", "2.4.0", &system("You help {{company}}.\n\n{{ question }}"));
        released.set_label("support/reply", "production", "2.3.1");
        released.set_label("support/reply", "staging", "2.4.0");
        let mut chat = system("Sort for {{company}}.");
        chat.push((MessageRole::User, "{{question}}".to_owned()));
        released.publish("triage", "0.1.0", &chat);
        released.set_label("triage", "production", "0.1.0");
        released
    }

    fn ledger(&self) -> ledger::Folder {
        ledger::Folder::new(self.folder.path().join(LEDGER))
    }

    /// Publishes a version: a text prompt if it is one message.
    pub(crate) fn publish(&self, name: &str, version: &str, messages: &[(MessageRole, String)]) {
        let version: Version = version.parse().expect("a version");
        let messages = messages.iter().map(|(role, content)| Message::new(*role, content.clone()));
        let content = Content {
            kind: if messages.len() == 1 { PromptKind::Text } else { PromptKind::Chat },
            messages: messages.collect(),
            model: "gpt-5-mini".to_owned(),
            parameters: json!({"temperature": 0.2}).as_object().cloned().unwrap_or_default(),
            answer_schema: None,
        };
        let number = self.state(name).versions.len() as u64 + 1;
        let record = Record {
            version,
            number,
            reason: "For the test.".to_owned(),
            published_at: jiff::Timestamp::now(),
            ..record(name, 1, content)
        };
        let (digest, level) = (record.digest.clone(), record.level);
        self.append(
            name,
            EventKind::Published { version, number, digest, level, record: None, adopted: false },
            vec![record],
        );
    }

    /// Moves a label, as another process does.
    pub(crate) fn set_label(&self, name: &str, label: &str, version: &str) {
        let label: Label = label.parse().expect("a label");
        let from = self.state(name).labels.get(&label).copied();
        let version = version.parse().expect("a version");
        let moved = EventKind::Moved { label, from, version, cause: MoveCause::Promotion, reason: None };
        self.append(name, moved, Vec::new());
    }

    /// Begins a rollout of 2.4.0 against 2.3.1 of `support/reply`.
    pub(crate) fn begin_rollout(&self, salt: &str, basis_points: &[u32]) {
        self.set_label("support/reply", "canary", "2.4.0");
        let (control, treatment) = ("2.3.1".parse().expect("a version"), "2.4.0".parse().expect("a version"));
        let start = Box::new(rollout_start(1, control, treatment, salt, basis_points));
        self.append("support/reply", EventKind::RolloutStarted { start }, Vec::new());
    }

    fn state(&self, name: &str) -> State {
        let name: Name = name.parse().expect("a name");
        block_on(self.ledger().state(&name)).expect("a readable ledger").unwrap_or_default()
    }

    fn append(&self, name: &str, kind: EventKind, records: Vec<Record>) {
        let name: Name = name.parse().expect("a name");
        let actor = Actor { login: "alice".to_owned(), source: ActorSource::Local, run: None };
        let events = vec![Event { at: jiff::Timestamp::now(), actor, kind }];
        let ledger = self.ledger();
        let tip = block_on(ledger.history(&name)).expect("a readable ledger").tip;
        block_on(ledger.append(&name, &Addition { records, events }, tip.as_ref())).expect("an append");
    }

    /// Serves the ledger on a free port.
    pub(crate) fn serve(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Serving {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let address = line.trim().strip_prefix("http://");
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        Serving { child, address }
    }

    /// The command that [`Self::serve`] starts.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let listen: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        self.folder.command(&[&["serve"], listen, arguments].concat())
    }
}

/// Waits for an operation of a ledger.
fn block_on<T>(operation: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(operation)
}

/// A running server; killed when dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// HOST:PORT.
    pub(crate) address: String,
}

impl Serving {
    /// Status and body of a GET request.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let (head, body) = self.send(path, "");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).expect("JSON") };
        (status.expect("a status"), body)
    }

    /// Head and body of a response to a GET request with more header lines.
    pub(crate) fn send(&self, path: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("a response");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
