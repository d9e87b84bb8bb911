//! A report as Markdown: `report.md`, and what a comment on a pull request and the summary of a job say of a run.
//!
//! The words are in `templates/report.md`. Whatever the template prints passes [`neutral::markdown`], so nothing
//! in a report can act there. A forge refuses a comment that is too long, so the report is rendered in tiers that
//! say less and less, each of them whole, until one fits. Where there is no report, [`super::comment`] has the words.

mod answers;
mod cases;
mod compared;
mod lines;

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::v1::{
    CriterionVerdict, EndedKind, Fault, FaultKind, Metric, MetricKind, Reason, ReasonCode, Report, Scope,
    Slice, Verdict,
};
use answers::Answers;
use cases::{groups, listed};
use compared::compared;
use lines::{CriterionLine, Effect, Fact, FoldedLine, Group, LengthLine, LookLine, MetricLine, SliceLine};

use super::comment::COMMENT_BYTES;
use super::html::Said;
use super::judge::{self, PlantedRow};
use super::{Disclose, looks, number, origin, view};
use crate::text::{Redactor, neutral};

/// Bytes of the shortest row of a case: a tier that lists more cases than fit by this is not tried.
const SHORTEST_ROW: usize = 60;
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
    pub(super) commits: Option<String>,
    /// Where everything is; our own address, which becomes a link.
    pub(super) address: Option<&'a str>,
    /// What must not be in it.
    pub(super) redactor: &'a Redactor,
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
pub(super) fn write(report: &Report, out: &mut impl Write, redactor: &Redactor) -> io::Result<()> {
    let disclose = Disclose::Excerpts;
    let wanted = Wanted { limit: COMMENT_BYTES, disclose, commits: None, address: None, redactor };
    let text = render(report, &wanted).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// The report in the first tier that fits, else in the last.
pub(super) fn render(report: &Report, wanted: &Wanted<'_>) -> Result<String, minijinja::Error> {
    let environment = environment(wanted.redactor.clone())?;
    let said = Said::new(wanted.redactor);
    let mut text = String::new();
    for tier in TIERS {
        if listed(report, tier) > wanted.limit / SHORTEST_ROW {
            continue;
        }
        let page = Page::new(report, tier, wanted, &said);
        text = environment.render_named_str("report.md", TEMPLATE, Serde(page))?;
        if text.len() < wanted.limit {
            break;
        }
    }
    Ok(text)
}

const TEMPLATE: &str = include_str!("templates/report.md");

/// An engine that neutralises whatever it prints, without secrets, which would be past finding then. Only what
/// [`neutral::fenced`] made is printed as it is.
pub(super) fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("fenced", |text: &str| Value::from_safe_string(neutral::fenced(text)));
    environment.add_filter("address", |text: &str| Value::from_safe_string(own_address(text)));
    environment.set_formatter(move |out, _state, value| {
        let text = value.to_string();
        let redacted = redactor.redact(&text);
        let written = if value.is_safe() { redacted.into_owned() } else { neutral::markdown(&redacted) };
        out.write_str(&written).map_err(minijinja::Error::from)
    });
    Ok(environment)
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
    effect: Option<Effect>,
    has_baseline: bool,
    baseline_note: Option<String>,
    policy: Option<origin::Notice>,
    exit_code_zero: bool,
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
    compared: Vec<Fact>,
    planted: Vec<PlantedRow>,
    looks: Vec<LookLine>,
    alpha_spent: String,
    slices: Vec<SliceLine>,
    slices_left_out: usize,
    lengths: Vec<LengthLine>,
    shows_text: bool,
    answers: Vec<Answers>,
    address: Option<&'a str>,
    warnings: Vec<String>,
    warnings_title: String,
    warnings_left_out: usize,
}

impl<'a> Page<'a> {
    fn new(report: &Report, tier: Tier, wanted: &Wanted<'a>, said: &Said<'_>) -> Self {
        let text = |text: &str| said.text(text, tier.text);
        let shows_text = wanted.disclose != Disclose::Numbers;
        let (groups, left_out) = groups(report, tier, said);
        let view::Criteria { listed, folded } = view::criteria(report);
        let criterion = |id: &str, row: &view::CriterionRow<'_>| CriterionLine {
            id: text(id),
            estimate: minus(row.estimate.clone()),
            interval: minus(row.interval.clone()),
            required: minus(row.required.clone()),
            verdict: criterion_words(row.verdict),
        };
        let reasons = reasons(report, shows_text, said);
        let slices = slices(report);
        let fault = report.ended.fault.as_ref();
        let warnings = if shows_text { &*report.warnings } else { &[] };
        Self {
            symbol: symbol(report),
            verdict: words(report),
            name: text(&report.name),
            effect: effect(report, tier, said),
            has_baseline: report.variants.baseline.is_some(),
            baseline_note: report.baseline_note.as_deref().map(view::baseline_words).map(text),
            policy: origin::notice(report, tier.rows.min(12), text),
            exit_code_zero: report.exit_code == 0
                && !matches!(report.verdict, Verdict::Pass | Verdict::Unchanged),
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
            confidence: format!("{} %", percent(report.policy.confidence)),
            scope: report.policy.scope.as_str(),
            scope_words: match report.policy.scope {
                Scope::Suite => "would this very suite give the same if run again?",
                Scope::Population => "would new cases of the same kind give the same?",
            },
            compared: compared(report, tier.text, wanted, said),
            planted: judge::failed_self_test(report, said.redactor())
                .into_iter()
                .take(tier.rows)
                .map(|row| PlantedRow {
                    planted: text(&row.planted),
                    metric: text(&row.metric),
                    said: text(&row.said),
                    ..row
                })
                .collect(),
            looks: looks::rows(report, said.redactor())
                .into_iter()
                .map(|row| LookLine {
                    repeats: row.repeats,
                    alpha: row.alpha,
                    verdict: row.verdict,
                    because: text(&row.because),
                })
                .collect(),
            slices_left_out: slices.len().saturating_sub(tier.rows),
            slices: slices
                .into_iter()
                .take(tier.rows)
                .map(|line| SliceLine { tag: text(&line.tag), metric: text(&line.metric), ..line })
                .collect(),
            alpha_spent: looks::spent(report),
            lengths: lengths(report).map(|line| LengthLine { metric: text(&line.metric), ..line }).collect(),
            warnings_title: number::counted(report.warnings.len() as u64, "warning"),
            warnings: warnings.iter().take(tier.rows).map(|warning| text(warning)).collect(),
            warnings_left_out: report.warnings.len().saturating_sub(tier.rows.min(warnings.len())),
            answers: if wanted.disclose == Disclose::Full {
                answers::worst(report, tier.worst, tier.answer, said)
            } else {
                Vec::new()
            },
            shows_text,
            address: wanted.address.filter(|address| is_own_address(address)),
        }
    }
}

