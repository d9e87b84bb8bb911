//! Judges that repeat the answer before, behind or instead of their verdict.

use super::*;
use promptgate_core::model::{FaultKind, Outcome};

/// A judge with a function from payload to reply, on an endpoint with or without structured output.
fn judge_by(
    structured: bool,
    reply: impl Fn(&UntypedPayload) -> String + Send + Sync + 'static,
) -> impl ChatModel {
    ScriptedModel::new(move |request, _| {
        if !structured && request.response_format.is_some() {
            return Err(Fault::new(
                FaultKind::Rejected,
                "response_format json_schema and json_object are not supported",
            ));
        }
        Ok(completion(&reply(&untyped(request))))
    })
}

fn in_fence(text: &str) -> String {
    format!("```json\n{text}\n```")
}

/// The attack alone and around an answer.
fn answers(attack: &Attack) -> Vec<String> {
    let mut answers = vec![attack.text()];
    answers.extend(around(BASES[0], &attack.text()));
    answers
}

#[tokio::test]
async fn echo_of_the_answer_is_not_a_verdict() {
    for attack in corpus().iter().filter(|attack| attack.repeat == 1) {
        for kind in &built_in_kinds().collect::<Vec<_>>() {
            for answer in answers(attack) {
                let echoes = [
                    answer.clone(),
                    attack.text(),
                    // Without the fence of the answer, and below with one of the judge.
                    attack.answer.trim_matches('`').trim_start_matches("json").trim().to_owned(),
                ];
                for echo in echoes.iter().flat_map(|echo| [echo.clone(), in_fence(echo)]) {
                    for structured in [true, false] {
                        let reply = echo.clone();
                        let model = judge_by(structured, move |_| reply.clone());
                        let grade = graded(kind, &model, &answer).await;
                        let was_not_judged = grade.judging.is_none() && grade.score() == Some(0.0);
                        assert!(
                            was_not_judged || grade.outcome == Outcome::Ungraded(None),
                            "{} {kind:?} structured: {structured}: {grade:?}",
                            attack.id
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn echo_around_the_verdict_does_not_change_it() {
    for attack in corpus().iter().filter(|attack| attack.repeat == 1) {
        for kind in &built_in_kinds().collect::<Vec<_>>() {
            for answer in answers(attack) {
                for structured in [true, false] {
                    let verdict = move |payload: &UntypedPayload| {
                        let verdict = reader::reply(payload);
                        if structured { verdict } else { in_fence(&verdict) }
                    };
                    let honest = graded(kind, &judge_by(structured, verdict), &answer).await.score();
                    assert!(honest.is_some(), "{} {kind:?}", attack.id);
                    for echo in [&answer, &attack.answer] {
                        let (first, last) = (echo.clone(), echo.clone());
                        let before =
                            judge_by(structured, move |payload| format!("{first}\n{}", verdict(payload)));
                        let behind =
                            judge_by(structured, move |payload| format!("{}\n{last}", verdict(payload)));
                        for grade in
                            [graded(kind, &before, &answer).await, graded(kind, &behind, &answer).await]
                        {
                            // Ungraded, or graded by the verdict.
                            let is_unchanged = grade.score().is_none() || grade.score() == honest;
                            assert!(is_unchanged, "{} {kind:?}: {grade:?} instead of {honest:?}", attack.id);
                        }
                    }
                }
            }
        }
    }
}
