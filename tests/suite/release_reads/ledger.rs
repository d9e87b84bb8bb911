//! A folder with a released suite, whose ledger the adapter wrote.

use promptgate_adapters::ledger::Folder as LedgerFolder;
use promptgate_core::model::{Message, MessageRole};
use promptgate_release::ports::{Addition, LedgerStore};
use promptgate_release::{
    Actor, ActorSource, Approval, ApprovalSource, Change, Content, Event, EventKind, Evidence,
    EvidenceCriterion, EvidenceVerdict, GateScope, Label, Level, MoveCause, Name, PromptKind, RECORD_SCHEMA,
    Record, ReleasePolicy, Version,
};
use serde_json::json;

use crate::support::Folder;

/// The released suite.
pub(crate) struct Released {
    /// Its folder.
    pub(crate) folder: Folder,
    runtime: tokio::runtime::Runtime,
    ledger: LedgerFolder,
}

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

fn name() -> Name {
    "support/reply".parse().expect("a name")
}

fn content(kind: PromptKind, system: &str) -> Content {
    let message = |role, content: &str| Message::new(role, content.to_owned());
    Content {
        kind,
        messages: vec![message(MessageRole::System, system), message(MessageRole::User, "{{query}}")],
        model: "gpt-4.1-mini".to_owned(),
        parameters: serde_json::from_value(json!({"temperature": 0.2})).expect("parameters"),
        answer_schema: None,
    }
}

impl Released {
    /// `support/reply`: 1.0.0 on production with evidence and an approval, 1.1.0 on staging, 2.0.0 published.
    pub(crate) fn new() -> Self {
        let released = Self::empty();
        let first =
            content(PromptKind::Text, "You are kind.\nYou may offer a refund.\nAnswer from {{context}}.\n");
        let second =
            content(PromptKind::Text, "You are kind.\nYou may deny a refund.\nAnswer from {{context}}.\n");
        released.publish(1, "1.0.0", Level::Major, first.clone());
        released.add("2026-01-02T09:00:00Z", evaluated("1.0.0", &first));
        let approval = Approval {
            login: "bob".to_owned(),
            teams: Vec::new(),
            source: ApprovalSource::Review,
            digest: first.digest(),
        };
        released.add("2026-01-02T10:00:00Z", EventKind::Approved { version: version("1.0.0"), approval });
        released.moved("2026-01-02T11:00:00Z", Label::Production, None, "1.0.0");
        released.publish(2, "1.1.0", Level::Minor, second);
        released.moved("2026-01-03T11:00:00Z", Label::Staging, None, "1.1.0");
        released.publish(3, "2.0.0", Level::Major, content(PromptKind::Chat, "Be {{tone}}."));
        released
    }

    /// A suite with an empty ledger.
    pub(crate) fn empty() -> Self {
        let folder = Folder::small(3);
        folder.append("promptgate.yaml", "\nrelease: {name: support/reply, ledger: {path: ledger}}\n");
        let ledger = LedgerFolder::new(folder.path().join("ledger"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { folder, runtime, ledger }
    }

    /// Publishes a version on the day of its number.
    pub(crate) fn publish(&self, number: u64, text: &str, level: Level, content: Content) {
        let at = format!("2026-01-{:02}T08:00:00Z", number + 1).parse().expect("a time");
        let record = Record {
            schema: RECORD_SCHEMA.to_owned(),
            name: name(),
            version: version(text),
            number,
            digest: content.digest(),
            content,
            level,
            least_level: (number > 1).then_some(level),
            level_reasons: Vec::new(),
            compared_with: (number > 1).then(|| version("1.0.0")),
            reason: "answers were too long \u{1b}[31m".to_owned(),
            change: Change {
                commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
                authors: vec!["carol".to_owned()],
                pull_request: Some(12),
                path: Some("prompts/support.md".to_owned()),
                ..Change::default()
            },
            published_at: at,
            policy: ReleasePolicy { approvers: vec!["bob".to_owned()], ..ReleasePolicy::default() },
        };
        let kind = EventKind::Published {
            version: record.version,
            number,
            digest: record.digest.clone(),
            level,
            record: None,
            adopted: false,
        };
        self.append(Addition { records: vec![record], events: vec![Event { at, actor: actor(), kind }] });
    }

    /// Appends an event.
    pub(crate) fn add(&self, time: &str, kind: EventKind) {
        let at = time.parse().expect("a time");
        self.append(Addition { records: Vec::new(), events: vec![Event { at, actor: actor(), kind }] });
    }

    /// Moves a label.
    pub(crate) fn moved(&self, time: &str, label: Label, from: Option<&str>, to: &str) {
        let (from, version) = (from.map(version), version(to));
        let cause = MoveCause::Promotion;
        self.add(
            time,
            EventKind::Moved { label, from, version, cause, reason: Some("::set-env name=a::b".to_owned()) },
        );
    }

    fn append(&self, addition: Addition) {
        let name = name();
        self.runtime.block_on(async {
            let tip = self.ledger.history(&name).await.expect("a history").tip;
            self.ledger.append(&name, &addition, tip.as_ref()).await.expect("an append");
        });
    }
}

fn actor() -> Actor {
    Actor { login: "alice".to_owned(), source: ActorSource::DefaultBranch, run: None }
}

fn evaluated(text: &str, content: &Content) -> EventKind {
    let evidence = Evidence {
        report: content.digest(),
        candidate: content.digest(),
        verdict: EvidenceVerdict::Pass,
        scope: GateScope::Full,
        baseline: None,
        waived: false,
        simulated: false,
        source: ActorSource::DefaultBranch,
        commit: None,
        dataset: "sha256:0123".to_owned(),
        cases: 120,
        judge: Some("judge-1".to_owned()),
        criteria: vec![EvidenceCriterion {
            name: "faithfulness.min".to_owned(),
            verdict: EvidenceVerdict::Pass,
            estimate: Some(0.91),
            interval: Some([0.85, 0.95]),
        }],
        latency_p95_ms: Some(1820.0),
        cost_per_case_usd: Some(0.0031),
        at: "2026-01-02T08:30:00Z".parse().expect("a time"),
    };
    EventKind::Evaluated { version: version(text), evidence: Box::new(evidence) }
}
