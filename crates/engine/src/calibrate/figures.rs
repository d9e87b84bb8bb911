//! The figures of a calibration, computed from ratings and scores.

use std::collections::BTreeMap;

use super::cut_off;
use super::{JudgedAnswer, LabeledAnswer, Labels};
use promptgate_core::model::{Agreement, Corrections, Humans, Interval, Repeatability, SliceAgreement};
use promptgate_core::stats::{
    Bounds, Confusion, Corrected, Estimate, LabeledMoments, Level, Repeated, Weighting, clopper_pearson,
    gwet_ac1, kendall_tau_b, krippendorff_alpha, mean, ppi_mean, rogan_gladen, sample_variance, spearman,
    t_bounds, weighted_kappa,
};

/// One-sided alpha of each bound of an interval.
const ALPHA: f64 = 0.05;

/// Minimum number of labels for a prediction-powered mean; with fewer, its normal interval is too narrow.
const MIN_FOR_MEAN: usize = 50;

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Agreement on rated answers that the judge graded.
    pub overall: Agreement,
    /// Moments of ratings and scores; `None` with fewer than two answers.
    pub moments: Option<LabeledMoments>,
    /// Agreement by slice, sorted by name, for slices of at least two answers.
    pub slices: Vec<SliceAgreement>,
    /// Number of answers without a grade.
    pub missing: usize,
    /// Agreement between people; `None` if no answer has two ratings.
    pub humans: Option<Humans>,
    /// Agreement of the judge with itself; `None` with one repeat.
    pub repeatability: Option<Repeatability>,
    /// Estimates for answers without a rating; `None` if all have one.
    pub corrections: Option<Corrections>,
}

/// Whether people pass an answer: most ratings are at least `pass_at`. A tie fails; `None` without a rating.
pub fn passes(answer: &LabeledAnswer, pass_at: f64) -> Option<bool> {
    let passing = answer.ratings.iter().filter(|rating| **rating >= pass_at).count();
    (!answer.ratings.is_empty()).then_some(2 * passing > answer.ratings.len())
}

/// Computes the figures. The corrections are for the scores in `unlabeled`, or without it for the answers without a
/// rating. `None` if no answer is both rated and graded.
pub fn measure(
    labels: &Labels,
    judged: &[JudgedAnswer],
    pass_at: f64,
    unlabeled: Option<&[f64]>,
) -> Option<Measured> {
    let mut rated = Vec::new();
    let mut unrated = Vec::new();
    let mut missing = 0;
    for (answer, judged) in labels.answers.iter().zip(judged) {
        match (judged.score(), passes(answer, pass_at), answer.human()) {
            (None, ..) => missing += 1,
            (Some(score), Some(passed), Some(human)) => {
                rated.push(RatedAnswer { answer, score, human, passed })
            }
            (Some(score), ..) => unrated.push(score),
        }
    }
    let all: Vec<&RatedAnswer<'_>> = rated.iter().collect();
    let overall = agreement(&all, labels.graded)?;
    let mut by_slice: BTreeMap<&str, Vec<&RatedAnswer<'_>>> = BTreeMap::new();
    for row in &rated {
        for slice in &row.answer.slices {
            by_slice.entry(slice).or_default().push(row);
        }
    }
    let slices = by_slice
        .into_iter()
        .filter(|(_, rows)| rows.len() > 1)
        .filter_map(|(slice, rows)| {
            Some(SliceAgreement { slice: slice.to_owned(), agreement: agreement(&rows, labels.graded)? })
        })
        .collect();
    let (ratings, scores): (Vec<f64>, Vec<f64>) = rated.iter().map(|row| (row.human, row.score)).unzip();
    Some(Measured {
        overall,
        moments: LabeledMoments::of(&ratings, &scores),
        slices,
        missing,
        humans: humans(labels),
        repeatability: repeatability(judged),
        corrections: corrections(&rated, unlabeled.unwrap_or(&unrated)),
    })
}

