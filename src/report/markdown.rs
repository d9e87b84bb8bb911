//! `report.md`, also the body of the comment on a pull request.
//!
//! The words are in `templates/report.md`. Whatever the template prints passes [`neutral::markdown`], so nothing
//! in a report can act there. A forge refuses a comment that is too long, so the report is rendered in tiers that
//! say less and less, each of them whole, until one fits.

mod lines;

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::v1::{
    Case, CriterionVerdict, EndedKind, Metric, MetricKind, Report, Role, Scope, Slice, Variant, Verdict,
};
use lines::{
    CaseLine, CriterionLine, Effect, Fact, FoldedLine, Group, LengthLine, LookLine, MetricLine, SliceLine,
};

use super::judge::{self, PlantedRow};
use super::{looks, number, origin, view};
use crate::text::{Redactor, neutral};

/// Bytes that a rendered report stays below: a comment may have 65,536 characters.
const LIMIT: usize = 60_000;
/// A tier that lists more cases than this is not tried: it would hardly fit, and nobody reads it there.
const ROWS: usize = 1000;
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
    Tier { cases: Listed::Changed, worst: WORST, rows: 200, text: 300 },
    Tier { cases: Listed::Worse, worst: WORST, rows: 100, text: 200 },
    Tier { cases: Listed::None, worst: WORST, rows: 40, text: 100 },
    Tier { cases: Listed::None, worst: 0, rows: 8, text: 40 },
];

/// Writes the report as Markdown.
pub(super) fn write(report: &Report, out: &mut impl Write, redactor: &Redactor) -> io::Result<()> {
    let environment = environment(redactor.clone()).map_err(io::Error::other)?;
    let mut text = String::new();
    for tier in TIERS {
        if listed(report, tier) > ROWS {
            continue;
        }
        text = environment
            .render_named_str("report.md", TEMPLATE, Serde(Page::new(report, tier)))
            .map_err(io::Error::other)?;
        if text.len() < LIMIT {
            break;
        }
    }
    out.write_all(text.as_bytes())
}

const TEMPLATE: &str = include_str!("templates/report.md");

/// An engine that neutralises whatever it prints, without secrets, which would be past finding then.
fn environment(redactor: Redactor) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(move |out, _state, value| {
        out.write_str(&neutral::markdown(&redactor.redact(&value.to_string())))
            .map_err(minijinja::Error::from)
    });
    Ok(environment)
}

/// What the template knows.
#[derive(Serialize)]
struct Page {
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
    warnings: Vec<String>,
    warnings_title: String,
    warnings_left_out: usize,
}

impl Page {
    fn new(report: &Report, tier: Tier) -> Self {
        let text = |text: &str| neutral::clip(text, tier.text);
        let (groups, left_out) = groups(report, tier);
        let view::Criteria { listed, folded } = view::criteria(report);
        let criterion = |id: &str, row: &view::CriterionRow<'_>| CriterionLine {
            id: text(id),
            estimate: minus(row.estimate.clone()),
            interval: minus(row.interval.clone()),
            required: minus(row.required.clone()),
            verdict: criterion_words(row.verdict),
        };
        let reasons = view::reasons(report);
        let slices = slices(report);
        let fault = report.ended.fault.as_ref();
        Self {
            symbol: symbol(report),
            verdict: words(report),
            name: text(&report.name),
            effect: effect(report, tier),
            has_baseline: report.variants.baseline.is_some(),
            baseline_note: report.baseline_note.as_deref().map(view::baseline_words).map(text),
            policy: origin::notice(report, tier.rows.min(12), tier.text),
            exit_code_zero: report.exit_code == 0
                && !matches!(report.verdict, Verdict::Pass | Verdict::Unchanged),
            simulated: report.simulated,
            so_far: report.verdict == Verdict::Incomplete,
            stopped: fault.filter(|_| report.reasons.is_empty()).map(|fault| text(&fault.message)),
            help: fault.and_then(|fault| fault.help.as_deref()).map(text),
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
            compared: compared(report, tier),
            planted: judge::failed_self_test(report)
                .into_iter()
                .take(tier.rows)
                .map(|row| PlantedRow {
                    planted: text(&row.planted),
                    metric: text(&row.metric),
                    said: text(&row.said),
                    ..row
                })
                .collect(),
            looks: looks::rows(report)
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
            warnings: report.warnings.iter().take(tier.rows).map(|warning| text(warning)).collect(),
            warnings_left_out: report.warnings.len().saturating_sub(tier.rows),
        }
    }
}

