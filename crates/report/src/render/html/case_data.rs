//! The data of the cases for the page's script: a row of each, and what was said in those for which there is room.

use std::collections::HashMap;
use std::io;

use serde::Serialize;

use super::trial_data::{ANSWER, TrialData, trial};
use super::untrusted_text::{Sanitizer, inert};
use crate::v1::{Case, Passes, Report, Role};
use crate::view::number::minus;
use crate::view::{self, concern, number};

/// Bytes of all rows, and of all that was said; the rest of the page is far smaller than what is left of 10 MB.
const ROWS: usize = 2_300_000;
/// See [`ROWS`].
const SAID: usize = 5_500_000;
/// Passages of a context, and trials of a case, that are shown.
const PASSAGES: usize = 50;
/// See [`PASSAGES`].
const TRIALS: usize = 200;
/// Remarkable cases without room after which no other is tried.
const MISSED: usize = 100;

/// What the script reads, and what is not in it.
pub(super) struct CaseData {
    /// JSON that can stand in a `<script>` element, on many lines.
    pub(super) json: String,
    /// Cases without a row.
    pub(super) without_row: usize,
    /// Cases with a row whose answers are left out for want of room.
    pub(super) without_answers: usize,
}

/// A row of the table.
#[derive(Serialize)]
struct Row {
    /// From 1, in dataset order.
    number: usize,
    /// Worst first, from 0.
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

/// A case that can be opened.
#[derive(Serialize)]
struct Opened {
    query: String,
    context: Vec<String>,
    expected: Option<String>,
    group: Option<String>,
    shared: bool,
    trials: Vec<TrialData>,
    /// Trials and passages that are left out of this case.
    left_out: usize,
}

/// The cases worst first, then those that changed, then the others in dataset order, as places in the report.
pub(super) fn order(report: &Report) -> Vec<usize> {
    let places: HashMap<&str, usize> =
        report.cases.iter().enumerate().map(|(place, case)| (case.id.as_str(), place)).collect();
    let mut taken = vec![false; report.cases.len()];
    let mut order = Vec::with_capacity(report.cases.len());
    let remarkable = view::worst(report).into_iter().chain(view::changed(report));
    let places = remarkable.filter_map(|row| places.get(row.case.id.as_str()).copied());
    for place in places.chain(0..report.cases.len()) {
        if let Some(taken) = taken.get_mut(place).filter(|taken| !**taken) {
            *taken = true;
            order.push(place);
        }
    }
    order
}

/// The data of the cases in this order, as far as there is room.
///
/// # Errors
/// What was said cannot be read back from the spool of the run.
pub(super) fn data(report: &Report, order: &[usize], sanitizer: &Sanitizer<'_>) -> io::Result<CaseData> {
    let mut rows = Vec::new();
    let mut room = ROWS;
    for (rank, &place) in order.iter().enumerate() {
        let Some(case) = report.cases.get(place) else { continue };
        let text = inert(&serde_json::to_string(&row(report, case, place, rank, sanitizer))?);
        if text.len() >= room {
            break;
        }
        room -= text.len() + 2;
        rows.push(text);
    }
    let mut opened: Vec<String> = Vec::new();
    let (mut room, mut missed) = (SAID, 0);
    let remarkable = view::worst(report).len() + view::changed(report).len();
    for (rank, &place) in order.iter().enumerate().take(rows.len()) {
        let Some(case) = report.cases.get(place) else { continue };
        let text = inert(&serde_json::to_string(&open(report, case, sanitizer)?)?);
        let text = format!("\"{}\":{text}", place + 1);
        if text.len() < room {
            room -= text.len() + 2;
            opened.push(text);
        } else if rank >= remarkable || missed == MISSED {
            // A remarkable case that is too large makes room for smaller ones; of the others one ends it.
            break;
        } else {
            missed += 1;
        }
    }
    Ok(CaseData {
        json: format!("{{\"rows\":[\n{}\n],\"cases\":{{\n{}\n}}}}", rows.join(",\n"), opened.join(",\n")),
        without_row: report.cases.len() - rows.len(),
        without_answers: rows.len().saturating_sub(opened.len()),
    })
}

fn row(report: &Report, case: &Case, place: usize, rank: usize, sanitizer: &Sanitizer<'_>) -> Row {
    let passes = |passes: Option<Passes>| passes.map(|passes| (passes.passed, passes.of));
    let moved = case.largest_difference.as_ref();
    let short = |texts: &[String]| texts.iter().take(8).map(|text| sanitizer.clip(text, 60)).collect();
    Row {
        number: place + 1,
        rank,
        id: sanitizer.clip(&case.id, 200),
        query: sanitizer.clip(&case.query, 200),
        status: concern::status(report, case),
        before: passes(case.baseline_passes),
        now: passes(case.candidate_passes),
        difference: moved.map(|moved| moved.difference),
        shown: moved
            .map(|moved| minus(number::signed(view::metric_kind(report, &moved.metric), moved.difference))),
        metric: moved.map(|moved| sanitizer.clip(&moved.metric, 60)),
        failing: short(&case.failing),
        tags: short(&case.tags),
        must: case.must_pass,
    }
}

fn open(report: &Report, case: &Case, sanitizer: &Sanitizer<'_>) -> io::Result<Opened> {
    let mut trials = Vec::new();
    for held in case.trials.iter().take(TRIALS) {
        let held = held?;
        let variant = match held.role {
            Role::Candidate => Some(&report.variants.candidate),
            Role::Baseline => report.variants.baseline.as_ref(),
        };
        let model = variant.map_or("", |variant| variant.model.as_str());
        trials.push(trial(&held, model, &report.prices, sanitizer));
    }
    let passages = case.context.as_deref().unwrap_or_default();
    Ok(Opened {
        query: sanitizer.clip(&case.query, ANSWER),
        context: passages.iter().take(PASSAGES).map(|passage| sanitizer.clip(passage, ANSWER)).collect(),
        expected: case.expected.as_deref().map(|text| sanitizer.clip(text, ANSWER)),
        group: case.group.as_deref().map(|text| sanitizer.clip(text, 120)),
        shared: case.shared,
        left_out: case.trials.len().saturating_sub(TRIALS) + passages.len().saturating_sub(PASSAGES),
        trials,
    })
}
