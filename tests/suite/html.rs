//! `report.html` in a browser: hostile text is inert, the page sends no request, and it works by keyboard.

use serde_json::{Value, json};

mod comparison;
mod labels;

use crate::browser::{Activity, Browser, Profile, chromium};
use crate::support::{Canned, Folder, KEY};

const PAGE: &str = "promptgate-report/report.html";

/// An image on another host.
const IMAGE: &str = "http://evil.example/x.png";

/// Text that would run scripts or send requests if it became markup.
const HOSTILE: &str = "</script><script>document.title='ran'</script><img src=http://evil.example/i.png \
     onerror=\"document.title='ran'\"><!--<script>\"'><svg onload=\"document.title='ran'\"><base \
     href=http://evil.example/><link rel=stylesheet href=http://evil.example/s.css><style>@import \
     url(http://evil.example/t.css);*{display:none}</style><iframe src=http://evil.example/f></iframe><a \
     href=\"javascript:document.title='ran'\" id=data>x</a><form action=http://evil.example/><meta http-equiv=refresh \
     content=\"0;url=http://evil.example/r\">{{ 7 * 7 }}";

/// The same for names, which are limited to 200 characters.
const NAME: &str = "</script><script>document.title='ran'</script><img src=http://evil.example/n.png \
     onerror=\"document.title='ran'\"><base href=http://evil.example/>";

/// Characters that reverse text, end a line or are invisible; names must not contain them.
const HIDDEN: &str = "\u{202E}\u{2028}\u{0}\u{200B}";

/// A report that is open in a browser.
struct OpenReport {
    browser: Browser,
    folder: Folder,
}

impl OpenReport {
    /// Opens the report of a folder at a fragment; `None` without a browser, where neither is made.
    fn of(make: impl FnOnce() -> (Folder, String)) -> Option<Self> {
        let chromium = chromium()?;
        let (folder, fragment) = make();
        let mut browser = Browser::start(chromium, Profile::Named);
        browser.open(&folder.path().join(PAGE), &fragment);
        Some(Self { browser, folder })
    }

    /// Asserts that no hostile text ran, nothing was requested and nothing failed.
    #[track_caller]
    fn assert_quiet(&mut self) {
        assert_eq!(self.browser.activity(), Activity::default());
        assert_ne!(self.browser.evaluate("document.title"), "ran");
    }

    #[track_caller]
    fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({}).innerText", json!(selector));
        self.browser.evaluate(&expression).as_str().expect("a text").to_owned()
    }

    #[track_caller]
    fn case_ids(&mut self) -> Vec<String> {
        let ids = self
            .browser
            .evaluate("[...document.querySelectorAll('#table tbody th')].map((cell) => cell.innerText)");
        serde_json::from_value(ids).expect("texts")
    }

    /// Focuses an element and presses a key.
    #[track_caller]
    fn press_on(&mut self, selector: &str, key: &str) {
        self.browser.evaluate(&format!("document.querySelector({}).focus()", json!(selector)));
        self.browser.press(key);
    }
}

/// Runs a suite with hostile responses, cases and names over HTTP.
fn hostile(arguments: &[&str]) -> Folder {
    let folder = Folder::small(1);
    let text = folder.read("promptgate.yaml");
    let head = text.split("judge:").next().expect("a head").to_owned();
    let checks = format!("name: {}\nchecks: [{{equals: nothing}}]\n", json!(HOSTILE));
    folder.write("promptgate.yaml", &(head.replace("name: small\n", "") + &checks));
    let case = |number: usize| {
        let text = format!("{HOSTILE}{HIDDEN}");
        json!({"id": format!("{NAME}{number}"), "query": text, "context": [text], "tags": [NAME],
               "expected": text})
        .to_string()
    };
    folder.write("cases.jsonl", &format!("{}\n{}\n", case(1), case(2)));
    let text = format!("{HOSTILE}{HIDDEN}");
    let body = json!({"model": text, "system_fingerprint": text,
                      "choices": [{"message": {"content": text}, "finish_reason": "stop"}]});
    let server = Canned::answering("200 OK", "application/json", &body.to_string());
    folder.against(&server.base_url, &[&["run"], arguments].concat()).expect_code(10);
    folder
}

