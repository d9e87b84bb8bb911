//! The conformance suite over the registries that need no foreign server. `tests/real` runs it over MLflow.

use std::sync::Arc;

use promptgate_core::text::Secret;
use promptgate_release::ports::Registry;
use promptgate_release::{Label, PortError};
use promptgate_simulated::fake_langfuse::{FakeLangfuse, PUBLIC_KEY, SECRET_KEY};
use promptgate_testing::MemoryLedger;
use promptgate_testing::registry::{self as suite, actor, record, text};

use super::{Embedded, Langfuse, LangfuseOptions};

#[tokio::test]
async fn embedded_and_langfuse_conform() {
    let embedded = Embedded::new(Arc::new(MemoryLedger::default()), actor());
    let server = FakeLangfuse::start().await.unwrap();
    let langfuse = Langfuse::new(LangfuseOptions {
        base_url: server.base_url(),
        public_key: Secret::new(PUBLIC_KEY),
        secret_key: Secret::new(SECRET_KEY),
        name: None,
    });
    let langfuse = langfuse.unwrap();
    let reports = [suite::run(&embedded, "team/reply").await, suite::run(&langfuse, "team/reply").await];
    println!("{}", suite::table(&reports));
    let failures: Vec<_> = reports.iter().flat_map(suite::ConformanceReport::failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(reports.iter().all(|report| report.operations() >= 20));
    // A DELETE with a label would delete versions.
    assert!(server.requests().iter().all(|request| request.method != "DELETE"));
}

#[tokio::test]
async fn embedded_refuses_a_mutated_record() {
    let ledger = Arc::new(MemoryLedger::default());
    let embedded = Embedded::new(Arc::clone(&ledger) as _, actor());
    let record = record("reply", 1, text("Help."));
    let id = embedded.create_version(&record).await.unwrap();
    ledger.mutate(&record.name, record.version, |record| record.content.model = "other".to_owned());
    let error = embedded.get(&record.name, &id).await.unwrap_err();
    assert!(matches!(error, PortError::Mutated(_)), "{error:?}");
    let error = embedded.set_label(&record.name, &Label::Production, &id).await.unwrap_err();
    assert!(matches!(error, PortError::Mutated(_)), "{error:?}");

    // A consistent change of content and digest differs from the event.
    ledger.mutate(&record.name, record.version, |record| record.digest = record.content.digest());
    let error = embedded.get(&record.name, &id).await.unwrap_err();
    assert!(matches!(error, PortError::Mutated(_)), "{error:?}");
}

#[tokio::test]
async fn embedded_creates_a_version_once() {
    let ledger = Arc::new(MemoryLedger::default());
    let embedded = Embedded::new(Arc::clone(&ledger) as _, actor());
    let first = record("reply", 1, text("Help."));
    for _ in 0..2 {
        assert_eq!(embedded.create_version(&first).await.unwrap(), "1.0.0");
    }
    let history = promptgate_release::ports::LedgerStore::history(&*ledger, &first.name).await.unwrap();
    assert_eq!(history.events.len(), 1);
    let other = record("reply", 1, text("Other."));
    let error = embedded.create_version(&other).await.unwrap_err();
    assert!(matches!(&error, PortError::Refused(text) if text.contains("different content")), "{error:?}");
    // A gap in the numbers cannot follow.
    let error = embedded.create_version(&record("reply", 3, text("Three."))).await.unwrap_err();
    assert!(matches!(error, PortError::Damaged(_)), "{error:?}");
}
