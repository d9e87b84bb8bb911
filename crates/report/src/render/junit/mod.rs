//! `junit.xml`: the report as test results.
//!
//! The file has one test case per criterion and one per case of the dataset. Failures belong to criteria, where the gate
//! decides; a case that got worse is not a failure, since a single case can do so by chance. A file without failures
//! and errors is therefore a run that may be merged. It contains no text of models or judges.

mod suites;
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
use crate::{LARGE, view};
use promptgate_core::text::Redactor;
pub use suites::write_suites_junit;
use test_entry::TestEntry;
use xml_text::XmlText;

/// Size limits of a file.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: usize,
    cases: usize,
}

/// GitLab rejects files of more than 30 MB.
const LIMITS: Limits = Limits { bytes: 25_000_000, cases: 20_000 };
/// Approximate size of the tags and attribute names of one test case in bytes.
const TAG_BYTES: usize = 400;

pub(super) fn write(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    document(report, &style.redactor, LIMITS).serialize(out).map_err(io::Error::other)
}

fn document(report: &Report, redactor: &Redactor, limits: Limits) -> Document {
    let xml = XmlText::new(redactor);
    let name = xml.name(&report.name);
    let time = Duration::from_millis(report.duration_ms);
    let started = report.started_at.parse().ok();

    let mut suite = TestSuite::new(&name);
    suite.set_time(time);
    suite.timestamp = started;
    let (listed, left_out) = listed(report, &xml, &name, limits);
    suite.add_properties(properties(report, &xml, left_out));
    suite.add_test_cases(listed);

    let mut document = Document::new("promptgate");
    document.set_time(time);
    document.timestamp = started;
    document.add_test_suite(suite);
    document
}

/// Returns the test cases in order and the number of omitted ones; the least informative are omitted first.
fn listed(report: &Report, xml: &XmlText<'_>, suite: &str, limits: Limits) -> (Vec<TestCase>, usize) {
    let mut items = ranked_items(report);
    let total = items.len();
    // A stable sort keeps the order of the report within a rank.
    items.sort_by_key(|item| item.rank);
    let has_times = report.trials() <= LARGE;
    let mut bytes = 10 * TAG_BYTES;
    let mut chosen: Vec<(usize, TestEntry)> = Vec::new();
    for item in items {
        let entry = match item.content {
            Content::Run => test_entry::run(report, xml),
            Content::Criterion(criterion) => test_entry::criterion(report, criterion, xml),
            Content::Case(case) => test_entry::case(report, case, has_times, xml),
        };
        bytes += TAG_BYTES + suite.len() * 6 + entry.bytes();
        if chosen.len() >= limits.cases || bytes > limits.bytes {
            break;
        }
        chosen.push((item.order, entry));
    }
    chosen.sort_by_key(|(order, _)| *order);
    let left_out = total - chosen.len();
    let mut seen = HashSet::new();
    let listed = chosen.into_iter().map(|(_, entry)| entry.unique(&mut seen).test_case(suite)).collect();
    (listed, left_out)
}

/// A future test case with its priority (lowest first) and its position.
struct RankedItem<'a> {
    content: Content<'a>,
    rank: u8,
    order: usize,
}

enum Content<'a> {
    Run,
    Criterion(&'a Criterion),
    Case(&'a Case),
}

fn ranked_items(report: &Report) -> Vec<RankedItem<'_>> {
    let run = needs_run_entry(report).then_some((Content::Run, 0));
    let criteria = report.criteria.iter().map(|criterion| {
        let rank = if criterion.verdict == CriterionVerdict::Pass { 3 } else { 1 };
        (Content::Criterion(criterion), rank)
    });
    let cases = report.cases.iter().map(|case| {
        let rank = match case.status {
            CaseStatus::Missing => 2,
            CaseStatus::Same => 5,
            _ => 4,
        };
        (Content::Case(case), rank)
    });
    let all = run.into_iter().chain(criteria).chain(cases).enumerate();
    all.map(|(order, (content, rank))| RankedItem { content, rank, order }).collect()
}

/// Whether the end or the verdict of the run is not visible in any criterion.
fn needs_run_entry(report: &Report) -> bool {
    let shown = report.criteria.iter().any(|criterion| criterion.verdict != CriterionVerdict::Pass);
    ended_early(report) || (!is_green(report) && !shown)
}

/// Whether the endpoint, a budget or the user ended the run.
fn ended_early(report: &Report) -> bool {
    matches!(report.ended.kind, EndedKind::Stopped | EndedKind::Interrupted)
}

/// Whether the verdict allows a merge. `--inconclusive pass` has an effect here, `--advisory` does not.
fn is_green(report: &Report) -> bool {
    match report.verdict {
        Verdict::Pass | Verdict::Unchanged => report.ended.kind != EndedKind::Interrupted,
        Verdict::Inconclusive => report.exit_code == 0 && !ended_early(report),
        Verdict::Fail | Verdict::Incomplete => false,
    }
}

/// The reasons without a criterion.
fn run_reasons(report: &Report) -> impl Iterator<Item = &Reason> {
    report.reasons.iter().filter(|reason| reason.criterion.is_none())
}

fn properties(report: &Report, xml: &XmlText<'_>, left_out: usize) -> Vec<Property> {
    let mut properties = vec![
        Property::new("promptgate.verdict", report.verdict.as_str()),
        Property::new("promptgate.exit_code", report.exit_code.to_string()),
        Property::new("promptgate.version", xml.line(&report.tool_version)),
        Property::new("promptgate.candidate", xml.line(&view::variant_name(&report.variants.candidate))),
    ];
    if let Some(baseline) = &report.variants.baseline {
        properties.push(Property::new("promptgate.baseline", xml.line(&view::variant_name(baseline))));
    }
    if let Some(release) = view::release_line(report) {
        properties.push(Property::new("promptgate.release", xml.line(&release)));
    }
    if report.simulated {
        properties.push(Property::new("promptgate.simulated", "true"));
    }
    if left_out > 0 {
        properties.push(Property::new("promptgate.left_out", left_out.to_string()));
    }
    properties
}
