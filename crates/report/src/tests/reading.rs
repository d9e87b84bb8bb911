//! A report is read strictly, and says where it is wrong.

use serde_json::{Value, json};

use super::{read_alone, rendered, said, style};
use crate::{Format, fixtures};

#[test]
fn reading_says_what_is_wrong_with_a_file() {
    let text = rendered(&fixtures::fail(), Format::Json, style());
    let cut = said(read_alone("old.json", &text[..text.len() / 2]).unwrap_err());
    assert!(cut.starts_with("old.json:") && cut.contains("cut off"), "{cut}");
    let empty = said(read_alone("old.json", " \n").unwrap_err());
    assert!(empty.contains("empty"), "{empty}");
    let later = said(read_alone("old.json", r#"{"schema": "promptgate.report/v2"}"#).unwrap_err());
    assert!(later.contains("promptgate.report/v2") && later.contains("promptgate.report/v1"), "{later}");
    let other = said(read_alone("old.json", r#"{"schema": "https://json-schema.org"}"#).unwrap_err());
    assert!(other.contains("no report"), "{other}");
    let none = said(read_alone("old.json", r#"{"verdict": "pass"}"#).unwrap_err());
    assert!(none.contains("no report"), "{none}");
    let list = said(read_alone("old.json", "[]").unwrap_err());
    assert!(list.contains("no report"), "{list}");
    let noise = said(read_alone("old.json", "{\"schema\": ::error::\n}").unwrap_err());
    assert!(noise.contains("damaged") && noise.starts_with("old.json:1:"), "{noise}");
}

#[test]
fn a_field_of_a_later_version_is_no_diagnostic() {
    let mut value = serde_json::to_value(fixtures::pass()).unwrap();
    value["added_later"] = json!({"a": 1});
    value["cases"][0]["added_later"] = json!(true);
    assert_eq!(read_alone("report.json", &value.to_string()).unwrap(), fixtures::pass());
}

#[test]
fn a_report_that_contradicts_itself_is_refused() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 8] = [
        ("twice", |report| report["cases"][1]["id"] = report["cases"][0]["id"].clone()),
        ("twice", |report| report["cases"][0]["trials"][2]["repeat"] = json!(0)),
        ("repeats", |report| report["repeats"] = json!(2)),
        ("no baseline", |report| report["variants"]["baseline"] = Value::Null),
        ("no valid score", |report| report["cases"][0]["trials"][0]["grades"][0]["score"] = json!(2)),
        ("needs `output`", |report| report["cases"][0]["trials"][0]["output"] = Value::Null),
        ("`dataset.cases` is 6", |report| {
            report["cases"].as_array_mut().unwrap().pop();
        }),
        ("speaks of case 6", |report| {
            let criteria = report["policy"]["criteria"].as_array_mut().unwrap();
            let must_pass = criteria.iter_mut().find(|it| it["requirement"]["kind"] == "must_pass");
            must_pass.unwrap()["requirement"]["case"] = json!(6);
        }),
    ];
    for (expected, edit) in edits {
        let mut value = serde_json::to_value(fixtures::fail()).unwrap();
        edit(&mut value);
        let message = said(read_alone("report.json", &value.to_string()).unwrap_err());
        assert!(message.contains(expected) && message.contains("help:"), "{expected}: {message}");
    }
}
