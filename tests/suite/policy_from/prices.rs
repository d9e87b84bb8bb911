//! Prices that only the change has: shown, but no limit in dollars passes by them.

use serde_json::{Value, json};

use super::{change_of, changed, commit, run, warnings};
use crate::servers::{Server, says};
use crate::support::Folder;

/// A limit of the policy on the cost of a case, with the price of its model.
const LIMITED: &str =
    "limits: {cost_per_case_usd: 0.5}\nprices: {tiny: {input_per_million: 1, output_per_million: 1}}\n";
/// A budget of the policy, with the prices of its models.
const BUDGETED: &str = "budget: {usd: 5}\nprices: {tiny: {input_per_million: 1, output_per_million: 1}, \
                        tiny-judge: {input_per_million: 5, output_per_million: 5}}\n";

/// A change that asks another model and adds its price.
fn change_to_huge(policy: &str, price: &str) -> Folder {
    let folder = change_of(|folder| folder.append("promptgate.yaml", policy));
    folder.edit("promptgate.yaml", "model: tiny\n", "model: huge\n");
    folder.edit("promptgate.yaml", "prices: {", &format!("prices: {{huge: {price}, "));
    commit(&folder, "change");
    folder
}

/// A criterion of the last report.
fn criterion(folder: &Folder, id: &str) -> Value {
    let report = folder.report();
    let mut criteria = report["criteria"].as_array().expect("criteria").iter();
    criteria.find(|criterion| criterion["id"] == id).expect("the criterion").clone()
}

#[test]
fn limit_with_a_price_of_the_change_is_not_measured() {
    for price in
        ["{input_per_million: 0, output_per_million: 0}", "{input_per_million: 2, output_per_million: 3}"]
    {
        let folder = change_to_huge(LIMITED, price);
        folder.promptgate(&["run", "--offline"]).expect_code(0);
        run(&folder).expect_code(12).says("the price of `huge` comes from this");
        assert!(warnings(&folder).contains("those of this change, and count for no limit: huge ("));
        let criterion = criterion(&folder, "limit.cost_per_case_usd");
        assert_eq!(criterion["verdict"], "incomplete");
        let reason = criterion["explanation"].as_str().expect("a reason").to_owned();
        assert!(reason.contains("add it to `prices` of the policy first"), "{reason}");
        // The price is shown all the same.
        let report = folder.report();
        let mut metrics = report["metrics"].as_array().expect("metrics").iter();
        assert!(
            metrics.any(|metric| metric["name"] == "cost_usd" && metric["candidate"]["mean"].is_number())
        );
    }
}

#[test]
fn relative_limit_with_a_price_of_the_change_is_not_measured() {
    let relative = LIMITED.replace("0.5", "{max_increase: 10%}");
    let folder = change_to_huge(&relative, "{input_per_million: 0, output_per_million: 0}");
    run(&folder).expect_code(12).says("the price of `huge` comes from this");
}

#[test]
fn shards_keep_the_origin_of_prices() {
    let folder = change_to_huge(LIMITED, "{input_per_million: 0, output_per_million: 0}");
    for shard in ["1/2", "2/2"] {
        let arguments =
            ["run", "--offline", "--shard", shard, "--out", "shards", "--policy-from", "git:merge-base"];
        folder.promptgate(&arguments).expect_code(0);
    }
    folder.promptgate(&["merge", "shards"]).expect_code(12).says("the price of `huge` comes from this");
    // So does a comparison of the saved report with itself.
    let saved = "promptgate-report/report.json";
    folder
        .promptgate(&["compare", saved, saved, "--out", "compared"])
        .expect_code(12)
        .says("the price of `huge` comes from this");
}

#[test]
fn budget_with_a_price_of_the_change_is_a_mistake() {
    let folder = change_to_huge(BUDGETED, "{input_per_million: 0, output_per_million: 0}");
    run(&folder)
        .expect_code(2)
        .says(
            "the price of `huge` comes from this change alone, so `budget.usd` of the policy cannot be kept",
        )
        .says("add it to `prices` of the policy first");
    folder.promptgate(&["check", "--policy-from", "git:merge-base"]).expect_code(2);
    // So it is by the flag.
    let folder = change_to_huge(LIMITED, "{input_per_million: 0, output_per_million: 0}");
    folder
        .promptgate(&["run", "--offline", "--budget-usd", "5", "--policy-from", "git:merge-base"])
        .expect_code(2)
        .says("the price of `huge` comes from this change alone, so --budget-usd cannot be kept");
}