/// Runs the golden suite with a prompt that makes it worse.
fn regressed() -> Folder {
    let folder = Folder::golden();
    folder
        .promptgate(&["run", "--offline", "--candidate", "file:prompts/quiet-regression.md"])
        .expect_code(10);
    folder
}

/// Runs five thousand cases with one check.
fn large() -> Folder {
    let folder = Folder::small(1);
    let rows: String = (1..=5000)
        .map(|number| {
            let tag = ["refunds", "shipping", "billing"][number % 3];
            format!("{}\n", json!({"id": format!("case-{number}"), "query": format!("What does plan {number} cost?"), "context": format!("Plan {number} costs {number} euros."), "tags": [tag]}))
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    // Without a judge, which would only make the run slower.
    let text = folder.read("promptgate.yaml");
    let head = text.split("judge:").next().expect("a head");
    folder.write(
        "promptgate.yaml",
        &format!("{head}checks: [length: {{min_chars: 1}}]\ngate: {{repeats: 1}}\n"),
    );
    folder.promptgate(&["run", "--offline", "--quiet"]);
    assert!(std::fs::metadata(folder.path().join(PAGE)).expect("a page").len() < 10_000_000);
    folder
}

#[test]
fn page_with_image_and_script_shows_activity() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    let body = format!("<img src={IMAGE}><script>document.title='ran'</script>");
    folder.write("open.html", &format!("<!doctype html><title>kept</title><body>{body}"));
    for profile in [Profile::Named, Profile::Default] {
        let mut browser = Browser::start(chromium, profile);
        browser.open(&folder.path().join("open.html"), "");
        assert_eq!(browser.evaluate("document.title"), "ran");
        let activity = browser.activity();
        assert_eq!(activity.requests, [IMAGE], "{profile:?}");
        assert_eq!(activity.proxied, [format!("GET {IMAGE} HTTP/1.1")], "{profile:?}");
    }
}

#[test]
fn page_without_links_shows_no_activity() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    folder.write("plain.html", "<!doctype html><title>plain</title><p>text");
    for profile in [Profile::Named, Profile::Default] {
        let mut browser = Browser::start(chromium, profile);
        browser.open(&folder.path().join("plain.html"), "");
        assert_eq!(browser.activity(), Activity::default(), "{profile:?}");
    }
}

#[test]
fn report_with_planted_image_shows_activity() {
    let plant = || {
        let folder = hostile(&[]);
        folder.edit(PAGE, "</main>", &format!("<img src=\"{IMAGE}\"></main>"));
        (folder, String::new())
    };
    let Some(mut page) = OpenReport::of(plant) else { return };
    let activity = page.browser.activity();
    assert_eq!(activity.violations, ["img-src"]);
    assert_eq!(activity.requests, [IMAGE]);
    // The policy blocks the request.
    assert_eq!(activity.proxied, Vec::<String>::new());
}

#[test]
fn hostile_text_is_inert() {
    let Some(mut page) = OpenReport::of(|| (hostile(&[]), "#case-2".to_owned())) else { return };
    assert!(page.text("#verdict").contains("FAIL"));
    assert!(page.text("dialog").contains("document.title='ran'"));
    assert!(page.text("dialog").contains("U+202E"));
    page.assert_quiet();
    page.press_on("dialog .steps button:last-child", "Enter");
    for selector in ["#main", "#criteria", "#provenance"] {
        assert!(page.text(selector).len() > 3, "{selector}");
    }
    // None of the hostile markup became an element.
    let foreign = "document.querySelectorAll('iframe, img, base, link, form, svg[onload], [onerror], [href^=javascript]').length";
    assert_eq!(page.browser.evaluate(foreign), 0);
    assert_eq!(page.browser.evaluate("document.querySelectorAll('script').length"), 2);
    page.assert_quiet();
    // The policy blocks elements that are added later.
    page.browser.evaluate(
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://evil.example/i'}))",
    );
    page.browser.settle();
    assert_eq!(page.browser.evaluate("window.violations"), json!(["img-src"]));
    assert_eq!(
        page.browser.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'set' } catch { 'refused' }"),
        "refused"
    );
    assert_eq!(page.browser.take_proxied(), Vec::<String>::new());
    assert!(!page.folder.read(PAGE).contains(KEY));
}

