//! Tests of the XML as JUnit readers see it.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::{LIMITS, Limits, document, is_green};
use crate::v1::{self, Case};
use crate::{Format, Report, Style, fixtures, write};
use promptgate_core::text::{Redactor, Secret};

fn xml(report: &Report) -> String {
    let mut out = Vec::new();
    write(report, Format::Junit, &mut out, Style::default()).unwrap();
    String::from_utf8(out).unwrap()
}

fn samples() -> [(&'static str, Report); 6] {
    [
        ("pass", fixtures::pass()),
        ("fail", fixtures::fail()),
        ("inconclusive", fixtures::inconclusive()),
        ("incomplete", fixtures::incomplete()),
        ("no_baseline", fixtures::no_baseline()),
        ("interrupted", fixtures::interrupted()),
    ]
}

fn cases<'a>(document: &'a Document<'a>, class: &str) -> Vec<Node<'a, 'a>> {
    let prefix = format!("promptgate.{class}.");
    let all = document.descendants().filter(|node| node.has_tag_name("testcase"));
    all.filter(|node| node.attribute("classname").unwrap().starts_with(&prefix)).collect()
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The number of failures and errors, checked against the counts of the root.
fn bad(document: &Document<'_>) -> usize {
    let root = document.root_element();
    let declared: usize =
        ["failures", "errors"].map(|name| root.attribute(name).unwrap().parse().unwrap()).iter().sum();
    let elements =
        document.descendants().filter(|node| node.has_tag_name("failure") || node.has_tag_name("error"));
    assert_eq!(declared, elements.count());
    declared
}

#[test]
fn junit_matches_snapshots() {
    for (name, report) in samples() {
        insta::assert_snapshot!(format!("junit_{name}"), xml(&report));
    }
}

#[test]
fn file_is_green_exactly_where_the_change_may_be_merged() {
    for (name, report) in samples() {
        let text = xml(&report);
        let document = Document::parse(&text).unwrap();
        assert_eq!(bad(&document) == 0, is_green(&report), "{name}");
        assert_eq!(is_green(&report), report.exit_code == 0, "{name}");
        assert_eq!(cases(&document, "case").len(), report.cases.len(), "{name}");
        // Cases never fail.
        assert!(cases(&document, "case").iter().all(|case| child(*case, "failure").is_none()), "{name}");
    }
    // The user chooses the meaning of inconclusive.
    let mut report = fixtures::inconclusive();
    report.exit_code = 0;
    let text = xml(&report);
    let document = Document::parse(&text).unwrap();
    assert_eq!(bad(&document), 0);
    let skipped = document.descendants().find(|node| node.has_tag_name("skipped")).unwrap();
    assert_eq!(skipped.attribute("type"), Some("inconclusive"));
    // An advisory run exits 0, but has failed.
    let mut report = fixtures::fail();
    report.exit_code = 0;
    assert!(bad(&Document::parse(&xml(&report)).unwrap()) > 0);
}

#[test]
fn verdict_without_criterion_has_a_run_entry() {
    for (verdict, element) in [(v1::Verdict::Fail, "failure"), (v1::Verdict::Incomplete, "error")] {
        let mut report = fixtures::pass();
        report.verdict = verdict;
        report.exit_code = 12;
        let text = xml(&report);
        let document = Document::parse(&text).unwrap();
        assert_eq!(bad(&document), 1);
        let run = cases(&document, "gate").into_iter().find(|case| case.attribute("name") == Some("run"));
        assert!(child(run.unwrap(), element).is_some(), "{text}");
    }
}

#[test]
fn fault_is_an_error_unless_the_run_passed() {
    for (mut report, element) in [(fixtures::fail(), "error"), (fixtures::pass(), "skipped")] {
        report.cases[0].status = v1::CaseStatus::Missing;
        let mut trials: Vec<v1::Trial> =
            report.cases[0].trials.readable().map(|trial| trial.into_owned()).collect();
        (trials[0].output, trials[0].grades) = (None, Vec::new());
        trials[0].error =
            Some(v1::Fault::new(v1::FaultKind::Unavailable, "the server answered 500 <b>\u{0}"));
        report.cases[0].trials = trials.into();
        let text = xml(&report);
        let document = Document::parse(&text).unwrap();
        let fault = child(cases(&document, "case")[0], element).expect("an element for the fault");
        let message = fault.attribute("message").unwrap();
        assert!(message.contains("repeat 1: the server answered 500 <b>"), "{message}");
    }
}

#[test]
fn disagreeing_repeats_are_flaky_not_failed() {
    let mut report = fixtures::pass();
    report.cases[1].candidate_passes = Some(v1::Passes { passed: 1, of: 3 });
    report.cases[1].failing = vec!["check.length".to_owned()];
    let text = xml(&report);
    let document = Document::parse(&text).unwrap();
    let case = cases(&document, "case")[1];
    let flaky: Vec<_> = case.children().filter(|child| child.has_tag_name("flakyFailure")).collect();
    assert_eq!(flaky.len(), 2);
    assert!(flaky[0].attribute("message").unwrap().contains("2 of 3 repeats"));
    assert_eq!(bad(&document), 0);
}

#[test]
fn ids_equal_after_clipping_get_unique_names() {
    let mut report = fixtures::pass();
    let long = "x".repeat(400);
    let ids = [format!("{long}1"), format!("{long}2"), "\u{1}".to_owned(), "\u{2}".to_owned()];
    for (case, id) in report.cases.iter_mut().zip(ids) {
        case.id = id;
    }
    let text = xml(&report);
    let document = Document::parse(&text).unwrap();
    let names: std::collections::HashSet<_> =
        cases(&document, "case").iter().map(|case| case.attribute("name").unwrap().to_owned()).collect();
    assert_eq!(names.len(), report.cases.len());
    assert!(names.iter().all(|name| !name.trim().is_empty()));
}

#[test]
fn secrets_and_answers_are_excluded() {
    let key = "sk-canary-7f3a9b2c&<\"";
    let mut report = fixtures::fail();
    for criterion in &mut report.criteria {
        criterion.explanation = format!("{}{key}", "a".repeat(290));
    }
    fixtures::edit_trials(&mut report, |trial| {
        trial.output = Some("an answer that nobody else gives".to_owned());
    });
    let redactor = Redactor::new(&[Secret::new(key.to_owned())]);
    report.cases[0].id = format!("id {key}");
    let text = document(&report, &redactor, LIMITS).to_string().unwrap();
    assert!(text.contains("id [redacted]"), "{text}");
    assert!(!text.contains("sk-canary") && !text.contains("sk-") && !text.contains("nobody else"), "{text}");
}

#[test]
fn least_informative_entries_are_omitted_and_counted() {
    let report = fixtures::fail();
    let failed = report.criteria.iter().filter(|of| of.verdict != super::CriterionVerdict::Pass).count();
    assert!(report.criteria.iter().any(|of| of.verdict == v1::CriterionVerdict::Fail));
    let text =
        document(&report, &Redactor::default(), Limits { cases: failed + 1, ..LIMITS }).to_string().unwrap();
    let document = Document::parse(&text).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), failed + 1);
    assert!(bad(&document) >= failed);
    let left_out = report.criteria.len() + report.cases.len() - failed - 1;
    assert!(text.contains(&format!("name=\"promptgate.left_out\" value=\"{left_out}\"")), "{text}");
}

