//! One case: its question, both answers with their difference, and why it fails.

use std::io::{self, Write};

use serde_json::Value;

use super::line_writer::{DIM, GREEN, LineWriter, PLAIN, RED, YELLOW, short, verdict_color};
use super::worst_answers::{MIN_COMMON, color_of};
use super::wrapped::{Span, common_share, lines, marked, one_line, write_block};
use super::{MIN_WIDTH, Style};
use crate::case_result::{CaseResult, TrialMark};
use crate::v1::{Grade, Passes, Role, Trial};
use crate::view::changes::word_diff;
use crate::view::{concern, is_lost, judge_entries, minute, number, variant_names};
use promptgate_core::model::{Message, PREFERENCE};
use promptgate_core::text::Redactor;

/// Characters of a text.
const MAX_TEXT: usize = 20_000;
/// Characters of a reason, a statement or a quote.
const MAX_REASON: usize = 1000;
/// Statements or items of a judgement that are shown.
const MAX_ENTRIES: usize = 20;
/// Repeats that are listed.
const MAX_REPEATS: usize = 50;
/// Characters and rows of an answer before `transform`; report.json has all.
const MAX_RAW: usize = 4000;
const MAX_RAW_ROWS: usize = 12;
/// No limit on the rows of a text.
const ALL: usize = usize::MAX;

/// Writes a case.
///
/// # Errors
/// Those of `out`.
pub fn write_case(result: &CaseResult, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    let mut writer = LineWriter { out, width, color: style.color, redactor: &style.redactor };
    write_facts(result, &mut writer)?;
    let case = &result.case;
    let trials: Vec<Trial> = case.trials.readable().map(|trial| trial.into_owned()).collect();
    if trials.is_empty() {
        writer.blank()?;
        return writer.line("no answer in this report", YELLOW);
    }
    write_repeats(result, &trials, &mut writer)?;
    let shown = shown_repeat(result);
    let of = |role| trials.iter().find(|trial| trial.role == role && trial.repeat == shown);
    let (baseline, candidate) = (of(Role::Baseline), of(Role::Candidate));
    writer.blank()?;
    write_turns((baseline, candidate), shown, &mut writer)?;
    write_answers((baseline, candidate), shown, case.shared, &mut writer)?;
    if let Some(trial) = candidate {
        write_grades(result, trial, &mut writer)?;
    }
    write_requests(result, &mut writer)
}

fn field(writer: &mut LineWriter<'_>, label: &str, text: String) -> io::Result<()> {
    write_block((DIM, &format!("{label:<11} ")), &[(PLAIN, text)], ALL, writer)
}

fn write_facts(result: &CaseResult, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let (case, redactor) = (&result.case, writer.redactor);
    let status = concern::status_of(result.variants.baseline.is_some(), case);
    let passes = |passes: Option<Passes>| passes.map(|passes| format!("{}/{}", passes.passed, passes.of));
    let passed = match (passes(case.baseline_passes), passes(case.candidate_passes)) {
        (Some(before), Some(now)) => format!(" · {before} → {now} passed"),
        (None, Some(now)) => format!(" · {now} passed"),
        _ => String::new(),
    };
    let must = if case.must_pass { " · must pass" } else { "" };
    let title = format!("{} · {status}{must}{passed}", short(redactor, &case.id, 200));
    write_block((PLAIN, ""), &[(color_of(status).bold(), title)], ALL, writer)?;
    let variants = &result.variants;
    let (candidate, baseline) = variant_names(variants);
    let against = baseline.map_or_else(String::new, |baseline| format!(" against {baseline}"));
    let run = format!(
        "{} {} of {}: candidate {candidate}{against}",
        result.verdict.as_str().to_uppercase(),
        result.suite,
        minute(&result.started_at),
    );
    let color = verdict_color(result.verdict);
    write_block((DIM, "run         "), &[(color, one_line(redactor, &run, MAX_REASON))], ALL, writer)?;
    field(
        writer,
        "report",
        format!("{}, case {} of {}", one_line(redactor, &result.report, 400), result.position, result.of),
    )?;
    if result.simulated {
        field(writer, "simulated", "simulated endpoint: these scores do not measure a model".to_owned())?;
    }
    if !case.tags.is_empty() {
        field(writer, "tags", one_line(redactor, &case.tags.join(", "), MAX_REASON))?;
    }
    if let Some(group) = &case.group {
        field(writer, "group", one_line(redactor, group, MAX_REASON))?;
    }
    field(writer, "question", lines(redactor, &case.query, MAX_TEXT))?;
    for (index, passage) in case.context.as_deref().unwrap_or_default().iter().enumerate() {
        let label = if index == 0 { "context" } else { "" };
        field(writer, label, lines(redactor, passage, MAX_TEXT))?;
    }
    if let Some(expected) = &case.expected {
        field(writer, "expected", lines(redactor, expected, MAX_TEXT))?;
    }
    Ok(())
}

