//! Events, records and ledgers for tests.

use std::collections::BTreeMap;

use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore, Tip};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Label, Level, MoveCause, Name, PortError,
    PromptKind, RECORD_SCHEMA, Record, ReleasePolicy, Version,
};
use serde_json::Map;

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(super) fn version(number: u64) -> Version {
    Version { major: 1, minor: u32::try_from(number).unwrap() - 1, patch: 0 }
}

pub(super) fn event(kind: EventKind) -> Event {
    let actor = Actor { login: "alice".into(), source: ActorSource::Local, run: None };
    Event { at: "2026-11-30T12:00:00Z".parse().unwrap(), actor, kind }
}

pub(super) fn record(name: &Name, number: u64) -> Record {
    let content = Content {
        kind: PromptKind::Text,
        messages: vec![Message::new(MessageRole::System, format!("Answer in {number} words."))],
        model: "example-model".into(),
        parameters: Map::new(),
        answer_schema: None,
    };
    Record {
        schema: RECORD_SCHEMA.into(),
        name: name.clone(),
        version: version(number),
        number,
        digest: content.digest(),
        content,
        level: Level::Minor,
        least_level: None,
        level_reasons: Vec::new(),
        compared_with: None,
        reason: "Shorter answers.".into(),
        change: Change::default(),
        published_at: "2026-11-30T12:00:00Z".parse().unwrap(),
        policy: ReleasePolicy::default(),
    }
}

/// Publishes version `number` and moves production there.
pub(super) fn publish(name: &Name, number: u64) -> Addition {
    let record = record(name, number);
    let published = EventKind::Published {
        version: record.version,
        number,
        digest: record.digest.clone(),
        level: record.level,
        record: None,
        adopted: false,
    };
    let moved = EventKind::Moved {
        label: Label::Production,
        from: (number > 1).then(|| version(number - 1)),
        version: record.version,
        cause: MoveCause::Promotion,
        reason: None,
    };
    Addition { records: vec![record], events: vec![event(published), event(moved)] }
}

/// An event with a text that tells it from all others.
pub(super) fn marked(mark: &str) -> Addition {
    let kind = EventKind::Registered { version: version(1), registry: "mlflow".into(), id: mark.to_owned() };
    Addition { records: Vec::new(), events: vec![event(kind)] }
}

/// The marks of the events of a name, in order.
pub(super) fn marks(events: &[Event]) -> Vec<String> {
    let mark = |event: &Event| match &event.kind {
        EventKind::Registered { id, .. } => Some(id.clone()),
        _ => None,
    };
    events.iter().filter_map(mark).collect()
}

pub(super) fn append(store: &dyn LedgerStore, name: &Name, addition: &Addition) -> Result<Tip, PortError> {
    let tip = run(store.history(name))?.tip;
    run(store.append(name, addition, tip.as_ref()))
}

/// Appends as the application does: decide, append, and again after a conflict. Returns the number of attempts.
pub(super) fn append_until_stored(store: &dyn LedgerStore, name: &Name, addition: &Addition) -> u32 {
    for attempt in 1.. {
        run(store.refresh()).unwrap();
        match append(store, name, addition) {
            Ok(_) => return attempt,
            Err(PortError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("a u32 of attempts")
}

/// Waits for an operation of a port, on a runtime of its own.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// Each writer's marks are all there, once and in its order.
pub(super) fn assert_all_marks(found: &[String], writers: usize, each: usize) {
    let mut by_writer: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for mark in found {
        let (writer, number) = mark.split_once('-').unwrap();
        by_writer.entry(writer).or_default().push(number.parse().unwrap());
    }
    assert_eq!(by_writer.len(), writers, "{by_writer:?}");
    for (writer, numbers) in by_writer {
        assert_eq!(numbers, (0..each).collect::<Vec<_>>(), "writer {writer}");
    }
}
