//! The prompts, what changed in them, and the messages that were sent.

use std::fs::File;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{message, read_alone, rendered, style};
use crate::fixtures::{self, Parts};
use crate::{
    Digesting, FileSpool, Format, Report, RequestWriter, TRIALS_FILE, TrialsFile, read, schema, write_trials,
};
use promptgate_core::model::{
    CaseRequests, Message, MessageRole, PromptMessage, RequestLocation, Run, TextLocation, TrialResult,
};
use promptgate_core::port::Spool;

fn sent(role: MessageRole, content: impl Into<String>) -> Arc<Message> {
    Arc::new(Message::new(role, content.into()))
}

/// The messages of both variants for a case: the same question after another system message, or the same of both.
fn requests(case: usize) -> CaseRequests {
    let user = sent(MessageRole::User, format!("question {case}: \"role\":\"user\",\"role\":"));
    let candidate = vec![sent(MessageRole::System, "Be brief."), Arc::clone(&user)];
    let baseline = vec![sent(MessageRole::System, "Be kind."), user];
    CaseRequests { candidate, baseline: if case == 0 { Vec::new() } else { baseline } }
}

fn prompt(content: &str) -> Vec<PromptMessage> {
    let message = |role, content: &str| PromptMessage { role, content: content.to_owned(), omitted: 0 };
    vec![message(MessageRole::System, content), message(MessageRole::User, "{{query}}")]
}

/// A run whose messages are in a spool, and the same in memory.
fn runs(spool: &FileSpool) -> (Run, Run) {
    let mut run = Parts::of(&fixtures::fail()).run;
    run.candidate.messages = prompt("Be brief.");
    run.baseline.as_mut().unwrap().messages = prompt("Be kind.");
    let mut writer = RequestWriter::new(spool);
    writer.share(&sent(MessageRole::System, "Be brief."));
    writer.share(&sent(MessageRole::System, "Be kind."));
    let (mut spilled, mut in_memory) = (run.clone(), run);
    for case in 0..spilled.cases.len() {
        let location = writer.put(&requests(case)).unwrap();
        Arc::make_mut(&mut spilled.cases)[case].requests = location;
        Arc::make_mut(&mut in_memory.cases)[case].requests =
            RequestLocation::InMemory(Arc::new(requests(case)));
    }
    let messages = writer.finish();
    (spilled.messages, in_memory.messages) = (Arc::clone(&messages), messages);
    for trial in &mut spilled.trials {
        let id = spilled.cases[trial.case].id.clone();
        if let TrialResult::Completed(answered) = &mut trial.result {
            let place = spool.put(&id, trial.role, trial.repeat, answered.in_memory().unwrap()).unwrap();
            answered.text = TextLocation::Spilled(place);
        }
    }
    (spilled, in_memory)
}

fn report(run: &Run, spool: Option<&Arc<FileSpool>>) -> Report {
    let parts = Parts::of(&fixtures::fail());
    Report::undecided(run, parts.policy.clone(), spool).decided(&parts.decision, parts.exit_code)
}

fn fixture() -> (tempfile::TempDir, Report, Report) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(FileSpool::new(folder.path()).unwrap());
    let (spilled, in_memory) = runs(&spool);
    let spilled = report(&spilled, Some(&spool));
    (folder, spilled, report(&in_memory, None))
}

#[test]
fn messages_are_written_once_and_read_back() {
    let (_folder, spilled, in_memory) = fixture();
    let text = rendered(&spilled, Format::Json, style());
    assert_eq!(text, rendered(&in_memory, Format::Json, style()));
    let value: Value = serde_json::from_str(&text).unwrap();
    let errors = jsonschema::validator_for(&schema()).unwrap().validate(&value).map_err(|it| it.to_string());
    assert_eq!(errors, Ok(()));
    // Two system messages and a question for each case.
    let messages = value["messages"].as_object().unwrap();
    assert_eq!(messages.len(), 2 + spilled.cases.len());
    let requests = &value["cases"][1]["requests"];
    let content = |digest: &Value| messages[digest.as_str().unwrap()]["content"].clone();
    assert_eq!(content(&requests["candidate"][0]), "Be brief.");
    assert_eq!(content(&requests["baseline"][0]), "Be kind.");
    assert_eq!(requests["candidate"][1], requests["baseline"][1]);
    assert!(value["cases"][0]["requests"].get("baseline").is_none());
    let read = read_alone("report.json", &text).unwrap();
    assert_eq!(read, in_memory);
    assert_eq!(read.to_run().unwrap(), in_memory.to_run().unwrap());
    assert_eq!(rendered(&read, Format::Json, style()), text);
}