/// The worst cases, then the others that the tier shows, and how many are left out.
fn groups(report: &Report, tier: Tier) -> (Vec<Group>, usize) {
    let worst = view::worst(report);
    let others = view::changed(report);
    let line = |row: &view::CaseRow<'_>| case_line(row, tier);
    let first: Vec<CaseLine> = worst.iter().take(tier.worst).map(line).collect();
    let rest: Vec<CaseLine> = match tier.cases {
        Listed::None => Vec::new(),
        Listed::Worse => worst.iter().skip(tier.worst).map(line).collect(),
        Listed::Changed => worst.iter().skip(tier.worst).chain(&others).map(line).collect(),
    };
    let left_out = worst.len() + others.len() - first.len() - rest.len();
    let count = |count: usize| number::count(count as u64);
    let groups = [
        Group { title: format!("Worst {} of {}", count(first.len()), cases(worst.len())), rows: first },
        Group { title: format!("Other cases that changed ({})", count(rest.len())), rows: rest },
    ];
    (groups.into_iter().filter(|group| !group.rows.is_empty()).collect(), left_out)
}

/// How many cases a tier lists.
fn listed(report: &Report, tier: Tier) -> usize {
    match tier.cases {
        Listed::Changed => view::worst(report).len() + view::changed(report).len(),
        Listed::Worse => view::worst(report).len(),
        Listed::None => 0,
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
    if report.ended.kind == EndedKind::Interrupted && report.verdict != Verdict::Fail {
        return "⏸";
    }
    match report.verdict {
        Verdict::Pass | Verdict::Unchanged => "✅",
        Verdict::Fail => "❌",
        Verdict::Inconclusive => "⚠️",
        Verdict::Incomplete => "💥",
    }
}

fn words(report: &Report) -> &'static str {
    if report.ended.kind == EndedKind::Interrupted && report.verdict != Verdict::Fail {
        return "interrupted";
    }
    report.verdict.as_str()
}

fn criterion_words(verdict: CriterionVerdict) -> &'static str {
    match verdict {
        CriterionVerdict::Pass => "✅ pass",
        CriterionVerdict::Fail => "❌ fail",
        CriterionVerdict::Inconclusive => "⚠️ inconclusive",
        CriterionVerdict::Incomplete => "💥 incomplete",
    }
}

fn effect(report: &Report, tier: Tier) -> Option<Effect> {
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
        metric: neutral::clip(&metric.name, tier.text),
        baseline: minus(value(metric.baseline.as_ref().and_then(|baseline| baseline.mean))),
        candidate: minus(value(metric.candidate.mean)),
        interval: minus(number::bounds(effect.difference.lower, effect.difference.upper, signed)),
        difference: minus(difference),
    })
}

fn case_line(row: &view::CaseRow<'_>, tier: Tier) -> CaseLine {
    let failing: Vec<String> =
        row.case.failing.iter().take(3).map(|metric| neutral::clip(metric, tier.text.min(40))).collect();
    CaseLine {
        id: neutral::clip(&row.case.id, tier.text.min(60)),
        query: neutral::clip(&row.case.query, tier.text.min(80)),
        status: row.case.status.as_str(),
        baseline: row.baseline.clone(),
        candidate: row.candidate.clone(),
        difference: row.difference.as_ref().map_or_else(
            || number::NONE.to_owned(),
            |(metric, difference)| {
                format!("{} {}", minus(difference.clone()), neutral::clip(metric, tier.text.min(40)))
            },
        ),
        failing: if failing.is_empty() { number::NONE.to_owned() } else { failing.join(", ") },
        reason: neutral::clip(&reason(row.case), tier.text.min(120)),
    }
}

