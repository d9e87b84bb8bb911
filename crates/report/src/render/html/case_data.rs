//! Case data for the script of the page: table rows of all cases, and details of as many as fit.

use std::collections::HashMap;
use std::io;

use serde::Serialize;

use super::escaping::escape_json;
use super::trial_data::{MAX_ANSWER, TrialData, trial_data};
use crate::v1::{Case, Passes, Report, Role};
use crate::view::number::minus;
use crate::view::{self, Sanitizer, concern, number};

/// Size limit of all rows in bytes. With [`MAX_DETAIL_BYTES`] it leaves ample room for the page below 10 MB.
const MAX_ROW_BYTES: usize = 2_300_000;
/// Size limit of all case details in bytes.
const MAX_DETAIL_BYTES: usize = 5_500_000;
/// Passages per case.
const MAX_PASSAGES: usize = 50;
/// Trials per case.
const MAX_TRIALS: usize = 200;
/// Oversized notable cases after which no further case is tried.
const MAX_OVERSIZED: usize = 100;

/// The data for the script, with counts of omitted cases.
pub(super) struct CaseData {
    /// JSON escaped for a `<script>` element.
    pub(super) json: String,
    /// Cases without a row.
    pub(super) without_row: usize,
    /// Cases with a row but without details.
    pub(super) without_details: usize,
}

/// A row of the case table.
#[derive(Serialize)]
struct CaseTableRow {
    /// Position in the dataset, from 1.
    number: usize,
    /// Position in display order, from 0.
    rank: usize,
    id: String,
    query: String,
    status: &'static str,
    before: Option<(usize, usize)>,
    now: Option<(usize, usize)>,
    difference: Option<f64>,
    shown: Option<String>,
    metric: Option<String>,
    failing: Vec<String>,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    must: bool,
}

/// The details of a case.
#[derive(Serialize)]
struct CaseDetails {
    query: String,
    context: Vec<String>,
    expected: Option<String>,
    group: Option<String>,
    shared: bool,
    trials: Vec<TrialData>,
    /// Omitted trials and passages.
    left_out: usize,
}

/// Returns the indices of the cases in display order: worst first, then changed, then the others in dataset order.
pub(super) fn display_order(report: &Report) -> Vec<usize> {
    let indices: HashMap<&str, usize> =
        report.cases.iter().enumerate().map(|(index, case)| (case.id.as_str(), index)).collect();
    let mut taken = vec![false; report.cases.len()];
    let mut order = Vec::with_capacity(report.cases.len());
    let notable = view::worst(report).into_iter().chain(view::changed(report));
    let notable = notable.filter_map(|row| indices.get(row.case.id.as_str()).copied());
    for index in notable.chain(0..report.cases.len()) {
        if let Some(taken) = taken.get_mut(index).filter(|taken| !**taken) {
            *taken = true;
            order.push(index);
        }
    }
    order
}

/// Returns the data of the cases in this order, as far as they fit.
///
/// # Errors
/// Reading trials from the spool of the run failed.
pub(super) fn case_data(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> io::Result<CaseData> {
    let mut rows = Vec::new();
    let mut room = MAX_ROW_BYTES;
    for (rank, &index) in order.iter().enumerate() {
        let Some(case) = report.cases.get(index) else { continue };
        let text = escape_json(&serde_json::to_string(&table_row(report, case, index, rank, sanitizer))?);
        if text.len() >= room {
            break;
        }
        room -= text.len() + 2;
        rows.push(text);
    }
    let mut details: Vec<String> = Vec::new();
    let (mut room, mut oversized) = (MAX_DETAIL_BYTES, 0);
    let notable = view::worst(report).len() + view::changed(report).len();
    for (rank, &index) in order.iter().enumerate().take(rows.len()) {
        let Some(case) = report.cases.get(index) else { continue };
        let text = escape_json(&serde_json::to_string(&case_details(report, case, sanitizer)?)?);
        let text = format!("\"{}\":{text}", index + 1);
        if text.len() < room {
            room -= text.len() + 2;
            details.push(text);
        } else if rank >= notable || oversized == MAX_OVERSIZED {
            // An oversized notable case is skipped for smaller ones; any other ends the list.
            break;
        } else {
            oversized += 1;
        }
    }
    Ok(CaseData {
        json: format!("{{\"rows\":[\n{}\n],\"cases\":{{\n{}\n}}}}", rows.join(",\n"), details.join(",\n")),
        without_row: report.cases.len() - rows.len(),
        without_details: rows.len().saturating_sub(details.len()),
    })
}

fn table_row(
    report: &Report,
    case: &Case,
    index: usize,
    rank: usize,
    sanitizer: &Sanitizer<'_>,
) -> CaseTableRow {
    let passes = |passes: Option<Passes>| passes.map(|passes| (passes.passed, passes.of));
    let largest = case.largest_difference.as_ref();
    let short = |texts: &[String]| texts.iter().take(8).map(|text| sanitizer.clip(text, 60)).collect();
    CaseTableRow {
        number: index + 1,
        rank,
        id: sanitizer.clip(&case.id, 200),
        query: sanitizer.clip(&case.query, 200),
        status: concern::status(report, case),
        before: passes(case.baseline_passes),
        now: passes(case.candidate_passes),
        difference: largest.map(|largest| largest.difference),
        shown: largest.map(|of| minus(number::signed(view::metric_kind(report, &of.metric), of.difference))),
        metric: largest.map(|largest| sanitizer.clip(&largest.metric, 60)),
        failing: short(&case.failing),
        tags: short(&case.tags),
        must: case.must_pass,
    }
}

fn case_details(report: &Report, case: &Case, sanitizer: &Sanitizer<'_>) -> io::Result<CaseDetails> {
    let mut trials = Vec::new();
    for stored in case.trials.iter().take(MAX_TRIALS) {
        let trial = stored?;
        let variant = match trial.role {
            Role::Candidate => Some(&report.variants.candidate),
            Role::Baseline => report.variants.baseline.as_ref(),
        };
        let model = variant.map_or("", |variant| variant.model.as_str());
        trials.push(trial_data(&trial, model, &report.prices, sanitizer));
    }
    let passages = case.context.as_deref().unwrap_or_default();
    Ok(CaseDetails {
        query: sanitizer.clip(&case.query, MAX_ANSWER),
        context: passages
            .iter()
            .take(MAX_PASSAGES)
            .map(|passage| sanitizer.clip(passage, MAX_ANSWER))
            .collect(),
        expected: case.expected.as_deref().map(|text| sanitizer.clip(text, MAX_ANSWER)),
        group: case.group.as_deref().map(|text| sanitizer.clip(text, 120)),
        shared: case.shared,
        left_out: case.trials.len().saturating_sub(MAX_TRIALS) + passages.len().saturating_sub(MAX_PASSAGES),
        trials,
    })
}