/// A rated answer that the judge graded.
struct RatedAnswer<'a> {
    answer: &'a LabeledAnswer,
    score: f64,
    human: f64,
    passed: bool,
}

fn agreement(rows: &[&RatedAnswer<'_>], graded: bool) -> Option<Agreement> {
    let human: Vec<bool> = rows.iter().map(|row| row.passed).collect();
    let verdicts: Vec<bool> = rows.iter().map(|row| row.score >= 1.0).collect();
    let ratings: Vec<f64> = rows.iter().map(|row| row.human).collect();
    let scores: Vec<f64> = rows.iter().map(|row| row.score).collect();
    let counts = Confusion::from_labels(&human, &verdicts)?;
    let error = |row: &&RatedAnswer<'_>| match graded {
        true => row.score - row.human,
        // Verdicts have no shares: a score of 0.5 for a failed answer is not lenient.
        false => f64::from(u8::from(row.score >= 1.0)) - f64::from(u8::from(row.passed)),
    };
    let errors: Vec<f64> = rows.iter().map(error).collect();
    let bias = (errors.len() > 1).then(|| Estimate {
        mean: mean(&errors),
        standard_error: (sample_variance(&errors) / errors.len() as f64).sqrt(),
        degrees_of_freedom: errors.len() as f64 - 1.0,
    });
    let class_mean = |passed: bool| {
        let scores: Vec<f64> = rows.iter().filter(|row| row.passed == passed).map(|row| row.score).collect();
        (!scores.is_empty()).then(|| mean(&scores))
    };
    let sensitivity = clopper_pearson(counts.true_positives, counts.positives(), ALPHA);
    let specificity = clopper_pearson(counts.true_negatives, counts.negatives(), ALPHA);
    let both = |of: fn(&Bounds) -> Option<f64>| of(&sensitivity).zip(of(&specificity));
    let (lower, upper) = (both(|bounds| bounds.lower), both(|bounds| bounds.upper));
    let middle = |(one, other)| f64::midpoint(one, other);
    let balanced = Bounds { lower: lower.map(middle), upper: upper.map(middle) };
    // Bounds from the standard error of kappa are too narrow if one class is rare, and have no width at perfect
    // agreement.
    let at = |shares: (f64, f64)| kappa_at(shares, counts.positives(), counts.negatives());
    let kappa_bounds = Bounds { lower: lower.and_then(at), upper: upper.and_then(at) };
    let kappa = counts.kappa();
    let weighted = graded.then(|| weighted_kappa(&ratings, &scores, Weighting::Quadratic)).flatten();
    let total = counts.total() as f64;
    Some(Agreement {
        answers: counts.total(),
        true_positives: counts.true_positives,
        false_positives: counts.false_positives,
        false_negatives: counts.false_negatives,
        true_negatives: counts.true_negatives,
        prevalence: counts.positives() as f64 / total,
        judge_passes: (counts.true_positives + counts.false_positives) as f64 / total,
        sensitivity: counts.sensitivity().map(|share| interval(share, sensitivity)),
        specificity: counts.specificity().map(|share| interval(share, specificity)),
        balanced_accuracy: counts.balanced_accuracy().map(|share| interval(share, balanced)),
        slope: class_mean(true).zip(class_mean(false)).map(|(good, bad)| good - bad),
        youden: counts.youden(),
        accuracy: counts.agreement().unwrap_or_default(),
        kappa: kappa.map(|kappa| interval(kappa.kappa, kappa_bounds)),
        kappa_standard_error: kappa.map(|kappa| kappa.standard_error),
        ac1: gwet_ac1(&human, &verdicts, 2),
        spearman: spearman(&ratings, &scores),
        kendall: kendall_tau_b(&ratings, &scores),
        weighted_kappa: weighted.map(|kappa| kappa.kappa),
        bias: bias.map(|bias| interval(bias.mean, t_bounds(bias, ALPHA))),
        cut_off: cut_off::best(&human, &scores),
    })
}

