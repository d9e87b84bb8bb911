//! Plans against the calls of real runs.

use serde_json::Value;

use crate::support::{Folder, MockServer, repository};

fn plan(folder: &Folder, arguments: &[&str]) -> Value {
    let all = [&["plan", "--format", "json"], arguments].concat();
    let outcome = folder.promptgate(&all).expect_code(0);
    serde_json::from_str(&outcome.stdout).expect("a plan")
}

/// Calls of a planned amount, including the self-test.
fn all_calls(plan: &Value, amount: &str) -> u64 {
    let tested = &plan["self_test"];
    calls(&plan[amount]) + if tested.is_null() { 0 } else { calls(tested) }
}

fn calls(amount: &Value) -> u64 {
    amount["answers"].as_u64().expect("answers") + amount["judgements"].as_u64().expect("judgements")
}

#[test]
fn plan_minimum_is_a_run_of_one_look() {
    let folder = Folder::golden();
    for flags in [&[][..], &["--no-judge"], &["--baseline", "none"], &["--tag", "refunds"]] {
        let plan = plan(&folder, flags);
        folder.promptgate(&[&["run", "--offline"], flags].concat());
        let report = folder.report();
        assert_eq!(report["repeats"], 3, "{flags:?}");
        assert_eq!(plan["self_test"].is_null(), flags.contains(&"--no-judge"));
        let calls = report["usage"]["calls"].as_u64().expect("calls");
        assert_eq!(all_calls(&plan, "lowest"), calls, "{flags:?}");
        // The simulated model answers all cases the same way each time, so even the tokens are the same.
        let both = |key: &str| {
            plan["lowest"][key].as_f64().expect("a number")
                + plan["self_test"][key].as_f64().unwrap_or_default()
        };
        let tokens = report["usage"]["prompt_tokens"].as_f64().expect("tokens");
        assert!((both("prompt_tokens") - tokens).abs() < 2.0, "{flags:?}: {plan} {tokens}");
        let cost = report["usage"]["cost_usd"].as_f64().expect("a price");
        assert!((both("cost_usd") - cost).abs() < 1e-5, "{flags:?}: {plan} {cost}");
    }
}

#[test]
fn plan_maximum_is_a_run_of_all_looks() {
    let folder = Folder::small(6);
    let plan_of_six = plan(&folder, &["--max-repeats", "6"]);
    let most = plan_of_six["most"].clone();
    assert_eq!(most["repeats"], 6);
    folder.promptgate(&["run", "--offline", "--repeats", "6"]);
    assert_eq!(all_calls(&plan_of_six, "most"), folder.report()["usage"]["calls"].as_u64().expect("calls"));
    // Requests that both variants share are sent once.
    folder.write("baseline.md", &folder.read("prompt.md"));
    let shared = plan(&folder, &["--max-repeats", "6"]);
    assert_eq!((&shared["shared_cases"], calls(&shared["most"])), (&6.into(), calls(&most) / 2));
}

