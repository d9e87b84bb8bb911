//! report.html in a browser: nothing in it acts or asks, and what it offers works, by keyboard too.

use serde_json::{Value, json};

use crate::browser::{Browser, Canary, chromium};
use crate::support::{Canned, Folder, KEY};

const PAGE: &str = "promptgate-report/report.html";

/// Everything that could run or ask, were it markup.
const HOSTILE: &str = "</script><script>document.title='ran'</script><img src=http://evil.example/i.png \
     onerror=\"document.title='ran'\"><!--<script>\"'><svg onload=\"document.title='ran'\"><base \
     href=http://evil.example/><link rel=stylesheet href=http://evil.example/s.css><style>@import \
     url(http://evil.example/t.css);*{display:none}</style><iframe src=http://evil.example/f></iframe><a \
     href=\"javascript:document.title='ran'\" id=data>x</a><form action=http://evil.example/><meta http-equiv=refresh \
     content=\"0;url=http://evil.example/r\">{{ 7 * 7 }}";

/// The same for a name, which has at most 200 characters.
const NAME: &str = "</script><script>document.title='ran'</script><img src=http://evil.example/n.png \
     onerror=\"document.title='ran'\"><base href=http://evil.example/>";

/// What turns text, ends a line and shows nothing; names with such characters are refused.
const HIDDEN: &str = "\u{202E}\u{2028}\u{0}\u{200B}";

/// A page in a browser behind a canary; `None` where there is no browser.
struct Opened {
    browser: Browser,
    canary: Canary,
    folder: Folder,
}

impl Opened {
    /// The page of what is made where there is a browser to look at it, at a fragment of its address.
    fn of(made: impl FnOnce() -> (Folder, String)) -> Option<Self> {
        let chromium = chromium()?;
        let (folder, fragment) = made();
        let canary = Canary::new();
        let mut browser = Browser::start(chromium, &canary.address);
        browser.open(&folder.path().join(PAGE), &fragment);
        Some(Self { browser, canary, folder })
    }

    /// Asserts that nothing ran, nothing was asked for and nothing went wrong.
    #[track_caller]
    fn assert_quiet(&mut self) {
        assert_eq!(self.browser.value("window.violations"), json!([]));
        assert_eq!(self.browser.troubles(), Vec::<&Value>::new());
        assert_eq!(self.browser.requests(), Vec::<&str>::new());
        // The browser itself may ask its maker for things, and connect to its proxy before there is a reason to.
        let asked = self.canary.asked();
        let asked: Vec<&String> =
            asked.iter().filter(|line| !line.is_empty() && !line.contains("google")).collect();
        assert_eq!(asked, Vec::<&String>::new());
        assert_ne!(self.browser.value("document.title"), "ran");
    }

    #[track_caller]
    fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({}).innerText", json!(selector));
        self.browser.value(&expression).as_str().expect("a text").to_owned()
    }

    #[track_caller]
    fn ids(&mut self) -> Vec<String> {
        let ids = self
            .browser
            .value("[...document.querySelectorAll('#table tbody th')].map((cell) => cell.innerText)");
        serde_json::from_value(ids).expect("texts")
    }

    /// Puts the focus on an element and presses a key there.
    #[track_caller]
    fn press_on(&mut self, selector: &str, key: &str) {
        self.browser.value(&format!("document.querySelector({}).focus()", json!(selector)));
        self.browser.press(key);
    }
}

/// Answers, cases and names that are hostile, from a run over HTTP.
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

/// A change that made the golden suite worse.
fn regressed() -> Folder {
    let folder = Folder::golden();
    folder
        .promptgate(&["run", "--offline", "--candidate", "file:prompts/quiet-regression.md"])
        .expect_code(10);
    folder
}

