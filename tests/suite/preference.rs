//! The judge of pairs, through the executable: `metrics: {preference: …}`.

use serde_json::{Value, json};

use crate::servers::{Server, is_judge, list_of, says};
use crate::support::{Folder, SMALL};

/// A suite that only the judge of pairs and a check decide.
fn comparing(cases: usize, metric: &str) -> Folder {
    let folder = Folder::small(cases);
    let at = SMALL.find("metrics:").expect("metrics");
    folder.write("promptgate.yaml", &format!("{}metrics:\n  preference: {metric}\n", &SMALL[..at]));
    folder
}

/// A prompt whose simulated answers do not answer.
const WORSE: &str = "Say this and nothing else.\n\nOur website has a page about many topics of our shop.\n";

fn metric(report: &Value) -> &Value {
    let metrics = report["metrics"].as_array().expect("metrics");
    metrics.iter().find(|metric| metric["name"] == "preference").expect("the metric")
}

#[test]
fn better_candidate_passes_and_worse_one_fails() {
    let folder = comparing(6, "{}");
    folder.write("baseline.md", WORSE);
    let better = folder.promptgate(&["run", "--offline"]).expect_code(0);
    let _ = better.says("preference.baseline").says("18 won, 0 tied, 0 lost");
    let report = folder.report();
    assert_eq!(metric(&report)["judged"]["pairs"], json!({"wins": 18, "ties": 0, "losses": 0, "flips": 0}));
    assert_eq!(
        (&metric(&report)["candidate"]["mean"], &metric(&report)["baseline"]["mean"]),
        (&json!(1.0), &json!(0.5))
    );
    assert_eq!(report["policy"]["criteria"][1]["requirement"], json!({"kind": "win_rate", "tolerance": 0.0}));

    let folder = comparing(6, "{}");
    folder.write("prompt.md", WORSE);
    let worse = folder.promptgate(&["run", "--offline"]).expect_code(10);
    let _ = worse.says("win rate over the baseline is 0.0").says("below the required 0.5");
    let report = folder.report();
    assert_eq!(report["reasons"][0]["code"], "regression");
    assert_eq!(report["cases"][0]["status"], "regressed");
    // The quote that decided, beside the case.
    let grade = &report["cases"][0]["trials"][0]["grades"][1];
    assert_eq!((&grade["scorer"], &grade["score"]), (&json!("preference"), &json!(0.0)));
    let quote = grade["details"]["orders"][0]["quotes"][0].as_str().expect("a quote");
    for page in ["report.md", "report.html"] {
        let text = folder.read(&format!("promptgate-report/{page}"));
        assert!(text.contains("0 won, 0 tied, 18 lost"), "{page}: {text}");
    }
    let case = folder.promptgate(&["case", "case-1"]);
    assert!(case.text().contains(&quote[..20]), "{quote:?} in {}", case.text());
}

#[test]
fn equal_variants_tie_without_a_call() {
    let folder = comparing(4, "{}");
    folder.write("baseline.md", &folder.read("prompt.md"));
    folder.promptgate(&["run", "--offline"]);
    let report = folder.report();
    let pairs = &metric(&report)["judged"]["pairs"];
    assert_eq!((&pairs["wins"], &pairs["losses"], &pairs["flips"]), (&json!(0), &json!(0), &json!(0)));
    // Prompts that differ, and give the same answers.
    let folder = comparing(4, "{}");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    assert_eq!(metric(&report)["judged"]["pairs"]["ties"], json!(12));
    let grade = &report["cases"][0]["trials"][0]["grades"][1];
    assert_eq!((&grade["score"], &grade["judging"]), (&json!(0.5), &Value::Null));
}

/// A server whose judge prefers the answer that it reads first.
fn biased() -> Server {
    Server::start(|request, call| {
        if !is_judge(request) {
            return (200, says(&format!("Plan 1 gives 11 days, in answer {call}.")));
        }
        let text = request["messages"][1]["content"].as_str().expect("a message");
        let document: Value = serde_json::from_str(text.lines().nth(1).expect("a document")).expect("JSON");
        let entry = json!({"id": 1, "quotes": [document["first"]], "reasoning": "r", "verdict": "first"});
        (200, says(&json!({ list_of(request): [entry] }).to_string()))
    })
}

#[test]
fn judge_that_prefers_the_first_answer_is_unfit() {
    let folder = comparing(4, "{}");
    let server = biased();
    folder.against(&server.base_url, &["run"]).expect_code(12).says("the judge failed its self-test");
    assert_eq!(folder.report()["reasons"][0]["code"], "unfit_judge");
    // Without its self-test it yields ties, and the report shows why.
    let folder = comparing(4, "{}").without_self_test();
    let _ = folder
        .against(&server.base_url, &["run", "--repeats", "3"])
        .says("12 of 12 flipped with the order (100 %)");
    assert_eq!(
        metric(&folder.report())["judged"]["pairs"],
        json!({"wins": 0, "ties": 12, "losses": 0, "flips": 12})
    );
}

