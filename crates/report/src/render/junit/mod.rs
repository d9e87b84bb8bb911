//! `junit.xml`: the report as test results, for systems that show those.
//!
//! One test case per criterion and one per case of the dataset. A failure stands where the gate decided, at a
//! criterion; a case that merely lost fails nothing, since one case can lose by chance. So a file without failures and
//! errors is a run that may be merged. No answer of a model and no word of a judge is in it. What the verdict is was
//! decided before; the XML is quick-junit's.

mod test_entry;
mod xml_text;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{Property, Report as Document, TestCase, TestSuite};

use super::Style;
use crate::v1::{Case, CaseStatus, Criterion, CriterionVerdict, EndedKind, Reason, Report, Verdict};
use crate::{large, view};
use promptgate_core::text::Redactor;
use test_entry::Entry;
use xml_text::Words;

/// How much a file holds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Bytes that it stays below.
    bytes: usize,
    /// Test cases.
    cases: usize,
}

/// GitLab reads no file of more than 30 MB.
const LIMITS: Limits = Limits { bytes: 25_000_000, cases: 20_000 };
/// What the tags and the names of attributes of one test case take, about, in bytes.
const TAGS: usize = 400;

/// Writes the report as JUnit XML; no secret that `redactor` knows is in it.
pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    document(report, &style.redactor, LIMITS).serialize(out).map_err(io::Error::other)
}

fn document(report: &Report, redactor: &Redactor, limits: Limits) -> Document {
    let words = Words::new(redactor);
    let name = words.name(&report.name);
    let time = Duration::from_millis(report.duration_ms);
    let started = report.started_at.parse().ok();

    let mut suite = TestSuite::new(&name);
    suite.set_time(time);
    suite.timestamp = started;
    let (listed, left_out) = listed(report, &words, &name, limits);
    suite.add_properties(properties(report, &words, left_out));
    suite.add_test_cases(listed);

    let mut document = Document::new("promptgate");
    document.set_time(time);
    document.timestamp = started;
    document.add_test_suite(suite);
    document
}

/// The test cases in order, and how many did not find room: those that say least go first.
fn listed(report: &Report, words: &Words<'_>, suite: &str, limits: Limits) -> (Vec<TestCase>, usize) {
    let mut places = places(report);
    let total = places.len();
    // The sort is stable: within a rank it stays the order of the report.
    places.sort_by_key(|place| place.rank);
    let times = report.trials() <= large::LARGE;
    let mut bytes = 10 * TAGS;
    let mut chosen: Vec<(usize, Entry)> = Vec::new();
    for place in places {
        let entry = match place.what {
            What::Run => test_entry::run(report, words),
            What::Criterion(criterion) => test_entry::criterion(report, criterion, words),
            What::Case(case) => test_entry::case(report, case, times, words),
        };
        bytes += TAGS + suite.len() * 6 + entry.bytes();
        if chosen.len() >= limits.cases || bytes > limits.bytes {
            break;
        }
        chosen.push((place.order, entry));
    }
    chosen.sort_by_key(|(order, _)| *order);
    let left_out = total - chosen.len();
    let mut seen = HashSet::new();
    let listed = chosen.into_iter().map(|(_, entry)| entry.unique(&mut seen).test_case(suite)).collect();
    (listed, left_out)
}

/// One test case to be, how early it must find room, and where it stands.
struct Place<'a> {
    what: What<'a>,
    rank: u8,
    order: usize,
}

enum What<'a> {
    Run,
    Criterion(&'a Criterion),
    Case(&'a Case),
}

fn places(report: &Report) -> Vec<Place<'_>> {
    let run = needs_own_line(report).then_some((What::Run, 0));
    let criteria = report.criteria.iter().map(|criterion| {
        let rank = if criterion.verdict == CriterionVerdict::Pass { 3 } else { 1 };
        (What::Criterion(criterion), rank)
    });
    let cases = report.cases.iter().map(|case| {
        let rank = match case.status {
            CaseStatus::Missing => 2,
            CaseStatus::Same => 5,
            _ => 4,
        };
        (What::Case(case), rank)
    });
    let all = run.into_iter().chain(criteria).chain(cases).enumerate();
    all.map(|(order, (what, rank))| Place { what, rank, order }).collect()
}

/// Whether something ended or decided the run that no criterion shows.
fn needs_own_line(report: &Report) -> bool {
    let shown = report.criteria.iter().any(|criterion| criterion.verdict != CriterionVerdict::Pass);
    ended_early(report) || (!is_green(report) && !shown)
}

/// Whether the endpoint, a budget or somebody ended the run.
fn ended_early(report: &Report) -> bool {
    matches!(report.ended.kind, EndedKind::Stopped | EndedKind::Interrupted)
}

/// Whether the change may be merged by what was found: `--advisory` makes nothing green here, `--inconclusive pass`
/// does.
fn is_green(report: &Report) -> bool {
    match report.verdict {
        Verdict::Pass | Verdict::Unchanged => report.ended.kind != EndedKind::Interrupted,
        Verdict::Inconclusive => report.exit_code == 0 && !ended_early(report),
        Verdict::Fail | Verdict::Incomplete => false,
    }
}

/// The reasons that speak of no criterion.
fn reasons_of_the_run(report: &Report) -> impl Iterator<Item = &Reason> {
    report.reasons.iter().filter(|reason| reason.criterion.is_none())
}

fn properties(report: &Report, words: &Words<'_>, left_out: usize) -> Vec<Property> {
    let mut properties = vec![
        Property::new("promptgate.verdict", report.verdict.as_str()),
        Property::new("promptgate.exit_code", report.exit_code.to_string()),
        Property::new("promptgate.version", words.text(&report.tool_version)),
        Property::new("promptgate.candidate", words.text(&view::variant_name(&report.variants.candidate))),
    ];
    if let Some(baseline) = &report.variants.baseline {
        properties.push(Property::new("promptgate.baseline", words.text(&view::variant_name(baseline))));
    }
    if report.simulated {
        properties.push(Property::new("promptgate.simulated", "true"));
    }
    if left_out > 0 {
        properties.push(Property::new("promptgate.left_out", left_out.to_string()));
    }
    properties
}
