//! The looks of a run in words, for the terminal and Markdown.

use serde::Serialize;

use super::number;
use crate::v1::{CriterionVerdict, Look, Report, Verdict};
use promptgate_core::text::{Redactor, neutral};

/// So many criteria are named.
const NAMED: usize = 3;

/// One look in words.
#[derive(Serialize)]
pub(crate) struct LookRow {
    /// Repeats it read.
    pub(crate) repeats: u32,
    /// The alpha it could spend.
    pub(crate) alpha: String,
    /// The verdict at that look.
    pub(crate) verdict: &'static str,
    /// The criteria behind it: what failed, else what was undecided, else `–`.
    pub(crate) because: String,
}

impl LookRow {
    /// The row with what others wrote passed through `text`.
    pub(crate) fn through(self, text: impl Fn(&str) -> String) -> Self {
        Self { because: text(&self.because), ..self }
    }
}

/// Every look; none where the schedule has only one, which says nothing that the verdict does not.
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
    let more = match criteria.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = criteria.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    LookRow {
        repeats: look.repeats,
        alpha: alpha(look.alpha),
        verdict: look.verdict.as_str(),
        because: if criteria.is_empty() { number::NONE.to_owned() } else { named + &more },
    }
}

/// The looks in one line: `3 repeats: inconclusive (relevance.min); 6 repeats: pass`.
pub(crate) fn line(report: &Report, redactor: &Redactor) -> Option<String> {
    let told = rows(report, redactor).into_iter().map(|row| match row.because.as_str() {
        number::NONE => format!("{} repeats: {}", row.repeats, row.verdict),
        because => format!("{} repeats: {} ({because})", row.repeats, row.verdict),
    });
    let told: Vec<String> = told.collect();
    (told.len() > 1).then(|| told.join("; "))
}

/// The alpha that the looks could spend together, of the run's.
pub(crate) fn spent(report: &Report) -> String {
    let spent: f64 = report.looks.iter().map(|look| look.alpha).sum();
    format!("{} of {}", alpha(spent), alpha(1.0 - report.policy.confidence))
}

/// Four significant digits, without needless zeros.
fn alpha(value: f64) -> String {
    let digits = 3 + (-value.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What would settle an inconclusive run, what it takes, and how to ask for it.
pub(crate) fn settle(report: &Report) -> Option<String> {
    let settle = report.to_settle?;
    let cost = match settle.cost_usd {
        Some(usd) if !report.simulated => format!(", {}", number::dollars(usd)),
        _ => String::new(),
    };
    let takes = format!("{} calls{cost}", number::count(settle.calls));
    let what = match (settle.repeats, settle.cases) {
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
            format!(": --max-repeats {total}, among whose looks alpha is shared anew")
        }
        Some(_) => ": more repeats than make sense; more cases, or a wider resolution".to_owned(),
        None => ": add them to the dataset".to_owned(),
    };
    Some(format!("about {what} ({takes}) would settle it if the estimates stay{flag}"))
}
