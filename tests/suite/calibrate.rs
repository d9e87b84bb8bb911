//! `promptgate calibrate`, and runs that use its file.

use serde_json::{Value, json};

use crate::servers::{Server, says, verdicts};
use crate::support::{Folder, MockServer, repository};

/// Labels over the cases of [`Folder::small`]: `good` right answers and `bad` wrong ones.
fn labels(good: usize, bad: usize) -> String {
    let row = |number: usize, right: bool| {
        let days = if right { number + 10 } else { number + 50 };
        json!({
            "id": format!("{number}-{right}"),
            "query": format!("How many days does plan {number} give for a refund?"),
            "context": format!("Plan {number} gives {} days for a refund of the full price.", number + 10),
            "response": format!("Plan {number} gives {days} days for a refund."),
            "human": right,
        })
        .to_string()
            + "\n"
    };
    (1..=good).map(|number| row(number, true)).chain((1..=bad).map(|number| row(number, false))).collect()
}

fn calibration(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("promptgate-calibration/calibration.json")).expect("JSON")
}

/// The page asks about one metric at a time, and names it in every label.
#[test]
fn labels_of_one_metric_do_not_calibrate_another() {
    let folder = Folder::small(3);
    let of = |metric: &str| -> String {
        let labelled = |row: &str| row.replacen('{', &format!("{{\"metric\": \"{metric}\", "), 1) + "\n";
        labels(30, 30).lines().map(labelled).collect()
    };
    folder.write("labels.jsonl", &of("faithfulness"));
    let calibrate =
        |metric: &str| folder.promptgate(&["calibrate", "labels.jsonl", "--offline", "--metric", metric]);
    calibrate("relevance").expect_code(2).says("no label is for `relevance`: all are for faithfulness");
    assert!(!folder.path().join("promptgate-calibration/calibration.json").exists());
    calibrate("faithfulness").expect_code(0);
    let alone = calibration(&folder);
    folder.write("labels.jsonl", &(of("relevance") + &of("faithfulness")));
    calibrate("faithfulness").expect_code(0).says("60 labels are left out: for other metrics (relevance)");
    let counts = |of: &Value| [of["labels"]["answers"].clone(), of["labels"]["rated"].clone()];
    assert_eq!(counts(&calibration(&folder)), counts(&alone));
}

