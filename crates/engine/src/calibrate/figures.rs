//! The figures of a calibration, computed from ratings and scores.

use std::collections::BTreeMap;

use super::cut_off::{self, CutOff};
use super::{JudgedAnswer, LabeledAnswer, Labels};
use promptgate_core::stats::{
    Bounds, Confusion, Corrected, Estimate, Kappa, Level, Repeated, Weighting, clopper_pearson, gwet_ac1,
    kendall_tau_b, krippendorff_alpha, mean, ppi_mean, rogan_gladen, sample_variance, spearman, t_bounds,
    weighted_kappa,
};

/// One-sided alpha of each bound of an interval.
const ALPHA: f64 = 0.05;

/// Minimum number of labels for a prediction-powered mean; with fewer, its normal interval is too narrow.
const MIN_FOR_MEAN: usize = 50;

/// Agreement of the judge with people on a set of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Numbers of answers passed and failed by people and by the judge.
    pub confusion: Confusion,
    /// Bounds of the sensitivity (Clopper and Pearson 1934).
    pub sensitivity_bounds: Bounds,
    /// Bounds of the specificity (Clopper and Pearson 1934).
    pub specificity_bounds: Bounds,
    /// Conservative bounds of the balanced accuracy: the means of the bounds above.
    pub balanced_bounds: Bounds,
    /// Agreement beyond chance; `None` if people or the judge give a single verdict.
    pub kappa: Option<Kappa>,
    /// Conservative bounds of kappa: kappa at the bounds of sensitivity and specificity. Bounds from its standard error
    /// are too narrow if one class is rare, and have no width at perfect agreement.
    pub kappa_bounds: Bounds,
    /// The mean score of answers that people pass minus that of answers that they fail: the share of a true drop that
    /// the mean score shows.
    pub slope: Option<f64>,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
    /// Rank correlation of score and rating.
    pub spearman: Option<f64>,
    /// Kendall's tau-b of score and rating.
    pub kendall: Option<f64>,
    /// Quadratically weighted kappa of score and rating; only with graded ratings.
    pub weighted_kappa: Option<f64>,
    /// Mean difference between judge and people: of verdicts, or of scores and ratings if these are graded. Above 0 the
    /// judge is lenient.
    pub bias: Option<Estimate>,
    /// Bounds of the bias.
    pub bias_bounds: Bounds,
    /// The score that best separates good from bad answers.
    pub cut_off: Option<CutOff>,
}

/// Figures of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceFigures {
    /// The tag, or the value of the column.
    pub slice: String,
    /// The figures of its answers.
    pub figures: Figures,
}

/// Agreement between people, which no judge can be expected to exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Humans {
    /// Answers with two ratings or more.
    pub answers: usize,
    /// Krippendorff's alpha between the ratings.
    pub alpha: Option<f64>,
}

/// Agreement of the judge with itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeatability {
    /// Number of answers.
    pub answers: usize,
    /// Judgements of each answer.
    pub repeats: usize,
    /// Krippendorff's alpha between the scores, at the interval level; `None` if all are the same.
    pub alpha: Option<f64>,
    /// The share of answers with the same verdict every time; a missing verdict counts as different.
    pub same_verdict: f64,
}

/// Estimated ratings of answers that only the judge has graded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrections {
    /// Answers without a rating.
    pub answers: usize,
    /// The share of them that the judge passes.
    pub passed: f64,
    /// That share corrected (Rogan and Gladen 1978; bounds of Lang and Reiczigel 2014); `None` if the judge or the
    /// labels are not informative enough.
    pub share: Option<Corrected>,
    /// The mean score by prediction-powered inference (Angelopoulos and others 2023).
    pub mean: Option<Corrected>,
}

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Figures of rated answers that the judge graded.
    pub figures: Figures,
    /// Figures by slice, sorted by name, for slices of at least two answers.
    pub slices: Vec<SliceFigures>,
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
    let figures = figures(&all, labels.graded)?;
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
            Some(SliceFigures { slice: slice.to_owned(), figures: self::figures(&rows, labels.graded)? })
        })
        .collect();
    let corrections = corrections(&figures, &rated, unlabeled.unwrap_or(&unrated));
    Some(Measured {
        figures,
        slices,
        missing,
        humans: humans(labels),
        repeatability: repeatability(judged),
        corrections,
    })
}