#[test]
fn large_run_stays_below_size_limit() {
    let mut report = fixtures::fail();
    let case = report.cases[1].clone();
    report.cases = (0..300)
        .map(|number| {
            let id = format!("{number}{}", "&".repeat(190));
            Case { id, failing: vec!["\"".repeat(280)], trials: Vec::new().into(), ..case.clone() }
        })
        .collect();
    let limits = Limits { bytes: 200_000, ..LIMITS };
    let text = document(&report, &Redactor::default(), limits).to_string().unwrap();
    assert!((100_000..200_000).contains(&text.len()), "{}", text.len());
    let document = Document::parse(&text).unwrap();
    let listed = cases(&document, "case").len();
    assert_eq!(cases(&document, "gate").len(), report.criteria.len());
    assert!(text.contains(&format!("name=\"promptgate.left_out\" value=\"{}\"", 300 - listed)));
}

proptest! {
    #[test]
    fn any_text_is_valid_xml_without_runner_commands(hostile in any::<String>(), kind in 0..5_usize) {
        let pieces = ["]]>", "<!--", "\u{1b}[31m\u{0}", "\n::error::x\r##[group]", "\u{FFFE}&amp;&#0;\""];
        let text = format!("{}{hostile}{}", pieces[kind], pieces[(kind + 3) % 5]);
        let mut report = fixtures::fail();
        report.name = text.clone();
        report.cases[1].failing.push(text.clone());
        for criterion in &mut report.criteria {
            criterion.explanation = text.clone();
            criterion.id = text.clone();
        }
        report.cases[0].id = text;
        let xml = xml(&report);
        let document = Document::parse(&xml).expect("XML");
        prop_assert_eq!(cases(&document, "gate").len(), report.criteria.len());
        for line in xml.lines() {
            prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{}", line);
        }
    }
}
