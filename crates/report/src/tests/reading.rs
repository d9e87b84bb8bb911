//! Strict reading of reports.

use serde_json::{Value, json};

use super::{message, read_alone, rendered, style};
use crate::{Format, fixtures};

#[test]
fn unreadable_file_is_a_diagnostic_at_its_place() {
    let text = rendered(&fixtures::fail(), Format::Json, style());
    let cut = message(read_alone("old.json", &text[..text.len() / 2]).unwrap_err());
    assert!(cut.starts_with("old.json:") && cut.contains("cut off"), "{cut}");
    let empty = message(read_alone("old.json", " \n").unwrap_err());
    assert!(empty.contains("empty"), "{empty}");
    let later = message(read_alone("old.json", r#"{"schema": "promptgate.report/v2"}"#).unwrap_err());
    assert!(later.contains("promptgate.report/v2") && later.contains("promptgate.report/v1"), "{later}");
    let other = message(read_alone("old.json", r#"{"schema": "https://json-schema.org"}"#).unwrap_err());
    assert!(other.contains("not a promptgate report"), "{other}");
    let none = message(read_alone("old.json", r#"{"verdict": "pass"}"#).unwrap_err());
    assert!(none.contains("not a promptgate report"), "{none}");
    let list = message(read_alone("old.json", "[]").unwrap_err());
    assert!(list.contains("not a promptgate report"), "{list}");
    let noise = message(read_alone("old.json", "{\"schema\": ::error::\n}").unwrap_err());
    assert!(noise.contains("damaged") && noise.starts_with("old.json:1:"), "{noise}");
}

#[test]
fn unknown_fields_are_ignored() {
    let mut value = serde_json::to_value(fixtures::pass()).unwrap();
    value["added_later"] = json!({"a": 1});
    value["cases"][0]["added_later"] = json!(true);
    assert_eq!(read_alone("report.json", &value.to_string()).unwrap(), fixtures::pass());
}

fn set_criteria(report: &mut Value, verdict: &str) {
    for criterion in report["criteria"].as_array_mut().unwrap() {
        criterion["verdict"] = json!(verdict);
    }
}

#[test]
fn pass_of_a_run_that_did_not_end_is_refused() {
    let mut value = serde_json::to_value(fixtures::pass()).unwrap();
    value["ended"]["kind"] = json!("failed_fast");
    let ended = message(read_alone("report.json", &value.to_string()).unwrap_err());
    assert!(ended.contains("`verdict` is pass, but the run ended as failed_fast"), "{ended}");
    // `--advisory` excuses a verdict, and nothing makes it worse.
    let mut value = serde_json::to_value(fixtures::fail()).unwrap();
    value["exit_code"] = json!(0);
    assert_eq!(read_alone("report.json", &value.to_string()).unwrap().exit_code, 0);
    value["exit_code"] = json!(11);
    let code = message(read_alone("report.json", &value.to_string()).unwrap_err());
    assert!(code.contains("`exit_code` is 11, but `verdict` is fail"), "{code}");
}

#[test]
fn contradictory_report_is_refused() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 15] = [
        ("duplicate case", |report| report["cases"][1]["id"] = report["cases"][0]["id"].clone()),
        ("duplicate trial", |report| report["cases"][0]["trials"][2]["repeat"] = json!(0)),
        ("`repeat` must be below 2", |report| report["repeats"] = json!(2)),
        ("no baseline", |report| report["variants"]["baseline"] = Value::Null),
        ("no valid score", |report| report["cases"][0]["trials"][0]["grades"][0]["score"] = json!(2)),
        ("needs `output`", |report| report["cases"][0]["trials"][0]["output"] = Value::Null),
        ("`dataset.cases` is 6", |report| {
            report["cases"].as_array_mut().unwrap().pop();
        }),
        ("refers to case 6", |report| {
            let criteria = report["policy"]["criteria"].as_array_mut().unwrap();
            let must_pass = criteria.iter_mut().find(|it| it["requirement"]["kind"] == "must_pass");
            must_pass.unwrap()["requirement"]["case"] = json!(6);
        }),
        ("`verdict` is pass, but criterion", |report| report["verdict"] = json!("pass")),
        ("`verdict` is unchanged, but criterion", |report| report["verdict"] = json!("unchanged")),
        ("`verdict` is fail, but every criterion passes", |report| set_criteria(report, "pass")),
        ("`reasons` name criterion", |report| {
            report["verdict"] = json!("pass");
            set_criteria(report, "pass");
        }),
        ("`exit_code` is 10, but `verdict` is pass", |report| {
            report["verdict"] = json!("pass");
            set_criteria(report, "pass");
            report["reasons"] = json!([]);
        }),
        ("`verdict` is pass, but the last of `looks` is fail", |report| {
            report["verdict"] = json!("pass");
            set_criteria(report, "pass");
            report["reasons"] = json!([]);
            report["exit_code"] = json!(0);
        }),
        ("`reasons` lack criterion", |report| report["reasons"] = json!([])),
    ];
    for (expected, edit) in edits {
        let mut value = serde_json::to_value(fixtures::fail()).unwrap();
        edit(&mut value);
        let message = message(read_alone("report.json", &value.to_string()).unwrap_err());
        assert!(message.contains(expected) && message.contains("help:"), "{expected}: {message}");
    }
}
