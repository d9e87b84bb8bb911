//! Support for tests of registries: records and the conformance suite of the port.

mod conformance;
mod operations;

pub use conformance::{ConformanceReport, run, table};

use jiff::Timestamp;
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Level, Name, PromptKind, RECORD_SCHEMA, Record, ReleasePolicy,
    Version,
};
use serde_json::Map;

/// An actor on the default branch.
pub fn actor() -> Actor {
    Actor { login: "ada".to_owned(), source: ActorSource::DefaultBranch, run: None }
}

/// A message.
pub fn message(role: MessageRole, content: &str) -> Message {
    Message::new(role, content.to_owned())
}

/// A text prompt with this system text, a user template and two parameters.
pub fn text(system: &str) -> Content {
    Content {
        kind: PromptKind::Text,
        messages: vec![message(MessageRole::System, system), message(MessageRole::User, "Q: {{question}}")],
        model: "gpt-x".to_owned(),
        parameters: Map::from_iter([
            ("temperature".to_owned(), 0.2.into()),
            ("max_tokens".to_owned(), 800.into()),
        ]),
        answer_schema: None,
    }
}

/// The record of a content as the `number`-th version of a prompt, with version 1.`number - 1`.0.
pub fn record(name: &str, number: u32, content: Content) -> Record {
    Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: name.parse().expect("a valid name"),
        version: Version { major: 1, minor: number - 1, patch: 0 },
        number: number.into(),
        digest: content.digest(),
        content,
        level: Level::Minor,
        least_level: Some(Level::Minor),
        level_reasons: vec!["the wording changed".to_owned()],
        compared_with: None,
        reason: format!("change {number}"),
        change: Change {
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            authors: vec!["ada".to_owned()],
            pull_request: Some(7),
            ..Change::default()
        },
        published_at: Timestamp::UNIX_EPOCH,
        policy: ReleasePolicy::default(),
    }
}

/// A name of the suite.
pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a valid name")
}
