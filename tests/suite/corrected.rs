//! Minimums held against a mean that the labels of a calibration correct.

use serde_json::{Value, json};

use crate::support::{Folder, MockServer};

/// Labels of answers like those of [`Folder::small`]: `right` answers that people pass, `disputed` ones that are as right and
/// that people fail, and `wrong` ones.
fn labels(right: usize, disputed: usize, wrong: usize) -> String {
    let row = |number: usize| {
        let days = if number < right + disputed { number + 10 } else { number + 50 };
        let row = json!({
            "id": format!("label-{number}"),
            "query": format!("How many days does plan {number} give for a refund?"),
            "context": format!("Plan {number} gives {} days for a refund of the full price.", number + 10),
            "response": format!("Plan {number} gives {days} days for a refund."),
            "human": number < right,
        });
        row.to_string() + "\n"
    };
    (0..right + disputed + wrong).map(row).collect()
}

/// A suite whose judge of faithfulness was calibrated on these labels, with this requirement.
fn calibrated(labels: &str, requirement: &str) -> Folder {
    let folder = Folder::small(25).without_self_test();
    folder.write("labels.jsonl", labels);
    folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(0);
    folder.write("calibration.json", &folder.read("promptgate-calibration/calibration.json"));
    folder.edit("promptgate.yaml", "self_test: false", "self_test: false, calibration: calibration.json");
    folder.edit("promptgate.yaml", "faithfulness: {min: 0.75}", &format!("faithfulness: {requirement}"));
    folder.edit("promptgate.yaml", "relevance: {min: 0.5}", "relevance: {}");
    folder
}

fn minimum(report: &Value) -> &Value {
    let criteria = report["criteria"].as_array().expect("criteria");
    criteria.iter().find(|criterion| criterion["id"] == "faithfulness.min").expect("a minimum")
}

fn json_of(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&folder.read(name)).expect("JSON")
}

#[test]
fn minimum_is_held_against_the_corrected_mean() {
    // People pass 80 % of the labelled answers, the judge 90 %.
    let labels = labels(160, 20, 20);
    let raw = calibrated(&labels, "{min: 0.95}");
    raw.promptgate(&["run", "--offline", "--repeats", "3"]).expect_code(0);
    assert_eq!(minimum(&raw.report())["corrected"], Value::Null);

    let folder = calibrated(&labels, "{min: 0.95, corrected: true}");
    let run = ["run", "--offline", "--repeats", "3"];
    folder
        .promptgate(&run)
        .expect_code(10)
        .says("corrected by 200 labels from 1")
        .says("label answers of this prompt");
    let report = folder.report();
    let criterion = minimum(&report);
    assert_eq!((&criterion["verdict"], &criterion["corrected"]["labels"]), (&json!("fail"), &json!(200)));
    let number = |value: &Value| value.as_f64().expect("a number");
    // cov / var = 0.08 / 0.09; 0.8 + lambda (1 - 0.9).
    assert!((number(&criterion["corrected"]["lambda"]) - 8.0 / 9.0).abs() < 1e-9, "{criterion}");
    assert!((number(&criterion["corrected"]["judged"]) - 1.0).abs() < 1e-9, "{criterion}");
    assert!((number(&criterion["estimate"]) - (0.8 + 8.0 / 90.0)).abs() < 1e-9, "{criterion}");
    // The comparison with the baseline stays that of the judge.
    let baseline = report["criteria"].as_array().expect("criteria");
    let baseline = baseline.iter().find(|it| it["id"] == "faithfulness.baseline").expect("a comparison");
    assert_eq!((&baseline["corrected"], &baseline["estimate"]), (&Value::Null, &json!(0.0)));

    // Shards decide the same, and the report is decided again by itself.
    for shard in ["1/2", "2/2"] {
        folder.promptgate(&[&run[..], &["--shard", shard, "--out", "shards"]].concat()).expect_code(0);
    }
    folder.promptgate(&["merge", "shards", "--out", "merged"]).expect_code(10);
    assert_eq!(minimum(&json_of(&folder, "merged/report.json")), criterion);
    folder
        .promptgate(&["report", "promptgate-report/report.json"])
        .expect_code(0)
        .says("corrected by 200 labels");
    let forged =
        folder.read("promptgate-report/report.json").replace("\"covariance\": 0.", "\"covariance\": 7.");
    folder.write("forged.json", &forged);
    folder.promptgate(&["report", "forged.json"]).expect_code(2).says("has `labels` that are not valid");

    // A minimum that people would accept passes; labels of other answers are a warning all the same.
    let enough = calibrated(&labels, "{min: 0.8, corrected: true}");
    enough.promptgate(&run).expect_code(0);
}

#[test]
fn few_labels_are_warned_of_and_decide_nothing() {
    let folder = calibrated(&labels(8, 1, 6), "{min: 0.9, corrected: true}");
    folder
        .promptgate(&["run", "--offline", "--repeats", "3"])
        .expect_code(11)
        .says("15 labels correct the minimum of faithfulness; fewer than 20");
}

#[test]
fn calibration_that_cannot_correct_is_refused() {
    let folder = calibrated(&labels(160, 20, 20), "{min: 0.8, corrected: true}");
    let whole = json_of(&folder, "calibration.json");
    let refused = |change: &dyn Fn(&mut Value), words: &str, help: &str| {
        let mut changed = whole.clone();
        change(&mut changed);
        folder.write("calibration.json", &changed.to_string());
        folder
            .promptgate(&["run", "--offline"])
            .expect_code(2)
            .says(words)
            .says("calibration.json")
            .says(help);
    };
    let without = |calibration: &mut Value| {
        calibration.as_object_mut().expect("an object").remove("moments");
    };
    refused(&without, "has no `moments` of labels", "calibrate again with this version");
    let negative = |calibration: &mut Value| calibration["moments"]["covariance"] = json!(-0.01);
    refused(&negative, "do not rise with people's ratings", "label answers of both kinds");
    let other = |calibration: &mut Value| calibration["moments"]["answers"] = json!(2000);
    refused(&other, "`moments` has another number of answers", "calibrate again");
    let impossible = |calibration: &mut Value| calibration["moments"]["human_mean"] = json!(1.5);
    refused(&impossible, "a mean or a variance that values from 0 to 1 cannot have", "calibrate again");
    // The judge of another metric.
    folder.write("calibration.json", &whole.to_string());
    folder.edit("promptgate.yaml", "relevance: {}", "relevance: {min: 0.5, corrected: true}");
    folder
        .promptgate(&["run", "--offline"])
        .expect_code(2)
        .says("the minimum of relevance is corrected, but calibration.json has labels of faithfulness")
        .says("--metric relevance");
    folder.edit("promptgate.yaml", "relevance: {min: 0.5, corrected: true}", "relevance: {}");
    // A calibration of the simulated judge does not count for a real one, nor one that is missing.
    let server = MockServer::start(&[]);
    folder.against(&server.base_url, &["run"]).expect_code(2).says("is of another judge");
    std::fs::remove_file(folder.path().join("calibration.json")).expect("it is there");
    folder
        .against(&server.base_url, &["run"])
        .expect_code(2)
        .says("there is no calibration at calibration.json");
    folder
        .promptgate(&["run", "--offline"])
        .expect_code(0)
        .says("held to nothing, and minimums are held against its own means");
}
