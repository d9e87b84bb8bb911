//! Prices: the built-in table with its day, `promptgate prices`, and the update from a price map.

use serde_json::Value;

use crate::support::{Folder, repository};

/// A suite whose models are well known.
fn suite() -> Folder {
    let folder = Folder::small(2);
    folder.edit("promptgate.yaml", "model: tiny\n", "model: gpt-4o-mini\n");
    folder.edit("promptgate.yaml", "judge: {model: tiny-judge}", "judge: {model: tiny-judge}\n# a comment");
    folder
}

fn map() -> String {
    repository().join("tests/fixtures/prices/litellm.json").display().to_string()
}

#[test]
fn well_known_model_has_a_price_with_its_day() {
    let folder = suite();
    let outcome = folder.promptgate(&["prices"]).expect_code(0);
    let outcome = outcome.says("gpt-4o-mini answers 0.15 in (0.075 cached), 0.6 out, as of 2026-07-24");
    outcome.says("tiny-judge judges not known").says("https://github.com/BerriAI/litellm");
    folder.edit("promptgate.yaml", "model: tiny-judge", "model: gpt-4o");
    folder.promptgate(&["plan"]).expect_code(0).says("prices as of 2026-07-24");
    let run = folder.promptgate(&["run", "--offline", "--repeats", "1"]);
    run.says("nothing spent (would be $").says("at prices as of 2026-07-24");
    let report = folder.report();
    let prices = report["prices"].as_array().unwrap();
    assert_eq!(prices.len(), 2);
    assert!(prices.iter().all(|price| price["as_of"] == "2026-07-24"), "{prices:?}");
    assert!(report["usage"]["cost_usd"].as_f64().unwrap() > 0.0);
    assert!(folder.read("promptgate-report/report.html").contains("as of 2026-07-24"));
}

#[test]
fn price_of_the_configuration_comes_first() {
    let folder = suite();
    folder
        .append("promptgate.yaml", "prices: {gpt-4o-mini: {input_per_million: 7, output_per_million: 8}}\n");
    let outcome = folder.promptgate(&["prices", "--format", "json"]).expect_code(0);
    let listed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(listed[0]["price"]["input_per_million"], 7.0);
    assert_eq!(listed[0]["price"].get("as_of"), None);
    assert_eq!(listed[1]["price"], Value::Null);
}

#[test]
fn price_of_a_vendor_is_not_that_of_another_host() {
    let folder = suite();
    folder.edit("promptgate.yaml", "endpoint: {", "endpoint: {base_url: 'https://llm.corp.invalid/v1', ");
    folder.promptgate(&["prices"]).expect_code(0).says("gpt-4o-mini answers not known");
    folder.edit("promptgate.yaml", "model: tiny-judge", "model: gpt-4o");
    folder.append("promptgate.yaml", "budget: {usd: 1}\n");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
    outcome.says("there is no price for `gpt-4o-mini`");
}

#[test]
fn limit_in_dollars_is_satisfied_by_the_table() {
    let folder = suite();
    folder.append("promptgate.yaml", "budget: {usd: 1}\nlimits: {cost_per_case_usd: 1}\n");
    folder.promptgate(&["check"]).expect_code(2).says("no price for `tiny-judge`");
    folder.edit("promptgate.yaml", "model: tiny-judge", "model: gpt-4o");
    folder.promptgate(&["run", "--offline"]);
    assert!(folder.report()["usage"]["cost_usd"].as_f64().unwrap() > 0.0, "the limits are measured");
}

#[test]
fn update_writes_the_prices_of_the_suite_and_nothing_else() {
    let folder = suite();
    let before = folder.read("promptgate.yaml");
    let outcome = folder.promptgate(&["prices", "update", "--from", &map()]).expect_code(0);
    let outcome = outcome.says("gpt-4o-mini: 0.15 in (0.075 cached), 0.6 out");
    outcome.says("tiny-judge: left as it is: not in this map").says("1 of 2 models written");
    let after = folder.read("promptgate.yaml");
    let block = "prices:\n  gpt-4o-mini: {input_per_million: 0.15, output_per_million: 0.6, cached_input_per_million: 0.075}\n";
    assert_eq!(after, before + block);
    folder.promptgate(&["check"]).expect_code(0);
    // Again: nothing changes, and a price of the user stays where the map has none.
    let own = "prices: {tiny-judge: {input_per_million: 1, output_per_million: 2}, gpt-4o-mini: {input_per_million: 9, output_per_million: 9}}\n# end\n";
    folder.write("promptgate.yaml", &after.replace(block, own));
    folder.promptgate(&["prices", "update", "--from", &map()]).expect_code(0);
    let again = folder.read("promptgate.yaml");
    assert!(again.contains("\n  tiny-judge: {input_per_million: 1, output_per_million: 2}\n"), "{again}");
    assert!(
        again.contains("\n  gpt-4o-mini: {input_per_million: 0.15,") && again.ends_with("# end\n"),
        "{again}"
    );
}

#[test]
fn update_takes_the_name_below_the_prefix_of_the_vendor() {
    let folder = suite();
    folder.edit("promptgate.yaml", "model: gpt-4o-mini\n", "model: gemini-2.5-flash\n");
    folder.edit("promptgate.yaml", "endpoint: {", "endpoint: {protocol: gemini, ");
    let outcome = folder.promptgate(&["prices", "update", "--from", &map()]).expect_code(0);
    outcome.says("gemini-2.5-flash: 0.3 in (0.03 cached), 2.5 out (`gemini/gemini-2.5-flash`)");
    let folder = suite();
    folder.edit("promptgate.yaml", "model: gpt-4o-mini\n", "model: dall-e-3\n");
    let before = folder.read("promptgate.yaml");
    let outcome = folder.promptgate(&["prices", "update", "--from", &map()]).expect_code(0);
    outcome.says("nothing was written");
    assert_eq!(folder.read("promptgate.yaml"), before);
}

#[test]
fn map_that_is_not_one_is_an_error() {
    let folder = suite();
    for (text, words) in [("[1]", "not an object"), ("{", "not valid JSON")] {
        folder.write("map.json", text);
        let outcome = folder.promptgate(&["prices", "update", "--from", "map.json"]).expect_code(2);
        outcome.says(words).says("map.json").says("model_prices_and_context_window.json");
    }
    folder.promptgate(&["prices", "update", "--from", "none.json"]).expect_code(2).says("none.json");
    folder.promptgate(&["prices", "update"]).expect_code(2).says("--from");
}
