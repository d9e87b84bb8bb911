//! The results of saved reports of a suite, by case.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::app::files::{Links, read_text};
use crate::app::history::{MAX_BYTES, files};
use crate::app::{Failure, mismatch};
use promptgate_adapters::files::digest_of_bytes;
use promptgate_core::dataset_review::{History, TrialCounts};
use promptgate_core::gate::passing_score;
use promptgate_core::model::{Case, DatasetFacts, Diagnostic, Diagnostics, Place};
use promptgate_report::case_results::{self, SavedCase, SavedResults};
use promptgate_report::history::SkippedReport;
use promptgate_report::v1::{Passes, Variant};

/// The results of saved reports, by case.
#[derive(Debug)]
pub(super) struct SavedReports {
    /// The results by case.
    pub(super) history: History,
    /// The counted reports, oldest first.
    pub(super) used: Vec<String>,
    /// The reports that are not counted.
    pub(super) skipped: Vec<SkippedReport>,
    /// The newest counted report of the same dataset.
    pub(super) newest_of_dataset: Option<PathBuf>,
    /// Whether the simulated model answered.
    pub(super) simulated: bool,
}

/// A report with its path.
struct Saved {
    path: PathBuf,
    results: SavedResults,
}

/// The paths that are named; a name with wildcards that is not a path is a glob pattern.
///
/// # Errors
/// An invalid pattern, and one that matches nothing.
pub(super) fn paths(named: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    let mut errors = Vec::new();
    for name in named {
        if Path::new(name).exists() || !name.contains(['*', '?', '[']) {
            paths.push(PathBuf::from(name));
            continue;
        }
        match glob::glob(name) {
            Ok(found) => {
                let before = paths.len();
                paths.extend(found.filter_map(Result::ok));
                if paths.len() == before {
                    let diagnostic = Diagnostic::new(format!("no file or folder matches `{name}`"));
                    errors.push(
                        diagnostic
                            .at(Place::file("--reports"))
                            .help("name reports that `promptgate run` wrote"),
                    );
                }
            }
            Err(error) => {
                let diagnostic = Diagnostic::new(format!("invalid glob pattern `{name}`: {error}"));
                errors.push(
                    diagnostic
                        .at(Place::file("--reports"))
                        .help("quote a pattern: `'reports/*/report.json'`"),
                );
            }
        }
    }
    if errors.is_empty() { Ok(paths) } else { Err(Diagnostics(errors).into()) }
}

impl SavedReports {
    /// Reads the reports below some paths, and counts those of the suite.
    ///
    /// # Errors
    /// A path that does not exist, and every report that cannot be read.
    pub(super) fn read(
        paths: &[PathBuf],
        suite: &str,
        dataset: &DatasetFacts,
        cases: &[Case],
    ) -> Result<Self, Failure> {
        let places: HashMap<&str, usize> =
            cases.iter().enumerate().map(|(place, case)| (case.id.as_str(), place)).collect();
        let mut of_suite: Vec<Saved> = Vec::new();
        let (mut skipped, mut errors, mut digests) = (Vec::new(), Vec::new(), BTreeSet::new());
        for file in files(paths)? {
            match read(&file.path) {
                // A copied report counts once. Two simulated runs within a second may write the same bytes.
                Ok((results, digest)) if !digests.insert(digest.clone()) && !results.simulated => {}
                Ok((results, _)) => match unusable(&results, suite, &places) {
                    Some(reason) => {
                        skipped.push(SkippedReport { report: file.path.display().to_string(), reason })
                    }
                    None => of_suite.push(Saved { path: file.path, results }),
                },
                Err(diagnostic) => errors.push(diagnostic),
            }
        }
        if !errors.is_empty() {
            return Err(Diagnostics(errors).into());
        }
        let simulated = of_suite.iter().all(|saved| saved.results.simulated) && !of_suite.is_empty();
        let (mut counted, others): (Vec<Saved>, Vec<Saved>) =
            of_suite.into_iter().partition(|saved| saved.results.simulated == simulated);
        skipped.extend(others.into_iter().map(|saved| SkippedReport {
            report: saved.path.display().to_string(),
            reason: "answered by the simulated model, others are not".to_owned(),
        }));
        counted.sort_by(|one, other| {
            (&one.results.started_at, &one.path).cmp(&(&other.results.started_at, &other.path))
        });
        let is_of_dataset = |saved: &&Saved| {
            saved.results.dataset.digest == dataset.digest && saved.results.dataset.partial.is_none()
        };
        Ok(Self {
            newest_of_dataset: counted.iter().rev().find(is_of_dataset).map(|saved| saved.path.clone()),
            history: history(&counted, dataset, cases, &places),
            used: counted.iter().map(|saved| saved.path.display().to_string()).collect(),
            skipped,
            simulated,
        })
    }
}

