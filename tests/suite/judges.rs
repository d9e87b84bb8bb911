//! Judges as instruments: self-tests, panels, own endpoints, and refusal of another judge.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::servers::{Server, is_judge, list_of, says, verdicts};
use crate::support::{Folder, MockServer};

/// A server with right answers and a judge that approves of anything, with a real quote where required.
fn flattering() -> Server {
    Server::start(|request, _| {
        if !is_judge(request) {
            return (200, says("Plan 1 gives 11 days for a refund of the full price."));
        }
        let list = list_of(request);
        let schema = &request["response_format"]["json_schema"]["schema"]["properties"][&list];
        let count = schema["minItems"].as_u64().expect("a count");
        let verdict = if list == "statements" { "supported" } else { "yes" };
        let entry = |id| match list.as_str() {
            "statements" => {
                json!({"id": id, "quotes": ["a refund of the full price"], "reasoning": "r", "verdict": verdict})
            }
            _ => json!({"id": id, "reasoning": "r", "verdict": verdict}),
        };
        (200, says(&json!({ list.as_str(): (1..=count).map(entry).collect::<Vec<_>>() }).to_string()))
    })
}

#[test]
fn judge_that_fails_its_self_test_judges_no_case() {
    let server = flattering();
    let folder = Folder::small(4);
    let outcome = folder.against(&server.base_url, &["run"]).expect_code(12);
    let page =
        outcome.says("the judge failed its self-test: ").says("planted answer").says("✗ a lone colon").text();
    assert!(page.contains("✓ a faithful paraphrase") || page.contains("✗ a faithful paraphrase"), "{page}");
    let report = folder.report();
    assert_eq!(report["reasons"][0]["code"], "unfit_judge");
    assert_eq!(report["judge"]["self_test"]["passed"], false);
    let planted = report["judge"]["self_test"]["planted"].as_array().expect("rows");
    assert_eq!(planted.len(), 7 + 6);
    let cases = report["cases"].as_array().expect("cases");
    assert!(cases.iter().all(|case| case["trials"] == json!([])), "{}", report["cases"]);
    // Every call was one of the self-test, and each is accounted for.
    let calls: u64 = planted.iter().map(|row| row["judging"]["calls"].as_u64().expect("calls")).sum();
    assert_eq!((server.calls() as u64, report["usage"]["calls"].as_u64()), (calls, Some(calls)));
    assert_eq!(report["usage"]["judgements"]["prompt_tokens"], 9 * calls);
    assert!(folder.read("promptgate-report/report.md").contains("| ❌ wrong | a lone colon |"));
}

#[test]
fn report_names_a_skipped_self_test() {
    let server = flattering();
    let folder = Folder::small(4).without_self_test();
    let outcome = folder.against(&server.base_url, &["run", "--repeats", "2"]);
    let page = outcome.says("judge.self_test is off").says("no self-test").text();
    assert!(!page.contains("planted"), "{page}");
    assert_eq!(folder.report()["judge"]["self_test"], Value::Null);
}

#[test]
fn self_test_runs_once_and_is_reported() {
    let folder = Folder::small(4);
    let server = MockServer::start(&[]);
    folder.against(&server.base_url, &["run"]).expect_code(0).says("self-test 13 of 13 as expected");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("self-test 13 of 13 as expected");
}

