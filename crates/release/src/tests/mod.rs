//! Tests of decisions over events, with the events and records that they share.

mod approval;
mod assignment;
mod canonical;
mod chain;
mod fold;
mod obstacles;
mod promotion;
mod rollback;

use std::sync::LazyLock;

use jiff::Timestamp;
use promptgate_core::model::{Message, MessageRole};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Map;

use crate::*;

/// The versions that events are about; their contents differ from each other at all levels.
const VERSIONS: [(&str, &str, Level); 4] = [
    ("1.0.0", "Answer the question of a custommer politely.", Level::Major),
    ("1.0.1", "Answer the question of a customer politely.", Level::Patch),
    ("1.1.0", "Answer the question of a customer very politely.", Level::Minor),
    ("2.0.0", "Answer the question {{query}} of a customer politely.", Level::Major),
];

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn content(text: &str) -> Content {
    Content {
        kind: PromptKind::Chat,
        messages: vec![Message::new(MessageRole::System, text.to_owned())],
        model: "gpt-4o".to_owned(),
        parameters: Map::new(),
        answer_schema: None,
    }
}

static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(|| (0..VERSIONS.len()).map(new_record).collect());

fn record(index: usize) -> Record {
    RECORDS[index].clone()
}

fn new_record(index: usize) -> Record {
    let (number, text, level) = VERSIONS[index];
    let content = content(text);
    Record {
        schema: RECORD_SCHEMA.to_owned(),
        name: "support/reply".parse().unwrap(),
        version: version(number),
        number: index as u64 + 1,
        digest: content.digest(),
        content,
        level,
        least_level: Some(level),
        level_reasons: Vec::new(),
        compared_with: None,
        reason: "Customers asked for it.".to_owned(),
        change: Change { authors: vec!["author".to_owned()], ..Change::default() },
        published_at: at(0),
        policy: ReleasePolicy {
            approvers: ["alice", "bob", "author", "@org/owners"].map(str::to_owned).to_vec(),
            staging_hold_seconds: 10,
            ..ReleasePolicy::default()
        },
    }
}

fn event(second: i64, kind: EventKind) -> Event {
    let actor = Actor { login: "bot".to_owned(), source: ActorSource::DefaultBranch, run: None };
    Event { at: at(second), actor, kind }
}

fn published(index: usize) -> EventKind {
    let Record { version, number, digest, level, .. } = record(index);
    EventKind::Published { version, number, digest, level, record: None, adopted: false }
}

pub(crate) fn evidence(index: usize, baseline: Option<usize>) -> Evidence {
    Evidence {
        report: record(0).digest,
        candidate: record(index).digest,
        verdict: EvidenceVerdict::Pass,
        scope: GateScope::Full,
        baseline: baseline.map(|index| EvidenceBaseline {
            digest: record(index).digest,
            version: Some(record(index).version),
        }),
        waived: false,
        simulated: false,
        source: ActorSource::DefaultBranch,
        commit: None,
        dataset: "d".to_owned(),
        cases: 100,
        judge: None,
        criteria: Vec::new(),
        latency_p95_ms: Some(812.25),
        cost_per_case_usd: None,
        at: at(0),
    }
}

fn evaluated(index: usize, evidence: Evidence) -> EventKind {
    EventKind::Evaluated { version: record(index).version, evidence: Box::new(evidence) }
}

fn approval(index: usize, login: &str) -> Approval {
    Approval {
        login: login.to_owned(),
        teams: Vec::new(),
        source: ApprovalSource::Review,
        digest: record(index).digest,
    }
}

fn approved(index: usize, approval: Approval) -> EventKind {
    EventKind::Approved { version: record(index).version, approval }
}

fn moved(label: Label, from: Option<usize>, to: usize, cause: MoveCause) -> EventKind {
    let from = from.map(|index| record(index).version);
    EventKind::Moved { label, from, version: record(to).version, cause, reason: None }
}

fn fold(kinds: &[EventKind]) -> Result<State, InvalidEvent> {
    let events: Vec<Event> =
        kinds.iter().zip(0..).map(|(kind, second)| event(second, kind.clone())).collect();
    State::fold(&events)
}