#[test]
fn messages_of_a_large_run_are_beside_its_report() {
    for (kept, in_report) in [(0, 2), (6, 3)] {
        let (folder, mut spilled, in_memory) = fixture();
        let mut out = Digesting::new(File::create(folder.path().join(TRIALS_FILE)).unwrap());
        let lines = write_trials(&spilled, &mut out).unwrap();
        let file = TrialsFile { name: TRIALS_FILE.to_owned(), digest: out.digest(), lines };
        spilled.leave_trials_to(file, kept);
        let text = rendered(&spilled, Format::Json, style());
        let value: Value = serde_json::from_str(&text).unwrap();
        // The shared messages, and those of the cases whose trials are there.
        assert_eq!(value["messages"].as_object().unwrap().len(), in_report, "{kept}");
        assert_eq!(text.matches("\"requests\"").count(), in_report - 2);
        let trials = std::fs::read_to_string(folder.path().join(TRIALS_FILE)).unwrap();
        assert!(!trials.contains("Be brief.") && trials.matches("question 3").count() == 1);
        let open = |name: &str| File::open(folder.path().join(name));
        let read = read("out/report.json", &text, open).unwrap();
        assert_eq!(read, spilled);
        for (read, whole) in read.cases.iter().zip(&in_memory.cases) {
            assert_eq!(read.requests, whole.requests, "{}", whole.id);
            assert!(read.requests.read().unwrap().is_some());
        }
        assert_eq!(rendered(&read, Format::Json, style()), text);
    }
}

#[test]
fn changes_of_the_prompt_are_in_words() {
    let (_folder, report, _) = fixture();
    let changes = &serde_json::to_value(&report).unwrap()["changes"];
    assert_eq!(changes["equal"], false);
    assert_eq!(
        changes["messages"],
        json!([{"role": "system", "number": 1, "change": "changed", "segments": [
            {"op": "equal", "text": "Be "}, {"op": "removed", "text": "kind"}, {"op": "added", "text": "brief"},
            {"op": "equal", "text": "."}]}])
    );
}

#[test]
fn reports_of_earlier_versions_are_read() {
    let mut value = serde_json::to_value(fixtures::fail()).unwrap();
    without(&mut value, &["messages", "changes", "requests", "call"]);
    let read = read_alone("report.json", &value.to_string()).unwrap();
    assert!(read.cases.iter().all(|case| case.requests.is_unknown()));
    // Models, parameters and sources are compared all the same.
    let changes = read.changes.clone().unwrap();
    assert!(!changes.equal && changes.messages.is_empty());
    assert_eq!(changes.source, fixtures::fail().changes.unwrap().source);
    for format in Format::ALL {
        assert!(!rendered(&read, format, style()).is_empty(), "{format}");
    }
}

/// Removes fields wherever they occur.
fn without(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|value| without(value, names));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| without(value, names)),
        _ => {}
    }
}

#[test]
fn request_with_an_unknown_message_is_refused() {
    let (_folder, report, _) = fixture();
    let mut value = serde_json::to_value(report).unwrap();
    value["cases"][2]["requests"]["candidate"][1] = json!("sha256:none");
    let error = message(read_alone("report.json", &value.to_string()).unwrap_err());
    assert!(error.contains("refund-003") && error.contains("sha256:none"), "{error}");
    assert!(error.contains("help:"), "{error}");
}