/// Writes for each repeat whether both variants pass.
fn write_repeats(result: &CaseResult, trials: &[Trial], writer: &mut LineWriter<'_>) -> io::Result<()> {
    writer.blank()?;
    let repeats = trials.iter().map(|trial| trial.repeat + 1).max().unwrap_or_default();
    let compared = result.variants.baseline.is_some();
    for repeat in (0..repeats).take(MAX_REPEATS) {
        let mut spans: Vec<Span> = Vec::new();
        let sides =
            [(Role::Baseline, "baseline "), (Role::Candidate, if compared { "   candidate " } else { "" })];
        for (role, label) in sides {
            let mark = result.marks.iter().find(|mark| mark.role == role && mark.repeat == repeat);
            if let Some(mark) = mark {
                spans.push((DIM, label.to_owned()));
                spans.push(shown_mark(result, trials, mark, writer.redactor));
            }
        }
        write_block((DIM, &format!("{:<12}", format!("repeat {}", repeat + 1))), &spans, ALL, writer)?;
    }
    match (repeats as usize).saturating_sub(MAX_REPEATS) {
        0 => Ok(()),
        more => writer.line(&format!("and {}", number::counted(more as u64, "more repeat")), DIM),
    }
}

fn shown_mark(result: &CaseResult, trials: &[Trial], mark: &TrialMark, redactor: &Redactor) -> Span {
    let trial = trials.iter().find(|trial| trial.role == mark.role && trial.repeat == mark.repeat);
    if let Some(fault) = trial.and_then(|trial| trial.error.as_ref()) {
        return (YELLOW, format!("! no answer: {}", one_line(redactor, &fault.message, 200)));
    }
    match mark.passed {
        Some(true) => (GREEN, "✓ pass".to_owned()),
        None => (YELLOW, "! a grade is missing".to_owned()),
        Some(false) => {
            let score = |metric: &String| {
                let grade = trial.and_then(|trial| trial.grades.iter().find(|grade| grade.scorer == *metric));
                let score =
                    grade.and_then(|grade| grade.score).map_or_else(String::new, |it| format!(" {it:.3}"));
                format!("{}{score}", short(redactor, metric, 60))
            };
            let failing: Vec<String> = mark.failing.iter().map(score).collect();
            (if result.case.failing.is_empty() { YELLOW } else { RED }, format!("✗ {}", failing.join(", ")))
        }
    }
}

/// The first repeat that the candidate does not pass, else the first.
fn shown_repeat(result: &CaseResult) -> u32 {
    let candidates = || result.marks.iter().filter(|mark| mark.role == Role::Candidate);
    let failing = candidates().find(|mark| mark.passed != Some(true));
    failing.or_else(|| candidates().next()).map_or(0, |mark| mark.repeat)
}

/// Writes the turns before the answers, once where both variants have the same.
fn write_turns(
    (baseline, candidate): (Option<&Trial>, Option<&Trial>),
    repeat: u32,
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    let redactor = writer.redactor;
    let turns = |trial: Option<&Trial>| trial.map_or_else(Vec::new, |trial| trial.turns.clone());
    let (old, new) = (turns(baseline), turns(candidate));
    let repeat = repeat + 1;
    let sides = match baseline.is_some() && old == new {
        true => vec![("both variants", new)],
        false => vec![("the baseline", old), ("the candidate", new)],
    };
    for (whose, turns) in sides.into_iter().filter(|(_, turns)| !turns.is_empty()) {
        writer.line(&format!("earlier turns of {whose}, repeat {repeat}"), PLAIN.bold())?;
        for turn in turns {
            let said = [("user", turn.query.as_str()), ("assistant", &turn.reply.text())];
            for (role, text) in said.into_iter().filter(|(_, text)| !text.is_empty()) {
                let span = (PLAIN, lines(redactor, text, MAX_TEXT));
                write_block((DIM, &format!("  {role:<9} ")), &[span], ALL, writer)?;
            }
        }
        writer.blank()?;
    }
    Ok(())
}

