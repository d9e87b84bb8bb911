//! Whether the last runs differ from the earlier ones by more than noise.

use schemars::JsonSchema;
use serde::Serialize;

use super::SavedRun;
use crate::v1::{Metric, MetricKind, Verdict};
use crate::view::number;
use promptgate_core::stats::{Drift, RunMean, drift, normal_quantile, student_t_quantile};

/// Runs that are compared with those before them.
const LAST: usize = 3;
/// Minimum number of runs before them.
const MIN_EARLIER: usize = 3;
/// Probability of any false finding, over all metrics and both directions.
const ALPHA: f64 = 0.05;

/// A metric over the comparable runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Trend {
    /// The metric.
    pub metric: String,
    /// Its kind.
    pub kind: MetricKind,
    /// Comparable runs with a mean.
    pub runs: usize,
    /// The runs before the last ones; null where there are too few.
    pub earlier: Option<GroupMean>,
    /// The last runs; null where there are too few before them.
    pub last: Option<GroupMean>,
    /// Last minus earlier.
    pub difference: Option<f64>,
    /// The largest difference that noise explains.
    pub noise: Option<f64>,
    /// The finding.
    pub status: TrendStatus,
    /// The finding in a sentence.
    pub finding: String,
}

/// The mean of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct GroupMean {
    /// Number of runs.
    pub runs: usize,
    /// The mean of their means.
    pub mean: f64,
}

/// The finding about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrendStatus {
    /// The last runs are lower by more than noise explains.
    Lower,
    /// The last runs are higher by more than noise explains.
    Higher,
    /// Noise explains the difference.
    WithinNoise,
    /// There is too little to test.
    NotTested,
}

/// The trends of metrics over comparable runs, the oldest first, and a sentence about what was tested; `all` counts the
/// runs that are not comparable as well.
pub(super) fn trends(metrics: &[String], runs: &[&SavedRun], all: usize) -> (Vec<Trend>, String) {
    let tested = metrics.iter().filter(|metric| values(metric, runs).len() >= LAST + MIN_EARLIER).count();
    let trends = metrics.iter().filter_map(|metric| trend(metric, runs, tested)).collect();
    let left_out = match all - runs.len() {
        0 => String::new(),
        left_out => format!(
            " Left out: {left_out} of {all} runs that did not complete, or that differ from the newest in dataset, judge, model, \
             parameters or simulation."
        ),
    };
    let sentence = if tested == 0 {
        let needed = LAST + MIN_EARLIER;
        let why = if runs.len() < needed {
            format!("{} of the {needed} comparable runs needed", runs.len())
        } else {
            format!(
                "no gated metric, other than checks that always pass, has a mean and bounds in {needed} comparable runs"
            )
        };
        format!("Nothing was tested: {why}.{left_out}")
    } else {
        format!(
            "Averages of the last {LAST} runs were tested against those of the runs before, two-sided, with the larger of two \
             noises: between runs, and within them by the intervals of the reports; the probability of any false finding is {} \
             over {}. Runs that reuse cached answers count as one in the noise.{left_out}",
            number::percent(ALPHA),
            number::counted(tested as u64, "metric"),
        )
    };
    (trends, sentence)
}

/// The runs with a mean of the metric, and that mean with its standard error.
fn values<'r>(name: &str, runs: &[&'r SavedRun]) -> Vec<(&'r SavedRun, &'r Metric, RunMean)> {
    let value = |run: &&'r SavedRun| {
        let metric = run.metric(name)?;
        let mean = metric.candidate.mean?;
        let bounds = metric.candidate.lower.zip(metric.candidate.upper)?;
        // A bound at the end of the scale is cut: estimate the noise from the other bound.
        let width = (mean - bounds.0).max(bounds.1 - mean).max(0.0);
        let standard_error = width / normal_quantile(run.policy.confidence);
        let independent = run.usage.cached == 0 && run.usage.cached_judgements == 0;
        Some((*run, metric, RunMean { mean, standard_error, independent }))
    };
    runs.iter().filter_map(value).collect()
}

fn trend(name: &str, runs: &[&SavedRun], tested: usize) -> Option<Trend> {
    let kind = runs.iter().find_map(|run| run.metric(name)).map(|metric| metric.kind)?;
    let values = values(name, runs);
    let mut trend = Trend {
        metric: name.to_owned(),
        kind,
        runs: values.len(),
        earlier: None,
        last: None,
        difference: None,
        noise: None,
        status: TrendStatus::NotTested,
        finding: format!("not tested: {} of the {} runs needed", values.len(), LAST + MIN_EARLIER),
    };
    if values.len() < LAST + MIN_EARLIER {
        return Some(trend);
    }
    let (before, after) = values.split_at(values.len() - LAST);
    let means = |of: &[(&SavedRun, &Metric, RunMean)]| -> Vec<RunMean> {
        of.iter().map(|(_, _, mean)| *mean).collect()
    };
    let Some(found) = drift(&means(before), &means(after)) else { return Some(trend) };
    let resolution = values.last().map_or(0.0, |(run, ..)| run.policy.resolution);
    trend.earlier = Some(GroupMean { runs: before.len(), mean: found.earlier });
    trend.last = Some(GroupMean { runs: after.len(), mean: found.later });
    trend.difference = Some(found.difference);
    decide(&mut trend, found, tested, resolution);
    if matches!(trend.status, TrendStatus::Lower | TrendStatus::Higher) {
        let runs: Vec<&SavedRun> = values.iter().map(|(run, ..)| *run).collect();
        trend.finding.push_str(&other_causes(&runs));
    }
    Some(trend)
}

