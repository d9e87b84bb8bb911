//! The annotation of a run: the verdict, at the lines that the change touches in the prompt.

use std::path::Path;

use crate::app::ci::messages::{new_suite, verdict};
use crate::app::ci::{CiContext, Outcome};
use promptgate_adapters::git::{ChangedLines, Repository};
use promptgate_adapters::github::{Annotation, Level};
use promptgate_core::text::{counted, neutral};
use promptgate_report::v1::Verdict;
use promptgate_report::{Concern, Report, concerns};

/// A file by its path in the workspace, with the first and the last line; without lines, the file as a whole.
type Place = (String, Option<(usize, usize)>);

/// Reasons in the annotation of a verdict.
const REASONS: usize = 5;
/// Cases that it names.
const CASES: usize = 3;

/// The annotation of a run; none for a pass.
pub(super) fn annotation(
    outcome: &Outcome,
    context: &CiContext,
    exit_code: u8,
    workspace: Option<&Path>,
) -> Option<Annotation> {
    let level = if exit_code == 0 { Level::Warning } else { Level::Error };
    let at = |title: String, message: String, place: Option<Place>| {
        let (file, lines) = place.unzip();
        Some(Annotation { level, title, message, file, lines: lines.flatten() })
    };
    let title = || {
        let (verdict, _) = verdict(outcome, exit_code == 0);
        format!("promptgate: {}", verdict.as_str().replace('_', " "))
    };
    match outcome {
        Outcome::Reported(reported) => {
            let report = &reported.report;
            if matches!(report.verdict, Verdict::Pass | Verdict::Unchanged) {
                return None;
            }
            let redact = |text: &str| reported.redactor.redact(text).into_owned();
            let title = format!("promptgate: {}", report.verdict.as_str());
            at(title, message(report, redact), place(context, workspace))
        }
        Outcome::Unchanged(_) | Outcome::Shard(_) | Outcome::Interrupted => None,
        Outcome::NoKey { variables, .. } => {
            let message = match variables.as_slice() {
                [] => "no key: no shard had one; no call was made".to_owned(),
                names => format!("no key: {} not set; no call was made", names.join(", ")),
            };
            at(title(), message, None)
        }
        Outcome::NewSuite { new, .. } => {
            let (why, _) = new_suite(new, context);
            at(title(), format!("new suite: {why}"), None)
        }
        Outcome::Failed(failure) => {
            let messages: Vec<String> =
                failure.diagnostics().iter().take(REASONS).map(|diagnostic| diagnostic.to_string()).collect();
            at("promptgate: no verdict".to_owned(), messages.join("\n"), None)
        }
    }
}

/// The override, the reasons of the verdict, and the cases that fail or got worse. Everything is redacted before it is cut.
fn message(report: &Report, redact: impl Fn(&str) -> String) -> String {
    let line = |message: &str| neutral::clip(&redact(message), 180);
    let mut lines: Vec<String> =
        report.overridden.iter().map(|overridden| line(&overridden.notice())).collect();
    lines.extend(report.reasons.iter().take(REASONS).map(|reason| line(&reason.message)));
    if report.reasons.len() > REASONS {
        lines.push(format!("and {}", counted((report.reasons.len() - REASONS) as u64, "more reason")));
    }
    if report.reasons.is_empty() {
        lines.extend(report.ended.fault.as_ref().map(|fault| line(&fault.message)));
    }
    lines.extend(worse_cases(report, redact));
    lines.join("\n")
}

/// The cases that fail or got worse, the most urgent first.
fn worse_cases(report: &Report, redact: impl Fn(&str) -> String) -> Option<String> {
    let worse: Vec<&str> = concerns(report)
        .into_iter()
        .filter(|(concern, _)| *concern < Concern::Missing)
        .map(|(_, case)| case.id.as_str())
        .collect();
    let named: Vec<String> = worse.iter().take(CASES).map(|id| neutral::clip(&redact(id), 60)).collect();
    let more = match worse.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let cases = if worse.len() == 1 { "1 case fails or got worse" } else { "cases fail or got worse" };
    let count = if worse.len() == 1 { String::new() } else { format!("{} ", worse.len()) };
    (!worse.is_empty()).then(|| format!("{count}{cases}: {}{more}; see the report", named.join(", ")))
}

/// The first lines that the change touches in the prompt, else in the configuration; else the prompt as a whole.
fn place(context: &CiContext, workspace: Option<&Path>) -> Option<Place> {
    let repository = context.repository()?;
    let changed = || {
        let base = context.base.as_ref()?;
        let (from, to) = (base.known.commit.as_deref()?, base.head.as_deref()?);
        let changed = |path: &String| repository.changed_lines(from, to, path).ok().flatten();
        let all: Vec<ChangedLines> = context.files.iter().filter_map(changed).collect();
        let file = all.iter().find(|file| !file.lines.is_empty()).or(all.first())?;
        let in_prompt = |lines: &&(usize, usize)| {
            context.prompt_lines.is_none_or(|(first, last)| lines.0 <= last && lines.1 >= first)
        };
        let lines = file.lines.iter().find(in_prompt).or(file.lines.first());
        Some((file.path.clone(), lines.copied()))
    };
    let prompt = || Some((repository.path_from_root(context.files.first()?).ok()?, context.prompt_lines));
    let (path, lines) = changed().or_else(prompt)?;
    Some((from_workspace(&repository, &path, workspace), lines))
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
    use promptgate_report::v1::CaseStatus;

    #[test]
    fn message_has_the_reasons_and_the_most_urgent_cases() {
        let fixture = Path::new("tests/fixtures/reports/fail.json");
        let mut report = crate::app::report_files::read(fixture).unwrap();
        for case in &mut report.cases {
            case.status = CaseStatus::Broken;
        }
        let worse: Vec<String> = concerns(&report)
            .into_iter()
            .filter(|(concern, _)| *concern < Concern::Missing)
            .map(|(_, case)| case.id.clone())
            .collect();
        let text = message(&report, |text| text.replace(&worse[0], "[redacted]"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(&report.reasons[0].message[..60]), "{text}");
        let last = lines.last().unwrap();
        assert!(
            last.starts_with(&format!("{} cases fail or got worse: [redacted], {}", worse.len(), worse[1])),
            "{last}"
        );
        assert!(last.ends_with(&format!("and {} more; see the report", worse.len() - 3)), "{last}");
        report.cases.retain(|case| case.id == worse[0]);
        let text = message(&report, str::to_owned);
        assert!(
            text.ends_with(&format!("\n1 case fails or got worse: {}; see the report", worse[0])),
            "{text}"
        );
        report.cases.clear();
        assert_eq!(worse_cases(&report, str::to_owned), None);
    }
}
