//! The cases of a partial run: `--case` and `--only-failed`.

use std::collections::BTreeSet;

use super::{Findings, SuiteOptions};
use crate::app::case_ids;
use crate::config::Settings;
use promptgate_core::gate::Policy;
use promptgate_core::model::{CaseChoice, Dataset, Diagnostic, PartialDataset, Place};
use promptgate_engine::execute::Scorers;

/// Vanished cases that a warning names.
const MAX_NAMED: usize = 5;

/// The cases that a partial run is limited to.
#[derive(Debug, Clone)]
pub(crate) struct ChosenCases {
    /// Their ids.
    pub(crate) ids: BTreeSet<String>,
    /// Where the ids are from.
    pub(crate) origin: Origin,
}

/// The origin of chosen cases.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// `--case`.
    Flags,
    /// The cases of a report that failed or got worse: `--only-failed`.
    Report {
        /// Its path.
        file: String,
        /// Its suite.
        suite: String,
        /// Start of its run, RFC 3339.
        started_at: String,
    },
}

impl ChosenCases {
    /// The flag that chose them.
    pub(super) fn flag(&self) -> &'static str {
        match self.origin {
            Origin::Flags => "--case",
            Origin::Report { .. } => "--only-failed",
        }
    }

    fn choice(&self) -> CaseChoice {
        match self.origin {
            Origin::Flags => CaseChoice::Named,
            Origin::Report { .. } => CaseChoice::OnlyFailed,
        }
    }
}