/// Causes other than drift that may explain a difference: another prompt, also one that was rejected. Failed runs of one prompt may
/// be the drift itself.
fn other_causes(runs: &[&SavedRun]) -> String {
    let digest = |run: &SavedRun| run.variants.candidate.prompt.digest.clone();
    if runs.windows(2).all(|pair| digest(pair[0]) == digest(pair[1])) {
        return String::new();
    }
    let changed = "; the prompt changed within these runs, and a change of the prompt is not drift";
    match runs.iter().filter(|run| run.verdict == Verdict::Fail).count() {
        0 => changed.to_owned(),
        failed => format!("{changed}; {failed} of the {} runs failed", runs.len()),
    }
}

/// Fills in the finding. Where no run shows noise, scores count from the resolution of the policy on, and nothing else is
/// tested.
fn decide(trend: &mut Trend, found: Drift, tested: usize, resolution: f64) {
    let is_score = matches!(trend.kind, MetricKind::Check | MetricKind::Judge);
    let is_measured = found.standard_error > 0.0;
    let noise = match (is_measured, is_score) {
        (true, _) => {
            let confidence = 1.0 - ALPHA / 2.0 / tested.max(1) as f64;
            student_t_quantile(confidence, found.degrees_of_freedom) * found.standard_error
        }
        (false, true) => resolution,
        (false, false) => {
            "not tested: no run shows any noise".clone_into(&mut trend.finding);
            return;
        }
    };
    trend.noise = Some(noise);
    trend.status = match found.difference {
        difference if difference < -noise => TrendStatus::Lower,
        difference if difference > noise => TrendStatus::Higher,
        _ => TrendStatus::WithinNoise,
    };
    let value = |value: f64| number::value(trend.kind, value);
    let direction = if found.difference < 0.0 { "below" } else { "above" };
    let runs = trend.earlier.map_or(0, |earlier| earlier.runs);
    let compared = format!(
        "the last {LAST} runs average {} {direction} the {runs} before",
        value(found.difference.abs())
    );
    let explained = if is_measured { "noise explains" } else { "no run shows noise; the resolution is" };
    trend.finding = match trend.status {
        TrendStatus::WithinNoise => format!("within noise: {compared} ({explained} {})", value(noise)),
        _ => format!("{compared}, beyond noise ({explained} {})", value(noise)),
    };
}

#[cfg(test)]
mod tests {
    use super::super::History;
    use super::*;
    use crate::fixtures::edited_history as history;

    fn faithfulness(history: &History) -> &Trend {
        history.trends.iter().find(|trend| trend.metric == "faithfulness").unwrap()
    }

    #[test]
    fn drop_beyond_noise_is_found_and_one_within_is_not() {
        let slow = history(&[0.90, 0.90, 0.89, 0.88, 0.87, 0.85, 0.84, 0.83], |_, _| {});
        let found = faithfulness(&slow);
        assert_eq!((found.status, found.runs), (TrendStatus::Lower, 8), "{found:?}");
        assert!(found.finding.contains("below the 5 before, beyond noise"), "{}", found.finding);
        assert!(slow.tested.starts_with("Averages of the last 3 runs"), "{}", slow.tested);
        let flat = history(&[0.90, 0.89, 0.91, 0.90, 0.89, 0.91, 0.89], |_, _| {});
        assert_eq!(faithfulness(&flat).status, TrendStatus::WithinNoise);
        let better = history(&[0.70, 0.70, 0.70, 0.80, 0.80, 0.80], |_, _| {});
        assert_eq!(faithfulness(&better).status, TrendStatus::Higher);
    }

    #[test]
    fn cached_answers_widen_the_noise() {
        let means = [0.90, 0.90, 0.90, 0.90, 0.85, 0.85, 0.85];
        let fresh = history(&means, |_, _| {});
        let cached = history(&means, |_, run| run.usage.cached = 5);
        let noise = |history: &History| faithfulness(history).noise.unwrap();
        assert!(noise(&cached) > 1.5 * noise(&fresh));
        assert_eq!(faithfulness(&fresh).status, TrendStatus::Lower);
        assert_eq!(faithfulness(&cached).status, TrendStatus::WithinNoise);
    }

