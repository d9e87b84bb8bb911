//! Tests of the page as text: content, escaping and size. `tests/suite/html.rs` opens it in a browser.

use proptest::prelude::*;
use serde_json::Value;

use super::escaping::escape_json;
use super::*;
use crate::{Format, Style, fixtures, v1};
use promptgate_core::text::Secret;

fn page(report: &Report) -> String {
    page_without(report, &[])
}

fn page_without(report: &Report, secrets: &[Secret]) -> String {
    let mut out = Vec::new();
    let style = Style { redactor: Redactor::new(secrets), ..Style::default() };
    crate::write(report, Format::Html, &mut out, style).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text between two markers, the first of which occurs once.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    assert_eq!(page.matches(from).count(), 1, "{from}");
    page.split_once(from).unwrap().1.split_once(to).unwrap().0
}

fn data(page: &str) -> Value {
    let json = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    serde_json::from_str(json).unwrap()
}

/// The tags of the page with their attributes, without report text.
fn skeleton(page: &str) -> Vec<&str> {
    let tags = regex::Regex::new("</?[a-zA-Z!][^>]*>").unwrap();
    let body = page.split("<script").next().unwrap();
    tags.find_iter(body).map(|tag| tag.as_str()).collect()
}

#[test]
fn csp_contains_digests_of_style_and_script() {
    let page = page(&fixtures::fail());
    let style = between(&page, "<style>", "</style>");
    let script = between(&page, "<script>", "</script>");
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    // The template escapes these in attributes.
    let policy = policy.replace("&#x27;", "'").replace("&#x2f;", "/");
    for source in [csp_digest(style), csp_digest(script)] {
        assert!(policy.contains(&format!("'{source}'")), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"));
    // The well-known digest of the empty text.
    assert_eq!(csp_digest(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

#[test]
fn markup_has_no_requests_and_no_inline_handlers() {
    let page = page(&fixtures::fail());
    for tag in skeleton(&page) {
        let tag = tag.to_lowercase();
        assert!(!tag.contains(" style=") && !tag.contains(" src=") && !tag.contains(" on"), "{tag}");
        assert!(!tag.contains("href=") || tag.contains("href=\"#"), "{tag}");
    }
    let script = script();
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "import("]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
    assert!(!script.contains("</") && !STYLE.contains("</") && !STYLE.contains("url("));
    assert!(!script.contains('\r') && !STYLE.contains('\r'));
}

#[test]
fn every_verdict_is_rendered() {
    for (report, word) in [
        (fixtures::pass(), "PASS"),
        (fixtures::fail(), "FAIL"),
        (fixtures::inconclusive(), "INCONCLUSIVE"),
        (fixtures::incomplete(), "INCOMPLETE"),
        (fixtures::no_baseline(), "PASS"),
        (fixtures::interrupted(), "INTERRUPTED"),
    ] {
        let page = page(&report);
        assert!(page.contains(&format!("<span class=\"word\">{word}</span>")), "{word}");
        let reasons = if crate::view::is_infrastructure_failure(&report) { 1 } else { report.reasons.len() };
        for reason in report.reasons.iter().take(reasons) {
            assert!(
                page.contains(&reason.message.split(';').next().unwrap().replace('\'', "&#x27;")),
                "{word}: {}",
                reason.message
            );
        }
        assert_eq!(data(&page)["rows"].as_array().unwrap().len(), report.cases.len());
        assert!(!page.contains("NaN") || word == "never", "{word}");
    }
}

#[test]
fn plots_have_text_alternatives() {
    let page = page(&fixtures::fail());
    assert!(
        page.contains("difference −0.278 (−0.440 to −0.116); required ≥ 0.000; detects drops from −0.138")
    );
    assert!(page.contains("candidate 0.722 (0.560 to 0.884); baseline 1.000; required ≥ 0.750"));
    assert!(page.contains("p95 ≤ 4.00 s"), "{page}");
    // Faithfulness fell in two cases; relevance fell in one and rose in another.
    assert!(page.contains("6 cases: 2 worse, 0 better, 4 unchanged"));
    assert!(page.contains("6 cases: 1 worse, 1 better, 4 unchanged"));
    assert!(page.contains("refund-004: −0.667"));
}

#[test]
fn case_data_holds_answers_and_context() {
    let data = data(&page(&fixtures::fail()));
    let worst = &data["rows"][0];
    assert_eq!((worst["id"].as_str(), worst["rank"].as_u64()), (Some("refund-002"), Some(0)));
    let opened = &data["cases"]["2"];
    assert_eq!(
        opened["context"][0],
        "[KB-2] A refund takes up to 4 working days after we receive the parcel. Gift cards are refunded as store credit."
    );
    assert_eq!(opened["trials"].as_array().unwrap().len(), 6);
    let trial = &opened["trials"][0];
    assert_eq!(
        trial["output"],
        r#"{"answer":"As an AI model I can tell you that a refund takes 10 days.","citations":[]}"#
    );
    let facts = trial["facts"].to_string();
    // 203 tokens at $0.15 and 19 at $0.60 per million.
    assert!(facts.contains("203 tokens in, 19 out") && facts.contains("$0.000042"), "{facts}");
    assert_eq!(data["cases"]["1"]["expected"], "Gifts can be returned for 60 days after delivery.");
}

#[test]
fn judge_and_panel_evidence_is_included() {
    let mut report = fixtures::fail();
    let statements = serde_json::json!({"statements": [
        {"id": 1, "text": "30 days", "verdict": "supported", "quotes": ["for 30 days"], "reasoning": "it says so"}
    ]});
    let panel = serde_json::json!({"judgements": [
        {"judge": "one", "vote": 2, "score": 0.5, "reason": "half", "details": statements}, 7
    ]});
    for (details, title) in [(statements, None), (panel, Some("one, vote 2: 0.500, half"))] {
        let mut trials: Vec<v1::Trial> =
            report.cases[1].trials.readable().map(|trial| trial.into_owned()).collect();
        trials[0].grades[2].details = details;
        report.cases[1].trials = trials.into();
        let judgement = data(&page(&report))["cases"]["2"]["trials"][0]["grades"][2]["judgements"][0].clone();
        assert_eq!(judgement["title"].as_str(), title);
        assert_eq!(judgement["entries"][0]["quotes"][0], "for 30 days");
    }
}

/// The failing report with that many cases, each with an answer of that length.
fn large(cases: usize, answer: &str) -> Report {
    let mut report = fixtures::fail();
    let trials: Vec<v1::Trial> = report.cases[3]
        .trials
        .readable()
        .map(|trial| v1::Trial { output: Some(answer.to_owned()), ..trial.into_owned() })
        .collect();
    let case = |index: usize| {
        let broken = index.is_multiple_of(100);
        v1::Case {
            id: format!("case-{index}"),
            status: if broken { v1::CaseStatus::Broken } else { v1::CaseStatus::Same },
            trials: trials.clone().into(),
            ..report.cases[if broken { 1 } else { 0 }].clone()
        }
    };
    report.cases = (0..cases).map(case).collect();
    report
}

#[test]
fn large_page_keeps_worst_cases_and_reports_omissions() {
    let page = page(&large(6000, &"An answer of some words. ".repeat(80)));
    assert!(page.len() < 10_000_000, "{}", page.len());
    let data = data(&page);
    assert_eq!(data["rows"].as_array().unwrap().len(), 6000);
    let opened = data["cases"].as_object().unwrap();
    // All broken cases, and some of the others.
    assert!(opened.contains_key("1") && opened.contains_key("5901"), "{}", opened.len());
    assert!((61..6000).contains(&opened.len()), "{}", opened.len());
    let left_out = crate::view::number::count((6000 - opened.len()) as u64);
    assert!(page.contains(&format!("the answers of {left_out} cases")), "{left_out}");
}

#[test]
fn long_report_stays_below_size_limit() {
    let mut report = large(30_000, "x");
    let long = "<\u{202E}&é".repeat(20_000);
    report.reasons = vec![v1::Reason { message: long.clone(), ..report.reasons[0].clone() }; 2000];
    report.warnings = vec![long.clone(); 2000];
    report.name.clone_from(&long);
    let criterion = report.criteria[0].clone();
    report.criteria =
        (0..2000).map(|_| v1::Criterion { explanation: long.clone(), ..criterion.clone() }).collect();
    let metric = report.metrics[1].clone();
    report.metrics =
        (0..500).map(|index| v1::Metric { name: format!("{long}{index}"), ..metric.clone() }).collect();
    for case in &mut report.cases[..200] {
        case.query.clone_from(&long);
        case.tags = vec![long.clone(); 50];
        case.context = Some(vec![long.clone(); 100].into());
    }
    let page = page(&report);
    assert!(page.len() < 10_000_000, "{}", page.len());
    assert!(page.contains("none worse than the listed ones"));
    assert!(data(&page)["rows"].as_array().unwrap().len() > 5000);
}

#[test]
fn secret_is_redacted_in_every_encoding() {
    let key = "k<e>y&\"'/+=s3cret\\x";
    let report = crate::tests::filled_with(&format!("before {key} after {}", key.repeat(400)));
    let page = page_without(&report, &[Secret::new(key)]);
    let html = |text: &str| {
        ["&amp;", "&lt;", "&gt;", "&quot;", "&#x27;", "&#x2f;"]
            .into_iter()
            .zip(["&", "<", ">", "\"", "'", "/"])
            .fold(
                text.to_owned(),
                |text, (to, from)| if from == "&" { text.replace('&', to) } else { text.replace(from, to) },
            )
    };
    let json = serde_json::to_string(key).unwrap();
    for form in [key.to_owned(), html(key), json.clone(), escape_json(json.trim_matches('"'))] {
        assert!(!page.contains(&form), "{form}");
    }
    // No recognizable part of it either.
    assert!(!page.contains("s3cret"), "{}", page.find("s3cret").map_or("", |at| &page[at - 60..at + 40]));
    assert!(page.contains("[redacted]"));
    let markdown = {
        let mut out = Vec::new();
        let style = Style { redactor: Redactor::new(&[Secret::new(key)]), ..Style::default() };
        crate::write(&report, Format::Markdown, &mut out, style).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(markdown.contains("&lsqb;redacted&rsqb;"));
    let escaped = promptgate_core::text::neutral::markdown(key);
    assert!(!markdown.contains(key) && !markdown.contains(&escaped), "{markdown}");
}

const HOSTILE: [&str; 10] = [
    "</script><script>document.title='ran'</script>",
    "<!--<script>",
    "]]><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></style><style>*{display:none}",
    "{{ 7 * 7 }}{% raw %}",
    "\u{2028}\u{2029}\u{0}\u{202E}\u{FEFF}",
    "javascript:alert(1)",
    "</SCRIPT\n><base href=https://evil.example>",
];

fn assert_contained(text: &str) {
    let plain = page(&crate::tests::filled_with("plain"));
    let filled = page(&crate::tests::filled_with(text));
    // The same elements with the same attributes.
    assert_eq!(skeleton(&filled), skeleton(&plain), "{text:?}");
    assert_eq!(filled.matches("<script").count(), 2, "{text:?}");
    assert_eq!(filled.matches("</script").count(), 2, "{text:?}");
    // The data is complete, and cannot end its script element.
    let json = between(&filled, "<script type=\"application/json\" id=\"data\">", "</script>");
    assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text:?}");
    let expected = if text.len() <= 200 { text.to_owned() } else { return };
    assert_eq!(data(&filled)["cases"]["2"]["trials"][0]["output"], expected, "{text:?}");
    // Invisible and direction-changing characters are replaced by labels.
    let body = filled.split("<script").next().unwrap();
    assert!(!body.contains(['\u{202E}', '\u{0}', '\u{FEFF}', '\u{2028}', '\u{200B}']), "{text:?}");
}

#[test]
fn hostile_text_adds_no_markup() {
    for text in HOSTILE {
        assert_contained(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_text_adds_no_markup(text in any::<String>()) {
        prop_assume!(!text.is_empty());
        assert_contained(&text);
    }

    #[test]
    fn tag_like_text_adds_no_markup(text in "[<>/!&;\"'a-z=\\-\\[\\]{}% \\n\u{2028}\u{202E}]{0,40}(</script|<!--|--!>|&lt;|%7D%7D)[<> \\n]{0,3}") {
        assert_contained(&text);
    }
}
