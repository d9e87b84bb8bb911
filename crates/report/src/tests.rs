//! Properties of every rendering, for any report.

mod judging;
mod large;
mod reading;
mod requests;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{Parts, all};
use promptgate_core::model::{Diagnostics, Outcome};
use promptgate_core::text::Redactor;

fn rendered(report: &Report, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    write(report, format, &mut out, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn style() -> Style {
    Style { files: vec!["promptgate-report/report.json".to_owned()], ..Style::default() }
}

/// Reads a report without a file of trials.
fn read_alone(file: &str, text: &str) -> Result<Report, Diagnostics> {
    read(file, text, |_| Err(io::ErrorKind::NotFound.into()))
}

fn message(diagnostics: Diagnostics) -> String {
    diagnostics.to_string()
}

#[test]
fn terminal_matches_snapshots() {
    for (name, report) in all() {
        insta::assert_snapshot!(format!("terminal_{name}"), rendered(&report, Format::Terminal, style()));
    }
}

#[test]
fn markdown_matches_snapshots() {
    for (name, report) in all() {
        insta::assert_snapshot!(format!("markdown_{name}"), rendered(&report, Format::Markdown, style()));
    }
}

#[test]
fn colors_change_no_text() {
    let sequences = regex::Regex::new("\u{1B}\\[[0-9;]*m").unwrap();
    for (name, report) in all() {
        let plain = rendered(&report, Format::Terminal, style());
        let coloured = rendered(&report, Format::Terminal, Style { color: true, ..style() });
        assert!(coloured.contains("\u{1B}["), "{name}");
        assert_eq!(sequences.replace_all(&coloured, ""), plain, "{name}");
        assert!(!plain.contains('\u{1B}'), "{name}");
    }
}

#[test]
fn terminal_lines_stay_within_width() {
    for width in [60, 80, 100, 140] {
        for (name, report) in all() {
            let text = rendered(&report, Format::Terminal, Style { width, ..style() });
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(longest <= width, "{name} at {width} columns has a line of {longest}:\n{text}");
        }
    }
}

#[test]
fn reports_validate_against_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (name, report) in all() {
        let text = rendered(&report, Format::Json, style());
        let value: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert!(text.ends_with("}\n"), "{name}");
    }
}

#[test]
fn schema_rejects_invalid_reports() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = serde_json::to_value(fixtures::fail()).unwrap();
    for (place, wrong) in [
        ("/schema", json!("promptgate.report/v2")),
        ("/verdict", json!("perhaps")),
        ("/cases/0/trials/0/grades/0/score", json!(1.5)),
        ("/criteria/0/estimate", json!("NaN")),
        ("/usage", Value::Null),
    ] {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&changed), "{place}");
    }
    assert!(validator.is_valid(&good));
}

#[test]
fn committed_schema_equals_generated_schema() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/report.schema.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == generated, "schema/report.schema.json is stale: run `just schemas`");
}

