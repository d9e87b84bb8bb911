//! A ledger with two versions of one prompt, for unit tests.

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::json;

use crate::app::Failure;
use promptgate_core::model::{Diagnostic, Message, MessageRole};
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip, Verification};
use promptgate_release::rollout::Stratum;
use promptgate_release::{
    Actor, ActorSource, Approval, ApprovalSource, Change, Content, Event, EventKind, Evidence,
    EvidenceCriterion, EvidenceVerdict, GateScope, Label, Level, MoveCause, Name, PortError, PromptKind,
    PromptReference, RECORD_SCHEMA, Record, ReleasePolicy, Releases, State, Version,
};
use promptgate_testing::{MemoryLedger, rollout_start};

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(super) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(super) fn reference(text: &str) -> PromptReference {
    text.parse().unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The only diagnostic of an error in what the user wrote.
pub(super) fn error<T: std::fmt::Debug>(result: Result<T, Failure>) -> Diagnostic {
    match result {
        Err(Failure::Diagnostics(diagnostics)) if diagnostics.0.len() == 1 => diagnostics.0[0].clone(),
        other => panic!("expected one diagnostic: {other:?}"),
    }
}

/// A text prompt with the system template, and a user template.
pub(super) fn text(system: &str) -> Content {
    Content {
        kind: PromptKind::Text,
        messages: vec![message(MessageRole::System, system), message(MessageRole::User, "{{query}}")],
        model: "gpt-4.1-mini".to_owned(),
        parameters: serde_json::from_value(json!({"temperature": 0.2})).unwrap(),
        answer_schema: None,
    }
}

/// A chat prompt.
pub(super) fn chat(messages: &[(MessageRole, &str)]) -> Content {
    let messages = messages.iter().map(|(role, content)| message(*role, content)).collect();
    Content { kind: PromptKind::Chat, messages, ..text("") }
}

fn message(role: MessageRole, content: &str) -> Message {
    Message::new(role, content.to_owned())
}

fn actor() -> Actor {
    Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None }
}

fn event(time: &str, kind: EventKind) -> Event {
    Event { at: at(time), actor: actor(), kind }
}

/// A record with a policy of one approval for a major version.
pub(super) fn record(name: &Name, version: &str, number: u64, content: Content) -> Record {
    Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: name.clone(),
        version: self::version(version),
        number,
        digest: content.digest(),
        content,
        level: Level::Major,
        least_level: (number > 1).then_some(Level::Minor),
        level_reasons: Vec::new(),
        compared_with: None,
        reason: "answers were too long".to_owned(),
        change: Change {
            commit: Some("c0ffee".to_owned()),
            authors: vec!["carol".to_owned()],
            pull_request: Some(12),
            ..Change::default()
        },
        published_at: at("2026-11-01T10:00:00Z"),
        policy: ReleasePolicy { approvers: vec!["bob".to_owned()], ..ReleasePolicy::default() },
    }
}

fn published(record: &Record, time: &str) -> Event {
    let (version, number, digest, level) =
        (record.version, record.number, record.digest.clone(), record.level);
    event(time, EventKind::Published { version, number, digest, level, record: None, adopted: false })
}

fn moved(time: &str, label: Label, from: Option<&str>, to: &str, reason: Option<&str>) -> Event {
    let (from, version, reason) = (from.map(version), version(to), reason.map(str::to_owned));
    event(time, EventKind::Moved { label, from, version, cause: MoveCause::Promotion, reason })
}

/// A begun move.
pub(super) fn intended(label: Label, to: &str) -> Event {
    let kind = EventKind::Intended { label, version: version(to), cause: MoveCause::Promotion, reason: None };
    event("2026-11-03T10:00:00Z", kind)
}

fn evidence(record: &Record) -> Evidence {
    Evidence {
        report: record.digest.clone(),
        candidate: record.digest.clone(),
        verdict: EvidenceVerdict::Pass,
        scope: GateScope::Full,
        baseline: None,
        waived: false,
        simulated: false,
        source: ActorSource::DefaultBranch,
        commit: Some("c0ffee".to_owned()),
        dataset: "sha256:0123".to_owned(),
        cases: 3,
        judge: None,
        criteria: vec![EvidenceCriterion {
            name: "faithfulness.min".to_owned(),
            verdict: EvidenceVerdict::Pass,
            estimate: Some(0.91),
            interval: Some([0.85, 0.95]),
        }],
        latency_p95_ms: Some(820.0),
        cost_per_case_usd: None,
        at: at("2026-11-01T10:30:00Z"),
    }
}

