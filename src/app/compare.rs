//! Decides from two saved reports, in the same way as a run.

use std::path::Path;

use super::evaluate::Decided;
use super::{Failure, mismatch, report_files, sent};
use promptgate_core::gate::{Criterion, Policy, Requirement};
use promptgate_core::model::PREFERENCE;
use promptgate_engine::evaluate::{self, Evaluation};

/// Decides with the candidate of `old` as the baseline of `new`; the policy of `new` decides.
///
/// # Errors
/// Reports that cannot be read, or that cannot be compared.
pub(crate) fn compare(old: &Path, new: &Path) -> Result<Decided, Failure> {
    let (old_file, new_file) = (old.display().to_string(), new.display().to_string());
    let (old, earlier) = report_files::read_run(old)?;
    let (new, mut run) = report_files::read_run(new)?;
    let mut policy = new.policy.clone();
    add_baseline_criteria(&mut policy);
    mismatch::refuse(&new_file, [mismatch::partial(&run.dataset)])?;
    mismatch::refuse(&old_file, [mismatch::partial(&earlier.dataset)])?;
    mismatch::refuse(
        &old_file,
        [
            mismatch::dataset(&earlier.dataset, &run.dataset),
            mismatch::judge(earlier.judge.as_ref(), run.judge.as_ref()),
            mismatch::simulation(earlier.simulated, run.simulated),
        ],
    )?;
    let had_pairs = evaluate::forget_pairs(&mut run);
    policy.criteria.retain(|criterion| criterion.metric != PREFERENCE);
    evaluate::adopt_baseline(&mut run, &earlier);
    sent::adopt_baseline(&mut run, &earlier);
    // There will be no more evidence: one look spends all of alpha.
    policy.repeats = run.repeats.per_case.max(1);
    policy.max_repeats = policy.repeats;
    run.warnings.clear();
    if old.policy != new.policy {
        run.warnings.push(format!("the two reports have different policies; that of {new_file} decides"));
    }
    if had_pairs {
        run.warnings.push(format!(
            "`{PREFERENCE}` is left out: a judge would have to read the answers of both reports; run the suite with \
             `--baseline report:{old_file}`"
        ));
    }
    let (analysis, decision) = evaluate::decide_saved(&run, &policy);
    Ok(Decided::of_saved(Evaluation { run, analysis, decision }, policy, false))
}

/// Adds a criterion on regression for every judged minimum, where the policy was made without a baseline.
fn add_baseline_criteria(policy: &mut Policy) {
    let has_any =
        policy.criteria.iter().any(|criterion| matches!(criterion.requirement, Requirement::NotWorse { .. }));
    if has_any {
        return;
    }
    let added: Vec<_> = policy
        .criteria
        .iter()
        .filter(|criterion| {
            matches!(criterion.requirement, Requirement::Minimum { .. })
                && criterion.tag.is_none()
                && !criterion.metric.starts_with("check.")
        })
        .map(|criterion| Criterion {
            id: format!("{}.baseline", criterion.metric),
            metric: criterion.metric.clone(),
            tag: None,
            requirement: Requirement::NotWorse { tolerance: 0.0 },
            labels: None,
        })
        .collect();
    policy.criteria.extend(added);
}