#[test]
fn model_without_any_price_is_a_mistake() {
    let folder = change_of(|folder| folder.append("promptgate.yaml", LIMITED));
    folder.edit("promptgate.yaml", "model: tiny\n", "model: huge\n");
    folder.edit("promptgate.yaml", "limits: {cost_per_case_usd: 0.5}\n", "");
    commit(&folder, "change");
    run(&folder)
        .expect_code(2)
        .says("no price for `huge`")
        .says("promptgate.yaml:")
        .says("prices` of the policy");
}

/// Changes that a limit in dollars must not hit.
#[test]
fn prices_of_the_policy_keep_counting() {
    for policy in [LIMITED, BUDGETED] {
        // A cheaper price of the change's own, and a price of cached tokens, do not count; the policy's does.
        for price in [
            "input_per_million: 0, output_per_million: 0",
            "input_per_million: 1, output_per_million: 1, cached_input_per_million: 0",
        ] {
            let folder = change_of(|folder| folder.append("promptgate.yaml", policy));
            folder.edit("promptgate.yaml", "input_per_million: 1, output_per_million: 1", price);
            commit(&folder, "change");
            run(&folder).expect_code(0);
            assert!(changed(&folder).iter().any(|path| path.starts_with("prices.tiny.")));
            assert_eq!(folder.report()["prices"][0]["input_per_million"], 1.0);
            assert!(folder.report()["prices"][0].get("cached_input_per_million").is_none());
        }
        // Prices of models that nothing asks.
        let folder = change_of(|folder| folder.append("promptgate.yaml", policy));
        folder.edit(
            "promptgate.yaml",
            "prices: {",
            "prices: {spare: {input_per_million: 0, output_per_million: 0}, ",
        );
        commit(&folder, "change");
        run(&folder).expect_code(0);
    }
    // Another model that the policy has a price for.
    let both = LIMITED.replace("prices: {", "prices: {huge: {input_per_million: 2, output_per_million: 2}, ");
    let folder = change_of(|folder| folder.append("promptgate.yaml", &both));
    folder.edit("promptgate.yaml", "model: tiny\n", "model: huge\n");
    commit(&folder, "change");
    run(&folder).expect_code(0);
    // A policy without a limit in dollars.
    let folder = change_of(|_| {});
    folder.edit("promptgate.yaml", "model: tiny\n", "model: huge\n");
    folder.append("promptgate.yaml", "prices: {huge: {input_per_million: 2, output_per_million: 2}}\n");
    commit(&folder, "change");
    run(&folder).expect_code(0).says("those of this change");
}

/// A server that names a dated version of its model.
#[test]
fn price_of_the_answering_name_does_not_replace_that_of_the_policy() {
    let server = Server::start(|_, _| {
        let mut answer = says("Plan 1 gives 11 days.");
        answer["model"] = json!("tiny-2026-01-01");
        (200, answer)
    });
    let folder = change_of(|folder| {
        let endpoint = format!("endpoint: {{base_url: \"{}\", timeout: 5s", server.base_url);
        folder.edit("promptgate.yaml", "endpoint: {timeout: 5s", &endpoint);
        // Below what any answer costs.
        folder.append("promptgate.yaml", &LIMITED.replace("0.5", "0.0000001"));
    });
    let dated = "prices: {tiny-2026-01-01: {input_per_million: 0, output_per_million: 0}, ";
    folder.edit("promptgate.yaml", "prices: {", dated);
    folder.write("prompt.md", "Use only these passages. Answer in one sentence.\n\n{{context}}\n");
    commit(&folder, "change");
    let outcome = folder.promptgate(&["run", "--no-judge", "--policy-from", "git:main"]);
    assert_eq!(criterion(&folder, "limit.cost_per_case_usd")["verdict"], "fail", "{}", outcome.stdout);
    outcome.expect_code(10);
}