#[test]
fn configured_planted_answers_reach_their_metrics() {
    let folder = Folder::small(3);
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, planted: planted.jsonl}",
    );
    let row = |answer: &str, key: &str| {
        json!({"id": answer, "query": "How many days does plan 1 give?", "answer": answer,
            "context": "Plan 1 gives 11 days for a refund.", key: ["faithfulness"]})
        .to_string()
            + "\n"
    };
    let right =
        row("Plan 1 gives 11 days for a refund.", "high") + &row("Plan 1 gives 30 days for a refund.", "low");
    folder.write("planted.jsonl", &right);
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("self-test 15 of 15 as expected");
    // A judge that disagrees with its owner's planted answers is rejected.
    folder.write("planted.jsonl", &row("Plan 1 gives 30 days for a refund.", "high"));
    folder.promptgate(&["run", "--offline"]).expect_code(12).says("✗ Plan 1 gives 30 days");
    for (row, says) in [
        (json!({"query": "q", "context": "c", "answer": "a"}), "has neither `low` nor `high`"),
        (
            json!({"query": "q", "context": "c", "answer": "a", "hihg": ["relevance"]}),
            "unknown column `hihg`",
        ),
        (
            json!({"query": "q", "context": "c", "answer": "a", "low": ["relevance", 5]}),
            "`low` must list metrics",
        ),
        (
            json!({"query": "q", "context": "c", "answer": "a ".repeat(60_000), "low": ["relevance"]}),
            "has 120000 bytes",
        ),
        (json!({"query": "q", "context": "c", "low": ["relevance"]}), "`answer` must be a text"),
        (
            json!({"query": "q", "context": "c", "answer": "a", "low": ["tone"]}),
            "`tone` is not a judged metric",
        ),
        (json!({"query": "q", "answer": "a", "low": ["faithfulness"]}), "`faithfulness` needs `context`"),
        (
            json!({"query": "q", "context": "c", "answer": "a", "low": ["relevance"], "high": "relevance"}),
            "is in `low` and in `high`",
        ),
    ] {
        folder.write("planted.jsonl", &(row.to_string() + "\n"));
        folder.promptgate(&["check"]).expect_code(2).says(says).says("planted.jsonl:1");
    }
    let many: String =
        (0..201).map(|day| row(&format!("Plan 1 gives {day} days for a refund."), "low")).collect();
    folder.write("planted.jsonl", &many);
    folder.promptgate(&["check"]).expect_code(2).says("201 planted answers are too many");
    folder.write("planted.jsonl", "");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("no rows");
}

#[test]
fn panel_of_endpoints_reports_mean_and_alpha() {
    let (candidate, strict) = (MockServer::start(&[]), Server::start(|request, _| (200, verdicts(request))));
    let folder = Folder::small(6);
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        &format!(
            "judge:\n  model: mild\n  self_test: false\n  votes: 2\n  panel:\n    - {{model: strict, endpoint: \
             {{base_url: \"{}\", api_key_env: OTHER_KEY}}}}",
            strict.base_url
        ),
    );
    let mut command = folder.command(&["run", "--repeats", "2"]);
    command.env("OPENAI_BASE_URL", &candidate.base_url).env("OPENAI_API_KEY", "k").env("OTHER_KEY", "o");
    crate::support::finish(command);
    let report = folder.report();
    let judge = &report["judge"];
    assert_eq!((&judge["model"], &judge["votes"]), (&json!("mild + strict"), &json!(2)));
    assert_eq!(judge["panel"], json!(["mild", "strict"]));
    let grade = &report["cases"][0]["trials"][0]["grades"][1];
    assert_eq!(grade["scorer"], "faithfulness");
    // The simulated judge finds the sentence in the context, the strict one finds nothing.
    assert_eq!(grade["score"], 0.5);
    assert_eq!(grade["reason"], "mean of 4 judgements: mild 1.00, strict 0.00");
    assert_eq!(grade["opinions"][1]["judge"], "strict");
    assert_eq!(grade["judging"]["calls"], 4);
    let metrics = report["metrics"].as_array().expect("metrics");
    let faithfulness = metrics.iter().find(|metric| metric["name"] == "faithfulness").expect("the metric");
    // One always passes what the other always fails: worse than chance.
    let alpha = faithfulness["judged"]["panel_alpha"].as_f64();
    assert!(alpha.is_some_and(|alpha| alpha < 0.0), "{alpha:?}");
    assert!(strict.calls() > 0);
}