#[test]
fn report_read_back_gives_the_same_run_and_decision() {
    for (name, report) in all() {
        let text = rendered(&report, Format::Json, style());
        assert_eq!(read_alone("report.json", &text).unwrap(), report, "{name}");
        let parts = Parts::of(&report);
        assert_eq!(parts.report(), report, "{name}");
        assert_eq!(parts.report().to_run().unwrap(), parts.run, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn scores_and_latencies_survive_bit_by_bit(
        scores in prop::collection::vec(prop::option::of(0.0..=1.0_f64), 36),
        latencies in prop::collection::vec(0.0..1e7_f64, 36),
    ) {
        let mut parts = Parts::of(&fixtures::pass());
        for (trial, (score, latency)) in parts.run.trials.iter_mut().zip(scores.iter().zip(&latencies)) {
            promptgate_testing::edit_answer(&mut trial.result, |completion, grades| {
                completion.latency_ms = *latency;
                grades[2].outcome = match score.and_then(promptgate_core::model::Score::new) {
                    Some(score) => Outcome::Score(score),
                    None => Outcome::Ungraded(None),
                };
            });
        }
        let text = rendered(&parts.report(), Format::Json, style());
        let run = read_alone("report.json", &text).unwrap().to_run().unwrap();
        prop_assert_eq!(run.trials, parts.run.trials);
    }

    #[test]
    fn damaged_report_is_an_error(cut in 0.0..1.0_f64, with in "[\\x00-\\x7f]{0,3}") {
        let text = rendered(&fixtures::fail(), Format::Json, style());
        let at = (text.len() as f64 * cut) as usize;
        let Some((head, tail)) = text.split_at_checked(at) else { return Ok(()) };
        let _ = read_alone("report.json", &format!("{head}{with}{tail}"));
        prop_assert!(read_alone("report.json", &text[..head.len()]).is_err());
    }
}

#[test]
fn non_finite_numbers_become_null() {
    let mut parts = Parts::of(&fixtures::pass());
    parts.decision.criteria[1].estimate = Some(f64::NAN);
    parts.decision.criteria[1].required = Some(f64::INFINITY);
    parts.decision.metrics[1].difference = Some(promptgate_core::model::Interval {
        mean: f64::NAN,
        lower: Some(f64::NEG_INFINITY),
        upper: None,
    });
    let value = serde_json::to_value(parts.report()).unwrap();
    assert_eq!(value.pointer("/criteria/1/estimate"), Some(&Value::Null));
    assert_eq!(value.pointer("/criteria/1/required"), Some(&Value::Null));
    assert_eq!(value.pointer("/metrics/1/difference"), Some(&Value::Null));
    for format in Format::ALL {
        let text = rendered(&parts.report(), format, style());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{format}: {text}");
    }
}

/// A report in which `text` replaces everything from outside.
pub(crate) fn filled_with(text: &str) -> Report {
    let mut report = fixtures::fail();
    report.name = text.to_owned();
    report.dataset.path = text.to_owned();
    report.dataset.digest = text.to_owned();
    report.started_at = text.to_owned();
    report.warnings = vec![text.to_owned()];
    report.baseline_note = Some(text.to_owned());
    report.ended = v1::Ended {
        kind: v1::EndedKind::Stopped,
        fault: Some(v1::Fault::new(v1::FaultKind::Rejected, text).help(text)),
    };
    for variant in [Some(&mut report.variants.candidate), report.variants.baseline.as_mut()] {
        let Some(variant) = variant else { continue };
        variant.prompt.name = text.to_owned();
        variant.prompt.version = text.to_owned();
        variant.prompt.source = text.to_owned();
        variant.prompt.commit = Some(text.to_owned());
        variant.model = text.to_owned();
    }
    if let Some(judge) = &mut report.judge {
        judge.model = text.to_owned();
        judge.panel = vec![text.to_owned()];
        for planted in judge.self_test.iter_mut().flat_map(|test| &mut test.planted) {
            planted.planted = text.to_owned();
            planted.judge = text.to_owned();
            planted.reason = text.to_owned();
        }
        if let Some(calibration) = &mut judge.calibration {
            calibration.file = text.to_owned();
        }
    }
    fixtures::edit_trials(&mut report, |trial| {
        trial.output = trial.output.as_ref().map(|_| text.to_owned());
        trial.grades.iter_mut().for_each(|grade| grade.reason = text.to_owned());
    });
    for (index, case) in report.cases.iter_mut().enumerate() {
        case.id = format!("{text}{index}");
        case.query = text.to_owned();
        case.tags = vec![text.to_owned()];
        case.failing.iter_mut().for_each(|metric| *metric = text.to_owned());
        if let Some(largest) = &mut case.largest_difference {
            largest.metric = text.to_owned();
        }
    }
    for (required, outcome) in report.policy.criteria.iter_mut().zip(&mut report.criteria) {
        let reasons =
            report.reasons.iter_mut().filter(|reason| reason.criterion.as_ref() == Some(&required.id));
        let mut ids: Vec<&mut String> = reasons.filter_map(|reason| reason.criterion.as_mut()).collect();
        required.id = match required.requirement {
            v1::Requirement::MustPass { case, .. } => format!("case.{}", report.cases[case].id),
            _ => text.to_owned(),
        };
        outcome.id.clone_from(&required.id);
        ids.iter_mut().for_each(|id| id.clone_from(&required.id));
        outcome.explanation = text.to_owned();
    }
    for metric in &mut report.metrics {
        metric.name = text.to_owned();
        let tag = promptgate_core::model::TagDrop { tag: text.to_owned(), cases: 2, difference: -0.5 };
        metric.carried_by = Some(promptgate_core::model::CarriedBy { tags: vec![tag; 3], share: 0.9 });
    }
    for reason in &mut report.reasons {
        reason.message = text.to_owned();
    }
    report
}

pub(crate) const HOSTILE: [&str; 9] = [
    "::error file=a::b",
    "##[set-output name=verdict;]pass",
    "a\r::set-output name=verdict::pass\n::stop-commands::x",
    "\u{1B}[2J\u{1B}]0;title\u{7}\u{202E}ssap",
    "@octocat owner/repo#12 GH-3 1a2b3c4d5e6f7081 https://evil.example www.evil.example",
    "</details><!-- promptgate v1 key=x --><img src=https://evil.example/x.png>",
    "| a | b |\n|---|---|\n```\n~~~\n# heading\n- item",
    "![x](https://evil.example) [y](z) `code` *bold* _em_ $x$ \\",
    "{{ name }} {% raw %}",
];

fn is_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[")
}

#[test]
fn hostile_text_is_no_command_on_a_terminal() {
    for text in HOSTILE {
        for width in [60, 61, 67, 84, 100] {
            let out = rendered(&filled_with(text), Format::Terminal, Style { width, ..style() });
            for line in out.split(['\n', '\r']) {
                assert!(!is_command(line), "{line:?}");
            }
            assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{out:?}");
        }
    }
}

/// Asserts that no text of the report is markup; our own tags are removed first.
fn assert_inert(out: &str) {
    let tags =
        ["<details><summary>", "</summary>", "</details>", "<del>", "</del>", "<ins>", "</ins>", "<br>"];
    for line in out.lines() {
        let line = line.strip_prefix("> ").unwrap_or(line);
        let bare = tags.iter().fold(line.to_owned(), |line, tag| line.replace(tag, ""));
        assert!(!bare.contains(['<', '>', '`', '[', ']', '$']), "{line:?}");
        assert!(!bare.contains("://") && !bare.to_lowercase().contains("www."), "{line:?}");
        for (place, _) in bare.match_indices('@') {
            assert!(bare[place + 1..].starts_with('\u{200B}'), "{line:?}");
        }
        let text = bare.trim_start_matches("### ");
        for (place, _) in text.match_indices('#') {
            assert!(text[place + 1..].starts_with('\u{200B}'), "{line:?}");
        }
    }
}

/// Asserts that every row of a table has as many cells as its header.
pub(crate) fn assert_tables_whole(out: &str) {
    let mut columns = None;
    for line in out.lines() {
        let pipes = line.matches('|').count();
        if pipes == 0 {
            columns = None;
            continue;
        }
        assert!(line.starts_with("| ") || line.starts_with("|:"), "{line:?}");
        assert_eq!(pipes, *columns.get_or_insert(pipes), "{line:?}");
    }
    assert_eq!(out.matches("<details>").count(), out.matches("</details>").count());
    assert_eq!(out.matches("<summary>").count(), out.matches("</summary>").count());
}

#[test]
fn hostile_text_is_inert_in_markdown() {
    for text in HOSTILE {
        let out = rendered(&filled_with(text), Format::Markdown, style());
        assert_inert(&out);
        assert_tables_whole(&out);
    }
}

#[test]
fn secrets_are_redacted_before_lines_are_cut() {
    let secret = "sk-Pl4nt3d/K+y=0987zQ";
    for before in (0..330).step_by(7) {
        let report = filled_with(&format!("{}{secret} tail", "w ".repeat(before / 2)));
        let redactor = Redactor::new(&[promptgate_core::text::Secret::new(secret)]);
        for (format, width) in [(Format::Terminal, 60), (Format::Terminal, 100), (Format::Markdown, 100)] {
            let text = rendered(&report, format, Style { redactor: redactor.clone(), width, ..style() });
            assert!(!text.contains("sk-Pl4"), "{before}: {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_is_inert_in_every_format(text in any::<String>()) {
        let report = filled_with(&text);
        let out = rendered(&report, Format::Markdown, style());
        assert_inert(&out);
        assert_tables_whole(&out);
        let out = rendered(&report, Format::Terminal, style());
        prop_assert!(!out.lines().any(is_command), "{out:?}");
        let text = rendered(&report, Format::Json, style());
        prop_assert_eq!(read_alone("report.json", &text).unwrap(), report);
    }
}

/// The failing report with this many cases, all broken.
pub(crate) fn large(cases: usize, text: &str) -> Report {
    let mut report = filled_with(text);
    let broken = report.cases[1].clone();
    report.cases =
        (0..cases).map(|index| v1::Case { id: format!("{text} case {index}"), ..broken.clone() }).collect();
    report
}

#[test]
fn markdown_fits_a_comment_and_counts_omissions() {
    let small = rendered(&large(20, "refund"), Format::Markdown, style());
    assert!(small.contains("case 19") && !small.contains("Omitted"), "{small}");
    let many = rendered(&large(900, "refund"), Format::Markdown, style());
    assert!(many.len() < 60_000, "{}", many.len());
    assert!(many.contains("Omitted to limit the size: 895 cases"), "{many}");
    assert_tables_whole(&many);
    for text in ["|".repeat(5000), "\u{1F468}\u{200D}\u{1F469}".repeat(2000), "@#".repeat(3000)] {
        let mut report = large(1100, &text);
        let criterion = report.criteria[0].clone();
        report.criteria = vec![criterion; 500];
        let metric = report.metrics[0].clone();
        report.metrics = vec![metric; 500];
        report.warnings = vec![text.clone(); 500];
        let reason = report.reasons[0].clone();
        report.reasons = vec![reason; 500];
        let out = rendered(&report, Format::Markdown, style());
        assert!(out.len() < 60_000, "{}", out.len());
        assert!(out.contains("Omitted to limit"), "{out}");
        assert_tables_whole(&out);
        assert_inert(&out);
    }
}

#[test]
fn worst_cases_come_first() {
    let mut report = fixtures::fail();
    let mut worse = report.cases[3].clone();
    worse.id = "worse".to_owned();
    worse.largest_difference =
        Some(v1::LargestDifference { metric: "faithfulness".to_owned(), difference: -0.9 });
    report.cases.push(worse);
    let ids: Vec<&str> = view::worst(&report).iter().map(|row| row.case.id.as_str()).collect();
    assert_eq!(ids, ["refund-002", "worse", "refund-004"]);
}

#[test]
fn costs_add_up_or_are_null_without_price() {
    let usage = fixtures::fail().usage;
    assert_eq!(usage.prompt_tokens, usage.completions.prompt_tokens + usage.judgements.prompt_tokens);
    let (completions, judgements) = (usage.completions.cost_usd.unwrap(), usage.judgements.cost_usd.unwrap());
    assert!(completions > 0.0 && judgements > 0.0);
    assert_eq!(usage.cost_usd, Some(completions + judgements));
    assert_eq!(fixtures::panel().usage.cost_usd, None);
    let mut parts = Parts::of(&fixtures::pass());
    parts.run.totals.judgements = promptgate_core::model::Usage::default();
    parts.run.totals.judgement_cost_usd = Some(0.0);
    assert_eq!(parts.report().usage.cost_usd, parts.run.totals.completion_cost_usd);
    // Judgements of an endpoint that reports no usage.
    parts.run.totals.judgement_cost_usd = None;
    assert_eq!(parts.report().usage.cost_usd, None);
}

#[test]
fn numbers_are_formatted_for_readers() {
    use crate::view::number::{bounds, count, dollars, duration, signed, value};
    use v1::MetricKind::{Judge, Latency, OutputTokens};
    assert_eq!(value(Judge, -0.000_04), "0.000");
    assert_eq!(signed(Judge, 0.000_04), "0.000");
    assert_eq!(signed(Judge, 0.0126), "+0.013");
    assert_eq!(signed(Latency, -0.25), "-0.25 s");
    assert_eq!(value(OutputTokens, 12.34), "12.3");
    assert_eq!(
        [0.0, 0.0123, 0.000_114, 12.345, -0.5].map(dollars),
        ["$0.00", "$0.0123", "$0.000114", "$12.35", "-$0.5000"]
    );
    assert_eq!(count(1_234_567), "1,234,567");
    assert_eq!(
        [840, 12_345, 125_000, 3_720_000].map(duration),
        ["840 ms", "12.3 s", "2 min 05 s", "1 h 02 min"]
    );
    assert_eq!(bounds(None, Some(1.0), |number| number.to_string()), "up to 1");
}

#[test]
fn reused_baseline_is_named() {
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&fixtures::reused_baseline(), format, style());
        assert!(text.contains("answered in a run of 2026"), "{text}");
        assert!(!text.contains("baseline_reused"), "{text}");
    }
}

#[test]
fn format_names_parse_back() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    assert_eq!("pdf".parse::<Format>(), Err(UnknownFormat));
}

#[test]
fn interval_is_dropped_before_a_name_is_broken() {
    let mut report = fixtures::fail();
    let id = "check.a-name-of-more-than-thirty-letters";
    let criterion = report.criteria.iter_mut().find(|it| it.id == "faithfulness.baseline").unwrap();
    criterion.id = id.to_owned();
    let text = |width| rendered(&report, Format::Terminal, Style { width, ..style() });
    let has_interval = |text: &str| {
        let header = text.lines().find(|line| line.trim_start().starts_with("criterion ")).unwrap();
        header.contains("interval")
    };
    assert!(has_interval(&text(120)), "{}", text(120));
    assert!(!has_interval(&text(100)) && text(100).contains(id), "{}", text(100));
}
