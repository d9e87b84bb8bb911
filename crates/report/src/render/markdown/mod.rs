//! A report as Markdown: `report.md`, and what a comment on a pull request and the summary of a job say of a run.
//!
//! The words are in `templates/report.md`. Whatever the template prints passes [`neutral::markdown`], so nothing
//! in a report can act there. A forge refuses a comment that is too long, so the report is rendered in tiers that
//! say less and less, each of them whole, until one fits. Where there is no report, [`super::comment`] has the words.

mod case_groups;
mod run_facts;
mod table_lines;
mod worst_answers;

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::v1::{CriterionVerdict, Fault, Reason, ReasonCode, Report, Verdict};
use case_groups::{groups, listed};
use run_facts::compared;
use table_lines::{CriterionLine, Fact, FoldedLine, Group, MetricLine};
use worst_answers::Answers;

use super::Style;
use super::comment::COMMENT_BYTES;
use super::comment::Disclose;
use super::html::Sanitizer;
use crate::view::judge_summary::{self, PlantedRow};
use crate::view::number::minus;
use crate::view::{self, effect, lengths, looks, number, policy_notice, slices};
use promptgate_core::text::{Redactor, neutral};
use view::Headline;

/// Bytes of the shortest row of a case: a tier that lists more cases than fit by this is not tried.
const MIN_ROW: usize = 60;
/// Cases in the first list.
const WORST: usize = 5;

/// How much is said; the last tier fits whatever the report holds.
#[derive(Debug, Clone, Copy)]
struct Tier {
    /// Cases in the second list.
    cases: Listed,
    /// Cases in the first list.
    worst: usize,
    /// Rows of each table, reasons and warnings.
    rows: usize,
    /// Characters of each piece of text.
    text: usize,
    /// Characters of an answer, where answers are shown.
    answer: usize,
}

/// What is to be rendered beside the report itself.
pub(super) struct Wanted<'a> {
    /// Bytes to stay below.
    pub(super) limit: usize,
    /// How much is said of what models and the dataset say.
    pub(super) disclose: Disclose,
    /// The commits that were compared.
    pub(super) commits: Commits,
    /// Where everything is; our own address, which becomes a link.
    pub(super) address: Option<&'a str>,
    /// What must not be in it.
    pub(super) redactor: &'a Redactor,
}

/// The commits that were compared, each by its first twelve digits.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Commits {
    pub(super) base: Option<String>,
    pub(super) head: Option<String>,
}

/// Which cases the second list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// Every case that is not the same.
    Changed,
    /// Those that got worse or have no grade.
    Worse,
    /// None.
    None,
}

const TIERS: [Tier; 4] = [
    Tier { cases: Listed::Changed, worst: WORST, rows: 200, text: 300, answer: 2000 },
    Tier { cases: Listed::Worse, worst: WORST, rows: 100, text: 200, answer: 1000 },
    Tier { cases: Listed::None, worst: WORST, rows: 40, text: 100, answer: 300 },
    Tier { cases: Listed::None, worst: 0, rows: 8, text: 40, answer: 0 },
];

/// Writes `report.md`.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let disclose = Disclose::Excerpts;
    let wanted = Wanted {
        limit: COMMENT_BYTES,
        disclose,
        commits: Commits::default(),
        address: None,
        redactor: &style.redactor,
    };
    let text = render(report, &wanted).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// The report in the first tier that fits, else in the last.
pub(super) fn render(report: &Report, wanted: &Wanted<'_>) -> Result<String, minijinja::Error> {
    let environment = environment(wanted.redactor.clone())?;
    let sanitizer = Sanitizer::new(wanted.redactor);
    let mut text = String::new();
    for tier in TIERS {
        if listed(report, tier) > wanted.limit / MIN_ROW {
            continue;
        }
        let page = Page::new(report, tier, wanted, &sanitizer);
        text = environment.render_named_str("report.md", TEMPLATE, Serde(page))?;
        if text.len() < wanted.limit {
            break;
        }
    }
    Ok(text)
}

const TEMPLATE: &str = include_str!("report.md");