/// A rated answer that the judge graded.
struct RatedAnswer<'a> {
    answer: &'a LabeledAnswer,
    score: f64,
    human: f64,
    passed: bool,
}

fn figures(rows: &[&RatedAnswer<'_>], graded: bool) -> Option<Figures> {
    let human: Vec<bool> = rows.iter().map(|row| row.passed).collect();
    let verdicts: Vec<bool> = rows.iter().map(|row| row.score >= 1.0).collect();
    let ratings: Vec<f64> = rows.iter().map(|row| row.human).collect();
    let scores: Vec<f64> = rows.iter().map(|row| row.score).collect();
    let confusion = Confusion::from_labels(&human, &verdicts)?;
    let kappa = confusion.kappa();
    let error = |row: &&RatedAnswer<'_>| match graded {
        true => row.score - row.human,
        // Verdicts have no shares: a score of 0.5 for a failed answer is not lenient.
        false => f64::from(u8::from(row.score >= 1.0)) - f64::from(u8::from(row.passed)),
    };
    let errors: Vec<f64> = rows.iter().map(error).collect();
    let class_mean = |passed: bool| {
        let scores: Vec<f64> = rows.iter().filter(|row| row.passed == passed).map(|row| row.score).collect();
        (!scores.is_empty()).then(|| mean(&scores))
    };
    let slope = class_mean(true).zip(class_mean(false)).map(|(good, bad)| good - bad);
    let sensitivity = clopper_pearson(confusion.true_positives, confusion.positives(), ALPHA);
    let specificity = clopper_pearson(confusion.true_negatives, confusion.negatives(), ALPHA);
    let both = |of: fn(&Bounds) -> Option<f64>| of(&sensitivity).zip(of(&specificity));
    let (lower, upper) = (both(|bounds| bounds.lower), both(|bounds| bounds.upper));
    let at = |shares: (f64, f64)| kappa_at(shares, confusion.positives(), confusion.negatives());
    let bias = (errors.len() > 1).then(|| Estimate {
        mean: mean(&errors),
        standard_error: (sample_variance(&errors) / errors.len() as f64).sqrt(),
        degrees_of_freedom: errors.len() as f64 - 1.0,
    });
    Some(Figures {
        sensitivity_bounds: sensitivity,
        specificity_bounds: specificity,
        balanced_bounds: Bounds {
            lower: lower.map(|(one, other)| f64::midpoint(one, other)),
            upper: upper.map(|(one, other)| f64::midpoint(one, other)),
        },
        kappa_bounds: Bounds { lower: lower.and_then(at), upper: upper.and_then(at) },
        slope,
        ac1: gwet_ac1(&human, &verdicts, 2),
        spearman: spearman(&ratings, &scores),
        kendall: kendall_tau_b(&ratings, &scores),
        weighted_kappa: graded
            .then(|| weighted_kappa(&ratings, &scores, Weighting::Quadratic))
            .flatten()
            .map(|kappa| kappa.kappa),
        bias_bounds: bias.map_or_else(Bounds::default, |bias| t_bounds(bias, ALPHA)),
        bias,
        cut_off: cut_off::best(&human, &scores),
        confusion,
        kappa,
    })
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

fn corrections(figures: &Figures, rated: &[RatedAnswer<'_>], unrated: &[f64]) -> Option<Corrections> {
    if unrated.is_empty() {
        return None;
    }
    let passed = unrated.iter().filter(|score| **score >= 1.0).count() as f64 / unrated.len() as f64;
    let judged: Vec<f64> = rated.iter().map(|row| row.score).collect();
    let human: Vec<f64> = rated.iter().map(|row| row.human).collect();
    Some(Corrections {
        answers: unrated.len(),
        passed,
        share: figures
            .confusion
            .allows_correction()
            .then(|| rogan_gladen(passed, unrated.len(), &figures.confusion, ALPHA))
            .flatten(),
        mean: (rated.len() >= MIN_FOR_MEAN).then(|| ppi_mean(unrated, &judged, &human, ALPHA)).flatten(),
    })
}