/// Any event about the versions; many cannot follow each other.
fn any_event() -> impl Strategy<Value = EventKind> {
    let index = || 0..VERSIONS.len();
    let label = || select(vec![Label::Staging, Label::Production, Label::Canary, Label::Latest]);
    let cause = || select(vec![MoveCause::Promotion, MoveCause::Rollback, MoveCause::Adoption]);
    prop_oneof![
        3 => index().prop_map(published),
        3 => any_evidence().prop_map(|(index, evidence)| evaluated(index, evidence)),
        3 => any_approval().prop_map(|(index, approval)| approved(index, approval)),
        1 => (index(), label(), cause()).prop_map(|(index, label, cause)| EventKind::Intended {
            label,
            version: record(index).version,
            cause,
            reason: None,
        }),
        1 => (index(), label())
            .prop_map(|(index, label)| EventKind::Abandoned { label, version: record(index).version }),
        1 => index().prop_map(|index| EventKind::Registered {
            version: record(index).version,
            registry: "mlflow".to_owned(),
            id: "7".to_owned(),
        }),
        6 => (label(), proptest::option::of(index()), index(), cause())
            .prop_map(|(label, from, to, cause)| moved(label, from, to, cause)),
    ]
}

fn any_evidence() -> impl Strategy<Value = (usize, Evidence)> {
    let index = || 0..VERSIONS.len();
    let verdict = select(vec![
        EvidenceVerdict::Pass,
        EvidenceVerdict::Pass,
        EvidenceVerdict::Pass,
        EvidenceVerdict::Fail,
        EvidenceVerdict::Inconclusive,
        EvidenceVerdict::Incomplete,
    ]);
    let scope = select(vec![GateScope::Checks, GateScope::Full, GateScope::Full]);
    let source = select(vec![
        ActorSource::DefaultBranch,
        ActorSource::Schedule,
        ActorSource::OtherBranch,
        ActorSource::Local,
    ]);
    let flags = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.2), 0_i64..5);
    (index(), proptest::option::of(index()), verdict, scope, source, flags).prop_map(
        |(index, baseline, verdict, scope, source, (waived, simulated, second))| {
            let evidence = evidence(index, baseline);
            (index, Evidence { verdict, scope, source, waived, simulated, at: at(second), ..evidence })
        },
    )
}

fn any_approval() -> impl Strategy<Value = (usize, Approval)> {
    let login = select(vec!["alice", "ALICE", "bob", "author", "stranger"]);
    let source = select(vec![ApprovalSource::Review, ApprovalSource::Dispatch, ApprovalSource::Unverified]);
    let teams = select(vec![Vec::new(), vec!["@org/owners".to_owned()]]);
    let index = || 0..VERSIONS.len();
    (index(), index(), proptest::bool::weighted(0.8), login, source, teams).prop_map(
        |(index, other, same, login, source, teams)| {
            let digest = record(if same { index } else { other }).digest;
            (index, Approval { source, teams, digest, ..approval(index, login) })
        },
    )
}

/// Events that the fold accepts, in random order: others are left out, and moves are told where the label is.
fn accepted_events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((any_event(), 0_i64..8), 0..40).prop_map(|kinds| {
        let mut state = State::default();
        let mut events = Vec::new();
        let mut second = 0;
        for (kind, pause) in kinds {
            second += pause;
            events.extend(follow(&mut state, second, kind));
        }
        events
    })
}

/// The event as it follows the state, to which it is applied: a move starts where the label is, a version has the next
/// number. `None` if the fold refuses it.
fn follow(state: &mut State, second: i64, kind: EventKind) -> Option<Event> {
    let kind = match kind {
        EventKind::Moved { label, version, cause, reason, .. } => {
            let from = state.labels.get(&label).copied();
            EventKind::Moved { label, from, version, cause, reason }
        }
        EventKind::Published { version, digest, level, adopted, .. } => {
            let number = state.versions.len() as u64 + 1;
            EventKind::Published { version, number, digest, level, record: None, adopted }
        }
        kind => kind,
    };
    let event = event(second, kind);
    state.apply(&event).is_ok().then_some(event)
}
