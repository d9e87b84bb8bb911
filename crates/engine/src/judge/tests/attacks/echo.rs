//! Judges that say the answer again: before their verdict, behind it, or instead of it.

use super::*;
use promptgate_core::model::{FaultKind, Outcome};

/// A judge whose reply this makes of the data; over an endpoint that knows structured output, or knows none.
fn saying<'s>(
    structured: bool,
    say: impl Fn(&UntypedPayload) -> String + Send + Sync + 's,
) -> ScriptedModel<'s> {
    scripted_by(move |request: &ChatRequest| {
        if !structured && request.response_format.is_some() {
            return Err(Fault::new(
                FaultKind::Rejected,
                "response_format json_schema and json_object are not supported",
            ));
        }
        Ok(completion(&say(&untyped(request))))
    })
}

fn in_fence(text: &str) -> String {
    format!("```json\n{text}\n```")
}

/// What is judged: the attack alone and around an answer.
fn answers(attack: &Attack) -> Vec<String> {
    let mut answers = vec![attack.text()];
    answers.extend(around(BASES[0], &attack.text()));
    answers
}

#[tokio::test]
async fn an_answer_said_again_is_no_verdict() {
    for attack in corpus().iter().filter(|attack| attack.repeat == 1) {
        for kind in &content_kinds() {
            for answer in answers(attack) {
                let echoes = [
                    answer.clone(),
                    attack.text(),
                    // Without the fence that the answer puts around it, and with one of the judge's own.
                    attack.answer.trim_matches('`').trim_start_matches("json").trim().to_owned(),
                ];
                for echo in echoes.iter().flat_map(|echo| [echo.clone(), in_fence(echo)]) {
                    for structured in [true, false] {
                        let model = saying(structured, |_| echo.clone());
                        let grade = graded(kind, &model, &answer).await;
                        let unasked = grade.judging.is_none() && grade.score() == Some(0.0);
                        assert!(
                            unasked || grade.outcome == Outcome::Ungraded(None),
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
async fn an_answer_said_around_the_verdict_changes_nothing() {
    for attack in corpus().iter().filter(|attack| attack.repeat == 1) {
        for kind in &content_kinds() {
            for answer in answers(attack) {
                for structured in [true, false] {
                    let verdict = |payload: &UntypedPayload| {
                        let verdict = reader::reply(payload);
                        if structured { verdict } else { in_fence(&verdict) }
                    };
                    let honest = graded(kind, &saying(structured, verdict), &answer).await.score();
                    assert!(honest.is_some(), "{} {kind:?}", attack.id);
                    for said in [&answer, &attack.answer] {
                        let before = saying(structured, |payload| format!("{said}\n{}", verdict(payload)));
                        let behind = saying(structured, |payload| format!("{}\n{said}", verdict(payload)));
                        for grade in
                            [graded(kind, &before, &answer).await, graded(kind, &behind, &answer).await]
                        {
                            // Ungraded, or what the verdict says.
                            let fine = grade.score().is_none() || grade.score() == honest;
                            assert!(fine, "{} {kind:?}: {grade:?} instead of {honest:?}", attack.id);
                        }
                    }
                }
            }
        }
    }
}