#[test]
fn golden_labels_give_a_valid_calibration() {
    let folder = Folder::golden();
    let page = folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(0).stdout;
    for words in [
        "CALIBRATION  faithfulness by gpt-4o",
        "73 answers of labels.jsonl: 67 rated and judged",
        "balanced accuracy",
        "Cohen's kappa",
        "Gwet's AC1",
        "Kendall's tau-b",
        "best cut-off",
        "alpha of people",
        "alpha with itself",
        "people would pass",
        "refunds",
        "the simulated judge compares words",
    ] {
        assert!(page.contains(words), "no {words:?} in\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    let schema =
        std::fs::read_to_string(repository().join("schema/calibration.schema.json")).expect("a schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let found = calibration(&folder);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&found).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(found["judge"]["simulated"], true);
    assert_eq!((&found["labels"]["answers"], &found["labels"]["rated"]), (&json!(73), &json!(67)));
    // The rows say the same as the counts, and those of disagreement are for review.
    let rows: Vec<Value> = folder
        .read("promptgate-calibration/judged.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row"))
        .collect();
    let wrong = rows
        .iter()
        .filter(|row| row["human_passes"].is_boolean() && row["human_passes"] != row["judge_passes"])
        .count();
    let count = |name: &str| found["overall"][name].as_u64().expect("a count");
    assert_eq!(wrong as u64, count("false_positives") + count("false_negatives"));
    let disagreements = folder.read("promptgate-calibration/disagreements.jsonl");
    assert_eq!(disagreements.lines().count(), wrong);
    let first: Value = serde_json::from_str(disagreements.lines().next().expect("a row")).expect("JSON");
    assert!(
        first["response"].is_string() && first["context"].is_array() && first["reason"].is_string(),
        "{first}"
    );
    let json =
        folder.promptgate(&["calibrate", "labels.jsonl", "--offline", "--format", "json"]).expect_code(0);
    let printed: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(printed["overall"], found["overall"]);
}

#[test]
fn simulated_judge_is_measured_without_configuration() {
    let folder = Folder::new();
    folder.write("labels.jsonl", &labels(20, 20));
    folder
        .promptgate(&["calibrate", "labels.jsonl", "--offline"])
        .expect_code(0)
        .says("faithfulness by simulated");
    assert_eq!(calibration(&folder)["overall"]["balanced_accuracy"]["mean"], 1.0);
    folder.promptgate(&["calibrate", "labels.jsonl"]).expect_code(2).says("there is no promptgate.yaml");
}

#[test]
fn invalid_labels_are_refused_before_any_call() {
    let folder = Folder::small(3);
    for (text, code, says) in [
        ("", 3, "no rows"),
        ("{\"query\": \"q\", \"context\": \"c\", \"human\": true}\n", 2, "`response` must be the text"),
        ("{\"query\": \"q\", \"context\": \"c\", \"response\": \"r\", \"human\": 2}\n", 2, "labels.jsonl:1"),
        ("{\"query\": \"q\", \"context\": \"c\", \"response\": \"r\"}\n", 3, "no row has a label"),
        ("{\"query\": \"q\", \"response\": \"r\", \"human\": true}\n", 2, "`faithfulness` needs `context`"),
        ("{\"query\": \n", 2, "labels.jsonl:1"),
    ] {
        folder.write("labels.jsonl", text);
        folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(code).says(says);
    }
    folder.promptgate(&["calibrate", "nowhere.jsonl", "--offline"]).expect_code(2).says("nowhere.jsonl");
    folder.write("labels.jsonl", &labels(3, 3));
    let metric = ["calibrate", "labels.jsonl", "--offline", "--metric", "tone"];
    folder.promptgate(&metric).expect_code(2).says("name one with --metric: faithfulness, relevance");
    folder.write("taken", "");
    let out = ["calibrate", "labels.jsonl", "--offline", "--out", "taken"];
    folder.promptgate(&out).expect_code(2).says("no calibration can be written here");
}

#[test]
fn failed_calibration_writes_nothing() {
    for (status, body, says) in [
        (401, json!({"error": {"message": "no such key"}}), "no such key"),
        (200, says("It looks fine to me."), "could not be judged, more than 2 %"),
    ] {
        let server = Server::start(move |_, _| (status, body.clone()));
        let folder = Folder::small(3);
        folder.write("labels.jsonl", &labels(4, 4));
        folder
            .against(&server.base_url, &["calibrate", "labels.jsonl"])
            .expect_code(12)
            .says("INCOMPLETE")
            .says(says);
        assert!(!folder.path().join("promptgate-calibration/calibration.json").exists());
    }
}

#[test]
fn judge_that_detects_nothing_is_named() {
    let server = Server::start(|request, _| (200, verdicts(request)));
    let folder = Folder::small(3);
    folder.write("labels.jsonl", &labels(6, 6));
    let outcome =
        folder.against(&server.base_url, &["calibrate", "labels.jsonl", "--repeats", "1"]).expect_code(0);
    outcome.says("the judge cannot tell good answers from bad ones").says("judged once: --repeats 2");
    assert_eq!(calibration(&folder)["overall"]["youden"], 0.0);
    assert_eq!(server.calls(), 12);
}

#[test]
fn run_uses_its_configured_calibration() {
    let folder = Folder::small(6);
    folder.write("labels.jsonl", &labels(25, 25));
    folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(0);
    folder.write("calibration.json", &folder.read("promptgate-calibration/calibration.json"));
    let with = |keys: &str| {
        let text = folder.read("promptgate.yaml");
        let line = text.lines().find(|line| line.starts_with("judge:")).expect("the judge").to_owned();
        folder.edit("promptgate.yaml", &line, &format!("judge: {{model: tiny-judge, {keys}}}"));
    };
    with("calibration: calibration.json, min_kappa: 0.9, min_balanced_accuracy: 0.9");
    let page = folder.promptgate(&["run", "--offline"]).expect_code(0).text();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("faithfulness calibrated on 50 answers: kappa 1.00"), "{page}");
    assert!(page.contains("people would pass 1.000 of the candidate's answers"), "{page}");
    let report = folder.report();
    let facts = &report["judge"]["calibration"];
    assert_eq!((&facts["answers"], &facts["youden"]), (&json!(50), &json!(1.0)));
    folder.write("first.json", &report.to_string());
    // A report by the same judge can be corrected; one by another cannot.
    let corrected = ["calibrate", "labels.jsonl", "--offline", "--report", "first.json"];
    folder.promptgate(&corrected).expect_code(0).says("that only the judge saw");
    // Too little agreement, no calibration, and one of another judge: nothing is asked.
    folder.edit("calibration.json", "\"true_negatives\": 25", "\"true_negatives\": 20");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("its counts do not add up to its answers");
    let mut forged = calibration(&folder);
    forged["overall"]["true_negatives"] = json!(10);
    forged["overall"]["false_positives"] = json!(15);
    folder.write("calibration.json", &forged.to_string());
    // The figures of the file say 1 still; its counts do not.
    let refused = folder
        .promptgate(&["run", "--offline"])
        .expect_code(12)
        .says("the judge agrees too little with people");
    refused.says("judge.min_kappa is 0.9");
    assert_eq!(folder.report()["usage"]["calls"], 0);
    // A few labels are no evidence, however well they agree.
    forged.as_object_mut().expect("an object").remove("moments");
    forged["overall"]["true_positives"] = json!(4);
    forged["overall"]["answers"] = json!(29);
    forged["overall"]["true_negatives"] = json!(25);
    forged["overall"]["false_positives"] = json!(0);
    folder.write("calibration.json", &forged.to_string());
    folder.promptgate(&["run", "--offline"]).expect_code(12).says("people passed 4 answers and failed 25");
    with("calibration: nowhere.json, min_kappa: 0.5");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("the simulated judge is held to nothing");
    let real = MockServer::start(&[]);
    folder.against(&real.base_url, &["run"]).expect_code(12).says("there is no nowhere.json");
    with("calibration: nowhere.json");
    folder.against(&real.base_url, &["run"]).expect_code(2).says("there is no calibration at nowhere.json");
    folder.write("calibration.json", &calibration(&folder).to_string());
    with("votes: 2, calibration: calibration.json, min_kappa: 0.5");
    folder.promptgate(&["run", "--offline"]).expect_code(12).says("is of another judge: it differs in votes");
    let corrected = ["calibrate", "labels.jsonl", "--offline", "--report", "first.json"];
    folder.promptgate(&corrected).expect_code(2).says("was not judged by the same judge of faithfulness");
    folder.write("calibration.json", "{}");
    folder.promptgate(&["run", "--offline"]).expect_code(2).says("not a promptgate calibration");
}

#[test]
fn calibrate_writes_the_configured_file_and_gates_it() {
    let server = Server::start(|request, _| (200, verdicts(request)));
    let folder = Folder::small(3);
    folder.write("labels.jsonl", &labels(20, 20));
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: tiny-judge, calibration: judged/calibration.json, min_kappa: 0.5}",
    );
    let outcome = folder.against(&server.base_url, &["calibrate", "labels.jsonl"]).expect_code(10);
    outcome.says("its kappa is 0.000, judge.min_kappa is 0.5").says("judged/calibration.json");
    assert!(folder.read("judged/calibration.json").contains("promptgate.calibration/v1"));
    folder.write("labels.jsonl", &labels(6, 6));
    let few = folder.against(&server.base_url, &["calibrate", "labels.jsonl"]).expect_code(10);
    few.says("too few labels for judge.min_kappa: people passed 6 answers and failed 6");
    folder.write("labels.jsonl", &labels(20, 20));
    // Nothing but a calibration of this metric is overwritten, and nothing outside.
    let other = ["calibrate", "labels.jsonl", "--metric", "relevance"];
    folder.against(&server.base_url, &other).expect_code(2).says("holds the calibration of faithfulness");
    for (path, says) in [
        ("labels.jsonl", "not a calibration, and must not be overwritten"),
        ("promptgate.yaml", "not a calibration"),
        ("../elsewhere.json", "below its configuration only"),
    ] {
        folder.edit("promptgate.yaml", "judged/calibration.json", path);
        folder.against(&server.base_url, &["calibrate", "labels.jsonl"]).expect_code(2).says(says);
        folder.edit(
            "promptgate.yaml",
            &format!("calibration: {path}"),
            "calibration: judged/calibration.json",
        );
    }
    // The simulated judge never overwrites what was measured of the real one.
    let before = folder.read("judged/calibration.json");
    folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(0);
    assert_eq!(folder.read("judged/calibration.json"), before);
}
