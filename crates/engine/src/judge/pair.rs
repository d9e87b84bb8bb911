//! Comparison of the answers of both variants, by a judge that reads them in both orders.
//!
//! The judge is not told which answer is whose. A variant wins only if the judge prefers its answer in either place; a
//! winner that changes with the order is a tie, and flagged.

use futures::join;
use serde_json::{Value, json};

use promptgate_core::metric::POSITION_FLIP;
use promptgate_core::model::{Case, EVEN, Grade, Judging, Outcome, Score};
use promptgate_core::port::{ChatModel, Subject};

use super::kind::{Call, Kind};
use super::{Judge, Member, ScoreResult, Scored, details, precheck};

/// The text that a judge reads.
#[derive(Debug, Clone, Copy)]
pub enum Answers<'a> {
    /// One answer.
    One(&'a str),
    /// The answers of both variants to the same case.
    #[expect(missing_docs, reason = "the names say it")]
    Pair { candidate: &'a str, baseline: &'a str },
}

/// The answer to judge.
///
/// # Errors
/// Why there is nothing to judge: the answer is incomplete, absent or empty.
pub(crate) fn readable<'a>(subject: &Subject<'a>) -> Result<&'a str, String> {
    precheck::answer(subject).map_err(|refusal| refusal.reason)
}

impl Judge {
    /// Compares the candidate's answer with the baseline's: 1 if it is better, 0 if it is worse, one half for a tie. An
    /// error says why an answer cannot be read; such an answer loses without a call, and a pair of two is ungraded. Two equal
    /// answers tie without one.
    pub async fn compare(
        &self,
        models: &[&dyn ChatModel],
        case: &Case,
        [candidate, baseline]: [Result<&str, &str>; 2],
        repeat: u32,
    ) -> Grade {
        let without_call = |score, flag: &str, reason: String| Grade {
            flags: vec![flag.to_owned()],
            ..Grade::unjudged(&self.name, tie_or(score), reason)
        };
        const UNREADABLE: &str = "unreadable_answer";
        match (candidate, baseline) {
            (Ok(candidate), Ok(baseline)) if candidate == baseline => {
                without_call(None, "equal_answers", "both answers are the same".to_owned())
            }
            (Ok(candidate), Ok(baseline)) => {
                self.judge(models, case, Answers::Pair { candidate, baseline }, repeat).await
            }
            (Err(reason), Ok(_)) => {
                without_call(Some(Score::ZERO), UNREADABLE, format!("lost without a call: {reason}"))
            }
            (Ok(_), Err(reason)) => {
                let reason = format!("won without a call; of the baseline: {reason}");
                without_call(Some(Score::ONE), UNREADABLE, reason)
            }
            // Nothing was compared, so nothing is shown, not even a tie.
            (Err(reason), Err(_)) => Grade {
                flags: vec![UNREADABLE.to_owned()],
                ..Grade::unjudged(
                    &self.name,
                    Outcome::Ungraded(None),
                    format!("neither answer can be compared: {reason}"),
                )
            },
        }
    }
}

fn tie_or(score: Option<Score>) -> Outcome {
    score.or_else(|| Score::new(EVEN)).map_or(Outcome::Ungraded(None), Outcome::Score)
}

/// One comparison by one member, in both orders.
pub(super) async fn judge(
    kind: &Kind,
    (member, model): (&Member, &dyn ChatModel),
    case: &Case,
    [candidate, baseline]: [&str; 2],
    repeat: u32,
) -> (ScoreResult, Option<Judging>) {
    let in_order =
        |answer, second| kind.judge(Call { member, model, case, answer, second: Some(second), repeat });
    let ((candidate_first, one), (baseline_first, other)) =
        join!(in_order(candidate, baseline), in_order(baseline, candidate));
    let judging = match (one, other) {
        (Some(one), Some(mut other)) => {
            other.add(&one);
            Some(other)
        }
        (one, other) => one.or(other),
    };
    (combine(candidate_first, baseline_first), judging)
}

/// The result for the candidate from the scores of the first answers.
fn combine(candidate_first: ScoreResult, baseline_first: ScoreResult) -> ScoreResult {
    let (one, other) = (candidate_first?, baseline_first?);
    let (first, second) = (one.score, 1.0 - other.score);
    let agree = first == second;
    let score = if agree { first } else { EVEN };
    let flips = !agree && first != EVEN && second != EVEN;
    let reason = match score {
        _ if flips => "a tie: the winner changed with the order of the answers",
        _ if !agree => "a tie: only one order of the answers had a winner",
        score if score > EVEN => "the candidate's answer is better in both orders",
        score if score < EVEN => "the baseline's answer is better in both orders",
        _ => "a tie in both orders",
    };
    let winner = |score: f64| match score {
        score if score > EVEN => "candidate",
        score if score < EVEN => "baseline",
        _ => "tie",
    };
    let entry = |id: u32, text: &str, score, details: Value| {
        let mut entry = json!({"id": id, "text": text, "verdict": winner(score)});
        if let (Value::Object(entry), Value::Object(details)) = (&mut entry, details) {
            entry.extend(details);
        }
        entry
    };
    let mut flags = one.flags;
    flags.extend(flips.then(|| POSITION_FLIP.to_owned()));
    let orders = vec![
        entry(1, "the candidate's answer first", first, one.details),
        entry(2, "the baseline's answer first", second, other.details),
    ];
    Ok(Scored { score, reason: reason.to_owned(), details: details::list("orders", orders), flags })
}
