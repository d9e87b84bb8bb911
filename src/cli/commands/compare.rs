//! `promptgate compare`: decides from two saved reports, on the same path as a run.

use crate::cli::args::{CompareArguments, Inconclusive};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::{mismatch, policy, saved};
use promptgate_core::gate::Requirement;
use promptgate_core::model::Place;
use promptgate_core::text::Redactor;
use promptgate_engine::evaluate;
use promptgate_report::Report;

/// The candidate of OLD becomes the baseline of NEW; NEW's policy decides.
pub(crate) fn compare(arguments: &CompareArguments) -> Result<ExitStatus, Failure> {
    let old = saved::read(&arguments.old)?;
    let new = saved::read(&arguments.new)?;
    let (old_file, new_file) = (arguments.old.display().to_string(), arguments.new.display().to_string());
    let mut rules = policy::restored(&new.policy);
    add_baseline_criteria(&mut rules);
    let earlier = old.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&old_file)))?;
    let mut run = new.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&new_file)))?;
    mismatch::refuse(
        &old_file,
        [
            mismatch::dataset(&earlier.dataset, &run.dataset),
            mismatch::judge(earlier.judge.as_ref(), run.judge.as_ref()),
            mismatch::simulation(earlier.simulated, run.simulated),
        ],
    )?;
    evaluate::adopt_baseline(&mut run, &earlier);
    // What there is, is all there will be: one look, with all of alpha.
    rules.repeats = run.repeats.per_case.max(1);
    rules.max_repeats = rules.repeats;
    run.warnings.clear();
    if old.policy != new.policy {
        run.warnings.push(format!("the two reports have different policies; that of {new_file} decides"));
    }
    let (analysis, decision) = evaluate::decide(&run, &rules);
    let inconclusive_passes = arguments.inconclusive == Inconclusive::Pass;
    let status = ExitStatus::of(&run, decision.verdict, inconclusive_passes, arguments.advisory);
    let mut report = Report::new(&run, &analysis, &decision, policy::saved(&rules), status.code());
    let redactor = Redactor::new(&[]);
    let files = match &arguments.out {
        Some(folder) => saved::write(&mut report, folder, &redactor)?,
        None => Vec::new(),
    };
    saved::print(&report, arguments.format, &redactor, &files)?;
    Ok(status)
}

/// A run without a baseline has no criterion on it; compared, every judged threshold is also one on regression.
fn add_baseline_criteria(rules: &mut promptgate_core::gate::Policy) {
    let has_any =
        rules.criteria.iter().any(|criterion| matches!(criterion.requirement, Requirement::NotWorse { .. }));
    if has_any {
        return;
    }
    let added: Vec<_> = rules
        .criteria
        .iter()
        .filter(|criterion| {
            matches!(criterion.requirement, Requirement::Minimum { .. })
                && criterion.tag.is_none()
                && !criterion.metric.starts_with("check.")
        })
        .map(|criterion| promptgate_core::gate::Criterion {
            id: format!("{}.baseline", criterion.metric),
            metric: criterion.metric.clone(),
            tag: None,
            requirement: Requirement::NotWorse { tolerance: 0.0 },
        })
        .collect();
    rules.criteria.extend(added);
}