#[test]
fn plan_prints_text_and_json_by_its_schema() {
    let folder = Folder::golden();
    let schema = std::fs::read_to_string(repository().join("schema/plan.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let json = plan(&folder, &[]);
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let page = folder.promptgate(&["plan"]).expect_code(0);
    for words in ["PLAN  customer-support", "60 cases", "looks at 3, 6, 12, 24 repeats", "expected", "4.9 %"]
    {
        assert!(page.stdout.contains(words), "{words}: {}", page.stdout);
    }
    assert!(page.stdout.lines().all(|line| line.chars().count() <= 100), "{}", page.stdout);
    assert!(!folder.path().join("promptgate-report").exists());
}

#[test]
fn plan_after_a_run_uses_its_noise_and_tokens() {
    let folder = Folder::small(10);
    // A seed with which the judge passes its self-test.
    let server = MockServer::start(&["--noise", "0.4", "--seed", "12"]);
    let outcome = folder.against(&server.base_url, &["run", "--repeats", "3"]);
    let report = folder.report();
    let after = plan(&folder, &["--after", "promptgate-report/report.json"]);
    let noise = |name: &str| {
        let of =
            |list: &Value| list.as_array().expect("a list").iter().find(|it| it["name"] == name).cloned();
        (of(&after["drops"]).expect("a drop"), of(&report["metrics"]).expect("a metric"))
    };
    let (drop, metric) = noise("faithfulness");
    assert_eq!((&drop["noise"], &drop["measured"]), (&metric["noise"], &true.into()), "{}", outcome.text());
    assert!(drop["noise"].as_f64().is_some_and(|noise| noise > 0.0));
    assert!(drop["population"].as_f64() > drop["suite"].as_f64(), "{drop}");
    // Prices are not configured, and never guessed.
    assert!(after["most"]["cost_usd"].is_null());
    let notes = after["notes"].to_string();
    assert!(notes.contains("no price of") && notes.contains("50 cases or more"), "{notes}");
    // Another dataset's noise is not this one's.
    folder.append("cases.jsonl", "{\"id\": \"new\", \"query\": \"q\", \"context\": \"c\"}\n");
    let refused = folder.promptgate(&["plan", "--after", "promptgate-report/report.json"]);
    refused.expect_code(2).says("the dataset differs");
    folder.promptgate(&["plan", "--after", "nowhere.json"]).expect_code(2).says("nowhere.json");
}

#[test]
fn plan_names_an_insufficient_budget() {
    let folder = Folder::small(10);
    folder.append("promptgate.yaml", "budget: {calls: 100}\n");
    let notes = plan(&folder, &[])["notes"].to_string();
    assert!(notes.contains("the budget of 100 calls does not cover `lowest`"), "{notes}");
}

#[test]
fn plan_after_an_inconclusive_run_says_what_settles_it() {
    let folder = Folder::small(8);
    folder.promptgate(&["run", "--offline", "--repeats", "3"]);
    let mut report = folder.report();
    assert!(report["to_settle"].is_null());
    report["to_settle"] = serde_json::json!({"repeats": 5, "cases": null, "calls": 160, "cost_usd": null});
    folder.write("open.json", &report.to_string());
    let page = folder.promptgate(&["plan", "--after", "open.json"]).expect_code(0).stdout.replace('\n', " ");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("about 5 more repeats (160 calls) would settle it"), "{page}");
    assert!(page.contains("--max-repeats 8"), "{page}");
}

#[test]
fn plan_of_several_suites_is_their_sum() {
    let folder = crate::several::suites(&["a", "b"]);
    folder.write("promptgate.yaml", "version: 1\nsuites: [a, b]\n");
    let plans = plan(&folder, &[]);
    assert_eq!(plans["schema"], "promptgate.plans/v1");
    let (a, b) = (plan(&folder, &["a"]), plan(&folder, &["b"]));
    assert_eq!((&plans["suites"][0]["plan"], &plans["suites"][1]["plan"]), (&a, &b));
    assert_eq!(plans["suites"][1]["config"], "b/promptgate.yaml");
    for amount in ["lowest", "expected", "most"] {
        assert_eq!(plans[amount]["calls"], all_calls(&a, amount) + all_calls(&b, amount), "{amount}");
        assert!(plans[amount]["cost_usd"].is_null(), "{plans}");
    }
    folder.promptgate(&["run", "--offline", "--repeats", "3"]).expect_code(0);
    let run: Value = serde_json::from_str(&folder.read("promptgate-report/suites.json")).expect("JSON");
    assert_eq!(plan(&folder, &["--all"])["lowest"]["calls"], run["calls"]);
    let outcome = folder.promptgate(&["plan", "a", "b"]).expect_code(0);
    for words in ["PLAN  2 suites", " a ", " all "] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 100), "{}", outcome.stdout);
    for flags in [&["--after", "r.json"][..], &["--shards", "2"], &["--format", "github-matrix"]] {
        let outcome = folder.promptgate(&[&["plan", "a", "b"], flags].concat());
        assert_eq!(outcome.code, 2, "{flags:?}: {}", outcome.text());
        assert!(outcome.text().contains("applies to a single suite"), "{flags:?}: {}", outcome.text());
    }
    folder.edit("b/promptgate.yaml", "prompt: prompt.md", "prompt: missing.md");
    folder.promptgate(&["plan"]).expect_code(2).says("missing.md");
}
