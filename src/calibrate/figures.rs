//! Every figure of a calibration, from answers with ratings and the judge's scores.

use std::collections::BTreeMap;

use super::cut_off::{self, CutOff};
use super::{Answer, Judged, Labels};
use crate::stats::{
    Bounds, Confusion, Corrected, Estimate, Kappa, Level, Repeated, Weighting, gwet_ac1, kendall_tau_b,
    krippendorff_alpha, mean, ppi_mean, rogan_gladen, sample_variance, spearman, t_bounds, weighted_kappa,
};

/// Every interval is made of two bounds, each one-sided at this alpha.
const ALPHA: f64 = 0.05;

/// How well the judge agrees with people on a set of answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Passed and failed, by people and by the judge.
    pub confusion: Confusion,
    /// Agreement beyond chance; `None` where one side gives one verdict only.
    pub kappa: Option<Kappa>,
    /// Bounds of kappa.
    pub kappa_bounds: Bounds,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
    /// Rank correlation of score and rating.
    pub spearman: Option<f64>,
    /// Kendall's tau-b of score and rating.
    pub kendall: Option<f64>,
    /// Quadratically weighted kappa of score and rating; graded ratings only.
    pub weighted_kappa: Option<f64>,
    /// The judge's score minus the rating, on average; above 0 the judge is lenient.
    pub bias: Option<Estimate>,
    /// Bounds of the bias.
    pub bias_bounds: Bounds,
    /// The score that is the best line.
    pub cut_off: Option<CutOff>,
}

/// Figures of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceFigures {
    /// The tag, or the value of the column.
    pub slice: String,
    /// Its figures.
    pub figures: Figures,
}

/// How people agree with one another: what no judge can be expected to exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Humans {
    /// Answers with two ratings or more.
    pub answers: usize,
    /// Krippendorff's alpha between the ratings.
    pub alpha: Option<f64>,
}

/// How the judge agrees with itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeatability {
    /// Times each answer was judged.
    pub repeats: usize,
    /// Krippendorff's alpha between the scores, at the interval level; `None` where all are the same.
    pub alpha: Option<f64>,
    /// The share of answers with the same verdict every time.
    pub same_verdict: f64,
}

/// What people would say of answers that only the judge has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrections {
    /// Answers without a rating.
    pub answers: usize,
    /// The share of them that the judge passes.
    pub passed: f64,
    /// That share corrected (Rogan and Gladen 1978; bounds of Lang and Reiczigel 2014); `None` where the judge or
    /// the labels say too little.
    pub share: Option<Corrected>,
    /// The mean score by prediction-powered inference (Angelopoulos and others 2023).
    pub mean: Option<Corrected>,
}

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Rated answers that the judge graded.
    pub figures: Figures,
    /// By slice, in the order of their names; slices of at least two answers.
    pub slices: Vec<SliceFigures>,
    /// Answers that the judge could not grade.
    pub missing: usize,
    /// Between people; `None` where no answer has two ratings.
    pub humans: Option<Humans>,
    /// Of the judge with itself; `None` with one repeat.
    pub repeatability: Option<Repeatability>,
    /// On answers without a rating; `None` without any.
    pub corrections: Option<Corrections>,
}

/// How a rating and a score are read as verdicts.
///
/// A rating passes from `pass_at` on; of several ratings that are 0 or 1 the majority does, a tie fails. A score
/// passes at 1.
pub fn passes(answer: &Answer, graded: bool, pass_at: f64) -> Option<bool> {
    let human = answer.human()?;
    Some(if graded { human >= pass_at } else { human > 0.5 })
}

/// Computes every figure; `elsewhere` holds the judge's scores of further answers without a rating. `None` where no
/// answer is both rated and graded.
pub fn measure(labels: &Labels, judged: &[Judged], pass_at: f64, elsewhere: &[f64]) -> Option<Measured> {
    let mut rated = Vec::new();
    let mut unrated: Vec<f64> = elsewhere.to_vec();
    let mut missing = 0;
    for (answer, judged) in labels.answers.iter().zip(judged) {
        match (judged.score(), passes(answer, labels.graded, pass_at), answer.human()) {
            (None, ..) => missing += 1,
            (Some(score), Some(passed), Some(human)) => rated.push(Row { answer, score, human, passed }),
            (Some(score), ..) => unrated.push(score),
        }
    }
    let all: Vec<&Row<'_>> = rated.iter().collect();
    let figures = figures(&all, labels.graded)?;
    let mut by_slice: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
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
    let corrections = corrections(&figures, &rated, &unrated);
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
struct Row<'a> {
    answer: &'a Answer,
    score: f64,
    human: f64,
    passed: bool,
}

fn figures(rows: &[&Row<'_>], graded: bool) -> Option<Figures> {
    let human: Vec<bool> = rows.iter().map(|row| row.passed).collect();
    let verdicts: Vec<bool> = rows.iter().map(|row| row.score >= 1.0).collect();
    let ratings: Vec<f64> = rows.iter().map(|row| row.human).collect();
    let scores: Vec<f64> = rows.iter().map(|row| row.score).collect();
    let confusion = Confusion::count(&human, &verdicts)?;
    let kappa = confusion.kappa();
    let errors: Vec<f64> = rows.iter().map(|row| row.score - row.human).collect();
    let bias = (errors.len() > 1).then(|| Estimate {
        mean: mean(&errors),
        standard_error: (sample_variance(&errors) / errors.len() as f64).sqrt(),
        degrees_of_freedom: errors.len() as f64 - 1.0,
    });
    Some(Figures {
        kappa_bounds: kappa.map_or_else(Bounds::default, |kappa| kappa.bounds(ALPHA)),
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

fn humans(labels: &Labels) -> Option<Humans> {
    let several = labels.answers.iter().filter(|answer| answer.ratings.len() > 1);
    let ratings: Repeated = several.map(|answer| answer.ratings.iter().copied()).collect();
    // Two verdicts have no distance but alike or not; grades have one.
    let level = if labels.graded { Level::Interval } else { Level::Nominal };
    (!ratings.is_empty())
        .then(|| Humans { answers: ratings.len(), alpha: krippendorff_alpha(&ratings, level) })
}

fn repeatability(judged: &[Judged]) -> Option<Repeatability> {
    let scores: Repeated =
        judged.iter().filter_map(Judged::scores).filter(|scores| scores.len() > 1).collect();
    if scores.is_empty() {
        return None;
    }
    let same = scores.rows().filter(|row| row.iter().all(|score| (*score >= 1.0) == (row[0] >= 1.0))).count();
    Some(Repeatability {
        repeats: scores.rows().map(<[f64]>::len).max().unwrap_or_default(),
        alpha: krippendorff_alpha(&scores, Level::Interval),
        same_verdict: same as f64 / scores.len() as f64,
    })
}

fn corrections(figures: &Figures, rated: &[Row<'_>], unrated: &[f64]) -> Option<Corrections> {
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
        mean: ppi_mean(unrated, &judged, &human, ALPHA),
    })
}
