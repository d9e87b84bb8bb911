//! Annotations: the verdict, then cases that fail or got worse, at the lines that the change touches.

use std::path::Path;

use crate::app::ci::messages::{new_suite, verdict};
use crate::app::ci::{CiContext, Outcome};
use promptgate_adapters::git::{ChangedLines, Repository};
use promptgate_adapters::github::{Annotation, Level, MAX_ANNOTATIONS};
use promptgate_core::text::neutral;
use promptgate_report::v1::{Case, CaseStatus, Passes, Verdict};
use promptgate_report::{Concern, Report, concerns};

/// A file by its path in the workspace, with the first and the last line.
type Place = Option<(String, (usize, usize))>;

/// Reasons in the annotation of the verdict.
const REASONS: usize = 5;

/// The annotations of a run, at most [`MAX_ANNOTATIONS`]; none for a pass.
pub(super) fn annotations(
    outcome: &Outcome,
    context: &CiContext,
    exit_code: u8,
    workspace: Option<&Path>,
) -> Vec<Annotation> {
    let level = if exit_code == 0 { Level::Warning } else { Level::Error };
    let at = |title: String, message: String, place: &Place| {
        let (file, lines) = place.clone().unzip();
        Annotation { level, title, message, file, lines }
    };
    let title = || {
        let (verdict, _) = verdict(outcome, exit_code == 0);
        format!("promptgate: {}", verdict.as_str().replace('_', " "))
    };
    match outcome {
        Outcome::Reported(reported) => {
            let report = &reported.report;
            if matches!(report.verdict, Verdict::Pass | Verdict::Unchanged) {
                return Vec::new();
            }
            let place = place(context, workspace);
            let redact = |text: &str| reported.redactor.redact(text).into_owned();
            let title = format!("promptgate: {}", report.verdict.as_str());
            // Everything is redacted before it is cut.
            let mut all = vec![at(title, reasons(report, redact), &place)];
            let worse = worse(report);
            let room = MAX_ANNOTATIONS - 2;
            let shown = if worse.len() == room + 1 { room + 1 } else { room };
            for (concern, case) in worse.iter().take(shown) {
                all.push(at(
                    format!("case {}", neutral::clip(&redact(&case.id), 60)),
                    case_message(*concern, case, redact),
                    &place,
                ));
            }
            if worse.len() > shown {
                let message = format!("{} more cases fail or got worse: see the report", worse.len() - shown);
                all.push(at("promptgate".to_owned(), message, &place));
            }
            all
        }
        Outcome::Unchanged(_) | Outcome::Shard(_) | Outcome::Interrupted => Vec::new(),
        Outcome::NoKey { variables, .. } => {
            let message = match variables.as_slice() {
                [] => "no key: no shard had one; no call was made".to_owned(),
                names => format!("no key: {} not set; no call was made", names.join(", ")),
            };
            vec![at(title(), message, &None)]
        }
        Outcome::NewSuite { new, .. } => {
            let (why, _) = new_suite(new, context);
            vec![at(title(), format!("new suite: {why}"), &None)]
        }
        Outcome::Failed(failure) => {
            let messages: Vec<String> =
                failure.diagnostics().iter().take(REASONS).map(|diagnostic| diagnostic.to_string()).collect();
            vec![at("promptgate: no verdict".to_owned(), messages.join("\n"), &None)]
        }
    }
}

fn reasons(report: &Report, redact: impl Fn(&str) -> String) -> String {
    let line = |message: &String| neutral::clip(&redact(message), 180);
    let mut lines: Vec<String> =
        report.reasons.iter().take(REASONS).map(|reason| line(&reason.message)).collect();
    if report.reasons.len() > REASONS {
        lines.push(format!("and {} more reasons", report.reasons.len() - REASONS));
    }
    if lines.is_empty() {
        let fault = report.ended.fault.as_ref();
        lines.extend(fault.map(|fault| line(&fault.message)));
    }
    lines.join("\n")
}

/// Cases that fail or got worse, the most urgent first.
fn worse(report: &Report) -> Vec<(Concern, &Case)> {
    concerns(report).into_iter().filter(|(concern, _)| *concern < Concern::Missing).collect()
}