/// Why the first failing trial of the candidate fails.
fn reason(case: &Case) -> String {
    let mut fault = None;
    for trial in case.trials.readable().filter(|trial| trial.role == Role::Candidate) {
        let failed = trial
            .grades
            .iter()
            .filter(|grade| grade.score.is_none_or(|score| score < 1.0))
            .find(|grade| grade.score.is_none() || case.failing.contains(&grade.scorer));
        if let Some(grade) = failed {
            return grade.reason.clone();
        }
        fault = fault.or_else(|| trial.error.as_ref().map(|fault| fault.message.clone()));
    }
    fault.unwrap_or_default()
}

/// What was compared, label by label.
fn compared(report: &Report, tier: Tier) -> Vec<Fact> {
    let text = |text: &str| neutral::clip(text, tier.text);
    let mut facts = vec![Fact { label: "Candidate", text: variant(&report.variants.candidate, tier) }];
    if let Some(baseline) = &report.variants.baseline {
        let note = report.baseline_note.as_deref().map(view::baseline_words);
        let note = note.map_or_else(String::new, |note| format!(" ({})", text(note)));
        facts.push(Fact { label: "Baseline", text: format!("{}{note}", variant(baseline, tier)) });
    }
    if let Some(judge) = &report.judge {
        facts.push(Fact { label: "Judge", text: text(&judge.model) });
        let words: Vec<String> = judge::words(report).iter().map(|word| text(word)).collect();
        facts.push(Fact { label: "Judging", text: words.join("; ") });
    }
    let digest = neutral::clip(&report.dataset.digest, 20).replace('…', "");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let path = text(&report.dataset.path);
    let dataset = format!("{path}, {}, {repeats} each, {digest}", cases(report.cases.len()));
    facts.push(Fact { label: "Dataset", text: dataset });
    let policy = format!(
        "{}, rule {}, scope {}, confidence {} %, resolution {}",
        match report.policy.criteria.len() {
            1 => "1 criterion".to_owned(),
            many => format!("{} criteria", number::count(many as u64)),
        },
        report.policy.rule.as_str(),
        report.policy.scope.as_str(),
        percent(report.policy.confidence),
        report.policy.resolution
    );
    let policy = match origin::place(report) {
        Some(place) => format!("{policy}, of {}", text(&place)),
        None => policy,
    };
    facts.push(Fact { label: "Policy", text: policy });
    facts.push(Fact { label: "Cost", text: view::cost(report) });
    let drops: Vec<String> = report
        .metrics
        .iter()
        .filter(|metric| metric.kind == MetricKind::Judge)
        .filter_map(|metric| {
            let drop = metric.smallest_detectable_drop?;
            let of_people = metric.judged.as_ref().and_then(|judged| judged.smallest_true_drop);
            let of_people = of_people.map_or_else(String::new, |drop| {
                format!(" ({} in what people would say)", number::value(metric.kind, drop))
            });
            Some(format!("{} {}{of_people}", text(&metric.name), number::value(metric.kind, drop)))
        })
        .take(8)
        .collect();
    if !drops.is_empty() {
        facts.push(Fact { label: "Smallest drop this suite detects", text: drops.join(", ") });
    }
    if let Some(share) = view::unseen_share(report.cases.len()) {
        let share = format!("failures in up to {:.1} % of traffic", share * 100.0);
        facts.push(Fact { label: "Not excluded even if every case is clean", text: share });
    }
    facts.push(Fact { label: "Started", text: text(&report.started_at) });
    facts.push(Fact { label: "promptgate", text: text(&report.tool_version) });
    facts
}

/// A variant with where it is from.
fn variant(variant: &Variant, tier: Tier) -> String {
    let text = |text: &str| neutral::clip(text, tier.text);
    let commit = variant.prompt.commit.as_deref().map_or_else(String::new, |commit| {
        format!(" at commit {}", neutral::clip(commit, 13).replace('…', ""))
    });
    let name = text(&view::variant_name(variant));
    format!("{name} from {}{commit}, model {}", text(&variant.prompt.source), text(&variant.model))
}
