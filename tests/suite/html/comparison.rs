//! The first screen answers: the difference of the prompt, the worst answers, the grid, the request.

use serde_json::{Value, json};

use super::{OpenReport, regressed};

/// The window that the first screen is measured in.
fn resize(page: &mut OpenReport, width: u32, height: u32) {
    let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    page.browser.call("Emulation.setDeviceMetricsOverride", metrics);
}

#[test]
fn first_wrong_answer_is_on_the_first_screen() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    resize(&mut page, 1280, 900);
    let bottom = |page: &mut OpenReport, selector: &str| {
        let expression =
            format!("document.querySelector({}).getBoundingClientRect().bottom", json!(selector));
        page.browser.evaluate(&expression).as_f64().expect("a number")
    };
    for selector in ["#verdict", ".changed ins", ".case .answer:nth-child(2) pre"] {
        let bottom = bottom(&mut page, selector);
        assert!(bottom > 0.0 && bottom <= 900.0, "{selector} ends at {bottom}");
    }
    // It is the answer of a broken case, with its difference.
    let broken = page.browser.evaluate("document.querySelector('details.case .chip').textContent");
    assert_eq!(broken, "broken");
    assert!(page.text(".case .answer:nth-child(2) ins").len() > 3);
    // The worst three are open.
    assert_eq!(page.browser.evaluate("document.querySelectorAll('details.case[open]').length"), 3);
    // A phone needs no scrolling to the side.
    resize(&mut page, 400, 800);
    let overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(page.browser.evaluate(overflow), 0);
    page.assert_quiet();
}

#[test]
fn prompt_difference_is_that_of_the_report() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    let changes = page.folder.report()["changes"]["messages"][0]["segments"].clone();
    let texts = |op: &str| -> Vec<String> {
        let pieces = changes.as_array().expect("segments").iter().filter(|piece| piece["op"] == op);
        pieces.map(|piece| piece["text"].as_str().expect("a text").to_owned()).collect()
    };
    for (op, element) in [("removed", "del"), ("added", "ins")] {
        let expression =
            format!("[...document.querySelectorAll('.changed {element}')].map((of) => of.textContent)");
        let shown: Vec<String> = serde_json::from_value(page.browser.evaluate(&expression)).expect("texts");
        assert!(!shown.is_empty());
        assert_eq!(shown, texts(op));
    }
}

#[test]
fn grid_has_both_answers_of_every_failure() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    let id = page.case_ids()[0].clone();
    let report = page.folder.report();
    let cases = report["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["id"] == json!(id)).expect("the case").clone();
    for role in ["baseline", "candidate"] {
        let trials = case["trials"].as_array().expect("trials");
        let trial = trials.iter().find(|trial| trial["role"] == role).expect("a trial");
        let cell = format!("document.querySelector('#table tbody td[data-column={role}]').textContent");
        assert_eq!(page.browser.evaluate(&cell), trial["output"], "{role}");
    }
    let marks = "document.querySelectorAll('#table tbody tr:first-child :is(del, ins)').length";
    assert!(page.browser.evaluate(marks).as_u64() > Some(0));
    // A tag of the heat map filters the grid.
    page.press_on("button.tag-filter", "Enter");
    let tag = page.browser.evaluate("document.getElementById('tag').value");
    assert!(tag.as_str().is_some_and(|tag| !tag.is_empty()));
    assert!(page.text("#counted").contains("of 60 cases"), "{}", page.text("#counted"));
}

#[test]
fn case_shows_and_copies_what_was_sent() {
    let Some(mut page) = OpenReport::of(|| (regressed(), "#case-2".to_owned())) else { return };
    let report = page.folder.report();
    let case = &report["cases"][1];
    let sent = |role: &str| -> Vec<Value> {
        let digests = case["requests"][role].as_array().expect("digests");
        digests
            .iter()
            .map(|digest| report["messages"][digest.as_str().expect("a digest")]["content"].clone())
            .collect()
    };
    let shown = page.browser.evaluate(
        "[...document.querySelectorAll('dialog .message pre')].map((message) => message.textContent)",
    );
    assert_eq!(shown, json!([sent("baseline"), sent("candidate")].concat()));
    // Copied by the clipboard, or without it.
    page.browser.evaluate(
        "window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text); }",
    );
    for (label, expected) in
        [("Copy id", "refund-duration"), ("Copy command", "promptgate case refund-duration")]
    {
        let press = format!(
            "[...document.querySelectorAll('dialog button.copy')].find((button) => button.textContent === '{label}').click()"
        );
        page.browser.evaluate(&press);
        page.browser.settle();
        assert_eq!(page.browser.evaluate("window.copied.at(-1)"), expected, "{label}");
    }
    page.assert_quiet();
}
