//! Versions in a ledger, which the adapters write.

use std::path::Path;

use promptgate_adapters::ledger::{Folder, GitBranch};
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Label, Level, MoveCause, Name, PromptKind,
    RECORD_SCHEMA, Record, ReleasePolicy, Version,
};
use serde_json::json;

/// The prompt that production serves in most tests.
pub(crate) const PRODUCTION: &str =
    "Answer the question from these passages alone, in a single sentence.\n\n{{context}}";

/// A ledger with versions of the prompt `small`.
pub(crate) struct Published {
    runtime: tokio::runtime::Runtime,
    ledger: Box<dyn LedgerStore>,
    name: Name,
}

impl Published {
    /// In a folder.
    pub(crate) fn in_folder(path: &Path) -> Self {
        Self::of(Box::new(Folder::new(path)))
    }

    /// On the branch `promptgate` of a repository, written from a clone at `folder`.
    pub(crate) fn on_branch(folder: &Path, remote: &str) -> Self {
        Self::of(Box::new(GitBranch::new(folder, remote, "promptgate")))
    }

    fn of(ledger: Box<dyn LedgerStore>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let name = "small".parse().expect("a name");
        runtime.block_on(ledger.refresh()).expect("a ledger");
        Self { runtime, ledger, name }
    }

    /// Publishes a version of the text prompt `system`.
    pub(crate) fn version(&self, number: u64, text: &str, system: &str) {
        let at = "2026-01-02T03:04:05Z".parse().expect("a time");
        let content = content(system);
        let version = version(text);
        let record = Record {
            schema: RECORD_SCHEMA.to_owned(),
            name: self.name.clone(),
            version,
            number,
            digest: content.digest(),
            content,
            level: if number == 1 { Level::Major } else { Level::Minor },
            least_level: (number > 1).then_some(Level::Minor),
            level_reasons: Vec::new(),
            compared_with: None,
            reason: "Answers were too long.".to_owned(),
            change: Change {
                commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
                ..Change::default()
            },
            published_at: at,
            policy: ReleasePolicy::default(),
        };
        let (digest, level) = (record.digest.clone(), record.level);
        let published = EventKind::Published { version, number, digest, level, record: None, adopted: false };
        self.append(Addition { records: vec![record], events: vec![event(published)] });
    }

    /// Moves the label of production.
    pub(crate) fn production(&self, from: Option<&str>, to: &str) {
        let (from, version) = (from.map(version), version(to));
        let (label, cause) = (Label::Production, MoveCause::Promotion);
        let moved = EventKind::Moved { label, from, version, cause, reason: None };
        self.append(Addition { records: Vec::new(), events: vec![event(moved)] });
    }

    /// Publishes 1.0.0 with the text of [`PRODUCTION`], which production serves.
    pub(crate) fn serving(self) -> Self {
        self.version(1, "1.0.0", PRODUCTION);
        self.production(None, "1.0.0");
        self
    }

    fn append(&self, addition: Addition) {
        self.runtime.block_on(async {
            let tip = self.ledger.history(&self.name).await.expect("a history").tip;
            self.ledger.append(&self.name, &addition, tip.as_ref()).await.expect("an append");
        });
    }
}

fn event(kind: EventKind) -> Event {
    let actor = Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None };
    Event { at: "2026-01-02T03:04:05Z".parse().expect("a time"), actor, kind }
}

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

/// The content of a text prompt of the small suite.
pub(crate) fn content(system: &str) -> Content {
    let message = |role, content: &str| Message::new(role, content.to_owned());
    Content {
        kind: PromptKind::Text,
        messages: vec![message(MessageRole::System, system), message(MessageRole::User, "{{query}}")],
        model: "tiny".to_owned(),
        parameters: serde_json::from_value(json!({"temperature": 0})).expect("parameters"),
        answer_schema: None,
    }
}
