//! Labelling in the page: by keyboard, doubtful answers first, saved in the format of `promptgate calibrate`.

use serde_json::{Value, json};

use super::{OpenReport, regressed};

/// Replaces the download by a variable, as nothing is saved by a test.
const CATCH: &str =
    "URL.createObjectURL = (blob) => { blob.text().then((text) => (window.saved = text)); return '#'; }";

fn labelled(page: &mut OpenReport, keys: &[&str]) {
    page.press_on("#label-answers", "Enter");
    for key in keys {
        page.browser.press(key);
        // A disagreement with the judge waits for a second look.
        if page.browser.evaluate("document.getElementById('label-next') !== null") == json!(true) {
            page.press_on("#label-next", "Enter");
        }
    }
}

#[test]
fn labels_from_the_page_calibrate_the_judge() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    page.browser.evaluate(CATCH);
    // The queue starts with the answers on which a person may disagree with the judge.
    let keys: Vec<&str> = (0..48).map(|at| if at % 3 == 0 { "f" } else { "p" }).collect();
    labelled(&mut page, &keys);
    page.browser.press("u");
    assert_eq!(page.text("#label-progress"), "48 of 50");
    page.browser.press("s");
    page.browser.settle();
    let saved = page.browser.evaluate("window.saved");
    let saved = saved.as_str().expect("a labels file").to_owned();
    let rows: Vec<Value> = saved.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 49);
    assert_eq!(rows.iter().filter(|row| row.get("human").is_none()).count(), 1);
    assert_eq!(rows.iter().filter(|row| row["human"] == json!(false)).count(), 16);
    // Answers and questions are those of the report.
    let report = page.folder.report();
    for row in &rows {
        let cases = report["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["id"] == row["id"]).expect("the case");
        assert_eq!(row["query"], case["query"]);
        let is_answer = |trial: &Value| trial["role"] == "candidate" && trial["output"] == row["response"];
        assert!(case["trials"].as_array().expect("trials").iter().any(is_answer), "{row}");
    }
    page.folder.write("labels.jsonl", &saved);
    let outcome = page.folder.promptgate(&["calibrate", "labels.jsonl", "--offline"]).expect_code(0);
    assert!(outcome.stdout.contains("48"), "{}", outcome.text());
    let calibration: Value =
        serde_json::from_str(&page.folder.read("promptgate-calibration/calibration.json")).expect("JSON");
    assert_eq!(calibration["metric"], "faithfulness");
    page.assert_quiet();
}

#[test]
fn progress_beyond_the_goal_names_the_kind_that_is_rare() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    labelled(&mut page, &["p"; 49]);
    assert_eq!(page.text("#label-progress"), "49 of 50");
    labelled(&mut page, &["f"]);
    assert_eq!(page.text("#label-progress"), "50 labels: 49 pass, 1 fail; calibration needs 20 of each");
    page.assert_quiet();
}

#[test]
fn labels_have_notes_and_survive_the_dialog() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    page.browser.evaluate(CATCH);
    page.press_on("#label-answers", "Enter");
    assert_eq!(page.browser.evaluate("document.activeElement.id"), "labels-title");
    assert_eq!(page.text("#label-progress"), "0 of 50");
    assert_eq!(page.text("#labels-title"), "Is every statement supported by the context?");
    // The judge's verdict comes after one's own.
    assert_eq!(page.browser.evaluate("document.querySelector('#labels .judged')"), Value::Null);
    page.browser.press("n");
    page.browser.type_text("p and f are letters here");
    page.browser.press("Enter");
    page.browser.press("u");
    page.browser.press("Escape");
    assert_eq!(page.browser.evaluate("document.getElementById('labels').open"), false);
    assert_eq!(page.browser.evaluate("document.activeElement.id"), "label-answers");
    page.press_on("#label-answers", "Enter");
    page.browser.press("k");
    assert_eq!(
        page.browser.evaluate("document.getElementById('label-note').value"),
        "p and f are letters here"
    );
    let pressed = "document.querySelector('#labels [data-label=unsure]').ariaPressed";
    assert_eq!(page.browser.evaluate(pressed), "true");
    // Disagreeing with the judge shows both.
    page.browser.press("p");
    page.browser.press("k");
    let judged = page.text("#labels .judged");
    page.browser.press("f");
    page.browser.press("k");
    let other = page.text("#labels .judged");
    assert_ne!(judged.contains("You disagree"), other.contains("You disagree"), "{judged} / {other}");
    page.assert_quiet();
}

#[test]
fn labels_are_for_the_metric_that_is_chosen() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    page.browser.evaluate(CATCH);
    page.press_on("#label-answers", "Enter");
    page.browser.press("u");
    let choose = |metric: &str| {
        format!(
            "(() => {{ const select = document.getElementById('label-metric'); select.value = '{metric}'; \
             select.dispatchEvent(new Event('change')); return select.value; }})()"
        )
    };
    page.browser.evaluate(&choose("relevance"));
    assert_eq!(page.text("#labels-title"), "Does the answer address the whole question?");
    assert_eq!(page.text("#label-progress"), "0 of 50");
    page.press_on("#labels-title", "p");
    page.browser.evaluate(&choose("faithfulness"));
    assert_eq!(page.text("#label-progress"), "0 of 50");
    page.press_on("#labels-title", "p");
    page.press_on("#labels-title", "s");
    page.browser.settle();
    let saved = page.browser.evaluate("window.saved");
    let saved = saved.as_str().expect("a labels file").to_owned();
    let rows: Vec<Value> = saved.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let metrics: Vec<&str> = rows.iter().filter_map(|row| row["metric"].as_str()).collect();
    assert_eq!(metrics.iter().filter(|metric| **metric == "relevance").count(), 1, "{metrics:?}");
    assert!(metrics.contains(&"faithfulness"), "{metrics:?}");
    page.assert_quiet();
}