/// An engine that neutralises whatever it prints, without secrets, which would be past finding then. Only what
/// [`neutral::fenced`] made is printed as it is.
pub(super) fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("fenced", |text: &str| Value::from_safe_string(neutral::fenced(text)));
    environment.add_filter("commit", |text: &str| Value::from_safe_string(own_commit(text)));
    environment.add_filter("address", |text: &str| Value::from_safe_string(own_address(text)));
    environment.set_formatter(move |out, _state, value| {
        let text = value.to_string();
        let redacted = redactor.redact(&text);
        let written = if value.is_safe() { redacted.into_owned() } else { neutral::markdown(&redacted) };
        out.write_str(&written).map_err(minijinja::Error::from)
    });
    Ok(environment)
}

/// A commit as code, which no forge turns into a reference and a reader can copy; empty where it is none.
fn own_commit(text: &str) -> String {
    let hexadecimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal { format!("`{text}`") } else { String::new() }
}

/// An address as it may stand in a link; empty where it holds what no address of ours does.
fn own_address(text: &str) -> String {
    if is_own_address(text) { text.to_owned() } else { String::new() }
}

/// Whether this is a plain address of a web page, with nothing in it that means anything in Markdown.
pub(super) fn is_own_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._/:#?=&%".contains(c))
    })
}

/// What the template knows.
#[derive(Serialize)]
struct Page<'a> {
    symbol: &'static str,
    verdict: &'static str,
    name: String,
    effect: Option<effect::Effect>,
    has_baseline: bool,
    baseline_note: Option<String>,
    policy: Option<policy_notice::Notice>,
    exit_code_zero: bool,
    measured: bool,
    simulated: bool,
    so_far: bool,
    stopped: Option<String>,
    help: Option<String>,
    settle: Option<String>,
    reasons: Vec<String>,
    reasons_left_out: usize,
    criteria: Vec<CriterionLine>,
    criteria_left_out: usize,
    folded: Vec<FoldedLine>,
    metrics: Vec<MetricLine>,
    metrics_left_out: usize,
    groups: Vec<Group>,
    cases_left_out: Option<String>,
    tally: String,
    confidence: String,
    scope: &'static str,
    scope_words: &'static str,
    commits: Commits,
    compared: Vec<Fact>,
    planted: Vec<PlantedRow>,
    looks: Vec<looks::LookRow>,
    alpha_spent: String,
    slices: Vec<slices::SliceRow>,
    slices_left_out: usize,
    lengths: Vec<lengths::LengthRow>,
    shows_text: bool,
    answers: Vec<Answers>,
    address: Option<&'a str>,
    warnings: Vec<String>,
    warnings_title: String,
    warnings_left_out: usize,
}

