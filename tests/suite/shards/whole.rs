//! The merged report is the report of the whole run.

use serde_json::Value;

use super::{json, path, run_shards};
use crate::support::Folder;

const SUITE: &str = r#"version: 1
name: rich
dataset: cases.jsonl
prompt: new.md
baseline: file:old.md
model: tiny
judge: {model: tiny-judge}
checks:
  - length: {min_chars: 1}
  - {contains: "days", name: names-days, min: 0.4, baseline: true}
metrics:
  faithfulness: {min: 0.6}
  relevance: {min: 0.3}
limits: {output_tokens_mean: {max_increase: 300%}, cost_per_case_usd: 0.01}
slices: {refunds: {faithfulness: {min: 0.5}}, gifts: {relevance: {min: 0.2}}}
prices: {tiny: {input_per_million: 0.15, output_per_million: 0.6}, tiny-judge: {input_per_million: 2.5, output_per_million: 10}}
gate: {repeats: 2, max_repeats: 8, max_broken_cases: 2}
"#;

/// A suite with groups, tags, slices, checks of single cases, must-pass cases and cases whose request is the same for
/// both variants.
pub(super) fn rich() -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", SUITE);
    folder.write("new.md", "{{lead_new}} Use the passages alone.\n\n{{context}}\n");
    folder.write("old.md", "{{lead_old}} Use the passages alone.\n\n{{context}}\n");
    let topics = ["refunds", "gifts", "delivery"];
    let rows: String = (1..=23)
        .map(|number| {
            let topic = topics[number % 3];
            let (new, old) = ("Answer the question in one sentence.", "You answer questions. Be brief.");
            let mut case = serde_json::json!({
                "id": format!("{topic}-{number}"),
                "query": format!("How many days does plan {number} give for {topic}?"),
                "context": [
                    format!("Plan {number} gives {} days for {topic} at the full price.", number + 10),
                    format!("Support is open on {} days a week.", number % 7),
                ],
                "tags": if number % 4 == 0 { vec![topic, "often"] } else { vec![topic] },
                "group": format!("plan-{}", number / 2),
                "must_pass": number % 11 == 1,
                "lead_new": new,
                "lead_old": if number % 5 == 0 { new } else { old },
            });
            if number % 6 == 0 {
                let own = serde_json::json!([{"contains": (number + 10).to_string(), "name": format!("number-{}", number % 4)}]);
                case["checks"] = own;
            }
            case.to_string() + "\n"
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    folder
}

/// The report without fields that differ between runs: times and the metric `latency`.
fn lasting(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for volatile in ["started_at", "duration_ms", "latency_ms"] {
                    fields.remove(volatile);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report["metrics"].as_array_mut().expect("metrics").retain(|metric| metric["name"] != "latency");
    report
}

/// Removes the sums of money, whose last digits depend on the order of addition.
fn costs(report: &mut Value) -> Vec<f64> {
    let mut found = Vec::new();
    for pointer in ["/usage", "/usage/completions", "/usage/judgements", "/to_settle"] {
        if let Some(of) = report.pointer_mut(pointer).filter(|of| !of.is_null()) {
            found.push(of["cost_usd"].take().as_f64().expect("a cost"));
        }
    }
    found
}

#[track_caller]
pub(super) fn same(merged: Value, whole: Value) {
    let (mut merged, mut whole) = (lasting(merged), lasting(whole));
    for (one, other) in costs(&mut merged).into_iter().zip(costs(&mut whole)) {
        assert!((one - other).abs() < 1e-9, "{one} {other}");
    }
    for (key, value) in whole.as_object().expect("a report") {
        assert_eq!(&merged[key], value, "{key}");
    }
    assert_eq!(merged, whole);
}

/// Runs the whole and the shards with the same flags, merges, and compares report and exit code.
#[track_caller]
fn merged_equals_whole(folder: &Folder, of: u32, repeats: &str, flags: &[&str]) -> Value {
    let _ = std::fs::remove_dir_all(folder.path().join("shards"));
    let flags = [&["--repeats", repeats], flags].concat();
    let whole = folder.promptgate(&[&["run", "--offline", "--quiet", "--out", "whole"], &flags[..]].concat());
    run_shards(folder, of, &flags);
    let merged = folder.promptgate(&["merge", "shards", "--out", "merged"]);
    assert_eq!(merged.code, whole.code, "{}", merged.text());
    let report = json(folder, "merged/report.json");
    same(report.clone(), json(folder, "whole/report.json"));
    report
}

#[test]
fn merge_equals_a_run_of_a_full_suite() {
    let folder = rich();
    folder.edit("promptgate.yaml", "{model: tiny-judge}", "{model: tiny-judge, self_test: false}");
    for of in [1, 3, 8] {
        let report = merged_equals_whole(&folder, of, "3", &[]);
        // It is all there: each of these would go wrong in a way of its own.
        let cases = report["cases"].as_array().expect("cases");
        assert_eq!(cases.len(), 23);
        assert!(
            cases.iter().any(|case| case["shared"] == true)
                && cases.iter().any(|case| case["must_pass"] == true)
        );
        let ids: Vec<&str> = report["criteria"]
            .as_array()
            .expect("criteria")
            .iter()
            .filter_map(|it| it["id"].as_str())
            .collect();
        for id in [
            "slice.refunds.faithfulness.min",
            "check.number-2",
            "case.gifts-1",
            "limit.output_tokens_mean",
            "broken_cases",
        ] {
            assert!(ids.contains(&id), "{id}: {ids:?}");
        }
        assert_eq!(report["looks"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn merge_equals_a_run_with_a_self_test() {
    let folder = rich();
    folder.promptgate(&["run", "--offline", "--quiet", "--out", "whole", "--repeats", "2"]);
    run_shards(&folder, 3, &["--repeats", "2"]);
    folder.promptgate(&["merge", "shards", "--out", "merged"]);
    let (mut merged, mut whole) =
        (lasting(json(&folder, "merged/report.json")), lasting(json(&folder, "whole/report.json")));
    let calls = |report: &Value| report["usage"]["calls"].as_u64().expect("calls");
    let test = whole["judge"]["self_test"]["planted"].as_array().expect("planted").len() as u64;
    assert_eq!(calls(&merged), calls(&whole) + 2 * test);
    assert_eq!(
        merged["usage"]["completions"]["prompt_tokens"],
        whole["usage"]["completions"]["prompt_tokens"]
    );
    for of in ["usage", "to_settle"] {
        merged[of].take();
        whole[of].take();
    }
    assert_eq!(merged, whole);
}

#[test]
fn merge_equals_a_run_against_a_saved_baseline() {
    let folder = rich();
    folder.edit("promptgate.yaml", "{model: tiny-judge}", "{model: tiny-judge, self_test: false}");
    // Asked for less than the candidate, and for more.
    for repeats in ["1", "3"] {
        let old = ["run", "--offline", "--baseline", "none", "--candidate", "old.md", "--out", "old"];
        folder.promptgate(&[&old[..], &["--repeats", repeats]].concat());
        for of in [3, 8] {
            let report = merged_equals_whole(&folder, of, "2", &["--baseline", "report:old/report.json"]);
            assert_eq!(report["baseline_reused"], true);
            assert_eq!(report["baseline_repeats"], repeats.parse::<u32>().expect("a number").min(2));
        }
    }
}

#[test]
fn merge_equals_a_run_of_a_regression() {
    let folder = Folder::golden();
    folder.edit("promptgate.yaml", "{model: gpt-4o}", "{model: gpt-4o, self_test: false}");
    folder.edit("promptgate.yaml", "latency_p95: 10s, ", "");
    let worse = ["--candidate", "file:prompts/quiet-regression.md"];
    let report = merged_equals_whole(&folder, 4, "3", &worse);
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"fail".into(), &10.into()));
    // First selected, then shared out.
    let report = merged_equals_whole(&folder, 3, "2", &["--tag", "refunds", "--baseline", "none"]);
    assert!(report["cases"].as_array().is_some_and(|cases| cases.len() < 20));
    merged_equals_whole(&folder, 2, "1", &["--filter", "refund-*", "--no-judge"]);
}

#[test]
fn merge_equals_an_undecided_run() {
    let folder = rich();
    folder.edit("promptgate.yaml", "{model: tiny-judge}", "{model: tiny-judge, self_test: false}");
    folder.edit(
        "promptgate.yaml",
        "gate: {",
        "gate: {scope: population, confidence: 0.999999, inconclusive: pass, ",
    );
    let report = merged_equals_whole(&folder, 3, "2", &[]);
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"inconclusive".into(), &0.into()));
    folder.promptgate(&["merge", "shards", "--inconclusive", "fail"]).expect_code(11);
    folder.promptgate(&["merge", "shards", "--inconclusive", "fail", "--advisory"]).expect_code(0);
}

#[test]
fn merged_report_is_read_like_any_other() {
    let folder = rich();
    run_shards(&folder, 2, &[]);
    folder.promptgate(&["merge", &path(1, 2), "shards", "--format", "json"]).says("promptgate.report/v1");
    folder.promptgate(&["report", "promptgate-report/report.json"]).expect_code(0).says("rich");
    folder.promptgate(&["compare", "promptgate-report/report.json", "promptgate-report/report.json"]);
    assert!(folder.read("promptgate-report/report.md").contains("rich"));
    for command in [
        &["report", "shards/1/shard-1-of-2.json"][..],
        &["compare", "promptgate-report/report.json", "shards/1/shard-1-of-2.json"],
        &["run", "--offline", "--baseline", "report:shards/1/shard-1-of-2.json"],
        &["plan", "--after", "shards/1/shard-1-of-2.json"],
    ] {
        folder.promptgate(command).expect_code(2).says("one shard of a run").says("promptgate merge");
    }
}
