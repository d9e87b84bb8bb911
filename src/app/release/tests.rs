//! Promotions and rollbacks over a ledger and a registry in memory: interleaved, and killed between any two effects.

mod interleaved;
mod killed;
mod memory_registry;
mod releases;
mod steps;
mod stories;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore, Registry};
use promptgate_release::{
    Actor, ActorSource, Change, Content, Digest, Event, EventKind, Evidence, EvidenceBaseline,
    EvidenceVerdict, GateScope, Label, Level, MoveCause, Name, PromptKind, RECORD_SCHEMA, Record,
    ReleasePolicy, Version,
};
use promptgate_testing::MemoryLedger;

use super::open::Target;
use super::promote::{PromoteOptions, PromoteOutcome, Promoted, promote_in};
use super::rollback::{RollbackOptions, RolledBack, rollback_in};
use super::write::Stamp;
use crate::app::Failure;
use memory_registry::MemoryRegistry;
use steps::Stepped;

/// A prompt with its ledger and registry.
#[derive(Clone)]
struct World {
    name: Name,
    memory: Arc<MemoryLedger>,
    server: Arc<MemoryRegistry>,
    ledger: Arc<dyn LedgerStore>,
    registry: Arc<dyn Registry>,
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn stamp(login: &str) -> Stamp {
    Stamp { at: Timestamp::now(), actor: actor(login) }
}

fn actor(login: &str) -> Actor {
    Actor { login: login.to_owned(), source: ActorSource::DefaultBranch, run: None }
}

fn content(text: &str) -> Content {
    Content {
        kind: PromptKind::Text,
        messages: vec![Message::new(MessageRole::System, text.to_owned())],
        model: "m".to_owned(),
        parameters: serde_json::Map::new(),
        answer_schema: None,
    }
}

impl World {
    /// An empty world whose ports call `steps` around every effect.
    fn new(steps: &Stepped) -> Self {
        let memory = Arc::new(MemoryLedger::default());
        let server = Arc::new(MemoryRegistry::default());
        Self {
            name: "support/reply".parse().unwrap(),
            ledger: Arc::new(steps.ledger(memory.clone())),
            registry: Arc::new(steps.registry(server.clone())),
            memory,
            server,
        }
    }

    async fn add(&self, records: Vec<Record>, kinds: Vec<EventKind>) {
        let at = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
        let events = kinds.into_iter().map(|kind| Event { at, actor: actor("ci"), kind }).collect();
        let tip = self.memory.history(&self.name).await.unwrap().tip;
        self.memory.append(&self.name, &Addition { records, events }, tip.as_ref()).await.unwrap();
    }

    /// Publishes a version whose full gate passed against `baseline`, and registers it.
    async fn publish(&self, version: Version, baseline: Option<Version>) {
        let state = self.memory.state(&self.name).await.unwrap().unwrap_or_default();
        let content = content(&format!("Answer politely, in the manner of {version}."));
        let digest = content.digest();
        let number = state.versions.len() as u64 + 1;
        let record = Record {
            schema: RECORD_SCHEMA.to_owned(),
            name: self.name.clone(),
            version,
            number,
            digest: digest.clone(),
            content,
            level: Level::Minor,
            least_level: Some(Level::Minor),
            level_reasons: Vec::new(),
            compared_with: baseline,
            reason: "A test.".to_owned(),
            change: Change::default(),
            published_at: Timestamp::now(),
            policy: ReleasePolicy {
                levels: promptgate_release::Levels {
                    major: promptgate_release::Controls {
                        gate: GateScope::Full,
                        approvals: 0,
                        rollout: promptgate_release::rollout::RolloutKind::Direct,
                    },
                    ..ReleasePolicy::default().levels
                },
                ..ReleasePolicy::default()
            },
        };
        let id = self.server.create(&record);
        let baseline = baseline.map(|version| {
            let digest = state.versions[&version].digest.clone();
            EvidenceBaseline { digest, version: Some(version) }
        });
        let evidence = Box::new(evidence(&digest, baseline));
        let published = EventKind::Published {
            version,
            number,
            digest,
            level: Level::Minor,
            record: None,
            adopted: false,
        };
        let registered = EventKind::Registered { version, registry: "memory".to_owned(), id };
        self.add(vec![record], vec![published, registered, EventKind::Evaluated { version, evidence }]).await;
    }

    async fn promote(&self, version: Version, to: Label) -> Result<Promoted, Failure> {
        let options = PromoteOptions {
            target: Target::default(),
            version: Some(version),
            to,
            skip_holds: false,
            again: false,
            reason: None,
            allow_simulated: false,
            dry_run: false,
        };
        promote_in(&options, &self.name, &self.ledger, &self.registry, &stamp("ci")).await
    }

    async fn rollback(&self) -> Result<RolledBack, Failure> {
        self.rollback_from(None).await
    }

    async fn rollback_from(&self, from: Option<Version>) -> Result<RolledBack, Failure> {
        let options = RollbackOptions {
            from,
            target: Target::default(),
            to: None,
            label: Label::Production,
            reason: "It is wrong.".to_owned(),
            dry_run: false,
        };
        rollback_in(&options, &self.name, &[], &self.ledger, &self.registry, &stamp("ops")).await
    }

    /// Three versions, the second one on production after the first, the third one on staging.
    async fn with_history(steps: &Stepped) -> Self {
        let world = Self::new(steps);
        world.publish(version("1.0.0"), None).await;
        world.serve(version("1.0.0")).await;
        world.publish(version("1.1.0"), Some(version("1.0.0"))).await;
        world.serve(version("1.1.0")).await;
        world.publish(version("1.2.0"), Some(version("1.1.0"))).await;
        steps.start();
        world
    }

    async fn serve(&self, version: Version) {
        for label in [Label::Staging, Label::Production] {
            let promoted = self.promote(version, label).await.unwrap();
            assert!(matches!(promoted.outcome, PromoteOutcome::Done { .. }), "{:?}", promoted.outcome);
        }
    }

    /// The version of a label, on which ledger and registry agree, with no move left open.
    async fn agreed(&self, label: &Label) -> Version {
        let state = self.memory.state(&self.name).await.unwrap().unwrap();
        assert!(!state.intents.contains_key(label), "a move of {label} is open");
        let holders = self.server.holders(label);
        assert_eq!(holders.len(), 1, "{label} has holders {holders:?}");
        let version = state.labels[label];
        assert_eq!(
            state.versions[&version].registered["memory"], holders[0],
            "{label} is at {version} in the ledger"
        );
        version
    }
}

fn evidence(candidate: &Digest, baseline: Option<EvidenceBaseline>) -> Evidence {
    Evidence {
        report: candidate.clone(),
        candidate: candidate.clone(),
        verdict: EvidenceVerdict::Pass,
        scope: GateScope::Full,
        baseline,
        waived: false,
        simulated: false,
        source: ActorSource::DefaultBranch,
        commit: None,
        dataset: "sha256:0".to_owned(),
        cases: 60,
        judge: None,
        criteria: Vec::new(),
        latency_p95_ms: None,
        cost_per_case_usd: None,
        at: Timestamp::now(),
    }
}
