//! The assignments of a rollout in a registry.

use promptgate_adapters::ledger::Folder;
use promptgate_release::ports::{Addition, LedgerStore as _};
use promptgate_release::rollout::RolloutOutcome;
use promptgate_release::{
    Actor, ActorSource, Event, EventKind, Label, MoveCause, RELEASES_PROMPT, Releases, State,
};
use promptgate_testing::rollout_start;

use super::support::{ALONE, Langfuse, NAME, Suite};

/// Appends events to the ledger of a suite, as a command of a rollout does.
fn append(suite: &Suite, kinds: Vec<EventKind>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ledger = Folder::new(suite.folder.path().join("ledger"));
    let name = NAME.parse().expect("a name");
    let actor = Actor { login: "alice".to_owned(), source: ActorSource::Local, run: None };
    let event = |kind| Event { at: jiff::Timestamp::now(), actor: actor.clone(), kind };
    let addition = Addition { records: Vec::new(), events: kinds.into_iter().map(event).collect() };
    runtime.block_on(async {
        let history = ledger.history(&name).await.expect("a history");
        State::fold(&history.events).expect("a state");
        ledger.append(&name, &addition, history.tip.as_ref()).await.expect("an append");
    });
}

fn begin_rollout(suite: &Suite) {
    let (control, treatment) = ("1.1.0".parse().expect("a version"), "1.0.0".parse().expect("a version"));
    let canary = EventKind::Moved {
        label: Label::Canary,
        from: None,
        version: treatment,
        cause: MoveCause::Rollout,
        reason: None,
    };
    let start = Box::new(rollout_start(1, control, treatment, "salt", &[500]));
    append(suite, vec![canary, EventKind::RolloutStarted { start }]);
}

/// The assignments at the label production, as an application reads them.
fn published(langfuse: &Langfuse) -> Option<Releases> {
    langfuse.server.edit(|prompts| {
        let holders = prompts.holders(RELEASES_PROMPT, "production");
        let stored = prompts.version_mut(RELEASES_PROMPT, *holders.first()?)?;
        Some(Releases::parse(stored.prompt.as_str()?).expect("releases"))
    })
}

fn stored(suite: &Suite) -> Releases {
    Releases::parse(&suite.folder.read("ledger/releases.json")).expect("releases")
}

#[test]
fn assignments_of_a_rollout_are_published_in_the_registry() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    assert_eq!(published(&langfuse), None, "no rollout, nothing to read");
    begin_rollout(&suite);
    suite
        .run(&["reconcile", "--check"])
        .expect_code(10)
        .says("the registry has no assignments, expected seq 3")
        .says("repair: publish them as promptgate/releases");
    suite.run(&["reconcile"]).expect_code(0).says("done: publish them as promptgate/releases");
    assert_eq!(published(&langfuse), Some(stored(&suite)));
    suite.run(&["reconcile", "--check"]).expect_code(0);
    let before = langfuse.saved();

    let outcome = RolloutOutcome::Aborted;
    append(&suite, vec![EventKind::RolloutEnded { rollout: 1, outcome, reason: None }]);
    suite
        .rollback(&["--to", "1.0.0"])
        .expect_code(0)
        .says("the assignments were published as promptgate/releases, seq 5");
    let after = published(&langfuse).expect("releases");
    assert_eq!(after, stored(&suite));
    assert_eq!(after.prompts[&NAME.parse().expect("a name")].control.to_string(), "1.0.0");

    // Of the prompt itself, only its own versions and labels are there.
    assert_eq!(langfuse.count(), 2);
    assert_eq!(langfuse.holders("production"), [1]);

    // Somebody restores the registry from a backup.
    langfuse.server.edit(|prompts| {
        let versions = before.versions[RELEASES_PROMPT].clone();
        prompts.versions.insert(RELEASES_PROMPT.to_owned(), versions)
    });
    suite.run(&["reconcile"]).expect_code(0).says("assignments with seq 3, expected seq 5");
    assert_eq!(published(&langfuse), Some(after));
}

#[test]
fn registry_that_fails_is_said_after_the_label_has_moved() {
    let langfuse = Langfuse::start();
    let suite = Suite::on_langfuse(&langfuse, ALONE).with_two();
    begin_rollout(&suite);
    suite.run(&["reconcile"]).expect_code(0);
    // Another ledger publishes to the same project.
    langfuse.server.edit(|prompts| {
        let stored = prompts.version_mut(RELEASES_PROMPT, 1).expect("a version");
        let text = stored.prompt.as_str().expect("a text").replace("\"seq\": 3", "\"seq\": 30");
        stored.prompt = text.into();
        stored.config = serde_json::json!({});
    });
    let outcome = RolloutOutcome::Aborted;
    append(&suite, vec![EventKind::RolloutEnded { rollout: 1, outcome, reason: None }]);
    suite.run(&["reconcile", "--check"]).expect_code(10).says("has seq 30, above 4 of the ledger");
    suite
        .rollback(&["--to", "1.0.0"])
        .expect_code(0)
        .says("the assignments were not published as promptgate/releases")
        .says("has seq 30, above 5 of the ledger");
    assert_eq!(langfuse.holders("production"), [1]);
}

#[test]
fn name_of_the_assignments_is_reserved() {
    let suite = Suite::new(ALONE);
    suite.folder.edit("promptgate.yaml", NAME, RELEASES_PROMPT);
    suite.edit(super::support::FIRST, "first");
    suite.evaluate();
    let outcome = suite.publish();
    assert_ne!(outcome.code, 0);
    outcome.says("the name `promptgate/releases` is that of the assignments");
}
