//! Case data for the script of the page, written in a stream: rows of all cases, and details of as many as fit.
//!
//! The part that fits is measured first, since the page says before the data what it lacks.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use super::escaping::escape_json;
use super::trial_data::{MAX_ANSWER, TrialData, trial_data};
use crate::v1::{Case, Passes, Report, Role};
use crate::view::number::minus;
use crate::view::{self, Sanitizer, concern, number};
use promptgate_core::model::Message;

/// Size limit of all data in bytes. It leaves ample room for the rest of the page below 10 MB.
const MAX_BYTES: usize = 8_000_000;
/// Size limit of all rows in bytes.
const MAX_ROW_BYTES: usize = 5_200_000;
/// Passages per case.
const MAX_PASSAGES: usize = 50;
/// Trials per case.
const MAX_TRIALS: usize = 200;
/// Oversized notable cases after which no further case is tried.
const MAX_OVERSIZED: usize = 100;
/// Messages per request.
const MAX_MESSAGES: usize = 40;

/// The cases whose data fits.
pub(super) struct Selection {
    /// Indices in display order of cases with a row.
    rows: Vec<usize>,
    /// Those that have details as well.
    details: Vec<usize>,
    /// Those that have the messages that were sent as well.
    requests: Vec<usize>,
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
    /// Whether question, context or an answer is cut.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// The messages that the variants sent for a case: role and text.
#[derive(Serialize)]
struct RequestData {
    candidate: Vec<(&'static str, String)>,
    /// Empty where the baseline sent the same.
    baseline: Vec<(&'static str, String)>,
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

/// Writes JSON for the script.
pub(super) struct CaseWriter<'a> {
    pub(super) report: &'a Report,
    pub(super) sanitizer: &'a Sanitizer<'a>,
}

impl CaseWriter<'_> {
    /// Selects the cases in this order whose data fits.
    ///
    /// # Errors
    /// Reading trials from the spool of the run failed.
    pub(super) fn select(&self, order: &[usize]) -> io::Result<Selection> {
        let mut rows = Vec::new();
        let mut room = MAX_ROW_BYTES;
        for (rank, &index) in order.iter().enumerate() {
            let length = self.row(index, rank)?.len() + 2;
            if length >= room {
                break;
            }
            room -= length;
            rows.push(index);
        }
        let mut room = MAX_BYTES - (MAX_ROW_BYTES - room);
        let notable = view::worst(self.report).len() + view::changed(self.report).len();
        let details = fitting(&rows, notable, &mut room, |index| self.details(index))?;
        let requests = fitting(&details, notable, &mut room, |index| self.request(index))?;
        Ok(Selection {
            without_row: self.report.cases.len() - rows.len(),
            without_details: rows.len() - details.len(),
            rows,
            details,
            requests,
        })
    }

    /// Writes the data of the selected cases, a line for each.
    ///
    /// # Errors
    /// Those of `out`, and of the spool of the run.
    pub(super) fn write(&self, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
        let head = serde_json::json!({
            "red": matches!(self.report.verdict.as_str(), "fail" | "inconclusive" | "incomplete"),
            "name": self.sanitizer.clip(&self.report.name, 80),
            "run": self.sanitizer.clip(&self.report.started_at, 40),
            "judges": self.judges(),
        });
        let head = escape_json(&head.to_string());
        out.write_all(head.trim_end_matches('}').as_bytes())?;
        out.write_all(b",\"rows\":[\n")?;
        for (rank, &index) in selection.rows.iter().enumerate() {
            separated(out, rank, &self.row(index, rank)?)?;
        }
        out.write_all(b"\n],\"cases\":{\n")?;
        for (position, &index) in selection.details.iter().enumerate() {
            separated(out, position, &self.details(index)?)?;
        }
        out.write_all(b"\n},\"requests\":{\n")?;
        for (position, &index) in selection.requests.iter().enumerate() {
            separated(out, position, &self.request(index)?)?;
        }
        out.write_all(b"\n}}")
    }

    /// The judged metrics, which people can label.
    fn judges(&self) -> Vec<String> {
        let judged = self.report.metrics.iter().filter(|metric| metric.kind == crate::v1::MetricKind::Judge);
        judged.take(20).map(|metric| self.sanitizer.clip(&metric.name, 120)).collect()
    }

    fn row(&self, index: usize, rank: usize) -> io::Result<String> {
        let row = self.report.cases.get(index).map(|case| self.table_row(case, index, rank));
        Ok(escape_json(&serde_json::to_string(&row)?))
    }

    fn details(&self, index: usize) -> io::Result<String> {
        let Some(case) = self.report.cases.get(index) else { return Ok(String::new()) };
        let text = escape_json(&serde_json::to_string(&self.case_details(case)?)?);
        Ok(format!("\"{}\":{text}", index + 1))
    }

    fn request(&self, index: usize) -> io::Result<String> {
        let Some(case) = self.report.cases.get(index) else { return Ok(String::new()) };
        let Some(requests) = case.requests.read()? else { return Ok(String::new()) };
        let messages = |list: &[Arc<Message>]| {
            let message = |message: &Arc<Message>| {
                (message.role.as_str(), self.sanitizer.clip(&message.text(), MAX_ANSWER))
            };
            list.iter().take(MAX_MESSAGES).map(message).collect()
        };
        let data =
            RequestData { candidate: messages(&requests.candidate), baseline: messages(&requests.baseline) };
        Ok(format!("\"{}\":{}", index + 1, escape_json(&serde_json::to_string(&data)?)))
    }

    fn table_row(&self, case: &Case, index: usize, rank: usize) -> CaseTableRow {
        let Self { report, sanitizer } = self;
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
            shown: largest
                .map(|of| minus(number::signed(view::metric_kind(report, &of.metric), of.difference))),
            metric: largest.map(|largest| sanitizer.clip(&largest.metric, 60)),
            failing: short(&case.failing),
            tags: short(&case.tags),
            must: case.must_pass,
        }
    }

