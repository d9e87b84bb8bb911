//! The own route during a rollout, and the assignments.

use hyper::Method;
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{EventKind, PortError, Releases};
use serde_json::json;

use super::{FaultyLedger, Options, Served, ledger, text};

/// The bucket of ALICE is 638 and that of BOB 9523 with this salt.
pub(super) const SALT: &str = "support/reply:r-20261120-1";
pub(super) const ALICE: &str = "alice@example.com";
pub(super) const BOB: &str = "user-1";

/// A server during the second step, which treats ALICE.
pub(super) async fn during_rollout() -> Served {
    let ledger = ledger();
    ledger.begin_rollout(SALT);
    ledger.step_rollout();
    Served::new(ledger, Options::default()).await
}

fn uri(unit: &str) -> String {
    format!("/v1/prompts/support/reply?unit={}", unit.replace('@', "%40"))
}

#[tokio::test]
async fn treated_unit_gets_the_treatment_with_its_tags() {
    let served = during_rollout().await;
    let treated = served.get(&uri(ALICE)).await;
    let body = treated.json();
    assert_eq!((&body["version"], &body["variant"]), (&json!("2.4.0"), &json!("treatment")));
    assert_eq!(body["digest"], json!(text("Hi {{name}}!").digest()));
    assert_eq!(body["messages"][0]["content"], "Hi {{name}}!");
    assert_eq!(
        body["attributes"],
        json!({
            "gen_ai.prompt.name": "support/reply",
            "gen_ai.prompt.version": "2.4.0",
            "feature_flag.key": "support/reply",
            "feature_flag.result.variant": "treatment",
            "feature_flag.version": "1/2",
            "langfuse.observation.prompt.name": "support/reply",
            "langfuse.observation.prompt.version": 2,
        })
    );
    let tags = ["promptgate-version", "promptgate-variant", "promptgate-rollout"];
    assert_eq!(tags.map(|name| treated.header(name)), ["2.4.0", "treatment", "1/2"]);

    let control = served.get(&uri(BOB)).await;
    assert_eq!(tags.map(|name| control.header(name)), ["2.3.1", "control", "1/2"]);
    assert_eq!(control.json()["attributes"]["feature_flag.version"], "1/2");
    assert_eq!(served.get("/v1/prompts/support/reply").await.json(), control.json(), "no unit is control");
    // A label other than production assigns nothing.
    let canary = served.get("/v1/prompts/support/reply?ref=canary&unit=user-1").await;
    assert_eq!((&canary.json()["version"], &canary.json()["variant"]), (&json!("2.4.0"), &json!(null)));
    assert_eq!(tags.map(|name| canary.header(name)), ["", "", ""]);
}

#[tokio::test]
async fn entity_tag_is_that_of_the_variant_and_the_step() {
    let ledger = ledger();
    ledger.begin_rollout(SALT);
    let served = Served::new(ledger, Options::default()).await;
    let first = served.get(&uri(ALICE)).await;
    assert_eq!(first.header("promptgate-variant"), "control", "500 does not reach the bucket 638");
    let again = async |unit: &str, tag: &str| {
        served.send(Method::GET, &uri(unit), &[("if-none-match", tag)], "").await
    };
    let control = first.header("etag").to_owned();
    let known = again(BOB, &control).await;
    assert_eq!((known.status, known.header("promptgate-variant")), (304, "control"));

    served.ledger.step_rollout();
    served.refresh().await;
    let treated = again(ALICE, &control).await;
    assert_eq!((treated.status, treated.header("promptgate-variant")), (200, "treatment"));
    assert_ne!(treated.header("etag"), control);
    let known = again(ALICE, treated.header("etag")).await;
    assert_eq!((known.status, known.body.len(), known.header("promptgate-rollout")), (304, 0, "1/2"));
    assert_eq!(again(BOB, treated.header("etag")).await.status, 200, "control never matches treatment");

    let paused = EventKind::RolloutPaused { rollout: 1, reason: "A holiday.".to_owned() };
    served.ledger.add("support/reply", paused);
    served.refresh().await;
    assert_eq!(again(ALICE, treated.header("etag")).await.status, 304, "a pause keeps the percentage");

    let outcome = RolloutOutcome::RolledBack;
    served.ledger.add("support/reply", EventKind::RolloutEnded { rollout: 1, outcome, reason: None });
    served.refresh().await;
    let ended = again(ALICE, treated.header("etag")).await;
    assert_eq!(ended.json()["version"], "2.3.1");
    assert_eq!(ended.header("promptgate-rollout"), "");
    assert_eq!(ended.json()["attributes"].get("feature_flag.version"), None);
}

#[tokio::test]
async fn treatment_that_was_changed_is_not_served() {
    let ledger = ledger();
    ledger.begin_rollout(SALT);
    ledger.step_rollout();
    ledger.mutate("support/reply", "2.4.0", |record| record.content.model = "another".to_owned());
    let served = Served::new(ledger, Options::default()).await;
    served.get(&uri(ALICE)).await.expect_error(500, "damaged", "support/reply@2.4.0 is not served");
    assert_eq!(served.get(&uri(BOB)).await.status, 200);
}

#[tokio::test]
async fn assignments_are_served_with_an_entity_tag() {
    let served = during_rollout().await;
    let first = served.get("/v1/releases").await;
    let releases = Releases::parse(std::str::from_utf8(&first.body).expect("UTF-8")).expect("releases");
    let entry = &releases.prompts[&"support/reply".parse().expect("a name")];
    assert_eq!((entry.basis_points, entry.salt.as_str()), (2_500, SALT));
    assert_eq!(releases.prompts.len(), 2);
    let headers = [("if-none-match", first.header("etag"))];
    assert_eq!(served.send(Method::GET, "/v1/releases", &headers, "").await.status, 304);
    served.ledger.set_label("triage", "production", "0.1.0");
    served.refresh().await;
    assert_eq!(served.send(Method::GET, "/v1/releases", &headers, "").await.status, 304, "nothing changed");
    served.ledger.set_label("support/reply", "production", "2.4.1");
    served.refresh().await;
    let second = served.send(Method::GET, "/v1/releases", &headers, "").await.json();
    assert_eq!(second["seq"], releases.seq + 1);
    assert_eq!(second["prompts"]["support/reply"]["control"], "2.4.1");
    let posted = served.send(Method::POST, "/v1/releases", &[], "").await;
    posted.expect_error(405, "method_not_allowed", "only reads");
}

#[tokio::test]
async fn assignments_that_go_back_or_cannot_be_read_are_not_followed() {
    let served = during_rollout().await;
    let first = served.get("/v1/releases").await;
    served.ledger.damage_releases(Some(PortError::Damaged("not releases".to_owned())));
    served.refresh().await;
    assert_eq!(served.get("/v1/releases").await.body, first.body);
    assert_eq!(served.notices(), ["releases.json: not releases"]);
    served.ledger.damage_releases(None);
    served.ledger.remove("support/reply");
    served.refresh().await;
    assert_eq!(served.get("/v1/releases").await.body, first.body);
    let health = served.health().await;
    let reasons = health["problems"].to_string();
    assert!(reasons.contains("the assignments went back to seq 1"), "{reasons}");

    let ledger = std::sync::Arc::new(FaultyLedger::default());
    ledger.damage_releases(Some(PortError::Damaged("releases.json: not releases".to_owned())));
    let served = Served::new(ledger, Options::default()).await;
    served.get("/v1/releases").await.expect_error(500, "damaged", "it could not be read");
}