fn read(path: &Path) -> Result<(SavedResults, String), Diagnostic> {
    let file = path.display().to_string();
    let text = read_text(path, "report", MAX_BYTES, Links::Follow).map_err(|message| {
        Diagnostic::new(message)
            .at(Place::file(file.clone()))
            .help("name a report.json that `promptgate run` wrote, or its folder")
    })?;
    Ok((case_results::read(&file, &text)?, digest_of_bytes(text.as_bytes())))
}

/// Why the results of a report say nothing about the cases.
fn unusable(results: &SavedResults, suite: &str, places: &HashMap<&str, usize>) -> Option<String> {
    if results.name != suite {
        return Some(format!("from the suite `{}`", results.name));
    }
    if let Some(diagnostic) = mismatch::partial(&results.dataset) {
        return Some(diagnostic.message);
    }
    if !results.cases.iter().any(|case| places.contains_key(case.id.as_str())) {
        return Some("none of its cases is in the dataset".to_owned());
    }
    let decides = results
        .metrics
        .iter()
        .any(|metric| passing_score(&results.policy, &metric.name, metric.kind).is_some());
    if !decides {
        return Some("nothing in it says what passes: it has no check, and no metric with `min`".to_owned());
    }
    (results.usage.calls == 0).then(|| "all its answers are from a cache or an earlier report".to_owned())
}

fn history(
    reports: &[Saved],
    dataset: &DatasetFacts,
    cases: &[Case],
    places: &HashMap<&str, usize>,
) -> History {
    let mut history = History::new(cases);
    let mut variants = BTreeSet::new();
    for Saved { results, .. } in reports {
        history.add_report();
        let sides = [Some(&results.variants.candidate), results.variants.baseline.as_ref()];
        variants.extend(sides.into_iter().flatten().map(identity));
        let same_dataset = results.dataset.digest == dataset.digest;
        for saved in &results.cases {
            let Some(place) = places.get(saved.id.as_str()).copied() else { continue };
            let is_same = same_dataset || cases.get(place).is_some_and(|case| is_same_row(saved, case));
            if is_same {
                let baseline = saved.baseline_passes.filter(|_| !saved.shared);
                history.add(place, saved.candidate_passes.map(counts), baseline.map(counts));
            } else {
                history.add_changed(place);
            }
        }
    }
    history.set_variants(variants.len());
    history
}

fn counts(passes: Passes) -> TrialCounts {
    TrialCounts { passed: passes.passed, of: passes.of }
}

/// A report has no digest of its rows, so question, context and reference answer are compared.
fn is_same_row(saved: &SavedCase, case: &Case) -> bool {
    saved.has_content(&case.query, case.context.as_deref(), case.expected_text().as_deref())
}

/// The identity of a variant.
fn identity(variant: &Variant) -> String {
    let content = variant.content_digest.as_ref().unwrap_or(&variant.prompt.digest);
    let application = variant.application.as_ref().map_or("", |application| application.digest.as_str());
    format!("{content} {} {application}", variant.model)
}