#[test]
fn other_judge_is_refused_with_the_difference() {
    let folder = Folder::small(3);
    folder.promptgate(&["run", "--offline", "--out", "old"]).expect_code(0);
    folder.edit("promptgate.yaml", "judge: {model: tiny-judge}", "judge: {model: tiny-judge, votes: 2}");
    folder
        .promptgate(&["run", "--offline", "--baseline", "report:old/report.json"])
        .expect_code(2)
        .says("the judge differs in votes: ");
    folder.promptgate(&["run", "--offline", "--out", "new"]);
    folder
        .promptgate(&["compare", "old/report.json", "new/report.json"])
        .expect_code(2)
        .says("differs in votes");
    folder.edit("promptgate.yaml", "tiny-judge, votes: 2}", "other-judge, parameters: {top_p: 1}}");
    folder
        .promptgate(&["run", "--offline", "--baseline", "report:old/report.json"])
        .expect_code(2)
        .says("the judge differs in models, parameters: ");
}

#[test]
fn judge_that_changes_within_a_run_warns() {
    let seen = Mutex::new(0);
    let server = Server::start(move |request, _| {
        if !is_judge(request) {
            return (200, says("Plan 1 gives 11 days."));
        }
        let mut seen = seen.lock().expect("a count");
        *seen += 1;
        let mut reply = verdicts(request);
        reply["model"] = json!(if *seen <= 5 { "judge-2026-01" } else { "judge-2026-02" });
        (200, reply)
    });
    let folder = Folder::small(6).without_self_test();
    folder.against(&server.base_url, &["run", "--repeats", "1"]);
    let report = folder.report();
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains(
            "tiny-judge answered as the models judge-2026-01, judge-2026-02: it changed within the run"
        ),
        "{warnings}"
    );
    assert_eq!(report["judge"]["answered"]["models"], json!(["judge-2026-01", "judge-2026-02"]));
}

#[test]
fn scale_is_rated_and_a_refused_parameter_reported() {
    let server = Server::start(|request, _| {
        if !is_judge(request) {
            return (200, says("Gladly: plan 1 gives 11 days."));
        }
        if request.get("temperature").is_some() {
            let message = "Unsupported value: 'temperature' does not support 0 with this model.";
            return (400, json!({"error": {"message": message}}));
        }
        match list_of(request).as_str() {
            "ratings" => (200, says(r#"{"ratings":[{"id":1,"reasoning":"r","verdict":"4"}]}"#)),
            _ => (200, verdicts(request)),
        }
    });
    let folder = Folder::small(2);
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, self_test: false, parameters: {temperature: 0}}",
    );
    folder.edit(
        "promptgate.yaml",
        "  relevance: {min: 0.5}",
        "  warmth: {min: 0.7, scale: {of: how warm the answer is, anchors: {0: cold, 5: warm}}}",
    );
    let outcome = folder.against(&server.base_url, &["run", "--repeats", "1"]);
    outcome.says("without temperature (refused)");
    let report = folder.report();
    assert_eq!(report["cases"][0]["trials"][0]["grades"][2]["score"], 0.8);
    assert_eq!(report["judge"]["answered"]["refused_parameters"], json!(["temperature"]));
    assert_eq!(report["judge"]["answered"]["output_modes"], json!(["json_schema"]));
}

#[test]
fn default_key_goes_to_another_server_of_this_machine_unless_null() {
    let key = "sk-one-host-only";
    let (candidate, judge) = (MockServer::start(&[]), MockServer::start(&["--require-key", key]));
    let folder = Folder::small(6);
    let run = |endpoint: &str| {
        let text = folder.read("promptgate.yaml");
        let line = text.lines().find(|line| line.starts_with("judge:")).expect("the judge").to_owned();
        let judge = format!("judge: {{model: j, endpoint: {{base_url: \"{}\"{endpoint}}}}}", judge.base_url);
        folder.edit("promptgate.yaml", &line, &judge);
        let mut command = folder.command(&["run", "--repeats", "2"]);
        command.env("OPENAI_BASE_URL", &candidate.base_url).env("OPENAI_API_KEY", key);
        crate::support::finish(command)
    };
    run(", api_key_env: null").expect_code(12).says("(in the self-test of the judge)");
    run("").expect_code(11).says("self-test 13 of 13 as expected");
    run(", api_key_env: OPENAI_API_KEY").expect_code(11).says("self-test 13 of 13 as expected");
}
