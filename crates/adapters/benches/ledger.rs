//! Benchmarks of ledgers: `cargo bench -p promptgate-adapters --bench ledger [FILTER]`.
//!
//! Appends go to a bare repository on this machine. The ledgers of 10,000 events take some seconds to create.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use criterion::{Criterion, criterion_group, criterion_main};
use promptgate_adapters::ledger::{Folder, GitBranch};
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Event, EventKind, Level, Name, PromptKind, RECORD_SCHEMA, Record,
    ReleasePolicy, Version,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const EVENTS: usize = 10_000;
/// Events of one append while a large ledger is created.
const AT_ONCE: usize = 50;
const FIRST: Version = Version { major: 1, minor: 0, patch: 0 };

fn name() -> Name {
    "support/reply".parse().expect("a name")
}

fn event(kind: EventKind) -> Event {
    let actor = Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None };
    Event { at: "2026-11-30T12:00:00Z".parse().expect("a time"), actor, kind }
}

fn registered(id: usize) -> Event {
    event(EventKind::Registered { version: FIRST, registry: "mlflow".to_owned(), id: id.to_string() })
}

fn published() -> Addition {
    let text = "Answer the customer's question from the documents, in at most five sentences. ".repeat(20);
    let content = Content {
        kind: PromptKind::Text,
        messages: vec![Message::new(MessageRole::System, text)],
        model: "example-model".to_owned(),
        parameters: serde_json::Map::new(),
        answer_schema: None,
    };
    let digest = content.digest();
    let record = Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: name(),
        version: FIRST,
        number: 1,
        digest: digest.clone(),
        content,
        level: Level::Minor,
        least_level: None,
        level_reasons: Vec::new(),
        compared_with: None,
        reason: "First version.".to_owned(),
        change: Change::default(),
        published_at: "2026-11-30T12:00:00Z".parse().expect("a time"),
        policy: ReleasePolicy::default(),
    };
    let kind = EventKind::Published {
        version: FIRST,
        number: 1,
        digest,
        level: Level::Minor,
        record: None,
        adopted: false,
    };
    Addition { records: vec![record], events: vec![event(kind)] }
}

fn append(runtime: &Runtime, store: &dyn LedgerStore, addition: &Addition) {
    let tip = runtime.block_on(store.history(&name())).expect("readable").tip;
    runtime.block_on(store.append(&name(), addition, tip.as_ref())).expect("appended");
}

fn fill(runtime: &Runtime, store: &dyn LedgerStore) {
    let mut first = published();
    first.events.extend((1..AT_ONCE).map(registered));
    append(runtime, store, &first);
    for start in (AT_ONCE..EVENTS).step_by(AT_ONCE) {
        let events = (start..start + AT_ONCE).map(registered).collect();
        append(runtime, store, &Addition { records: Vec::new(), events });
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git").args(arguments).current_dir(folder).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A ledger in a clone of a bare repository, and the folder of both.
fn git_ledger() -> (TempDir, GitBranch) {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "--quiet", "--bare", "server"]);
    git(folder.path(), &["clone", "--quiet", "server", "clone"]);
    let store = GitBranch::new(folder.path().join("clone"), "origin", "promptgate");
    (folder, store)
}

fn read(runtime: &Runtime, store: &dyn LedgerStore) {
    let state = runtime.block_on(store.state(&name())).expect("readable");
    black_box(state.expect("published").latest());
    black_box(runtime.block_on(store.record(&name(), FIRST)).expect("readable"));
}

fn small(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (_repository, branch) = git_ledger();
    let stores: [(&str, &dyn LedgerStore); 2] = [("folder", &Folder::new(folder.path())), ("git", &branch)];
    for (kind, store) in stores {
        append(&runtime, store, &published());
        criterion.bench_function(&format!("{kind}: read state and record"), |bencher| {
            bencher.iter(|| read(&runtime, store));
        });
        let mut group = criterion.benchmark_group(format!("{kind}: history and append"));
        group.sample_size(20);
        let addition = Addition { records: Vec::new(), events: vec![registered(0)] };
        group.bench_function("one event", |bencher| bencher.iter(|| append(&runtime, store, &addition)));
        group.finish();
    }
}

fn large(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (_repository, branch) = git_ledger();
    let stores: [(&str, &dyn LedgerStore); 2] = [("folder", &Folder::new(folder.path())), ("git", &branch)];
    for (kind, store) in stores {
        fill(&runtime, store);
        let mut group = criterion.benchmark_group(format!("{kind}: {EVENTS} events"));
        group.sample_size(10);
        group.bench_function("verify", |bencher| {
            bencher.iter(|| runtime.block_on(store.verify(&name())).expect("undamaged"));
        });
        group.bench_function("read state and record", |bencher| bencher.iter(|| read(&runtime, store)));
        group.finish();
    }
}

criterion_group!(benches, small, large);
criterion_main!(benches);