/// Judged metrics by tag, the largest loss first.
pub(super) fn slices(report: &Report) -> Vec<SliceLine> {
    let judged = report.metrics.iter().filter(|metric| metric.kind == MetricKind::Judge);
    let mut rows: Vec<_> =
        judged.flat_map(|metric| metric.slices.iter().map(move |slice| (metric, slice))).collect();
    let loss = |slice: &Slice| slice.difference.as_ref().map_or(0.0, |difference| difference.mean);
    rows.sort_by(|(_, one), (_, other)| loss(one).total_cmp(&loss(other)));
    let line = |(metric, slice): (&Metric, &Slice)| {
        let score = |value: f64| number::value(metric.kind, value);
        let signed = |value: f64| number::signed(metric.kind, value);
        let (difference, interval) = match &slice.difference {
            Some(of) => (signed(of.mean), number::bounds(of.lower, of.upper, signed)),
            None => {
                let of = &slice.candidate;
                (number::NONE.to_owned(), number::bounds(of.lower, of.upper, score))
            }
        };
        SliceLine {
            tag: slice.tag.clone(),
            metric: metric.name.clone(),
            cases: slice.n,
            candidate: score(slice.candidate.mean),
            baseline: slice.baseline.map_or_else(|| number::NONE.to_owned(), score),
            difference: minus(difference),
            interval: minus(interval),
        }
    };
    rows.into_iter().map(line).collect()
}

/// The metrics of which it can be told how they go with the length of the answers.
fn lengths(report: &Report) -> impl Iterator<Item = LengthLine> {
    let shown = |value: Option<f64>| {
        minus(value.map_or_else(|| number::NONE.to_owned(), |value| format!("{value:.2}")))
    };
    report.metrics.iter().filter_map(move |metric| {
        let found = metric.length_correlation?;
        (found.candidate.is_some() || found.differences.is_some()).then(|| LengthLine {
            metric: metric.name.clone(),
            candidate: shown(found.candidate),
            differences: shown(found.differences),
        })
    })
}

fn cases(count: usize) -> String {
    number::counted(count as u64, "case")
}

/// A share in percent, without digits that say nothing.
pub(super) fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// A real minus sign, which no list or table mistakes for its own.
pub(super) fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

fn symbol(report: &Report) -> &'static str {
    match (words(report), report.verdict) {
        ("interrupted" | "not evaluated", _) => "⏸",
        (_, Verdict::Pass | Verdict::Unchanged) => "✅",
        (_, Verdict::Fail) => "❌",
        (_, Verdict::Inconclusive) => "⚠️",
        (_, Verdict::Incomplete) => "💥",
    }
}

fn words(report: &Report) -> &'static str {
    let nothing = || view::nothing_measured(report);
    match (&report.ended.fault, report.verdict) {
        (_, verdict) if verdict != Verdict::Fail && report.ended.kind == EndedKind::Interrupted => {
            "interrupted"
        }
        (Some(fault), Verdict::Incomplete) if fault.kind == FaultKind::MissingCredentials && nothing() => {
            "not evaluated"
        }
        (_, verdict) => verdict.as_str(),
    }
}

/// The reasons; where nothing is to be told of what servers and models say, theirs are left out.
fn reasons(report: &Report, shows_text: bool, said: &Said<'_>) -> Vec<String> {
    let mut reasons = view::reasons(report, said.redactor());
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

fn effect(report: &Report, tier: Tier, said: &Said<'_>) -> Option<Effect> {
    let effect = view::effect(report)?;
    let metric = effect.metric;
    let value = |value: Option<f64>| {
        value.map_or_else(|| number::NONE.to_owned(), |value| number::value(metric.kind, value))
    };
    let signed = |value: f64| number::signed(metric.kind, value);
    let difference = signed(effect.difference.mean);
    Some(Effect {
        kind: match difference.starts_with('-') {
            true if effect.failed => "regression",
            true => "drop",
            false => "none",
        },
        metric: said.text(&metric.name, tier.text),
        baseline: minus(value(metric.baseline.as_ref().and_then(|baseline| baseline.mean))),
        candidate: minus(value(metric.candidate.mean)),
        interval: minus(number::bounds(effect.difference.lower, effect.difference.upper, signed)),
        difference: minus(difference),
    })
}
