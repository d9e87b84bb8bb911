//! Structural refusals: answers whose text came in the `refusal` field of the response.
//!
//! They are graded as answers, so a check of words may pass them. So they are counted, and compared with the baseline by a
//! test that can only fail the run. It takes a tenth of alpha from the criteria, asks for no repeats, and is made only
//! where there is a refusal: under permutation the number of refusals is given, so that nothing is spent without one.

use crate::model::{
    Analysis, Cell, CriterionVerdict, Matrix, Policy, RefusalCounts, Refusals, Rule, VariantScores,
};
use crate::stats::{Repeated, within_cases};

use super::evidence::EXACT;
use super::numbers::trimmed;

/// The share of alpha that is taken from the criteria for this test.
const SHARE_OF_ALPHA: f64 = 0.1;

/// The alpha of the criteria, and of the test of refusals if there is one.
pub(super) fn split_alpha(analysis: &Analysis, policy: &Policy, alpha: f64) -> (f64, Option<f64>) {
    let compared = analysis.has_baseline && analysis.refusals.is_some() && policy.rule == Rule::Evidence;
    let own = alpha * SHARE_OF_ALPHA;
    if compared { (alpha - own, Some(own)) } else { (alpha, None) }
}

/// Counts the refusals of a look and decides them.
pub(super) fn refusals(analysis: &Analysis, policy: &Policy, alpha: f64) -> Refusals {
    let (candidate, baseline) = counts(analysis);
    let (_, alpha) = split_alpha(analysis, policy, alpha);
    let p = alpha.and_then(|_| p_more(analysis, policy));
    let more = p.zip(alpha).is_some_and(|(p, alpha)| p <= alpha + EXACT);
    let all = candidate.answers > 0 && candidate.refused == candidate.answers;
    let stored = analysis.stored_baseline.as_ref().is_some_and(|stored| !stored.decides);
    Refusals {
        candidate,
        baseline,
        p,
        alpha,
        verdict: match (all, more) {
            (true, _) => CriterionVerdict::Fail,
            (false, true) if stored => CriterionVerdict::Inconclusive,
            (false, true) => CriterionVerdict::Fail,
            (false, false) => CriterionVerdict::Pass,
        },
        unconfirmed: !all && more && stored,
    }
}

/// Refusals and answers of both variants, without the cases that may be refused.
fn counts(analysis: &Analysis) -> (RefusalCounts, Option<RefusalCounts>) {
    let count = |matrix: &Matrix, refuses: fn(f64) -> bool| {
        let rows = matrix.rows().zip(&*analysis.cases).filter(|(_, facts)| !facts.may_refuse);
        let values = rows.filter_map(|(row, _)| row).flatten().filter_map(|cell| cell.value());
        let (mut refused, mut answers) = (0, 0);
        for value in values {
            answers += 1;
            refused += usize::from(refuses(value));
        }
        RefusalCounts { refused, answers }
    };
    let of = |scores: &VariantScores, refuses: fn(f64) -> bool| {
        (count(&scores.candidate, refuses), scores.baseline.as_ref().map(|matrix| count(matrix, refuses)))
    };
    match (&analysis.refusals, analysis.metric("length")) {
        (Some(refusals), _) => of(refusals, |value| value > 0.5),
        // Every answer has a length, and none is a refusal.
        (None, Some(length)) => of(&length.scores, |_| false),
        (None, None) => (RefusalCounts::default(), None),
    }
}

/// The p of "the candidate refuses more often", by permutation within each case.
fn p_more(analysis: &Analysis, policy: &Policy) -> Option<f64> {
    let refusals = analysis.refusals.as_ref()?;
    let (mut ours, mut theirs, mut shared) = (Repeated::default(), Repeated::default(), Vec::new());
    // Copies of an answer are one answer.
    let repeats = if analysis.repeats_cached { 1 } else { usize::MAX };
    let answered = |row: &[Cell]| -> Vec<f64> {
        row.iter().filter_map(|cell| cell.value()).map(|refused| 1.0 - refused).take(repeats).collect()
    };
    let rows = refusals.candidate.rows().zip(refusals.baseline.as_ref()?.rows());
    for ((candidate, baseline), facts) in rows.zip(&*analysis.cases) {
        let (Some(candidate), Some(baseline)) = (candidate, baseline) else { continue };
        if !facts.may_refuse {
            ours.push(answered(candidate));
            theirs.push(answered(baseline));
            shared.push(facts.shared);
        }
    }
    within_cases(&ours, &theirs, &shared, 0.0, policy.seed).map(|test| test.p)
}

/// A sentence about the refusals; `None` without any.
pub(super) fn describe(refusals: &Refusals) -> Option<String> {
    let RefusalCounts { refused, answers } = refusals.candidate;
    let theirs = refusals.baseline.unwrap_or_default();
    if refused == 0 && theirs.refused == 0 {
        return None;
    }
    if refused == answers && refusals.verdict == CriterionVerdict::Fail {
        return Some(format!(
            "all {answers} answers are refusals (`refusal` in the response); say `may_refuse: true` on a case that may be \
             refused"
        ));
    }
    let compared = match refusals.baseline {
        Some(RefusalCounts { refused, answers }) => format!(", with the baseline {refused} of {answers}"),
        None => String::new(),
    };
    let beyond = match (refusals.verdict, refusals.p) {
        (CriterionVerdict::Fail, Some(p)) if p < 0.0001 => {
            ": more than chance explains (p below 0.0001)".to_owned()
        }
        (CriterionVerdict::Fail, Some(p)) => format!(": more than chance explains (p {})", trimmed(p, 4)),
        _ if refusals.unconfirmed => {
            ": more than chance explains, but the baseline's answers are of an earlier session".to_owned()
        }
        _ => String::new(),
    };
    let are = if refused == 1 { "is a refusal" } else { "are refusals" };
    Some(format!("{refused} of {answers} answers {are} (`refusal` in the response){compared}{beyond}"))
}