fn case_message(concern: Concern, case: &Case, redact: impl Fn(&str) -> String) -> String {
    let name = |metric: &String| neutral::clip(&redact(metric), 60);
    let share = |passes: Passes| passes.passed as f64 / passes.of.max(1) as f64;
    let counts = case.baseline_passes.zip(case.candidate_passes);
    let fell = counts.is_none_or(|(before, now)| share(now) < share(before));
    let mut parts = vec![
        match concern {
            Concern::MustPass | Concern::MustPassInDoubt if case.status == CaseStatus::Broken => {
                "must pass; passed before and fails now"
            }
            Concern::MustPass => "must pass and fails",
            Concern::MustPassInDoubt => "must pass, and does not always",
            Concern::Broken => "passed before and fails now",
            // As many trials pass as before: only a score fell.
            Concern::Regressed if !fell => "scores lower than before",
            Concern::Regressed => "got worse",
            Concern::Fails | Concern::Missing | Concern::Lower => "fails",
        }
        .to_owned(),
    ];
    if concern == Concern::Regressed && !fell {
        let largest = case.largest_difference.as_ref();
        parts.extend(largest.map(|of| format!("{} {:+.3}", name(&of.metric), of.difference)));
    } else {
        for (side, passes) in [("baseline", case.baseline_passes), ("candidate", case.candidate_passes)] {
            parts.extend(passes.map(|passes| format!("{side} {}/{}", passes.passed, passes.of)));
        }
    }
    if !case.failing.is_empty() {
        let names: Vec<String> = case.failing.iter().take(5).map(name).collect();
        parts.push(format!("fails {}", names.join(", ")));
    }
    parts.join("; ")
}

/// The first lines that the change touches in the prompt, else in the configuration; else the prompt as a whole.
fn place(context: &CiContext, workspace: Option<&Path>) -> Place {
    let repository = context.repository()?;
    let base = context.base.as_ref()?;
    let (from, to) = (base.known.commit.as_deref()?, base.head.as_deref()?);
    let changed = |path: &String| repository.changed_lines(from, to, path).ok().flatten();
    let all: Vec<ChangedLines> = context.files.iter().filter_map(changed).collect();
    let file = all.iter().find(|file| !file.lines.is_empty()).or(all.first())?;
    let lines = file.lines.first().copied().unwrap_or((1, 1));
    Some((from_workspace(&repository, &file.path, workspace), lines))
}

/// The path of a file of the repository, relative to the workspace.
fn from_workspace(repository: &Repository, path: &str, workspace: Option<&Path>) -> String {
    let real = |path: &Path| path.canonicalize().ok();
    let below = workspace.and_then(real).zip(real(repository.top()));
    let folder = below.and_then(|(workspace, top)| {
        let folder = top.strip_prefix(&workspace).ok()?;
        Some(folder.to_str()?.replace('\\', "/"))
    });
    match folder {
        Some(folder) if !folder.is_empty() => format!("{folder}/{path}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_report::v1::LargestDifference;

    fn messages(report: &Report) -> Vec<String> {
        worse(report).into_iter().map(|(concern, case)| case_message(concern, case, str::to_owned)).collect()
    }

    #[test]
    fn must_pass_cases_come_first_and_equal_counts_are_not_worse() {
        let fixture = Path::new("tests/fixtures/reports/fail.json");
        let mut report = crate::app::report_files::read(fixture).unwrap();
        let some = |passed| Some(Passes { passed, of: 3 });
        let [first, second, third, fourth, ..] = report.cases.as_mut_slice() else { panic!("four cases") };
        for case in [&mut *first, &mut *second, &mut *third, &mut *fourth] {
            (case.must_pass, case.failing) = (false, Vec::new());
            case.largest_difference =
                Some(LargestDifference { metric: "faithfulness".to_owned(), difference: -0.25 });
            (case.status, case.baseline_passes) = (CaseStatus::Regressed, some(3));
        }
        first.candidate_passes = some(3);
        (second.candidate_passes, second.status) = (some(0), CaseStatus::Broken);
        // Unchanged, and still fails the run.
        (third.must_pass, third.status) = (true, CaseStatus::Same);
        (third.baseline_passes, third.candidate_passes) = (some(1), some(1));
        fourth.candidate_passes = some(2);
        report.cases.truncate(4);
        assert_eq!(
            messages(&report),
            [
                "must pass and fails; baseline 1/3; candidate 1/3",
                "passed before and fails now; baseline 3/3; candidate 0/3",
                "scores lower than before; faithfulness -0.250",
                "got worse; baseline 3/3; candidate 2/3",
            ]
        );
    }
}
