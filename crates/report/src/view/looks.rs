//! Looks of a run, and advice to settle an inconclusive one.

use serde::Serialize;

use super::number;
use crate::v1::{CriterionVerdict, Look, Report, Verdict};
use promptgate_core::text::{Redactor, neutral};

/// Criteria named per look.
const MAX_NAMED: usize = 3;

/// A look as a row.
#[derive(Serialize)]
pub(crate) struct LookRow {
    pub(crate) repeats: u32,
    pub(crate) alpha: String,
    pub(crate) verdict: &'static str,
    /// The failed criteria, else the undecided ones, else `–`.
    pub(crate) because: String,
}

impl LookRow {
    /// Sanitizes the names of criteria.
    pub(crate) fn map_text(self, text: impl Fn(&str) -> String) -> Self {
        Self { because: text(&self.because), ..self }
    }
}

/// Rows of all looks; empty where the schedule has a single look, which repeats the verdict.
pub(crate) fn rows(report: &Report, redactor: &Redactor) -> Vec<LookRow> {
    if report.policy.max_repeats <= report.policy.repeats {
        return Vec::new();
    }
    report.looks.iter().map(|look| row(look, redactor)).collect()
}

fn row(look: &Look, redactor: &Redactor) -> LookRow {
    let name = |id: &str| neutral::terminal(&redactor.redact(id));
    let behind = |verdict| match look.verdict {
        Verdict::Fail => verdict == CriterionVerdict::Fail,
        _ => matches!(verdict, CriterionVerdict::Inconclusive | CriterionVerdict::Incomplete),
    };
    let criteria: Vec<String> =
        look.criteria.iter().filter(|at| behind(at.verdict)).map(|at| name(&at.id)).collect();
    let more = match criteria.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = criteria.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    LookRow {
        repeats: look.repeats,
        alpha: alpha(look.alpha),
        verdict: look.verdict.as_str(),
        because: if criteria.is_empty() { number::NONE.to_owned() } else { named + &more },
    }
}

/// All looks in one line: `3 repeats: inconclusive (relevance.min); 6 repeats: pass`.
pub(crate) fn line(report: &Report, redactor: &Redactor) -> Option<String> {
    let looks = rows(report, redactor).into_iter().map(|row| match row.because.as_str() {
        number::NONE => format!("{} repeats: {}", row.repeats, row.verdict),
        because => format!("{} repeats: {} ({because})", row.repeats, row.verdict),
    });
    let looks: Vec<String> = looks.collect();
    (looks.len() > 1).then(|| looks.join("; "))
}

/// The alpha available to the looks so far, out of the total.
pub(crate) fn spent(report: &Report) -> String {
    let spent: f64 = report.looks.iter().map(|look| look.alpha).sum();
    format!("{} of {}", alpha(spent), alpha(1.0 - report.policy.confidence))
}

/// Four significant digits, without trailing zeros.
fn alpha(value: f64) -> String {
    let digits = 3 + (-value.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Advice to settle an inconclusive run: the repeats or cases needed, their cost, and the flag to pass.
pub(crate) fn settle(report: &Report) -> Option<String> {
    let settle = report.to_settle?;
    let cost = match settle.cost_usd {
        Some(usd) if !report.simulated => format!(", {}", super::money(report, Some(usd))),
        _ => String::new(),
    };
    let effort = format!("{} calls{cost}", number::count(settle.calls));
    let amount = match (settle.repeats, settle.cases) {
        (Some(repeats), None) => number::counted(repeats as u64, "more repeat"),
        (None, Some(cases)) => number::counted(cases as u64, "more case"),
        (Some(repeats), Some(cases)) => {
            let cases = number::counted(cases as u64, "more case");
            format!("{} and {cases}", number::counted(repeats as u64, "more repeat"))
        }
        (None, None) => return None,
    };
    let total = settle.repeats.map(|more| more.saturating_add(report.repeats as usize));
    let flag = match total {
        Some(total) if total <= 1000 => {
            format!(": --max-repeats {total}, with alpha divided among its looks")
        }
        Some(_) => ": too many to be practical; add cases or widen the resolution".to_owned(),
        None => ": add them to the dataset".to_owned(),
    };
    Some(format!("about {amount} ({effort}) would settle it if the estimates hold{flag}"))
}