impl<'a> Page<'a> {
    fn new(report: &Report, tier: Tier, wanted: &Wanted<'a>, sanitizer: &Sanitizer<'_>) -> Self {
        let text = |text: &str| sanitizer.clip(text, tier.text);
        let shows_text = wanted.disclose != Disclose::Numbers;
        let headline = view::headline(report);
        let (groups, left_out) = groups(report, tier, sanitizer);
        let view::Criteria { listed, folded } = view::criteria(report);
        let criterion = |id: &str, row: &view::CriterionRow<'_>| CriterionLine {
            id: text(id),
            estimate: minus(row.estimate.clone()),
            interval: minus(row.interval.clone()),
            required: minus(row.required.clone()),
            verdict: criterion_words(row.verdict),
        };
        let reasons = reasons(report, shows_text, sanitizer);
        let slices = slices::rows(report);
        let fault = report.ended.fault.as_ref();
        let warnings = if shows_text { &*report.warnings } else { &[] };
        Self {
            symbol: symbol(headline),
            verdict: headline.as_str(),
            name: text(&report.name),
            effect: effect::effect(report, text),
            has_baseline: report.variants.baseline.is_some(),
            baseline_note: report.baseline_note.as_deref().map(view::baseline_note).map(text),
            policy: policy_notice::notice(report, tier.rows.min(12)).map(|notice| notice.map_text(text)),
            exit_code_zero: view::is_non_blocking(report),
            measured: !view::nothing_measured(report),
            simulated: report.simulated,
            so_far: report.verdict == Verdict::Incomplete,
            stopped: fault
                .filter(|_| report.reasons.is_empty())
                .map(|fault| if shows_text { text(&fault.message) } else { withheld(fault) }),
            help: fault.filter(|_| shows_text).and_then(|fault| fault.help.as_deref()).map(text),
            settle: looks::settle(report),
            reasons_left_out: reasons.len().saturating_sub(tier.rows),
            reasons: reasons.iter().take(tier.rows).map(|reason| text(reason)).collect(),
            criteria_left_out: listed.len().saturating_sub(tier.rows),
            criteria: listed.iter().take(tier.rows).map(|row| criterion(row.id, row)).collect(),
            folded: folded
                .iter()
                .filter_map(|of| {
                    let names = of.rows.iter().take(tier.rows).map(|row| text(row.id)).collect();
                    let left_out = of.rows.len().saturating_sub(tier.rows);
                    let row = criterion(&of.label, of.rows.first()?);
                    Some(FoldedLine { label: of.label.clone(), row, names, left_out })
                })
                .collect(),
            metrics: view::metrics(report)
                .into_iter()
                .take(tier.rows)
                .map(|row| MetricLine {
                    name: text(row.name),
                    candidate: minus(row.candidate),
                    baseline: minus(row.baseline),
                    difference: minus(row.difference),
                    interval: minus(row.interval),
                    missing: row.missing,
                })
                .collect(),
            metrics_left_out: report.metrics.len().saturating_sub(tier.rows),
            groups,
            cases_left_out: (left_out > 0).then(|| cases(left_out)),
            tally: view::tally(report),
            confidence: number::percent(report.policy.confidence),
            scope: report.policy.scope.as_str(),
            scope_words: view::scope_question(report.policy.scope),
            commits: wanted.commits.clone(),
            compared: compared(report, tier.text, sanitizer),
            planted: judge_summary::failed_self_test(report, sanitizer.redactor())
                .into_iter()
                .take(tier.rows)
                .map(|row| row.map_text(text))
                .collect(),
            looks: looks::rows(report, sanitizer.redactor())
                .into_iter()
                .map(|row| row.map_text(text))
                .collect(),
            slices_left_out: slices.len().saturating_sub(tier.rows),
            slices: slices.into_iter().take(tier.rows).map(|row| row.map_text(text)).collect(),
            alpha_spent: looks::spent(report),
            lengths: lengths::rows(report).map(|row| row.map_text(text)).collect(),
            warnings_title: number::counted(report.warnings.len() as u64, "warning"),
            warnings: warnings.iter().take(tier.rows).map(|warning| text(warning)).collect(),
            warnings_left_out: report.warnings.len().saturating_sub(tier.rows.min(warnings.len())),
            answers: if wanted.disclose == Disclose::Full {
                worst_answers::worst(report, tier.worst, tier.answer, sanitizer)
            } else {
                Vec::new()
            },
            shows_text,
            address: wanted.address.filter(|address| is_own_address(address)),
        }
    }
}

fn cases(count: usize) -> String {
    number::counted(count as u64, "case")
}

fn symbol(headline: Headline) -> &'static str {
    match headline {
        Headline::Interrupted | Headline::NotEvaluated => "⏸",
        Headline::Verdict(Verdict::Pass | Verdict::Unchanged) => "✅",
        Headline::Verdict(Verdict::Fail) => "❌",
        Headline::Verdict(Verdict::Inconclusive) => "⚠️",
        Headline::Verdict(Verdict::Incomplete) => "💥",
    }
}

/// The reasons; where nothing is to be told of what servers and models say, theirs are left out.
fn reasons(report: &Report, shows_text: bool, sanitizer: &Sanitizer<'_>) -> Vec<String> {
    let mut reasons = view::reasons(report, sanitizer.redactor());
    let theirs = |reason: &&Reason| {
        reason.criterion.is_none() && matches!(reason.code, ReasonCode::Endpoint | ReasonCode::UnfitJudge)
    };
    let Some(fault) = report.ended.fault.as_ref().filter(|_| !shows_text) else { return reasons };
    for theirs in report.reasons.iter().filter(theirs) {
        for reason in reasons.iter_mut().filter(|reason| **reason == theirs.message) {
            *reason = withheld(fault);
        }
    }
    reasons
}

/// What is said of a fault without its message.
fn withheld(fault: &Fault) -> String {
    format!("the run was stopped: {}; the message is in report.json", fault.kind.as_str().replace('_', " "))
}

fn criterion_words(verdict: CriterionVerdict) -> &'static str {
    match verdict {
        CriterionVerdict::Pass => "✅ pass",
        CriterionVerdict::Fail => "❌ fail",
        CriterionVerdict::Inconclusive => "⚠️ inconclusive",
        CriterionVerdict::Incomplete => "💥 incomplete",
    }
}
