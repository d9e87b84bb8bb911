//! Endpoints that refuse output modes and parameters.

use super::*;
use promptgate_core::model::{FaultKind, Outcome, ResponseFormat};

fn rejected(message: &str) -> Reply {
    Err(Fault::new(FaultKind::Rejected, message))
}

fn not_found() -> String {
    verdicts(&[("not_found", &[])])
}

fn in_fence(text: &str) -> String {
    format!("Here is my reply.\n\n```json\n{text}\n```\n")
}

/// An endpoint that refuses these output modes and replies in the others.
fn endpoint(refused: &'static [&'static str]) -> ScriptedModel<'static> {
    ScriptedModel::new(move |request, _| {
        let output_mode = match &request.response_format {
            Some(ResponseFormat::JsonSchema { .. }) => "json_schema",
            Some(ResponseFormat::JsonObject) => "json_object",
            None => return Ok(completion(&in_fence(&not_found()))),
        };
        if refused.contains(&output_mode) {
            return rejected(&format!("response_format of type {output_mode} is not supported"));
        }
        Ok(completion(&not_found()))
    })
}

#[tokio::test]
async fn refused_output_modes_are_not_tried_again() {
    for (refused, output_mode, calls) in [
        (&[][..], "json_schema", 1),
        (&["json_schema"], "json_object", 2),
        (&["json_schema", "json_object"], "fenced", 3),
    ] {
        let judge = judge(built_in("faithfulness"));
        let model = endpoint(refused);
        for calls in [calls, 1] {
            let grade = grade_of(&judge, &model, &case(), "Returns are free.").await;
            assert_eq!(grade.score(), Some(0.0), "{grade:?}");
            let judging = grade.judging.unwrap();
            assert_eq!((judging.output_mode.as_deref(), judging.calls), (Some(output_mode), calls));
        }
    }
}

#[tokio::test]
async fn instructions_fit_the_output_mode() {
    let model = replies([
        rejected("json_schema is not supported"),
        rejected("json_object is not supported"),
        Ok(completion(&in_fence(&not_found()))),
    ]);
    grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns are free.").await;
    let asked = model.requests();
    let [schema, object, fenced] = asked.as_slice() else {
        panic!("{} calls", asked.len());
    };
    assert!(matches!(&schema.response_format, Some(ResponseFormat::JsonSchema { schema, .. })
        if schema["properties"]["statements"]["maxItems"] == 1));
    assert_eq!(object.response_format, Some(ResponseFormat::JsonObject));
    assert_eq!(fenced.response_format, None);
    assert_eq!(schema.messages, object.messages);
    assert!(object.messages[0].content.contains("the whole reply"));
    assert!(fenced.messages[0].content.contains("three backticks"));
    assert_eq!(fenced.messages[1], schema.messages[1]);
}

#[tokio::test]
async fn fenced_reply_is_parsed_strictly() {
    let good = in_fence(&not_found());
    let praise = verdicts(&[("supported", &["Unopened items can be returned within 30 days"])]);
    for bad in [
        format!("{}\n{good}", in_fence(&praise)),
        format!("{praise}\n{good}"),
        praise.clone(),
        format!("{good}{praise}"),
    ] {
        let steps = [rejected("response_format"), rejected("response_format")];
        let model = replies(steps.into_iter().chain((0..3).map(|_| Ok(completion(&bad)))));
        let grade =
            grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returned within 30 days.").await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{bad}");
        assert_eq!(grade.judging.unwrap().calls, 5);
    }
}

#[tokio::test]
async fn one_fenced_block_is_a_reply_in_every_output_mode() {
    let model = replies([Ok(completion(&in_fence(&not_found())))]);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns are free.").await;
    assert_eq!((grade.score(), grade.judging.unwrap().calls), (Some(0.0), 1));
    let praise = verdicts(&[("supported", &["Unopened items can be returned within 30 days"])]);
    for bad in
        [format!("{}{}", in_fence(&praise), in_fence(&praise)), format!("{}{praise}", in_fence(&praise))]
    {
        let model = scripted(&[&bad, &bad, &bad]);
        let grade =
            grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returned within 30 days.").await;
        assert_eq!(grade.outcome, Outcome::Ungraded(None), "{bad}");
    }
}

