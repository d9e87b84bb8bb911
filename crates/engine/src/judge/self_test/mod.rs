//! The self-test: judges are tried on planted answers of known quality before they grade anything.
//!
//! Each model of a panel is tried on its own, with each kind of judge of the run, without the precheck that keeps such
//! answers from judges otherwise. An answer with an unexpected score is judged twice more, and the majority counts, so
//! that a single error does not reject a model.

pub(super) mod planted;

use std::borrow::Cow;

use futures::future::try_join_all;

use promptgate_core::metric::POSITION_FLIP;
use promptgate_core::model::{
    Case, Expected, Fault, FaultKind, Grade, Judging, Outcome, PlantedOutcome, SelfTest,
};
use promptgate_core::port::ChatModel;

use super::{Answers, Judge, Member};

pub use planted::Planted;
pub(super) use planted::PlantedAnswer;

/// Judgements of a planted answer whose first score is unexpected.
const MAX_ATTEMPTS: u32 = 3;

/// One planted answer for one model of one judge.
struct Trial<'a> {
    name: &'a str,
    case: Cow<'a, Case>,
    answers: Answers<'a>,
    expected: Expected,
    judge: &'a Judge,
    member: &'a Member,
    model: &'a dyn ChatModel,
}

/// Tries the judges on the built-in planted answers, and on the `configured` ones for the metrics that these name.
///
/// # Errors
/// The fault of an endpoint that could not be reached, which says nothing about the judge.
pub async fn self_test(
    judges: &[Judge],
    models: &[&dyn ChatModel],
    configured: &[Planted],
) -> Result<SelfTest, Fault> {
    let kinds = kinds(judges);
    let mut answers = Vec::new();
    for judge in &kinds {
        for planted in judge.kind.row.planted() {
            let case = Cow::Owned((planted.case)());
            let answer = match judge.is_pairwise() {
                true => Answers::Pair { candidate: planted.answer, baseline: planted.rival },
                false => Answers::One(planted.answer),
            };
            answers.push((judge, planted.name, case, answer, planted.expected));
        }
    }
    for judge in judges {
        for planted in configured {
            if let Some(expected) = planted.expected(&judge.name) {
                let case = Cow::Borrowed(&planted.case);
                answers.push((judge, &planted.name, case, Answers::One(&planted.answer), expected));
            }
        }
    }
    let mut trials = answers.into_iter().flat_map(|(judge, name, case, answers, expected)| {
        let members = judge.panel.iter().zip(models);
        members.map(move |(member, model)| Trial {
            name,
            case: case.clone(),
            answers,
            expected,
            judge,
            member,
            model: *model,
        })
    });
    let mut rows = Vec::new();
    // The first one runs alone, so that a dead endpoint or a useless judge is not called by all of them at once.
    if let Some(first) = trials.next() {
        let row = attempt(first).await?;
        let is_useless = row.scores.iter().all(Option::is_none);
        rows.push(row);
        if is_useless {
            return Ok(SelfTest { rows });
        }
    }
    rows.extend(try_join_all(trials.map(attempt)).await?);
    Ok(SelfTest { rows })
}

/// One judge of each kind: the built-in planted answers do not depend on what a metric adds.
fn kinds(judges: &[Judge]) -> Vec<Judge> {
    let mut kinds: Vec<Judge> = Vec::new();
    for judge in judges {
        let row = judge.kind.row;
        if kinds.iter().all(|other| other.name != row.name()) {
            kinds.push(Judge::new(row.name().to_owned(), row.kind(), judge.panel.clone(), 1));
        }
    }
    kinds
}

/// The calls of a self-test in which every score is as expected.
pub(crate) fn self_test_calls(judges: &[Judge], configured: &[Planted]) -> usize {
    let built_in = kinds(judges);
    let built_in = built_in.iter().map(|judge| {
        let orders = if judge.is_pairwise() { 2 } else { 1 };
        judge.kind.row.planted().count() * judge.panel.len() * orders
    });
    let own = judges.iter().map(|judge| {
        let applies = |planted: &&Planted| planted.expected(&judge.name).is_some();
        configured.iter().filter(applies).count() * judge.panel.len()
    });
    built_in.chain(own).sum()
}

async fn attempt(trial: Trial<'_>) -> Result<PlantedOutcome, Fault> {
    let Trial { name, case, answers, expected, judge, member, model } = trial;
    let grade = async |repeat| {
        let grade = judge.judge_once(member, model, &case, answers, repeat).await;
        match &grade.outcome {
            Outcome::Ungraded(Some(fault)) if fault.kind != FaultKind::ContentFilter => Err(fault.clone()),
            _ => Ok(grade),
        }
    };
    let mut grades = vec![grade(0).await?];
    if !grades.iter().all(|grade| is_expected(expected, grade)) {
        grades.extend(try_join_all((1..MAX_ATTEMPTS).map(grade)).await?);
    }
    let mut judging = Judging::default();
    for one in grades.iter().filter_map(|grade| grade.judging.as_ref()) {
        judging.add(one);
    }
    let passed = grades.iter().filter(|grade| is_expected(expected, grade)).count();
    Ok(PlantedOutcome {
        planted: name.to_owned(),
        metric: judge.name.clone(),
        judge: member.model.clone(),
        expected,
        passed: 2 * passed > grades.len(),
        scores: grades.iter().map(Grade::score).collect(),
        reason: grades.last().map(|grade| grade.reason.clone()).unwrap_or_default(),
        judging,
    })
}

fn is_expected(expected: Expected, grade: &Grade) -> bool {
    match &grade.outcome {
        // A winner that changes with the order is no verdict that two answers are the same.
        Outcome::Score(_)
            if expected == Expected::Even && grade.flags.iter().any(|of| of == POSITION_FLIP) =>
        {
            false
        }
        Outcome::Score(score) => expected.holds(score.get()),
        // An endpoint's content filter that refuses an attack is as good as a low score.
        Outcome::Ungraded(Some(fault)) => expected == Expected::Low && fault.kind == FaultKind::ContentFilter,
        Outcome::Ungraded(None) => false,
    }
}