/// A ledger of `support/reply`: 1.0.0 on production, 1.1.0 on staging without evidence.
pub(super) async fn ledger() -> TestLedger {
    let ledger = without_labels().await;
    let name = name("support/reply");
    let next = record(&name, "1.1.0", 2, text("Answer briefly from {{context}}."));
    ledger.add(&name, [moved("2026-11-01T12:00:00Z", Label::Production, None, "1.0.0", None)]).await;
    ledger.publish(next, "2026-11-02T10:00:00Z").await;
    let registered = EventKind::Registered {
        version: version("1.1.0"),
        registry: "langfuse".to_owned(),
        id: "7".to_owned(),
    };
    let staged = moved("2026-11-02T12:00:00Z", Label::Staging, None, "1.1.0", Some("try it"));
    ledger.add(&name, [event("2026-11-02T10:01:00Z", registered), staged]).await;
    ledger
}

/// Begins a rollout of 1.1.0 against 1.0.0 of `support/reply`.
pub(super) async fn begin_rollout(ledger: &TestLedger, salt: &str, basis_points: &[u32]) {
    let start = rollout_start(1, version("1.0.0"), version("1.1.0"), salt, basis_points);
    let canary = moved("2026-11-03T10:00:00Z", Label::Canary, None, "1.1.0", None);
    let started = EventKind::RolloutStarted { start: Box::new(start) };
    ledger.add(&name("support/reply"), [canary, event("2026-11-03T10:00:00Z", started)]).await;
}

/// Begins the second step.
pub(super) async fn step_rollout(ledger: &TestLedger, basis_points: u32) {
    let ended = Stratum::default();
    let stepped = EventKind::RolloutStepped { rollout: 1, step: 1, basis_points, ended };
    ledger.add(&name("support/reply"), [event("2026-11-04T10:00:00Z", stepped)]).await;
}

/// Pauses the rollout.
pub(super) async fn pause_rollout(ledger: &TestLedger) {
    let paused = EventKind::RolloutPaused { rollout: 1, reason: "A holiday.".to_owned() };
    ledger.add(&name("support/reply"), [event("2026-11-04T11:00:00Z", paused)]).await;
}

/// A ledger of `support/reply` 1.0.0, evaluated and approved, on no label.
pub(super) async fn without_labels() -> TestLedger {
    let ledger = TestLedger::default();
    let name = name("support/reply");
    let first = record(&name, "1.0.0", 1, text("Answer from {{context}}."));
    let evaluated = EventKind::Evaluated { version: first.version, evidence: Box::new(evidence(&first)) };
    let approval = Approval {
        login: "bob".to_owned(),
        teams: Vec::new(),
        source: ApprovalSource::Review,
        digest: first.digest.clone(),
    };
    let approved = EventKind::Approved { version: first.version, approval };
    ledger.publish(first, "2026-11-01T10:00:00Z").await;
    ledger
        .add(&name, [event("2026-11-01T11:00:00Z", evaluated), event("2026-11-01T11:30:00Z", approved)])
        .await;
    ledger
}

/// A ledger in memory whose stored state can be damaged.
#[derive(Default)]
pub(super) struct TestLedger {
    pub(super) memory: MemoryLedger,
    damaged: std::sync::Mutex<Option<Name>>,
}

impl TestLedger {
    /// Appends events.
    pub(super) async fn add(&self, name: &Name, events: impl IntoIterator<Item = Event>) {
        self.append_all(name, Addition { records: Vec::new(), events: events.into_iter().collect() }).await;
    }

    /// Appends a version.
    pub(super) async fn publish(&self, record: Record, time: &str) {
        let name = record.name.clone();
        let events = vec![published(&record, time)];
        self.append_all(&name, Addition { records: vec![record], events }).await;
    }

    async fn append_all(&self, name: &Name, addition: Addition) {
        let tip = self.memory.history(name).await.unwrap().tip;
        self.memory.append(name, &addition, tip.as_ref()).await.unwrap();
    }

    /// Replaces a record, as nobody should.
    pub(super) fn replace_record(&self, record: Record) {
        self.memory.replace_record(record);
    }

    /// From now on the stored state of a name is not the fold of its events.
    pub(super) fn corrupt_state(&self, name: &Name) {
        *self.damaged.lock().unwrap() = Some(name.clone());
    }

    fn is_damaged(&self, name: &Name) -> bool {
        self.damaged.lock().unwrap().as_ref() == Some(name)
    }
}

impl LedgerStore for TestLedger {
    fn location(&self) -> String {
        self.memory.location()
    }

    fn is_local(&self) -> bool {
        self.memory.is_local()
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        self.memory.refresh()
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        self.memory.names()
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        self.memory.history(name)
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        async move {
            let state = self.memory.state(name).await?;
            Ok(state.map(|state| if self.is_damaged(name) { State::default() } else { state }))
        }
        .boxed()
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        self.memory.record(name, version)
    }

    fn releases(&self) -> PortResult<'_, Releases> {
        self.memory.releases()
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        self.memory.append(name, addition, expected)
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification> {
        async move {
            if self.is_damaged(name) {
                return Err(PortError::Damaged(format!("the state of {name} is not the fold of its events")));
            }
            self.memory.verify(name).await
        }
        .boxed()
    }
}