#[test]
fn mistakes_of_its_settings_are_named() {
    for (settings, says) in [
        ("{min: 0.5}", "`preference` cannot have a `min`"),
        ("{tolerance: 50%}", "loses every comparison"),
        ("{rubric: [{text: is short, weight: 2}]}", "its items have no weight"),
        ("{scale: {of: x, anchors: {0: a, 5: b}}}", "cannot have a rubric or a scale"),
        ("{}\n  relevance: {tolerance: 1%}", "`tolerance` is a key of `preference`"),
        ("{}\nslices: {vip: {preference: {min: 0.5}}}", "cannot have a minimum in a slice"),
    ] {
        let folder = comparing(2, settings);
        folder.promptgate(&["check"]).expect_code(2).says(says).says("promptgate.yaml:");
    }
    let folder = comparing(2, "{}");
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, planted: planted.jsonl}",
    );
    folder.write("planted.jsonl", "{\"query\": \"q\", \"answer\": \"a\", \"low\": [\"preference\"]}\n");
    folder.promptgate(&["check"]).expect_code(2).says("`preference` compares two answers");
    let folder = comparing(2, "{}");
    folder.write("labels.jsonl", "{\"query\": \"q\", \"response\": \"a\", \"human\": true}\n");
    folder
        .promptgate(&["calibrate", "labels.jsonl", "--offline", "--metric", "preference"])
        .expect_code(2)
        .says("`preference` cannot be calibrated");
}

#[test]
fn criteria_and_tolerance_reach_judge_and_policy() {
    let folder = comparing(4, "{rubric: [is short], tolerance: 10%}");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let first = folder.report();
    assert_eq!(first["policy"]["criteria"][1]["requirement"]["tolerance"], json!(0.1));
    folder.edit("promptgate.yaml", "is short", "is long");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let other = folder.report();
    assert_ne!(first["judge"]["fingerprint"], other["judge"]["fingerprint"]);
}

#[test]
fn without_a_baseline_it_is_left_out_or_a_mistake() {
    let folder = comparing(4, "{}");
    folder
        .promptgate(&["run", "--offline", "--baseline", "none"])
        .expect_code(0)
        .says("`preference` is not judged: there is no baseline to compare with");
    assert_eq!(folder.report()["scorers"], json!(["check.length"]));
    folder.edit("promptgate.yaml", "checks:\n  - length: {min_chars: 1}\n", "");
    folder
        .promptgate(&["run", "--offline", "--baseline", "none"])
        .expect_code(2)
        .says("compares the answers with those of a baseline, and there is none");
}

#[test]
fn saved_baseline_is_compared_and_compare_says_that_it_asks_nobody() {
    let folder = comparing(6, "{}");
    folder.write("baseline.md", WORSE);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    std::fs::rename(folder.path().join("promptgate-report"), folder.path().join("good")).expect("a folder");
    // The saved candidate is the baseline of a worse one.
    folder.write("prompt.md", WORSE);
    let outcome = folder.promptgate(&["run", "--offline", "--baseline", "report:good/report.json"]);
    // Answers of another session never make a run fail by themselves.
    let outcome = outcome.expect_code(11).says("0 won, 0 tied, 18 lost");
    let _ = outcome.says("win rate over the baseline is 0.00").says("a saved report cannot be asked again");
    let compared = folder.promptgate(&["compare", "good/report.json", "promptgate-report/report.json"]);
    let _ = compared.says("`preference` is left out: a judge would have to read the answers of both reports");
}

#[test]
fn plan_counts_two_calls_for_each_pair() {
    let folder = comparing(5, "{}").without_self_test();
    let outcome = folder.promptgate(&["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}", outcome.text()));
    // Three repeats of five cases: 30 answers, 15 pairs in both orders.
    assert_eq!((&plan["lowest"]["answers"], &plan["lowest"]["judgements"]), (&json!(30), &json!(30)));
}

#[test]
fn cached_comparisons_are_not_asked_again() {
    let server = biased();
    let folder = comparing(3, "{}").without_self_test();
    folder.against(&server.base_url, &["run", "--repeats", "2"]);
    let calls = server.calls();
    assert_eq!(calls, 12 + 12, "twelve answers and six pairs in both orders");
    folder.against(&server.base_url, &["run", "--repeats", "2"]);
    assert_eq!(server.calls(), calls);
}

#[test]
fn shards_together_decide_as_one_run() {
    let folder = comparing(6, "{}");
    folder.write("prompt.md", WORSE);
    for shard in ["1/2", "2/2"] {
        let out = format!("shard-{}", &shard[..1]);
        folder
            .promptgate(&["run", "--offline", "--repeats", "3", "--shard", shard, "--out", &out])
            .expect_code(0);
    }
    folder.promptgate(&["merge", "shard-1", "shard-2"]).expect_code(10).says("0 won, 0 tied, 18 lost");
}

#[test]
fn pairs_without_a_readable_answer_are_no_ties() {
    // Neither answer has the field, so nothing is compared.
    let folder = comparing(4, "{}");
    folder.append("promptgate.yaml", "answer_field: answer\n");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(10);
    let _ = outcome.says("Preference could not be decided: no answer was graded");
}

#[test]
fn cases_that_must_pass_need_more_than_a_comparison() {
    let folder = comparing(4, "{}");
    let text = folder.read("promptgate.yaml");
    let at = text.find("checks:").expect("checks");
    let end = text[at..].find("metrics:").map_or(text.len(), |end| at + end);
    folder.write("promptgate.yaml", &format!("{}{}", &text[..at], &text[end..]));
    folder.append(
        "cases.jsonl",
        "{\"id\": \"must\", \"query\": \"Why?\", \"context\": \"So.\", \"must_pass\": true}\n",
    );
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    let _ = outcome.says("case must must pass, but nothing says what passes").says("cases.jsonl:5");
}
