//! The self-test: before a judge grades anything, it is tried on planted answers whose score is known.
//!
//! Each model of a panel is tried on its own, with each kind of question that the run asks, past the checks that keep
//! such answers from a judge otherwise. An answer that comes out wrong is put to the judge twice more, and the
//! majority counts: a model that errs once in a while is not unfit.

mod planted;

use futures::future::try_join_all;

use promptgate_core::model::{Expected, Fault, FaultKind, Grade, Judging, Outcome, PlantedOutcome, SelfTest};
use promptgate_core::port::ChatModel;

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
    // One goes ahead: a dead endpoint, or a judge that gives no verdict at all, is not asked by all at once.
    if let Some(first) = puts.next() {
        let row = put(first).await?;
        let hopeless = row.scores.iter().all(Option::is_none);
        rows.push(row);
        if hopeless {
            return Ok(SelfTest { rows });
        }
    }
    rows.extend(try_join_all(puts.map(put)).await?);
    Ok(SelfTest { rows })
}

async fn put(put: &Put<'_>) -> Result<PlantedOutcome, Fault> {
    let ask = async |repeat| {
        let Planted { case, answer, .. } = put.planted;
        let grade = put.judge.judge_once(put.member, put.model, case, answer, repeat).await;
        match &grade.outcome {
            Outcome::Ungraded(Some(fault)) if fault.kind != FaultKind::ContentFilter => Err(fault.clone()),
            _ => Ok(grade),
        }
    };
    let mut grades = vec![ask(0).await?];
    if !grades.iter().all(|grade| as_expected(put.expected, grade)) {
        grades.extend(try_join_all((1..TRIES).map(ask)).await?);
    }
    let mut judging = Judging::default();
    for took in grades.iter().filter_map(|grade| grade.judging.as_ref()) {
        judging.add(took);
    }
    let right = grades.iter().filter(|grade| as_expected(put.expected, grade)).count();
    Ok(PlantedOutcome {
        planted: put.planted.name.clone(),
        metric: put.metric.clone(),
        judge: put.member.model.clone(),
        expected: put.expected,
        passed: 2 * right > grades.len(),
        scores: grades.iter().map(Grade::score).collect(),
        reason: grades.last().map(|grade| grade.reason.clone()).unwrap_or_default(),
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