fn write_answers(
    (baseline, candidate): (Option<&Trial>, Option<&Trial>),
    repeat: u32,
    shared: bool,
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    write_outputs((baseline, candidate), repeat, shared, writer)?;
    for (label, trial) in [("baseline", baseline), ("candidate", candidate)] {
        let Some(transformed) = trial.and_then(|trial| trial.transformed.as_ref()) else { continue };
        if let Some(raw) = &transformed.from {
            writer.line(&format!("answer of the {label} before `transform`"), DIM)?;
            write_block((DIM, "  "), &[(DIM, lines(writer.redactor, raw, MAX_RAW))], MAX_RAW_ROWS, writer)?;
        }
        let fault = transformed.fault.as_ref().map(|fault| &fault.message);
        if let Some(reason) = transformed.error.as_ref().or(fault) {
            let reason = one_line(writer.redactor, reason, MAX_REASON);
            write_block((DIM, "  "), &[(YELLOW, format!("not transformed: {reason}"))], ALL, writer)?;
        }
    }
    Ok(())
}

fn write_outputs(
    (baseline, candidate): (Option<&Trial>, Option<&Trial>),
    repeat: u32,
    shared: bool,
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    let redactor = writer.redactor;
    let text = |trial: &Trial| trial.output.as_deref().map(|text| lines(redactor, text, MAX_TEXT));
    let repeat = repeat + 1;
    if let (Some(old), Some(new)) = (baseline.and_then(text), candidate.and_then(text)) {
        if old == new {
            let why = if shared { "both variants send the same request" } else { "both variants" };
            writer.line(&format!("answer of repeat {repeat} ({why})"), PLAIN.bold())?;
            return write_text(&new, writer);
        }
        let segments = word_diff(&old, &new);
        if common_share(&segments) >= MIN_COMMON {
            writer.line(&format!("answers of repeat {repeat}: [-baseline-]{{+candidate+}}"), PLAIN.bold())?;
            let spans: Vec<Span> = segments.iter().map(marked).collect();
            return write_block((PLAIN, "  "), &spans, ALL, writer);
        }
    }
    for (label, trial) in [("baseline", baseline), ("candidate", candidate)] {
        let Some(trial) = trial else { continue };
        writer.line(&format!("answer of the {label}, repeat {repeat}"), PLAIN.bold())?;
        match (text(trial), &trial.error) {
            (Some(text), _) if text.trim().is_empty() => writer.line("  (empty)", DIM)?,
            (Some(text), _) => write_text(&text, writer)?,
            (None, Some(fault)) => write_text(&one_line(redactor, &fault.message, MAX_REASON), writer)?,
            (None, None) => writer.line("  no answer", YELLOW)?,
        }
        for call in &trial.tool_calls {
            write_text(&one_line(redactor, &format!("[calls {call}]"), MAX_REASON), writer)?;
        }
    }
    Ok(())
}

fn write_text(text: &str, writer: &mut LineWriter<'_>) -> io::Result<()> {
    write_block((PLAIN, "  "), &[(PLAIN, text.to_owned())], ALL, writer)
}

/// Writes the messages of the candidate, each with what differs from the baseline's.
fn write_requests(result: &CaseResult, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let Some(requests) = &result.requests else { return Ok(()) };
    let redactor = writer.redactor;
    let text = |message: &Message| lines(redactor, &message.text(), MAX_TEXT);
    let compared = !requests.baseline.is_empty();
    let longest = requests.candidate.len().max(requests.baseline.len());
    for index in 0..longest {
        let (old, new) = (requests.baseline.get(index), requests.candidate.get(index));
        let Some(message) = new.or(old) else { continue };
        writer.blank()?;
        let role = message.role.as_str();
        let new_text = new.map_or_else(String::new, text);
        let old_text = if compared { old.map_or_else(String::new, text) } else { new_text.clone() };
        let marks = if old_text == new_text { "" } else { ": [-baseline-]{+candidate+}" };
        writer.line(&format!("{role} message{marks}"), PLAIN.bold())?;
        let segments = word_diff(&old_text, &new_text);
        let spans: Vec<Span> = segments.iter().map(marked).collect();
        write_block((PLAIN, "  "), &spans, ALL, writer)?;
    }
    Ok(())
}

/// Writes the grades that do not pass, with what the judge says of each statement, and the comparison with the baseline's answer,
/// whoever won.
fn write_grades(result: &CaseResult, trial: &Trial, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let mark = result.marks.iter().find(|mark| mark.role == trial.role && mark.repeat == trial.repeat);
    let failing = mark.map_or(&[][..], |mark| &mark.failing);
    let redactor = writer.redactor;
    let fails = |grade: &Grade| grade.score.is_none() || failing.contains(&grade.scorer) || is_lost(grade);
    let is_shown = |grade: &&Grade| fails(grade) || grade.scorer == PREFERENCE;
    for grade in trial.grades.iter().filter(is_shown) {
        writer.blank()?;
        let score = grade.score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.3}"));
        let title = format!("{} {score}", short(redactor, &grade.scorer, 120));
        let color = if fails(grade) { RED.bold() } else { PLAIN.bold() };
        let spans = [(color, title), (PLAIN, format!(": {}", one_line(redactor, &grade.reason, MAX_REASON)))];
        write_block((PLAIN, ""), &spans, ALL, writer)?;
        write_evidence(grade, writer)?;
    }
    Ok(())
}