/// Five thousand cases with nothing but a check.
fn large() -> Folder {
    let folder = Folder::small(1);
    let rows: String = (1..=5000)
        .map(|number| {
            let tag = ["refunds", "shipping", "billing"][number % 3];
            format!("{}\n", json!({"id": format!("case-{number}"), "query": format!("What does plan {number} cost?"), "context": format!("Plan {number} costs {number} euros."), "tags": [tag]}))
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    // A judge would take its time, and there is enough to show without one.
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
fn a_browser_sees_what_a_page_does() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    folder.write(
        "open.html",
        "<!doctype html><title>kept</title><body><img src=http://evil.example/x.png>\
                               <script>document.title='ran'</script>",
    );
    let canary = Canary::new();
    let mut browser = Browser::start(chromium, &canary.address);
    browser.open(&folder.path().join("open.html"), "");
    // Without our policy the script runs and the request leaves: what the other tests look for can be seen.
    assert_eq!(browser.value("document.title"), "ran");
    while !canary.next().starts_with("GET http://evil.example/x.png") {}
    assert!(browser.requests().contains(&"http://evil.example/x.png"));
}

#[test]
fn hostile_texts_neither_run_nor_ask() {
    let Some(mut page) = Opened::of(|| (hostile(&[]), "#case-2".to_owned())) else { return };
    assert!(page.text("#verdict").contains("FAIL"));
    assert!(page.text("dialog").contains("document.title='ran'"));
    assert!(page.text("dialog").contains("U+202E"));
    page.assert_quiet();
    page.press_on("dialog .steps button:last-child", "Enter");
    for selector in ["#main", "#criteria", "#provenance"] {
        assert!(page.text(selector).len() > 3, "{selector}");
    }
    // No element of theirs is there.
    let foreign = "document.querySelectorAll('iframe, img, base, link, form, svg[onload], [onerror], [href^=javascript]').length";
    assert_eq!(page.browser.value(foreign), 0);
    assert_eq!(page.browser.value("document.querySelectorAll('script').length"), 2);
    page.assert_quiet();
    // Were there one, the policy would stop it.
    page.browser.value(
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://evil.example/i'}))",
    );
    page.browser.settle();
    assert_eq!(page.browser.value("window.violations"), json!(["img-src"]));
    assert_eq!(
        page.browser.value("try { document.body.innerHTML = '<b>x</b>'; 'set' } catch { 'refused' }"),
        "refused"
    );
    assert!(!page.canary.asked().iter().any(|line| line.contains("evil")));
    assert!(!page.folder.read(PAGE).contains(KEY));
}

#[test]
fn cases_are_found_sorted_and_opened_by_keyboard() {
    let Some(mut page) = Opened::of(|| (regressed(), String::new())) else { return };
    let all = page.text("#counted");
    assert!(all.starts_with("60 cases, by status, worst first"), "{all}");
    assert_eq!(page.ids().len(), 60);

    // A search by the key that the label names.
    page.browser.press("/");
    assert_eq!(page.browser.value("document.activeElement.id"), "find");
    page.browser.type_text("refund label");
    let found = page.ids();
    assert!(!found.is_empty() && found.len() < 20, "{found:?}");
    assert!(
        page.text("#counted").starts_with(&format!("{} of 60 cases", found.len())),
        "{}",
        page.text("#counted")
    );
    page.press_on("#reset", "Enter");
    assert_eq!(page.ids().len(), 60);

    // A filter by status and one by tag.
    let broken = page.browser.value("document.querySelectorAll('#table tbody .chip.broken').length");
    page.press_on("#statuses input[value=broken]", " ");
    assert_eq!(page.browser.value("document.querySelector('#statuses input[value=broken]').checked"), true);
    assert_eq!(json!(page.ids().len()), broken);
    page.press_on("#reset", "Enter");
    page.browser.value("{ const tag = document.getElementById('tag'); tag.value = 'refunds'; tag.dispatchEvent(new Event('change')); }");
    assert!((1..60).contains(&page.ids().len()));
    page.press_on("#reset", "Enter");

    // Sorted by the heading's button, both ways.
    let sort = "#table th[data-column=id] button";
    page.press_on(sort, "Enter");
    let ascending = page.ids();
    assert_eq!(page.browser.value("document.querySelector('th[data-column=id]').ariaSort"), "ascending");
    page.press_on(sort, "Enter");
    let mut descending = page.ids();
    assert_eq!(page.browser.value("document.querySelector('th[data-column=id]').ariaSort"), "descending");
    descending.reverse();
    assert_eq!(ascending, descending);
    assert_eq!(page.browser.value("document.querySelectorAll('th[aria-sort]').length"), 1);

    // From row to row, into a case, to the next one, and back to where it was left.
    page.press_on("#table tbody a", "ArrowDown");
    let second = page.browser.value("document.activeElement.innerText");
    page.browser.press("Enter");
    assert_eq!(page.browser.value("document.getElementById('case').open"), true);
    assert!(
        page.text("#case-title").starts_with(second.as_str().expect("an id")),
        "{}",
        page.text("#case-title")
    );
    assert_eq!(page.browser.value("location.hash.startsWith('#case-')"), true);
    page.browser.press("j");
    let third = page.browser.value("document.querySelectorAll('#table tbody th')[2].innerText");
    assert!(page.text("#case-title").starts_with(third.as_str().expect("an id")));
    page.browser.press("Escape");
    assert_eq!(page.browser.value("document.getElementById('case').open"), false);
    assert_eq!(page.browser.value("location.hash"), "#cases");
    page.assert_quiet();
}

#[test]
fn an_opened_case_shows_quotes_the_difference_and_what_it_took() {
    let broken = |folder: &Folder| {
        let report = folder.report();
        let cases = report["cases"].as_array().expect("cases");
        let at = cases.iter().position(|case| case["status"] == "broken").expect("a broken case");
        (at, cases[at].clone())
    };
    let opened = Opened::of(|| {
        let folder = regressed();
        let fragment = format!("#case-{}", broken(&folder).0 + 1);
        (folder, fragment)
    });
    let Some(mut page) = opened else { return };
    let (_, case) = broken(&page.folder);
    assert_eq!(page.browser.value("document.activeElement.id"), "case-title");
    assert!(page.text("#case-title").starts_with(case["id"].as_str().expect("an id")));
    let text = page.text("dialog");
    for part in [case["query"].as_str().expect("a question"), "tokens in", "latency", "cost", "faithfulness"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Quotes of the judge, in the passages, word for word.
    let marked =
        page.browser.value("[...document.querySelectorAll('.passage mark')].map((mark) => mark.textContent)");
    let marked: Vec<String> = serde_json::from_value(marked).expect("texts");
    let context = case["context"].to_string();
    assert!(
        !marked.is_empty()
            && marked
                .iter()
                .all(|mark| context.contains(&json!(mark).to_string().trim_matches('"').to_owned())),
        "{marked:?}"
    );
    // What is not struck through is the candidate's part of the baseline's answer, and the whole is the answer.
    let answers = page
        .browser
        .value("[...document.querySelectorAll('dialog .answer pre')].map((answer) => answer.textContent)");
    let outputs: Vec<&Value> = ["baseline", "candidate"]
        .iter()
        .filter_map(|role| case["trials"].as_array()?.iter().find(|trial| trial["role"] == *role))
        .map(|trial| &trial["output"])
        .collect();
    assert_eq!(answers, json!(outputs));
    assert!(
        page.browser.value("document.querySelectorAll('dialog del, dialog ins').length").as_u64() > Some(0)
    );
    page.assert_quiet();
}

#[test]
fn without_its_script_the_page_still_says_what_matters() {
    let Some(chromium) = chromium() else { return };
    let canary = Canary::new();
    // Without a baseline what fails is shown as the worst.
    let folder = hostile(&["--baseline", "none"]);
    let mut browser = Browser::start(chromium, &canary.address);
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.open(&folder.path().join(PAGE), "");
    let document = browser.call("DOM.getDocument", json!({"depth": 1}));
    let root = document["root"]["nodeId"].clone();
    for (selector, there) in [
        ("#verdict", true),
        ("table.criteria", true),
        ("svg.strip", true),
        ("details.case pre", true),
        ("iframe", false),
        ("img", false),
    ] {
        let found = browser.call("DOM.querySelector", json!({"nodeId": root, "selector": selector}));
        assert_eq!(found["nodeId"] != json!(0), there, "{selector}");
    }
    assert!(!canary.asked().iter().any(|line| line.contains("evil")));
}

#[test]
fn thousands_of_cases_are_searched_at_once() {
    let Some(mut page) = Opened::of(|| (large(), String::new())) else { return };
    assert!(page.text("#counted").starts_with("5,000 cases"));
    // Rows are made as they are needed; the keys reach all of them.
    assert_eq!(page.ids().len(), 100);
    page.press_on("#table tbody tr:last-child a", "ArrowDown");
    assert!(page.ids().len() > 100);
    page.browser.press("/");
    page.browser.type_text("case-4321");
    assert_eq!(page.ids(), ["case-4321"]);
    assert!(page.text("#counted").starts_with("1 of 5,000 cases"));
    page.browser.value("document.querySelector('#table tbody a').click()");
    page.browser.settle();
    assert!(page.text("dialog").contains("What does plan 4321 cost?"));
    page.assert_quiet();
}
