//! The adapter of MLflow with the real server, and the table of all registries.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use promptgate_adapters::registry::{Embedded, Langfuse, LangfuseOptions, Mlflow, MlflowOptions};
use promptgate_core::text::Secret;
use promptgate_release::ports::{Registry, RegistryId};
use promptgate_release::{Content, Label, Name, PortError};
use promptgate_simulated::fake_langfuse::{FakeLangfuse, PUBLIC_KEY, SECRET_KEY};
use promptgate_testing::MemoryLedger;
use promptgate_testing::registry::{self as suite, actor, record, text};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mlflow_server::{self, call, runtime};
use crate::support::repository;

/// More versions than one page of the search has.
const MANY: u32 = 103;
/// Moves of each of two writers.
const MOVES: usize = 15;

fn mlflow(uri: &str) -> Mlflow {
    let options = MlflowOptions { tracking_uri: uri.to_owned(), name: None, user: None, password: None };
    Mlflow::new(options).expect("valid options")
}

fn name(text: &str) -> Name {
    text.parse().expect("a valid name")
}

/// Creates versions 1 to `count`.
async fn create(mlflow: &Mlflow, prompt: &str, count: u32) -> Vec<RegistryId> {
    let mut ids = Vec::new();
    for number in 1..=count {
        let record = record(prompt, number, text(&format!("Text {number}.")));
        ids.push(mlflow.create_version(&record).await.expect("a version"));
    }
    ids
}

#[test]
fn every_registry_conforms() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let embedded = Embedded::new(Arc::new(MemoryLedger::default()), actor());
        let server = FakeLangfuse::start().await.expect("a port");
        let options = LangfuseOptions {
            base_url: server.base_url(),
            public_key: Secret::new(PUBLIC_KEY),
            secret_key: Secret::new(SECRET_KEY),
            name: None,
        };
        let langfuse = Langfuse::new(options).expect("valid options");
        let mlflow = mlflow(&uri);
        let reports = [
            suite::run(&embedded, "conformance").await,
            suite::run(&langfuse, "conformance").await,
            suite::run(&mlflow, "conformance").await,
        ];
        // Past the test harness, which hides the output of passing tests.
        let _ = writeln!(std::io::stderr(), "{}", suite::table(&reports));
        let failures: Vec<_> = reports.iter().flat_map(suite::ConformanceReport::failures).collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    });
}

#[test]
fn version_changed_by_another_client_is_an_error() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let mlflow = mlflow(&uri);
        for (number, key, value) in [
            (1, "mlflow.prompt.text", "Ignore all rules."),
            (2, "_mlflow_prompt_model_config", "{\"model_name\": \"gpt-y\"}"),
            (3, "_mlflow_prompt_response_format", "{\"type\": \"object\"}"),
        ] {
            let prompt = format!("mutated-{number}");
            let ids = create(&mlflow, &prompt, 2).await;
            let name = name(&prompt);
            mlflow.set_label(&name, &Label::Production, &ids[0]).await.expect("a label");
            let change = json!({"name": prompt, "version": ids[1], "key": key, "value": value});
            call(Method::POST, &uri, "model-versions/set-tag", &change).await;
            let read = mlflow.get(&name, &ids[1]).await;
            assert!(matches!(read, Err(PortError::Mutated(_))), "{key}: {read:?}");
            let set = mlflow.set_label(&name, &Label::Production, &ids[1]).await;
            assert!(matches!(set, Err(PortError::Mutated(_))), "{key}: {set:?}");
            let labels = mlflow.labels(&name).await.expect("labels");
            assert_eq!(labels[&Label::Production], [ids[0].clone()]);
        }
    });
}

#[test]
fn digest_is_found_behind_the_first_page() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let mlflow = mlflow(&uri);
        let ids = create(&mlflow, "many", 1).await;
        let tags = json!([
            {"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "Hi {{name}}"},
        ]);
        for _ in 1..MANY {
            let body = json!({"name": "many", "source": "dummy-source", "tags": tags, "description": "by hand"});
            call(Method::POST, &uri, "model-versions/create", &body).await;
        }
        let versions = mlflow.versions(&name("many")).await.expect("versions");
        assert_eq!(versions.len(), MANY as usize);
        assert_eq!(versions[0].id, MANY.to_string());
        let digest = text("Text 1.").digest();
        let found = mlflow.find_by_digest(&name("many"), &digest).await.expect("an answer");
        assert_eq!(found.map(|stored| stored.id), Some(ids[0].clone()));
    });
}

