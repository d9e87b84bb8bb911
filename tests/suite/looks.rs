//! Looks at growing evidence, through the executable against a noisy endpoint.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Folder, MockServer};

const SUITE: &str = r#"version: 1
name: noisy
dataset: cases.jsonl
prompt: reworded.md
baseline: file:support.md
answer_field: answer
user: "{{query}}"
model: m
judge: {model: j, self_test: false}
metrics:
  faithfulness: {min: 0.5}
  relevance: {min: 0.5}
"#;

/// The first cases of the golden suite with nothing but judges; `reworded.md` differs from the baseline by one
/// word that the simulated model ignores.
fn noisy_suite(cases: usize) -> Folder {
    let folder = Folder::golden();
    folder.write("promptgate.yaml", SUITE);
    let plain = |line: &str| {
        let mut case: Value = serde_json::from_str(line).expect("a case");
        let fields = case.as_object_mut().expect("an object");
        fields.remove("checks");
        fields.remove("must_pass");
        case.to_string() + "\n"
    };
    let rows: String = folder.read("cases.jsonl").lines().take(cases).map(plain).collect();
    folder.write("cases.jsonl", &rows);
    let support = folder.read("prompts/support.md");
    folder.write("support.md", &support);
    folder.write("reworded.md", &support.replace("You are the support", "You are a support"));
    folder
}

/// The same suite under a policy that a noisy look rarely settles.
fn open_suite(cases: usize) -> Folder {
    let folder = noisy_suite(cases);
    folder.append("promptgate.yaml", "gate: {confidence: 0.9999, resolution: 0}\n");
    folder
}

fn server(seed: u32, noise: &str) -> MockServer {
    MockServer::start(&["--seed", &seed.to_string(), "--noise", noise])
}

/// The repeats of every look with its verdict.
fn looks(report: &Value) -> Vec<(u64, &str)> {
    let looks = report["looks"].as_array().expect("looks");
    let look = |look: &'_ Value| look["repeats"].as_u64().expect("repeats");
    looks.iter().map(|at| (look(at), at["verdict"].as_str().expect("a verdict"))).collect()
}

#[test]
fn unchanged_prompt_passes_and_a_drop_is_caught() {
    let noise = "0.1";
    let run = |seed: u32, cases: usize, candidate: &str| {
        let folder = noisy_suite(cases);
        let server = server(seed, noise);
        let outcome = folder.against(&server.base_url, &["run", "--quiet", "--candidate", candidate]);
        outcome.code
    };
    let seeds: Vec<u32> = (1..=40).collect();
    let mut codes: BTreeMap<i32, usize> = BTreeMap::new();
    for batch in seeds.chunks(4) {
        let found: Vec<i32> = std::thread::scope(|scope| {
            let running: Vec<_> =
                batch.iter().map(|seed| scope.spawn(|| run(*seed, 12, "reworded.md"))).collect();
            running.into_iter().map(|thread| thread.join().expect("a run")).collect()
        });
        for code in found {
            *codes.entry(code).or_default() += 1;
        }
    }
    let of = |code: i32| codes.get(&code).copied().unwrap_or_default();
    assert_eq!(of(0) + of(10) + of(11), 40, "{codes:?}");
    assert!(of(10) <= 4, "{codes:?}");
    assert!(of(0) >= 20, "{codes:?}");
    for seed in 1..=4 {
        assert_eq!(run(seed, 20, "prompts/quiet-regression.md"), 10, "seed {seed}");
    }
}

#[test]
fn little_evidence_is_inconclusive_and_says_what_settles_it() {
    let folder = open_suite(8);
    let server = server(1, "0.3");
    let outcome = folder.against(&server.base_url, &["run", "--repeats", "3"]).expect_code(11);
    assert!(outcome.stdout.contains("would settle it"), "{}", outcome.stdout);
    let report = folder.report();
    assert_eq!(looks(&report), [(3, "inconclusive")]);
    assert_eq!(report["looks"][0]["alpha"], 0.0001);
    assert!(report["to_settle"]["calls"].as_u64().is_some_and(|calls| calls > 0), "{}", report["to_settle"]);
    assert!(outcome.stdout.contains("to settle  "), "{}", outcome.stdout);
    let mut needs = report["criteria"].as_array().expect("criteria").iter().map(|it| &it["need"]["repeats"]);
    assert!(needs.any(|need| need.as_u64().is_some_and(|repeats| repeats > 0)), "{report}");
}