    #[test]
    fn runs_on_other_cases_or_with_another_judge_are_not_tested() {
        let means = [0.9, 0.9, 0.9, 0.9, 0.7, 0.7, 0.7];
        let other = history(&means, |index, run| {
            if index == 1 {
                run.dataset.digest = "sha256:other".to_owned();
            }
            if index == 2
                && let Some(judge) = &mut run.judge
            {
                judge.fingerprint = "sha256:other".to_owned();
            }
        });
        let found = faithfulness(&other);
        assert_eq!((found.status, found.runs), (TrendStatus::NotTested, 5), "{found:?}");
        assert!(other.tested.contains("5 of the 6 comparable runs"), "{}", other.tested);
        assert_eq!(other.runs.iter().filter(|run| !run.comparable).count(), 2);
    }

    #[test]
    fn spread_of_the_runs_is_noise_even_where_their_intervals_are_narrow() {
        let means = [0.88, 0.92, 0.90, 0.93, 0.87, 0.90, 0.88, 0.85, 0.87];
        let narrow = history(&means, |_, run| {
            for metric in run.metrics.iter_mut() {
                let of = &mut metric.candidate;
                (of.lower, of.upper) = (of.mean.map(|mean| mean - 0.004), of.mean.map(|mean| mean + 0.004));
            }
        });
        assert_eq!(faithfulness(&narrow).status, TrendStatus::WithinNoise, "{:?}", faithfulness(&narrow));
    }

    #[test]
    fn runs_of_another_model_or_with_other_parameters_are_not_tested() {
        let means = [0.9, 0.9, 0.9, 0.9, 0.7, 0.7, 0.7];
        let newer_model = history(&means, |index, run| {
            if index >= 4 {
                "another-model".clone_into(&mut run.variants.candidate.model);
            }
        });
        let found = faithfulness(&newer_model);
        assert_eq!((found.status, found.runs), (TrendStatus::NotTested, 3), "{found:?}");
        let warmer = history(&means, |index, run| {
            if index == 0 {
                run.variants.candidate.parameters.insert("temperature".to_owned(), 1.7.into());
            }
        });
        assert!(!warmer.runs[0].comparable && warmer.runs[1].comparable);
        assert!(warmer.tested.contains("model, parameters"), "{}", warmer.tested);
    }

    #[test]
    fn other_prompts_and_failed_runs_are_named_in_the_finding() {
        let means = [0.9, 0.9, 0.9, 0.9, 0.7, 0.7, 0.7];
        let passing = |run: &mut SavedRun| run.verdict = Verdict::Pass;
        let same = history(&means, |_, run| passing(run));
        let finding = &faithfulness(&same).finding;
        assert!(!finding.contains("prompt") && !finding.contains("failed"), "{finding}");
        // Failures of one prompt may be the drift.
        let failing = history(&means, |_, run| run.verdict = Verdict::Fail);
        assert!(!faithfulness(&failing).finding.contains("failed"), "{}", faithfulness(&failing).finding);
        let rejected = history(&means, |index, run| {
            passing(run);
            if index >= 4 {
                "sha256:other".clone_into(&mut run.variants.candidate.prompt.digest);
                run.verdict = Verdict::Fail;
            }
        });
        let found = faithfulness(&rejected);
        assert_eq!(found.status, TrendStatus::Lower);
        assert!(found.finding.contains("the prompt changed within these runs"), "{}", found.finding);
        assert!(found.finding.contains("3 of the 7 runs failed"), "{}", found.finding);
    }

    #[test]
    fn nothing_tested_says_which_evidence_is_lacking() {
        let unbounded = history(&[0.9; 8], |_, run| {
            for metric in &mut run.metrics {
                (metric.candidate.lower, metric.candidate.upper) = (None, None);
            }
        });
        assert!(unbounded.tested.starts_with("Nothing was tested: no gated metric"), "{}", unbounded.tested);
        assert!(faithfulness(&unbounded).finding.contains("0 of the 6 runs needed"));
        let few = history(&[0.9; 2], |_, _| {});
        assert!(few.tested.contains("2 of the 6 comparable runs needed"), "{}", few.tested);
    }

    #[test]
    fn runs_without_noise_count_from_the_resolution_on() {
        let exact = |means: &[f64]| {
            history(means, |_, run| {
                for metric in run.metrics.iter_mut() {
                    (metric.candidate.lower, metric.candidate.upper) =
                        (metric.candidate.mean, metric.candidate.mean);
                }
            })
        };
        assert_eq!(faithfulness(&exact(&[0.9, 0.9, 0.9, 0.87, 0.87, 0.87])).status, TrendStatus::WithinNoise);
        assert_eq!(faithfulness(&exact(&[0.9, 0.9, 0.9, 0.8, 0.8, 0.8])).status, TrendStatus::Lower);
    }
}
