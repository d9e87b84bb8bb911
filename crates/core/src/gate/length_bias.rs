//! Correlation of scores with answer length, which may show a judge that favours long answers (verbosity bias).

use crate::metric::row_mean;
use crate::model::{Analysis, LengthCorrelation, Matrix, MetricKind, MetricScores};
use crate::stats::correlation;

/// Minimum number of cases for a correlation.
const MIN_PAIRS: usize = 10;
/// Correlations beyond this, in either direction, are warned about.
const MAX_UNWARNED: f64 = 0.5;

/// The correlation of the case means of a judged metric with the lengths of the answers; `None` for other metrics.
pub(super) fn length_correlation(analysis: &Analysis, metric: &MetricScores) -> Option<LengthCorrelation> {
    let length = analysis.metric("length").filter(|_| metric.kind == MetricKind::Judge)?;
    let (scores, lengths) = (&metric.scores, &length.scores);
    let candidate: Vec<(f64, f64)> = pairs(&scores.candidate, &lengths.candidate).flatten().collect();
    let differences: Vec<(f64, f64)> = match (&scores.baseline, &lengths.baseline) {
        (Some(their_scores), Some(their_lengths)) => {
            let ours = pairs(&scores.candidate, &lengths.candidate);
            let theirs = pairs(their_scores, their_lengths);
            ours.zip(theirs).filter_map(|(ours, theirs)| ours.zip(theirs)).map(minus).collect()
        }
        _ => Vec::new(),
    };
    let if_enough = |pairs: Vec<(f64, f64)>| correlation(&pairs).filter(|_| pairs.len() >= MIN_PAIRS);
    Some(LengthCorrelation { candidate: if_enough(candidate), differences: if_enough(differences) })
}

/// The warning about a metric that rises or falls with length.
pub(super) fn warning(metric: &str, correlation: LengthCorrelation) -> Option<String> {
    let high = |value: Option<f64>| value.filter(|value| value.abs() > MAX_UNWARNED);
    let (how, value) = match (high(correlation.differences), high(correlation.candidate)) {
        (Some(value), _) => ("where the candidate's answers are longer than the baseline's", value),
        (None, Some(value)) => ("with the length of the answers", value),
        (None, None) => return None,
    };
    let (moves, favoured) = if value > 0.0 { ("rises", "long") } else { ("falls", "short") };
    Some(format!("{metric} {moves} {how} (correlation {value:.2}): the judge may favor {favoured} answers"))
}

/// The mean score and mean length of each case; `None` if it lacks either.
fn pairs<'a>(scores: &'a Matrix, lengths: &'a Matrix) -> impl Iterator<Item = Option<(f64, f64)>> + 'a {
    scores.rows().zip(lengths.rows()).map(move |(score, length)| row_mean(score).zip(row_mean(length)))
}

fn minus(((score, length), (their_score, their_length)): ((f64, f64), (f64, f64))) -> (f64, f64) {
    (score - their_score, length - their_length)
}