fn write_evidence(grade: &Grade, writer: &mut LineWriter<'_>) -> io::Result<()> {
    let redactor = writer.redactor;
    for entry in judge_entries(&grade.details).into_iter().take(MAX_ENTRIES) {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let line = |text: &str| vec![(PLAIN, one_line(redactor, text, MAX_REASON))];
        let verdict = text("verdict").unwrap_or("–");
        let start = format!("  {}: ", short(redactor, verdict, 40));
        write_block((DIM, &start), &line(text("text").unwrap_or_default()), ALL, writer)?;
        if let Some(reasoning) = text("reasoning") {
            write_block((DIM, "    why:   "), &line(reasoning), ALL, writer)?;
        }
        let quotes = entry.get("quotes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for quote in quotes.iter().filter_map(Value::as_str).take(5) {
            write_block((DIM, "    quote: "), &line(&format!("“{quote}”")), ALL, writer)?;
        }
        if let Some(problem) = text("problem") {
            write_block((DIM, "    "), &[(YELLOW, one_line(redactor, problem, MAX_REASON))], ALL, writer)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::{Case, Report};
    use promptgate_core::model::{Fault, FaultKind, Transformed};

    fn shown(report: &Report, id: &str, width: usize) -> String {
        let index = report.cases.iter().position(|case: &Case| case.id == id).unwrap();
        let result = CaseResult::of(report, "promptgate-report/report.json", index).unwrap();
        let mut out = Vec::new();
        write_case(&result, &mut out, &Style { width, ..Style::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn case_shows_answers_difference_and_reasons() {
        insta::assert_snapshot!("terminal_case_fail", shown(&fixtures::fail(), "refund-002", 80));
        insta::assert_snapshot!("terminal_case_panel", shown(&fixtures::panel(), "refund-002", 80));
    }

    #[test]
    fn comparison_is_shown_whoever_wins() {
        for (score, reason) in [(0.5, "tie: both say the same"), (1.0, "the candidate wins: it is shorter")] {
            let mut report = fixtures::fail();
            assert!(!shown(&report, "refund-002", 120).contains(reason));
            fixtures::edit_trials(&mut report, |trial| {
                let mut grade = trial.grades[0].clone();
                (grade.scorer, grade.score) = (PREFERENCE.to_owned(), Some(score));
                grade.reason = reason.to_owned();
                trial.grades.push(grade);
            });
            let text = shown(&report, "refund-002", 120);
            assert!(text.contains(&format!("{PREFERENCE} {score:.3}: {reason}")), "{text}");
        }
    }

    #[test]
    fn answer_before_its_transformation_is_shown() {
        let mut report = fixtures::fail();
        fixtures::edit_trials(&mut report, |trial| {
            trial.transformed = Some(Transformed {
                from: Some(format!("Sure!\n```\n{}\n```\n{}", trial.role.as_str(), "more\n".repeat(40))),
                error: None,
                fault: Some(Fault::new(FaultKind::Timeout, "the transformation gave no reply")),
            });
        });
        let text = shown(&report, "refund-002", 80);
        for part in [
            "answer of the candidate before `transform`",
            "Sure!",
            "not transformed: the transformation gave",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(text.matches("more").count() < 40, "{text}");
    }

    #[test]
    fn every_case_fits_the_width() {
        for (name, report) in fixtures::all() {
            for case in &report.cases {
                for width in [60, 80] {
                    let text = shown(&report, &case.id, width);
                    assert!(text.lines().all(|line| line.chars().count() <= width), "{name}\n{text}");
                }
            }
        }
    }

    #[test]
    fn untrusted_text_is_neutralized() {
        let mut report = fixtures::fail();
        let hostile = "x \u{1b}[2J\n::error::y\n##[group] \u{202e}z";
        fixtures::edit_trials(&mut report, |trial| {
            trial.output = Some(format!("{hostile}{}", trial.role.as_str()));
            for grade in &mut trial.grades {
                grade.reason = hostile.to_owned();
                grade.details = serde_json::json!({"statements": [{"text": hostile, "verdict": hostile, "reasoning": hostile,
                    "quotes": [hostile], "problem": hostile}]});
            }
        });
        for case in &mut report.cases {
            case.query = hostile.to_owned();
            case.expected = Some(hostile.to_owned());
            case.tags = vec![hostile.to_owned()];
        }
        let text = shown(&report, "refund-002", 80);
        for part in ["\u{1b}", "\n::error", "##[", "\u{202e}"] {
            assert!(!text.contains(part), "{part:?} in {text}");
        }
    }
}