#[test]
fn cases_are_searched_sorted_and_opened_by_keyboard() {
    let Some(mut page) = OpenReport::of(|| (regressed(), String::new())) else { return };
    // A red run shows its failures first, and all cases on demand.
    let failures = page.case_ids().len();
    let counted = page.text("#counted");
    assert!(counted.starts_with(&format!("{failures} of 60 cases, by status, worst first")), "{counted}");
    assert!((5..60).contains(&failures), "{failures}");
    page.press_on("#failures", " ");
    assert!(page.text("#counted").starts_with("60 cases, by status, worst first"));
    assert_eq!(page.case_ids().len(), 60);

    // Search, with the key that the label names.
    page.browser.press("/");
    assert_eq!(page.browser.evaluate("document.activeElement.id"), "find");
    page.browser.type_text("refund label");
    let found = page.case_ids();
    assert!(!found.is_empty() && found.len() < 20, "{found:?}");
    assert!(
        page.text("#counted").starts_with(&format!("{} of 60 cases", found.len())),
        "{}",
        page.text("#counted")
    );
    page.press_on("#reset", "Enter");
    assert_eq!(page.case_ids().len(), 60);

    // Filters by status and by tag.
    let broken = page.browser.evaluate("document.querySelectorAll('#table tbody .chip.broken').length");
    page.press_on("#statuses input[value=broken]", " ");
    assert_eq!(
        page.browser.evaluate("document.querySelector('#statuses input[value=broken]').checked"),
        true
    );
    assert_eq!(json!(page.case_ids().len()), broken);
    page.press_on("#reset", "Enter");
    page.browser.evaluate("{ const tag = document.getElementById('tag'); tag.value = 'refunds'; tag.dispatchEvent(new Event('change')); }");
    assert!((1..60).contains(&page.case_ids().len()));
    page.press_on("#reset", "Enter");

    // Sorting by the button in the heading, in both directions.
    let sort = "#table th[data-column=id] button";
    page.press_on(sort, "Enter");
    let ascending = page.case_ids();
    assert_eq!(page.browser.evaluate("document.querySelector('th[data-column=id]').ariaSort"), "ascending");
    page.press_on(sort, "Enter");
    let mut descending = page.case_ids();
    assert_eq!(page.browser.evaluate("document.querySelector('th[data-column=id]').ariaSort"), "descending");
    descending.reverse();
    assert_eq!(ascending, descending);
    assert_eq!(page.browser.evaluate("document.querySelectorAll('th[aria-sort]').length"), 1);

    // Moving between rows, opening a case, the next case, and returning to the table.
    page.press_on("#table tbody a", "ArrowDown");
    let second = page.browser.evaluate("document.activeElement.innerText");
    page.browser.press("Enter");
    assert_eq!(page.browser.evaluate("document.getElementById('case').open"), true);
    assert!(
        page.text("#case-title").starts_with(second.as_str().expect("an id")),
        "{}",
        page.text("#case-title")
    );
    assert_eq!(page.browser.evaluate("location.hash.startsWith('#case-')"), true);
    page.browser.press("j");
    let third = page.browser.evaluate("document.querySelectorAll('#table tbody th')[2].innerText");
    assert!(page.text("#case-title").starts_with(third.as_str().expect("an id")));
    page.browser.press("Escape");
    assert_eq!(page.browser.evaluate("document.getElementById('case').open"), false);
    assert_eq!(page.browser.evaluate("location.hash"), "#cases");
    page.assert_quiet();
}

