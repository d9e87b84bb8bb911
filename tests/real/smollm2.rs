//! SmolLM2-135M-Instruct on llama.cpp's server: a real model, as the answerer and as a judge that is too weak.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::llama_server::{LlamaServer, trials};
use crate::prepared::ExpectText as _;
use crate::support::Folder;

/// The most calls of a self-test: six planted answers, each judged three times if its score is unexpected.
const MAX_JUDGE_CALLS: u64 = 6 * 3;

/// Without the cache, and with one call at a time: the server has one slot, and waiting there counts as latency.
const RUN: [&str; 4] = ["run", "--no-cache", "--concurrency", "1"];

/// The five cases of [`Folder::small`] with only checks, at temperature 0. Without llama.cpp's prompt cache every
/// answer is computed in the same way, so that repeats have the same text.
const CHECKS: &str = "\
version: 1
name: smollm2
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: smollm2
parameters: {temperature: 0, max_tokens: 64, cache_prompt: false}
endpoint: {timeout: 60s, attempts: 2, max_wait: 2s}
checks:
  - length: {min_chars: 1, max_words: 64}
  - contains: {all: [plan], ignore_case: true}
";

/// The same cases with a judged metric. On a busy machine a judgement takes up to half a minute.
const JUDGED: &str = "\
version: 1
name: smollm2
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: smollm2
parameters: {temperature: 0, max_tokens: 64}
endpoint: {timeout: 180s, attempts: 2, max_wait: 2s}
judge: {model: smollm2-judge, parameters: {temperature: 0, max_tokens: 400}}
metrics:
  relevance: {min: 0.5}
";

fn suite(configuration: &str) -> Folder {
    let folder = Folder::small(5);
    folder.write("promptgate.yaml", configuration);
    folder
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

#[test]
fn answers_pass_the_checks_and_repeat_at_temperature_0() {
    let Some(server) = LlamaServer::smollm2() else { return };
    let folder = suite(CHECKS);
    folder.against(&server.base_url, &[&RUN[..], &["--repeats", "2"]].concat()).expect_code(0);
    let report = folder.report();
    assert_eq!(
        (&report["verdict"], &report["exit_code"], &report["ended"]["kind"]),
        (&Value::from("pass"), &Value::from(0), &Value::from("completed"))
    );
    assert_eq!(report["usage"]["calls"], 5 * 2 * 2);
    assert_eq!(report["simulated"], false);
    let trials = trials(&report);
    assert_eq!(trials.len(), 5 * 2 * 2);
    for trial in &trials {
        assert_eq!(trial["model"], "smollm2", "{trial}");
        assert_eq!(trial["finish_reason"], "stop", "{trial}");
        assert!(count(&trial["usage"]["prompt_tokens"]) > 20, "{trial}");
        assert!((1..64).contains(&count(&trial["usage"]["completion_tokens"])), "{trial}");
        assert!(trial["latency_ms"].as_f64() > Some(0.0), "{trial}");
        let grades = trial["grades"].as_array().expect("grades");
        assert_eq!(grades.len(), 2, "{trial}");
        assert!(grades.iter().all(|grade| grade["score"] == 1.0), "{trial}");
    }
    for case in report["cases"].as_array().expect("cases") {
        let of = |role: &str| -> Vec<&Value> {
            let trials = case["trials"].as_array().expect("trials");
            trials.iter().filter(|trial| trial["role"] == role).collect()
        };
        let (candidate, baseline) = (of("candidate"), of("baseline"));
        for trials in [&candidate, &baseline] {
            let texts: BTreeSet<_> = trials.iter().map(|trial| trial["output"].as_str()).collect();
            assert_eq!((trials.len(), texts.len()), (2, 1), "{texts:?}");
        }
        // The two prompts have different lengths: each was sent for its own trials.
        let tokens = |trial: &Value| count(&trial["usage"]["prompt_tokens"]);
        assert_ne!(tokens(candidate[0]), tokens(baseline[0]), "{case}");
    }
}

#[test]
#[ignore = "a dozen judgements, up to a few minutes; .ci/slow runs it"]
fn weak_judge_fails_the_self_test_and_judges_nothing() {
    let Some(server) = LlamaServer::smollm2() else { return };
    let folder = suite(JUDGED);
    let outcome = folder.against(&server.base_url, &[&RUN[..], &["--repeats", "1"]].concat()).expect_code(12);
    let report = folder.report();
    assert_eq!(
        (&report["verdict"], &report["ended"]["fault"]["kind"]),
        (&"incomplete".into(), &"unfit_judge".into())
    );
    let planted = report["judge"]["self_test"]["planted"].as_array().expect("planted answers");
    let fooled: Vec<&str> = planted
        .iter()
        .filter(|row| row["expected"] == "low" && row["passed"] == false)
        .filter(|row| {
            row["scores"]
                .as_array()
                .is_some_and(|scores| scores.iter().any(|score| score.as_f64() >= Some(0.7)))
        })
        .map(|row| row["planted"].as_str().expect("a name"))
        .collect();
    assert!(!fooled.is_empty(), "{planted:?}");
    let mut outcome = outcome.expect_text("the judge failed its self-test");
    for name in fooled {
        outcome = outcome.expect_text(&format!("✗ {name}"));
    }
    // All calls are those of the self-test: neither answers nor their judgements follow.
    let calls: u64 = planted.iter().map(|row| count(&row["judging"]["calls"])).sum();
    assert_eq!(count(&report["usage"]["calls"]), calls);
    assert!((6..=MAX_JUDGE_CALLS).contains(&calls), "{calls} calls");
    assert!(count(&report["usage"]["judgements"]["completion_tokens"]) > 0);
    assert_eq!(report["usage"]["completions"]["completion_tokens"], 0);
    assert_eq!(trials(&report), Vec::<&Value>::new());
}