    fn case_details(&self, case: &Case) -> io::Result<CaseDetails> {
        let Self { report, sanitizer } = self;
        let is_long = |text: &str| text.len() > MAX_ANSWER;
        let passages = case.context.as_deref().unwrap_or_default();
        let mut cut = is_long(&case.query) || passages.iter().any(|passage| is_long(passage));
        let mut trials = Vec::new();
        for stored in case.trials.iter().take(MAX_TRIALS) {
            let trial = stored?;
            let variant = match trial.role {
                Role::Candidate => Some(&report.variants.candidate),
                Role::Baseline => report.variants.baseline.as_ref(),
            };
            cut |= trial.output.as_deref().is_some_and(is_long);
            let model = variant.map_or("", |variant| variant.model.as_str());
            trials.push(trial_data(&trial, model, &report.prices, sanitizer));
        }
        let left_out =
            case.trials.len().saturating_sub(MAX_TRIALS) + passages.len().saturating_sub(MAX_PASSAGES);
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
            left_out,
            cut,
            trials,
        })
    }
}

/// The cases whose data fits into `room` bytes, of which it takes some; the first `notable` come before all others.
fn fitting(
    cases: &[usize],
    notable: usize,
    room: &mut usize,
    data: impl Fn(usize) -> io::Result<String>,
) -> io::Result<Vec<usize>> {
    let mut selected = Vec::new();
    let mut oversized = 0;
    for (rank, &index) in cases.iter().enumerate() {
        let length = data(index)?.len();
        if length == 0 {
            continue;
        }
        if length + 2 < *room {
            *room -= length + 2;
            selected.push(index);
        } else if rank >= notable || oversized == MAX_OVERSIZED {
            // An oversized notable case is skipped for smaller ones; any other ends the list.
            break;
        } else {
            oversized += 1;
        }
    }
    Ok(selected)
}

/// Writes an element of a list.
fn separated(out: &mut dyn Write, position: usize, text: &str) -> io::Result<()> {
    if position > 0 {
        out.write_all(b",\n")?;
    }
    out.write_all(text.as_bytes())
}
