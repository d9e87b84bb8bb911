//! A ledger of ten prompts in a folder, with the configuration that names it.

use std::error::Error;
use std::path::Path;

use promptgate_adapters::ledger::Folder;
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore as _};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Label, Level, MoveCause, Name, PromptKind,
    RECORD_SCHEMA, Record, ReleasePolicy, Version,
};
use serde_json::Map;

const CONFIGURATION: &str = "\
version: 1
name: support/reply
dataset: cases.jsonl
prompt: prompt.md
model: gpt-5-mini
checks: [{length: {min_chars: 1}}]
release: {ledger: {path: ledger}}
";

/// Writes configuration and ledger into a folder.
pub(crate) fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::write(folder.join("promptgate.yaml"), CONFIGURATION)?;
    let ledger = Folder::new(folder.join("ledger"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for name in
        std::iter::once("support/reply".to_owned()).chain((1..10).map(|number| format!("other/{number}")))
    {
        let name: Name = name.parse()?;
        let mut tip = None;
        for number in 1..=10_u32 {
            let addition = publication(&name, number);
            tip = Some(runtime.block_on(ledger.append(&name, &addition, tip.as_ref()))?);
        }
    }
    Ok(())
}

/// Version 1.NUMBER.0, which becomes the one in production.
fn publication(name: &Name, number: u32) -> Addition {
    let version = |minor| Version { major: 1, minor, patch: 0 };
    let text = "You answer questions of customers of {{company}} in their language. ".repeat(30);
    let content = Content {
        kind: PromptKind::Text,
        messages: vec![Message::new(MessageRole::System, format!("{text}{number}"))],
        model: "gpt-5-mini".to_owned(),
        parameters: Map::new(),
        answer_schema: None,
    };
    let at = jiff::Timestamp::now();
    let digest = content.digest();
    let record = Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: name.clone(),
        version: version(number),
        number: number.into(),
        digest: digest.clone(),
        content,
        level: Level::Minor,
        least_level: None,
        level_reasons: Vec::new(),
        compared_with: None,
        reason: "For the benchmark.".to_owned(),
        change: Change::default(),
        published_at: at,
        policy: ReleasePolicy::default(),
    };
    let published = EventKind::Published {
        version: version(number),
        number: number.into(),
        digest,
        level: Level::Minor,
        record: None,
        adopted: false,
    };
    let moved = EventKind::Moved {
        label: Label::Production,
        from: (number > 1).then(|| version(number - 1)),
        version: version(number),
        cause: MoveCause::Promotion,
        reason: None,
    };
    let actor = Actor { login: "alice".to_owned(), source: ActorSource::Local, run: None };
    let events = [published, moved].map(|kind| Event { at, actor: actor.clone(), kind });
    Addition { records: vec![record], events: events.into() }
}