#[test]
fn open_case_shows_quotes_difference_and_usage() {
    let broken = |folder: &Folder| {
        let report = folder.report();
        let cases = report["cases"].as_array().expect("cases");
        let at = cases.iter().position(|case| case["status"] == "broken").expect("a broken case");
        (at, cases[at].clone())
    };
    let report = OpenReport::of(|| {
        let folder = regressed();
        let fragment = format!("#case-{}", broken(&folder).0 + 1);
        (folder, fragment)
    });
    let Some(mut page) = report else { return };
    let (_, case) = broken(&page.folder);
    assert_eq!(page.browser.evaluate("document.activeElement.id"), "case-title");
    assert!(page.text("#case-title").starts_with(case["id"].as_str().expect("an id")));
    let text = page.text("dialog");
    for part in [case["query"].as_str().expect("a question"), "tokens in", "latency", "cost", "faithfulness"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The judge's quotes are marked verbatim in the passages.
    let marked = page
        .browser
        .evaluate("[...document.querySelectorAll('.passage mark')].map((mark) => mark.textContent)");
    let marked: Vec<String> = serde_json::from_value(marked).expect("texts");
    let context = case["context"].to_string();
    assert!(
        !marked.is_empty()
            && marked
                .iter()
                .all(|mark| context.contains(&json!(mark).to_string().trim_matches('"').to_owned())),
        "{marked:?}"
    );
    // The difference shows both outputs completely.
    let answers = page
        .browser
        .evaluate("[...document.querySelectorAll('dialog .answer pre')].map((answer) => answer.textContent)");
    let outputs: Vec<&Value> = ["baseline", "candidate"]
        .iter()
        .filter_map(|role| case["trials"].as_array()?.iter().find(|trial| trial["role"] == *role))
        .map(|trial| &trial["output"])
        .collect();
    assert_eq!(answers, json!(outputs));
    assert!(
        page.browser.evaluate("document.querySelectorAll('dialog del, dialog ins').length").as_u64()
            > Some(0)
    );
    page.assert_quiet();
}

#[test]
fn page_without_script_shows_the_essentials() {
    let Some(chromium) = chromium() else { return };
    // Without a baseline, failing cases are listed as the worst.
    let folder = hostile(&["--baseline", "none"]);
    let mut browser = Browser::start(chromium, Profile::Named);
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.open(&folder.path().join(PAGE), "");
    let document = browser.call("DOM.getDocument", json!({"depth": 1}));
    let root = document["root"]["nodeId"].clone();
    for (selector, expected) in [
        ("#verdict", true),
        ("table.criteria", true),
        ("svg.plot", true),
        ("details.case pre", true),
        ("iframe", false),
        ("img", false),
    ] {
        let found = browser.call("DOM.querySelector", json!({"nodeId": root, "selector": selector}));
        assert_eq!(found["nodeId"] != json!(0), expected, "{selector}");
    }
    assert_eq!(browser.requests(), Vec::<String>::new());
    assert_eq!(browser.take_proxied(), Vec::<String>::new());
}

#[test]
fn thousands_of_cases_are_searchable() {
    let Some(mut page) = OpenReport::of(|| (large(), String::new())) else { return };
    assert!(page.text("#counted").starts_with("5,000 cases"));
    // Rows are rendered on demand; the arrow keys reach all of them.
    assert_eq!(page.case_ids().len(), 100);
    page.press_on("#table tbody tr:last-child a", "ArrowDown");
    assert!(page.case_ids().len() > 100);
    page.browser.press("/");
    page.browser.type_text("case-4321");
    assert_eq!(page.case_ids(), ["case-4321"]);
    assert!(page.text("#counted").starts_with("1 of 5,000 cases"));
    page.browser.evaluate("document.querySelector('#table tbody a').click()");
    page.browser.settle();
    assert!(page.text("dialog").contains("What does plan 4321 cost?"));
    page.assert_quiet();
}