#[tokio::test]
async fn unexplained_refusal_of_the_first_judgement_moves_one_output_mode_down() {
    let unexplained =
        |status| Err(Fault { status: Some(status), ..Fault::new(FaultKind::Rejected, "Bad Request") });
    let judge = judge(built_in("faithfulness"));
    let model = replies([
        unexplained(415),
        unexplained(400),
        Ok(completion(&in_fence(&not_found()))),
        // After a reply, the same refusal is final.
        unexplained(400),
    ]);
    let grade = grade_of(&judge, &model, &case(), "Returns are free.").await;
    assert_eq!((grade.score(), grade.judging.unwrap().output_mode.as_deref()), (Some(0.0), Some("fenced")));
    let grade = grade_of(&judge, &model, &case(), "Returns are free.").await;
    assert!(matches!(&grade.outcome, Outcome::Ungraded(Some(fault)) if fault.kind == FaultKind::Rejected));
    assert_eq!(model.call_count(), 4);
}

#[tokio::test]
async fn judge_without_a_system_role_gets_one_user_message() {
    let model = replies([rejected("System role not supported"), Ok(completion(&not_found()))]);
    let grade = grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns are free.").await;
    assert_eq!((grade.score(), &*grade.flags), (Some(0.0), &["system_role_refused".to_owned()][..]));
    let requests = model.requests();
    let [before, after] = requests.as_slice() else { panic!("{} calls", requests.len()) };
    let contents = before.messages.iter().map(|message| message.content.as_str());
    assert_eq!(after.messages.len(), 1);
    assert_eq!(after.messages[0].content, contents.collect::<Vec<_>>().join("\n\n"));
    assert_eq!(after.messages[0].role, promptgate_core::model::MessageRole::User);
}

#[tokio::test]
async fn ids_of_a_schema_are_plain_integers() {
    let model = replies([Ok(completion(&not_found()))]);
    grade_of(&judge(built_in("faithfulness")), &model, &case(), "Returns are free.").await;
    let Some(ResponseFormat::JsonSchema { schema, .. }) = model.requests()[0].response_format.clone() else {
        panic!("no schema");
    };
    let id = schema.pointer("/properties/statements/items/properties/id");
    assert_eq!(id, Some(&json!({"type": "integer"})));
}

#[tokio::test]
async fn refused_parameters_are_dropped_and_flagged() {
    let parameters = json!({"temperature": 0, "max_tokens": 900, "reasoning_effort": "low"});
    let judge = judge_with(built_in("faithfulness"), parameters);
    let model = replies([
        rejected("Unsupported value: 'temperature' does not support 0 with this model."),
        rejected(
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
        ),
        Ok(completion(&not_found())),
        Ok(completion(&not_found())),
    ]);
    for calls in [3, 1] {
        let grade = grade_of(&judge, &model, &case(), "Returns are free.").await;
        assert_eq!(grade.score(), Some(0.0));
        assert_eq!(grade.flags, ["parameter_refused:max_tokens", "parameter_refused:temperature"]);
        assert_eq!(grade.judging.unwrap().calls, calls);
    }
    let last = Value::Object(model.requests()[3].parameters.clone());
    assert_eq!(last, json!({"max_completion_tokens": 900, "reasoning_effort": "low"}));
}

#[tokio::test]
async fn endpoint_that_refuses_everything_gives_no_grade() {
    let model = ScriptedModel::new(|_, _| rejected("response_format temperature seed: unsupported"));
    let parameters = json!({"temperature": 0, "seed": 1, "max_tokens": 1, "max_completion_tokens": 1});
    let judge = judge_with(built_in("relevance"), parameters);
    let grade = grade_of(&judge, &model, &case(), "Returns are free.").await;
    assert!(matches!(&grade.outcome, Outcome::Ungraded(Some(fault)) if fault.kind == FaultKind::Rejected));
    assert_eq!(grade.judging.unwrap().calls, 5);
}

#[tokio::test]
async fn other_faults_do_not_change_the_output_mode() {
    let fault = Fault::new(FaultKind::Unavailable, "response_format json_schema is not supported right now");
    let model = replies([Err(fault.clone())]);
    let grade = grade_of(&judge(built_in("relevance")), &model, &case(), "Returns are free.").await;
    assert_eq!(grade.outcome, Outcome::Ungraded(Some(fault)));
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test]
async fn refusals_are_shared_by_calls_in_flight() {
    let judge = judge(built_in("faithfulness"));
    let model = endpoint(&["json_schema"]);
    let case = case();
    let grades =
        futures::future::join_all((0..8).map(|_| grade_of(&judge, &model, &case, "Returns are free."))).await;
    assert!(grades.iter().all(|grade| {
        grade.judging.as_ref().and_then(|judging| judging.output_mode.as_deref()) == Some("json_object")
    }));
}
