//! Reviews the golden set of a suite, with the results of saved reports.

mod reports;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::suite::{self, GROUP_OF_EQUAL_ROWS, Suite, SuiteOptions};
use super::{Environment, Failure, plan};
use promptgate_adapters::files::equal_cases;
use promptgate_core::dataset_review::{self, MIN_REPORTS, Reviewed};
use promptgate_core::model::{Case, FindingLevel};
use promptgate_core::template;
use promptgate_report::dataset_check::{DatasetCheck, Evidence, SCHEMA};
use reports::SavedReports;

/// Which dataset, and which reports.
#[derive(Debug, Clone)]
pub(crate) struct DatasetCheckOptions {
    /// Which suite.
    pub(crate) suite: SuiteOptions,
    /// Reports, folders that are searched for them, and glob patterns.
    pub(crate) reports: Vec<String>,
}

/// A review with warnings about the suite.
#[derive(Debug)]
pub(crate) struct ReviewedDataset {
    /// The review; its exit code is 0.
    pub(crate) check: DatasetCheck,
    /// Warnings of the suite, and one for each skipped report.
    pub(crate) warnings: Vec<String>,
}

/// Reviews the dataset of a suite; nothing is called.
///
/// # Errors
/// Everything that is wrong with the suite, and reports that cannot be read.
pub(crate) async fn review(
    options: &DatasetCheckOptions,
    environment: &Environment,
) -> Result<ReviewedDataset, Failure> {
    let suite = suite::load(&options.suite, None, environment).await?;
    let cases = as_written(&suite.plan.dataset().cases);
    let saved = match options.reports.as_slice() {
        [] => None,
        named => {
            let paths = reports::paths(named)?;
            Some(SavedReports::read(&paths, &suite.settings.name, &suite.plan.dataset().facts, &cases)?)
        }
    };
    let mut warnings: Vec<String> =
        suite.warnings.iter().filter(|warning| !warning.starts_with("equal rows: ")).cloned().collect();
    let skipped = saved.iter().flat_map(|saved| &saved.skipped);
    warnings.extend(skipped.map(|skipped| format!("skipped {}: {}", skipped.report, skipped.reason)));
    let check = check(&suite, &cases, saved)?;
    Ok(ReviewedDataset { check, warnings })
}

fn check(suite: &Suite, cases: &[Case], saved: Option<SavedReports>) -> Result<DatasetCheck, Failure> {
    let candidate = suite.plan.candidate();
    let used: Option<BTreeSet<String>> = match candidate.application {
        None => Some(template::used_names(candidate).into_iter().collect()),
        Some(_) => None,
    };
    let findings = dataset_review::review(&Reviewed {
        cases,
        equal: &equal_cases(cases),
        prompt: &candidate.messages,
        used: used.as_ref(),
        history: saved.as_ref().map(|saved| &saved.history),
    });
    let newest = saved.as_ref().and_then(|saved| saved.newest_of_dataset.as_ref());
    let drops = newest.map(|path: &PathBuf| plan::measured_drops(suite, path)).transpose()?;
    let evidence = saved.map(|saved| Evidence {
        reports: saved.used,
        skipped: saved.skipped,
        variants: saved.history.variants(),
        minimum: MIN_REPORTS,
        simulated: saved.simulated,
        cases: saved.history.cases().cloned().collect(),
    });
    Ok(DatasetCheck {
        schema: SCHEMA.to_owned(),
        name: suite.settings.name.clone(),
        dataset: suite.plan.dataset().facts.clone(),
        must_pass: cases.iter().filter(|case| case.must_pass).count(),
        evidence,
        drops: drops.unwrap_or_default(),
        warnings: findings.iter().filter(|finding| finding.level == FindingLevel::Warning).count(),
        findings,
        exit_code: 0,
    })
}

/// The cases without the groups that the scope `population` gives to equal rows.
fn as_written(cases: &[Case]) -> Cow<'_, [Case]> {
    let is_given =
        |case: &Case| case.group.as_ref().is_some_and(|group| group.starts_with(GROUP_OF_EQUAL_ROWS));
    if !cases.iter().any(is_given) {
        return Cow::Borrowed(cases);
    }
    let written = |case: &Case| match is_given(case) {
        true => Case { group: None, ..case.clone() },
        false => case.clone(),
    };
    Cow::Owned(cases.iter().map(written).collect())
}
