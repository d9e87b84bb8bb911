//! The smallest drops that a run can detect.

use super::EarlierRun;
use promptgate_core::forecast::{self, ComparisonSize};
use promptgate_core::gate::Policy;
use promptgate_core::metric;
use promptgate_report::plan::{AtRepeats, Drop, DropsRow};

/// Assumed standard deviations over the repeats of a case, where none was measured.
const ASSUMED: [(&str, f64); 3] = [("quiet", 0.08), ("moderate", ASSUMED_NOISE), ("noisy", 0.21)];
/// The assumption behind what is expected.
pub(super) const ASSUMED_NOISE: f64 = 0.13;
/// Numbers of cases in the table, beside the suite's own.
const CASES: [usize; 5] = [20, 30, 50, 100, 200];
/// Numbers of repeats in the table, beside the schedule's own.
const REPEATS: [u32; 4] = [3, 6, 12, 24];

/// The smallest drop that the last look detects, at measured noise, else at assumed noise.
pub(super) fn smallest(
    policy: &Policy,
    size: ComparisonSize,
    judged: &[String],
    earlier: Option<&EarlierRun>,
) -> Vec<Drop> {
    let alpha = policy.alpha();
    let Some(last) = policy.schedule().looks(alpha).pop() else { return Vec::new() };
    let suite = |noise| forecast::detectable_suite_drop(size, noise, last.repeats, last.alpha);
    let Some(earlier) = earlier else {
        let assumed = |(name, noise): (&str, f64)| Drop {
            name: format!("{name} (assumed)"),
            measured: false,
            noise,
            suite: suite(noise),
            spread: None,
            population: None,
        };
        return ASSUMED.into_iter().map(assumed).collect();
    };
    let analysis = metric::analyse(&earlier.run);
    let measured = earlier.report.metrics.iter().filter(|metric| judged.contains(&metric.name));
    let drop = |metric: &promptgate_report::v1::Metric| {
        let spread = analysis.metric(&metric.name).and_then(forecast::between_case_sd);
        Some(Drop {
            name: metric.name.clone(),
            measured: true,
            noise: metric.noise?,
            suite: suite(metric.noise?),
            spread,
            population: spread.map(|spread| forecast::detectable_population_drop(size.cases, spread, alpha)),
        })
    };
    measured.filter_map(drop).collect()
}

/// The smallest drops for other numbers of cases and repeats, all of them answered by both variants.
pub(super) fn table(policy: &Policy, size: ComparisonSize, noise: f64) -> Vec<DropsRow> {
    let sorted = |mut values: Vec<usize>| {
        values.sort_unstable();
        values.dedup();
        values
    };
    let own = [policy.schedule().first(), policy.schedule().last()];
    let repeats = sorted(REPEATS.into_iter().chain(own).map(|repeats| repeats as usize).collect());
    let cases = sorted(CASES.into_iter().chain([size.cases]).collect());
    let row = |cases| {
        let size = ComparisonSize { cases, shared: 0, ..size };
        let at = |repeats: &usize| {
            let repeats = u32::try_from(*repeats).unwrap_or(u32::MAX);
            AtRepeats { repeats, drop: forecast::detectable_suite_drop(size, noise, repeats, policy.alpha()) }
        };
        DropsRow { cases, noise, drops: repeats.iter().map(at).collect() }
    };
    cases.into_iter().map(row).collect()
}