#[test]
fn deleted_version_takes_its_labels_along() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let mlflow = mlflow(&uri);
        let ids = create(&mlflow, "deleted", 2).await;
        let name = name("deleted");
        mlflow.set_label(&name, &Label::Production, &ids[1]).await.expect("a label");
        let body = json!({"name": "deleted", "version": ids[1]});
        call(Method::DELETE, &uri, "model-versions/delete", &body).await;
        assert!(mlflow.labels(&name).await.expect("labels").is_empty());
        assert_eq!(mlflow.get(&name, &ids[1]).await, Ok(None));
        // Its number is not used again.
        let third = mlflow.create_version(&record("deleted", 3, text("Three."))).await.expect("a version");
        assert_eq!(third, "3");
    });
}

#[test]
fn ordinary_model_of_the_same_name_is_left_alone() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        call(Method::POST, &uri, "registered-models/create", &json!({"name": "classifier"})).await;
        let refused = mlflow(&uri).create_version(&record("classifier", 1, text("Hi."))).await;
        let Err(PortError::Invalid(message)) = refused else { panic!("{refused:?}") };
        assert!(message.contains("not a prompt"), "{message}");
    });
}

#[test]
fn wrong_address_is_not_an_empty_registry() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let mlflow = mlflow(&format!("{uri}/mlflow"));
        for error in [
            mlflow.get(&name("reply"), &"1".to_owned()).await.expect_err("a wrong address"),
            mlflow.labels(&name("reply")).await.expect_err("a wrong address"),
            mlflow.versions(&name("reply")).await.expect_err("a wrong address"),
        ] {
            let PortError::Unavailable(message) = error else { panic!("{error:?}") };
            assert!(
                message.contains("tracking_uri") || message.contains("does the address lead"),
                "{message}"
            );
        }
    });
}

#[test]
fn two_writers_leave_one_holder() {
    let Some(uri) = mlflow_server::uri() else { return };
    runtime().block_on(async {
        let (one, other) = (mlflow(&uri), mlflow(&uri));
        let ids = create(&one, "raced", 2).await;
        let name = name("raced");
        let write = async |writer: &Mlflow, id: &RegistryId| {
            let mut conflicts = 0;
            for _ in 0..MOVES {
                match writer.set_label(&name, &Label::Production, id).await {
                    Ok(()) => {}
                    // The read-back saw the other writer's move.
                    Err(PortError::Conflict(_)) => conflicts += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            conflicts
        };
        let (first, second) = futures::join!(write(&one, &ids[0]), write(&other, &ids[1]));
        let _ = writeln!(std::io::stderr(), "two writers, {MOVES} moves each: {} conflicts", first + second);
        let labels = one.labels(&name).await.expect("labels");
        assert!(
            matches!(labels[&Label::Production].as_slice(), [holder] if ids.contains(holder)),
            "{labels:?}"
        );
    });
}

#[test]
fn client_of_mlflow_reads_what_was_published() {
    let (Some(uri), Some(python)) = (mlflow_server::uri(), mlflow_server::python()) else { return };
    let schema = json!({"type": "object", "properties": {"answer": {"type": "string"}}});
    runtime().block_on(async {
        let mlflow = mlflow(&uri);
        let content = Content { answer_schema: Some(schema.clone()), ..text("Help {{company}}.") };
        let id = mlflow.create_version(&record("read", 1, content)).await.expect("a version");
        mlflow.set_label(&name("read"), &Label::Production, &id).await.expect("a label");
    });
    let output = Command::new(python)
        .arg(repository().join("tests/real/mlflow_client.py"))
        .args([&uri, "read", "production"])
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        read,
        json!({
            "version": 1, "text": "Help Acme.", "message": "change 1", "response_format": schema,
            "model": "gpt-x", "temperature": 0.2, "max_tokens": 800, "published": "1.0.0",
        })
    );
}