#[test]
fn passed_metric_is_not_judged_again() {
    let folder = open_suite(10);
    folder.edit("promptgate.yaml", "faithfulness: {min: 0.5}", "faithfulness: {min: 0.1, baseline: false}");
    let server = server(5, "0.2");
    let outcome = folder.against(&server.base_url, &["run", "--max-repeats", "12"]);
    let report = folder.report();
    let repeats = report["repeats"].as_u64().expect("repeats");
    assert!(repeats > 3, "{}", outcome.text());
    let metric = |name: &str| {
        let all = report["metrics"].as_array().expect("metrics");
        all.iter().find(|metric| metric["name"] == name).expect("the metric").clone()
    };
    assert_eq!(metric("faithfulness")["repeats"], 3);
    assert_eq!(metric("faithfulness")["candidate"]["missing"], 0);
    assert_eq!(metric("relevance")["repeats"], repeats);
    let mut judgements = 0;
    for case in report["cases"].as_array().expect("cases") {
        for trial in case["trials"].as_array().expect("trials") {
            let grades = trial["grades"].as_array().expect("grades");
            let judged = grades.iter().any(|grade| grade["scorer"] == "faithfulness");
            assert_eq!(judged, trial["repeat"].as_u64().expect("a repeat") < 3, "{trial}");
            judgements += grades.len() as u64;
        }
    }
    // An answer each, and a call for every judgement but for those of an answer that both sides gave: nothing was
    // asked twice.
    let answers = 10 * 2 * repeats;
    let usage = |name: &str| report["usage"][name].as_u64().expect("a count");
    assert_eq!(usage("calls") + usage("cached_judgements"), answers + judgements);
    let earlier = &report["looks"][1]["criteria"][0];
    assert_eq!((&earlier["id"], &earlier["verdict"]), (&"faithfulness.min".into(), &"pass".into()));
    assert!(earlier["estimate"].is_null(), "{earlier}");
    assert!(outcome.stderr.contains("undecided after 3 repeats: relevance"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("looks  "), "{}", outcome.stdout);
}

#[test]
fn saved_looks_decide_alike() {
    let folder = open_suite(10);
    let server = server(3, "0.2");
    folder.against(&server.base_url, &["run", "--repeats", "3", "--out", "old", "--baseline", "none"]);
    folder.against(&server.base_url, &["run", "--max-repeats", "6"]);
    let report = folder.report();
    assert_eq!(report["repeats"], 6, "{}", report["looks"]);
    // The earlier run has three repeats of the baseline, the later one six of the candidate.
    let outcome = folder.promptgate(&[
        "compare",
        "old/report.json",
        "promptgate-report/report.json",
        "--out",
        "compared",
        "--format",
        "json",
    ]);
    let compared: Value = serde_json::from_str(&outcome.stdout).expect("a report");
    assert!([0, 10, 11].contains(&outcome.code), "{}", outcome.stderr);
    assert_eq!(looks(&compared), [(6, compared["verdict"].as_str().expect("a verdict"))]);
    assert_eq!((&compared["baseline_repeats"], &compared["looks"][0]["alpha"]), (&3.into(), &0.0001.into()));
    let missing = |metric: &Value| metric["baseline"]["missing"].as_u64();
    assert!(compared["metrics"].as_array().is_some_and(|all| all.iter().all(|it| missing(it) == Some(0))));
    // A saved comparison reads back without loss.
    folder.promptgate(&["report", "compared/report.json"]).expect_code(0);
    let again =
        folder.promptgate(&["compare", "old/report.json", "compared/report.json", "--format", "json"]);
    let again: Value = serde_json::from_str(&again.stdout).expect("a report");
    assert_eq!(again["criteria"], compared["criteria"]);
}

#[test]
fn run_ended_in_a_later_look_keeps_the_earlier_one() {
    let folder = open_suite(10);
    let server = server(4, "0.3");
    // The first look takes 60 answers and 120 judgements.
    let outcome = folder.against(&server.base_url, &["run", "--budget-calls", "200"]).expect_code(12);
    let report = folder.report();
    assert_eq!(looks(&report), [(3, "inconclusive"), (6, "incomplete")], "{}", outcome.text());
    assert_eq!(report["ended"]["kind"], "stopped");
    folder.promptgate(&["report", "promptgate-report/report.json"]).expect_code(0);
}

#[test]
fn repeats_alone_are_one_look() {
    let folder = noisy_suite(4);
    folder.promptgate(&["run", "--offline", "--repeats", "4"]);
    assert_eq!(folder.report()["policy"]["max_repeats"], 4);
    folder.promptgate(&["run", "--offline", "--max-repeats", "2"]);
    let policy = folder.report()["policy"].clone();
    assert_eq!((&policy["repeats"], &policy["max_repeats"]), (&2.into(), &2.into()));
    folder
        .promptgate(&["run", "--offline", "--repeats", "6", "--max-repeats", "3"])
        .expect_code(2)
        .says("--max-repeats");
    folder.append("promptgate.yaml", "gate: {scope: population}\n");
    folder.promptgate(&["run", "--offline"]);
    assert_eq!(folder.report()["policy"]["max_repeats"], 3);
}
