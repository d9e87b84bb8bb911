//! The self-test: before a judge grades anything, it is tried on planted answers whose score is known.
//!
//! Each model of a panel is tried on its own, with each kind of question that the run asks, past the checks that keep
//! such answers from a judge otherwise. An answer that comes out wrong is put to the judge twice more, and the
//! majority counts: a model that errs once in a while is not unfit.

mod planted;

use futures::future::{join_all, try_join_all};

use crate::model::{Expected, Fault, FaultKind, Grade, Judging, Outcome, PlantedOutcome, SelfTest};
use crate::port::ChatModel;

use super::{Judge, Member};

pub use planted::Planted;

/// Times a planted answer is put to a judge when its first score is a surprise.
const TRIES: u32 = 3;

/// One planted answer for one judge.
struct Put<'a> {
    planted: &'a Planted,
    metric: String,
    expected: Expected,
    judge: &'a Judge,
    member: &'a Member,
    model: &'a dyn ChatModel,
}

/// Tries the judges on the built-in planted answers, and on `own` by the metrics that these name.
///
/// # Errors
/// The fault of an endpoint that could not be asked: that says nothing of the judge.
pub async fn self_test(
    judges: &[Judge],
    models: &[&dyn ChatModel],
    own: &[Planted],
) -> Result<SelfTest, Fault> {
    let built_in = planted::built_in();
    let mut kinds: Vec<Judge> = Vec::new();
    for judge in judges {
        let (kind, spec) = planted::question(&judge.spec);
        if kinds.iter().all(|known| known.name != kind) {
            kinds.push(Judge::new(kind.to_owned(), spec, judge.panel.clone(), 1));
        }
    }
    let mut puts = Vec::new();
    for (judge, planted) in kinds
        .iter()
        .flat_map(|judge| built_in.iter().map(move |planted| (judge, planted)))
        .chain(judges.iter().flat_map(|judge| own.iter().map(move |planted| (judge, planted))))
    {
        let Some(expected) = planted.expected(&judge.name) else { continue };
        for (member, model) in judge.panel.iter().zip(models) {
            let metric = judge.name.clone();
            puts.push(Put { planted, metric, expected, judge, member, model: *model });
        }
    }
    let mut rows = Vec::with_capacity(puts.len());
    let mut puts = puts.iter();
    // One goes ahead: a dead endpoint is not asked by all at once.
    if let Some(first) = puts.next() {
        rows.push(put(first).await?);
    }
    rows.extend(try_join_all(puts.map(put)).await?);
    Ok(SelfTest { rows })
}

async fn put(put: &Put<'_>) -> Result<PlantedOutcome, Fault> {
    let ask =
        |repeat| put.judge.judge_once(put.member, put.model, &put.planted.case, &put.planted.answer, repeat);
    let mut grades = vec![ask(0).await];
    if !grades.iter().all(|grade| as_expected(put.expected, grade)) {
        grades.extend(join_all((1..TRIES).map(ask)).await);
    }
    let mut judging = Judging::default();
    let (mut scores, mut right, mut reason) = (Vec::new(), 0, String::new());
    for grade in grades {
        if let Outcome::Ungraded(Some(fault)) = &grade.outcome
            && fault.kind != FaultKind::ContentFilter
        {
            return Err(fault.clone());
        }
        if let Some(took) = &grade.judging {
            judging.add(took);
        }
        right += usize::from(as_expected(put.expected, &grade));
        scores.push(grade.score());
        reason = grade.reason;
    }
    Ok(PlantedOutcome {
        planted: put.planted.name.clone(),
        metric: put.metric.clone(),
        judge: put.member.model.clone(),
        expected: put.expected,
        passed: 2 * right > scores.len(),
        scores,
        reason,
        judging,
    })
}

fn as_expected(expected: Expected, grade: &Grade) -> bool {
    match &grade.outcome {
        Outcome::Score(score) => expected.holds(score.get()),
        // An endpoint's filter that refuses an attack has done the judge's work.
        Outcome::Ungraded(Some(fault)) => expected == Expected::Low && fault.kind == FaultKind::ContentFilter,
        Outcome::Ungraded(None) => false,
    }
}