/// Marks the dataset of a partial run, with a notice that says how much of it runs. Cases that do not exist are errors, of
/// an earlier report only where none is left; then there is no dataset.
pub(super) fn review(
    mut dataset: Dataset,
    options: &SuiteOptions,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<Dataset> {
    let Some(chosen) = &options.chosen else { return Some(dataset) };
    let known: BTreeSet<&str> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
    let unknown: Vec<&String> = chosen.ids.iter().filter(|id| !known.contains(id.as_str())).collect();
    let (whole, errors) = (dataset.cases.len(), findings.diagnostics.0.len());
    let source = match &chosen.origin {
        Origin::Flags => {
            let error = |id: &&String| {
                Diagnostic::new(format!("the dataset has no case `{id}`"))
                    .at(Place::file("--case"))
                    .help(case_ids::suggestion(id, &dataset.cases, |case| &case.id))
            };
            findings.diagnostics.0.extend(unknown.iter().map(error));
            "named by --case".to_owned()
        }
        Origin::Report { file, suite, started_at } => {
            findings.diagnostics.0.extend(other_suite(file, suite, &settings.name));
            if unknown.len() == chosen.ids.len() {
                let message =
                    format!("none of the {} failed cases of this report exists any more", unknown.len());
                let help = "the dataset changed: run the whole suite, without `--only-failed`";
                findings.diagnostics.0.push(Diagnostic::new(message).at(Place::file(file)).help(help));
            } else if !unknown.is_empty() {
                findings.warnings.push(vanished(&unknown, file));
            }
            format!("those that failed or got worse in {file} of {started_at}")
        }
    };
    if findings.diagnostics.0.len() > errors {
        return None;
    }
    let running = chosen.ids.len() - unknown.len();
    findings.notices.insert(
        0,
        format!("partial run: {running} of {whole} cases, {source}; for debugging only, it does not decide about the suite"),
    );
    dataset.facts.partial = Some(PartialDataset {
        selected_by: chosen.choice(),
        of: whole,
        whole_digest: dataset.facts.digest.clone(),
    });
    Some(dataset)
}

fn other_suite(file: &str, theirs: &str, ours: &str) -> Option<Diagnostic> {
    (theirs != ours).then(|| {
        Diagnostic::new(format!("this report is from the suite `{theirs}`, expected `{ours}`"))
            .at(Place::file(file))
            .help("run the whole suite first, or name the folder of its report with `--out`")
    })
}

fn vanished(ids: &[&String], file: &str) -> String {
    let named: Vec<&str> = ids.iter().take(MAX_NAMED).map(|id| id.as_str()).collect();
    let more = match ids.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{file} lists failed cases that the dataset no longer has: {}{more}", named.join(", "))
}

/// The policy of a partial run: the criteria that apply to one of its cases, and one look, since there is no verdict to
/// settle, unless `--max-repeats` asks for more.
pub(super) fn narrowed(
    mut policy: Policy,
    options: &SuiteOptions,
    scorers: &Scorers,
    dataset: &Dataset,
) -> Policy {
    if options.chosen.is_none() {
        return policy;
    }
    let graded: BTreeSet<String> = scorers.metrics().into_iter().collect();
    policy.criteria.retain(|criterion| {
        let (tag, is_graded) = (criterion.tag.as_ref(), graded.contains(&criterion.metric));
        let mut cases = dataset.cases.iter().enumerate();
        cases.any(|(index, case)| {
            tag.is_none_or(|tag| case.tags.contains(tag))
                && (!is_graded || scorers.applies(&criterion.metric, index))
        })
    });
    if options.max_repeats.is_none() {
        policy.max_repeats = policy.repeats;
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Failure;
    use crate::app::testing::{CONFIG, diagnostics, folder, load, options, write};
    use promptgate_core::model::DatasetFacts;

    fn chosen(ids: &[&str], origin: Origin) -> Option<ChosenCases> {
        Some(ChosenCases { ids: ids.iter().map(|id| (*id).to_owned()).collect(), origin })
    }

    fn of_report(suite: &str) -> Origin {
        let (file, started_at) = ("out/report.json".to_owned(), "2026-12-01T00:00:00Z".to_owned());
        Origin::Report { file, suite: suite.to_owned(), started_at }
    }

    #[test]
    fn chosen_cases_mark_the_run_as_partial() {
        let folder = folder();
        let whole = load(&options(folder.path())).unwrap();
        let chosen = chosen(&["case-2"], Origin::Flags);
        let suite = load(&SuiteOptions { chosen, ..options(folder.path()) }).unwrap();
        let DatasetFacts { cases, partial, digest, .. } = &suite.plan.dataset().facts;
        let partial = partial.as_ref().unwrap();
        assert_eq!((*cases, partial.of, partial.selected_by), (1, 3, CaseChoice::Named));
        assert_eq!(partial.whole_digest, whole.plan.dataset().facts.digest);
        assert_ne!(*digest, partial.whole_digest);
        assert!(suite.notices[0].starts_with("partial run: 1 of 3 cases"), "{:?}", suite.notices);
        assert!(whole.policy.max_repeats > whole.policy.repeats);
        assert_eq!(suite.policy.max_repeats, suite.policy.repeats);
    }

    #[test]
    fn criteria_without_a_chosen_case_are_left_out() {
        let folder = folder();
        write(
            folder.path(),
            "promptgate.yaml",
            &format!("{CONFIG}slices: {{t1: {{check.affirms: {{min: 0.5}}}}}}\n"),
        );
        let criteria = |ids: &[&str]| {
            let suite =
                load(&SuiteOptions { chosen: chosen(ids, Origin::Flags), ..options(folder.path()) }).unwrap();
            suite.policy.criteria.into_iter().map(|criterion| criterion.id).collect::<Vec<_>>()
        };
        assert_eq!(criteria(&["case-1"]), ["check.affirms", "slice.t1.check.affirms.min"]);
        assert_eq!(criteria(&["case-2"]), ["check.affirms"]);
    }

    #[test]
    fn unknown_case_is_an_error_with_a_suggestion() {
        let folder = folder();
        let chosen = chosen(&["case-1", "csae-2", "other"], Origin::Flags);
        let found = diagnostics(&SuiteOptions { chosen, ..options(folder.path()) });
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 2, "{text:?}");
        assert!(
            text[0].contains("no case `csae-2`") && text[0].contains("did you mean `case-2`?"),
            "{text:?}"
        );
        assert!(text[1].contains("case-1, case-2, case-3"), "{text:?}");
    }

    #[test]
    fn vanished_cases_are_a_warning_until_none_is_left() {
        let folder = folder();
        let name = load(&options(folder.path())).unwrap().settings.name;
        let with = |ids: &[&str], suite: &str| SuiteOptions {
            chosen: chosen(ids, of_report(suite)),
            ..options(folder.path())
        };
        let suite = load(&with(&["case-3", "gone"], &name)).unwrap();
        assert!(
            suite.warnings.iter().any(|warning| warning.ends_with("no longer has: gone")),
            "{:?}",
            suite.warnings
        );
        assert!(
            suite.notices[0].contains("partial run: 1 of 3 cases, those that failed or got worse in"),
            "{:?}",
            suite.notices
        );
        let Err(Failure::Diagnostics(found)) = load(&with(&["gone", "lost"], &name)) else {
            panic!("no error")
        };
        assert!(found.to_string().contains("none of the 2 failed cases"), "{found}");
        let found = diagnostics(&with(&["case-3"], "other"));
        assert!(found[0].message.contains("from the suite `other`"), "{found:?}");
    }
}