fn interval(mean: f64, bounds: Bounds) -> Interval {
    Interval { mean, lower: bounds.lower, upper: bounds.upper }
}

/// An estimate with bounds, cut to the range of scores.
fn corrected(estimate: Corrected) -> Interval {
    let within = |bound: Option<f64>| bound.map(|bound| bound.clamp(0.0, 1.0));
    let Corrected { estimate, bounds: Bounds { lower, upper }, .. } = estimate;
    Interval { mean: estimate.clamp(0.0, 1.0), lower: within(lower), upper: within(upper) }
}

/// Kappa of a judge with this sensitivity and specificity on these numbers of good and bad answers.
pub fn kappa_at((sensitivity, specificity): (f64, f64), good: usize, bad: usize) -> Option<f64> {
    let (good, bad) = (good as f64, bad as f64);
    let total = good + bad;
    let passed = sensitivity * good + (1.0 - specificity) * bad;
    let agreement = (sensitivity * good + specificity * bad) / total;
    let chance = (good * passed + bad * (total - passed)) / (total * total);
    (good > 0.0 && bad > 0.0 && chance < 1.0).then(|| (agreement - chance) / (1.0 - chance))
}

fn humans(labels: &Labels) -> Option<Humans> {
    let several = labels.answers.iter().filter(|answer| answer.ratings.len() > 1);
    let ratings: Repeated = several.map(|answer| answer.ratings.iter().copied()).collect();
    // Verdicts are nominal; grades have distances.
    let level = if labels.graded { Level::Interval } else { Level::Nominal };
    (!ratings.is_empty())
        .then(|| Humans { answers: ratings.len(), alpha: krippendorff_alpha(&ratings, level) })
}

fn repeatability(judged: &[JudgedAnswer]) -> Option<Repeatability> {
    let repeated: Vec<&JudgedAnswer> = judged.iter().filter(|judged| judged.grades.len() > 1).collect();
    let passes = |score: Option<f64>| score.map(|score| score >= 1.0);
    let same = repeated.iter().filter(|judged| {
        let mut verdicts = judged.grades.iter().map(|grade| passes(grade.score()));
        let first = verdicts.next().flatten();
        first.is_some() && verdicts.all(|verdict| verdict == first)
    });
    let scores: Repeated = repeated.iter().filter_map(|judged| judged.scores()).collect();
    (!repeated.is_empty()).then(|| Repeatability {
        answers: repeated.len(),
        repeats: repeated.iter().map(|judged| judged.grades.len()).max().unwrap_or_default(),
        alpha: krippendorff_alpha(&scores, Level::Interval),
        same_verdict: same.count() as f64 / repeated.len() as f64,
    })
}

fn corrections(rated: &[RatedAnswer<'_>], unrated: &[f64]) -> Option<Corrections> {
    if unrated.is_empty() {
        return None;
    }
    let judge_passes = unrated.iter().filter(|score| **score >= 1.0).count() as f64 / unrated.len() as f64;
    let judged: Vec<f64> = rated.iter().map(|row| row.score).collect();
    let human: Vec<f64> = rated.iter().map(|row| row.human).collect();
    let passed: Vec<bool> = rated.iter().map(|row| row.passed).collect();
    let verdicts: Vec<bool> = judged.iter().map(|score| *score >= 1.0).collect();
    let counts = Confusion::from_labels(&passed, &verdicts).filter(Confusion::allows_correction);
    let share = counts.and_then(|counts| rogan_gladen(judge_passes, unrated.len(), &counts, ALPHA));
    let mean = (rated.len() >= MIN_FOR_MEAN).then(|| ppi_mean(unrated, &judged, &human, ALPHA)).flatten();
    let answers = unrated.len();
    Some(Corrections { answers, judge_passes, share: share.map(corrected), mean: mean.map(corrected) })
}
