//! Length against score: whether a judge may be favouring long answers (verbosity bias).

use crate::model::{Analysis, Cell, LengthCorrelation, Matrix, MetricKind, MetricScores};
use crate::stats::{correlation, mean};

/// Fewer pairs tell nothing.
const MIN_PAIRS: usize = 10;
/// From here on a reader is warned.
const NOTABLE: f64 = 0.5;

/// How the case means of a judged metric go with the lengths of the answers; `None` for other metrics.
pub(super) fn length_correlation(analysis: &Analysis, metric: &MetricScores) -> Option<LengthCorrelation> {
    let length = analysis.metric("length").filter(|_| metric.kind == MetricKind::Judge)?;
    let (scores, lengths) = (&metric.scores, &length.scores);
    let own: Vec<(f64, f64)> = pairs(&scores.candidate, &lengths.candidate).flatten().collect();
    let differences: Vec<(f64, f64)> = match (&scores.baseline, &lengths.baseline) {
        (Some(their_scores), Some(their_lengths)) => {
            let ours = pairs(&scores.candidate, &lengths.candidate);
            let theirs = pairs(their_scores, their_lengths);
            ours.zip(theirs).filter_map(|(ours, theirs)| ours.zip(theirs)).map(less).collect()
        }
        _ => Vec::new(),
    };
    let told = |pairs: Vec<(f64, f64)>| correlation(&pairs).filter(|_| pairs.len() >= MIN_PAIRS);
    Some(LengthCorrelation { candidate: told(own), differences: told(differences) })
}

/// The warning about a metric that rises with length.
pub(super) fn warning(metric: &str, found: LengthCorrelation) -> Option<String> {
    let notable = |value: Option<f64>| value.filter(|value| *value >= NOTABLE);
    let (what, value) = match (notable(found.differences), notable(found.candidate)) {
        (Some(value), _) => ("where the candidate's answers are longer than the baseline's", value),
        (None, Some(value)) => ("with the length of the answers", value),
        (None, None) => return None,
    };
    Some(format!("{metric} rises {what} (correlation {value:.2}): the judge may favour long ones"))
}

/// Mean score and mean length of each case, where it has both.
fn pairs<'a>(scores: &'a Matrix, lengths: &'a Matrix) -> impl Iterator<Item = Option<(f64, f64)>> + 'a {
    let row_mean = |row: Option<&[Cell]>| {
        let values: Vec<f64> = row?.iter().filter_map(|cell| cell.value()).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
    scores.rows().zip(lengths.rows()).map(move |(score, length)| row_mean(score).zip(row_mean(length)))
}

fn less(((score, length), (their_score, their_length)): ((f64, f64), (f64, f64))) -> (f64, f64) {
    (score - their_score, length - their_length)
}
