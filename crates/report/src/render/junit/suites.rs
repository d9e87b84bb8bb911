//! The test results of several suites in one file.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::xml_text::XmlText;
use super::{LIMITS, Limits, document};
use crate::suites::{SuiteResult, SuiteVerdict, Suites};
use crate::v1::Report;
use crate::view::suites::sentence;
use promptgate_core::text::Redactor;

/// Writes the test results of several suites. `reports` has those of the suites that have one, by their position.
///
/// # Errors
/// Those of `out`.
pub fn write_suites_junit(
    suites: &Suites,
    reports: &[(usize, (&Report, &Redactor))],
    out: &mut dyn Write,
) -> io::Result<()> {
    // The rows are redacted.
    let without = Redactor::default();
    let xml = XmlText::new(&without);
    // The limits are those of a file.
    let share = reports.len().max(1);
    let limits = Limits { bytes: LIMITS.bytes / share, cases: LIMITS.cases / share };
    let mut all = Document::new("promptgate");
    all.set_time(Duration::from_millis(suites.duration_ms));
    for (position, suite) in suites.suites.iter().enumerate() {
        match reports.iter().find(|(of, _)| *of == position) {
            Some((_, (report, redactor))) => {
                all.add_test_suites(document(report, redactor, limits).test_suites);
            }
            None => {
                all.add_test_suite(without_report(suite, &xml));
            }
        }
    }
    all.serialize(out).map_err(io::Error::other)
}

/// One test that stands for a suite that was not evaluated.
fn without_report(suite: &SuiteResult, xml: &XmlText<'_>) -> TestSuite {
    let name = xml.name(&suite.name);
    let message = xml.line(sentence(suite));
    let mut status = match suite.verdict {
        SuiteVerdict::Pass | SuiteVerdict::Unchanged => TestCaseStatus::success(),
        SuiteVerdict::NotEvaluated => TestCaseStatus::skipped(),
        _ => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if !matches!(suite.verdict, SuiteVerdict::Pass | SuiteVerdict::Unchanged) {
        status.set_type(suite.verdict.as_str()).set_message(&message).set_description(&message);
    }
    let mut case = TestCase::new("run", status);
    case.set_classname(format!("promptgate.gate.{name}"));
    let mut of = TestSuite::new(&name);
    of.add_test_case(case);
    of
}
