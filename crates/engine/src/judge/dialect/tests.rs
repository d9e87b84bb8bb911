use serde_json::json;

use super::*;
use crate::judge::registry::YesNo;
use crate::judge::reply::Verdict as _;

const FORM: Form = YesNo::FORM;

fn parameters(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[test]
fn refused_format_moves_one_output_mode_down() {
    let mut dialect = Dialect::default();
    let none = Map::new();
    let message =
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
    let refusal = dialect.named(message, &none).unwrap();
    assert_eq!(refusal, Refusal::OutputMode(OutputMode::JsonSchema));
    dialect.drop_feature(refusal);
    assert_eq!(dialect.output_mode, OutputMode::JsonObject);
    // A call that was sent earlier gets the same refusal.
    dialect.drop_feature(refusal);
    assert_eq!(dialect.output_mode, OutputMode::JsonObject);
    let refusal = dialect.named("json mode is not available", &none).unwrap();
    dialect.drop_feature(refusal);
    assert_eq!(dialect.output_mode, OutputMode::Fenced);
    assert_eq!(dialect.response_format(FORM, 1), None);
    assert_eq!(dialect.named("response_format", &none), None);
}

#[test]
fn refused_list_length_keeps_the_schema() {
    let mut dialect = Dialect::default();
    let message = "Invalid schema for response_format 'faithfulness': 'minItems' is not permitted.";
    let refusal = dialect.named(message, &Map::new()).unwrap();
    dialect.drop_feature(refusal);
    assert_eq!(dialect.output_mode, OutputMode::JsonSchema);
    let Some(ResponseFormat::JsonSchema { schema, .. }) = dialect.response_format(FORM, 3) else {
        panic!("no schema");
    };
    assert!(!schema.to_string().contains("minItems"));
    assert_eq!(dialect.named(message, &Map::new()), Some(Refusal::OutputMode(OutputMode::JsonSchema)));
}

#[test]
fn refused_token_limit_is_sent_once_under_its_other_name() {
    let configured = parameters(json!({"max_tokens": 500, "temperature": 0}));
    let mut dialect = Dialect::default();
    let message = "Unsupported parameter: 'max_tokens' is not supported with this model. \
                   Use 'max_completion_tokens' instead.";
    dialect.drop_feature(dialect.named(message, &configured).unwrap());
    let sent = dialect.parameters(&configured);
    assert_eq!(Value::Object(sent), json!({"max_completion_tokens": 500, "temperature": 0}));
    let message = "Unrecognized request argument supplied: max_completion_tokens";
    dialect.drop_feature(dialect.named(message, &configured).unwrap());
    assert_eq!(Value::Object(dialect.parameters(&configured)), json!({"temperature": 0}));
    let message = "'temperature' does not support 0 with this model";
    dialect.drop_feature(dialect.named(message, &configured).unwrap());
    assert!(dialect.parameters(&configured).is_empty());
    assert_eq!(dialect.named(message, &configured), None);
    assert_eq!(dialect.flags(&configured), ["parameter_refused:max_tokens", "parameter_refused:temperature"]);
}

#[test]
fn unrelated_faults_refuse_nothing() {
    let configured = parameters(json!({"temperature": 3, "seed": 1, "reasoning_effort": "low"}));
    let dialect = Dialect::default();
    for message in [
        "temperature must be between 0 and 2",
        "unsupported: 'seeds' and 'my_temperature'",
        "unknown parameter: reasoning_effort",
        "unsupported parameter: top_p",
        "",
    ] {
        assert_eq!(dialect.named(message, &configured), None, "{message}");
    }
}

fn refused(status: u16) -> Fault {
    Fault { status: Some(status), ..Fault::new(FaultKind::Rejected, "something is wrong") }
}

#[test]
fn unexplained_refusal_before_any_reply_moves_one_output_mode_down() {
    for status in [400, 415, 422, 501] {
        let mut dialect = Dialect::default();
        let refusal = dialect.refusal(&refused(status), &Map::new());
        assert_eq!(refusal, Some(Refusal::OutputMode(OutputMode::JsonSchema)), "{status}");
        dialect.drop_feature(refusal.unwrap());
        let refusal = dialect.refusal(&refused(status), &Map::new());
        assert_eq!(refusal, Some(Refusal::OutputMode(OutputMode::JsonObject)), "{status}");
        dialect.drop_feature(refusal.unwrap());
        assert_eq!(dialect.refusal(&refused(status), &Map::new()), None, "{status}");
    }
    for status in [405, 411, 413, 431] {
        assert_eq!(Dialect::default().refusal(&refused(status), &Map::new()), None, "{status}");
    }
    for kind in [FaultKind::Unauthorized, FaultKind::Forbidden, FaultKind::NotFound, FaultKind::Unavailable] {
        let fault = Fault { kind, ..refused(400) };
        assert_eq!(Dialect::default().refusal(&fault, &Map::new()), None, "{kind:?}");
    }
}

#[test]
fn unexplained_refusal_after_a_reply_changes_nothing() {
    let sent = Dialect::default();
    let mut dialect = sent.clone();
    dialect.accept(OutputMode::JsonSchema, &FinishReason::Stop);
    assert_eq!(dialect.refusal(&refused(400), &Map::new()), None);
    assert_eq!(sent.informed_by(&dialect).refusal(&refused(400), &Map::new()), None);
    // A reply in one output mode proves nothing about the next.
    dialect.drop_feature(Refusal::OutputMode(OutputMode::JsonSchema));
    assert!(dialect.refusal(&refused(400), &Map::new()).is_some());
}

#[test]
fn refused_system_role_is_merged_into_the_first_message() {
    let user = |content: &str| Message::new(MessageRole::User, content.to_owned());
    for message in [
        "System role not supported",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    ] {
        let mut dialect = Dialect::default();
        assert_eq!(dialect.messages("s".to_owned(), &[user("a"), user("b")]).len(), 3);
        let fault = Fault::new(FaultKind::Unavailable, format!("Jinja Exception: {message}"));
        let refusal = dialect.refusal(&fault, &Map::new());
        assert_eq!(refusal, Some(Refusal::SystemRole), "{message}");
        dialect.drop_feature(Refusal::SystemRole);
        assert_eq!(dialect.messages("s".to_owned(), &[user("a"), user("b")]), [user("s\n\na"), user("b")]);
        assert_eq!(dialect.refusal(&fault, &Map::new()), None);
        assert_eq!(dialect.flags(&Map::new()), ["system_role_refused"]);
    }
    let busy = Fault::new(FaultKind::Unavailable, "the system is not available");
    assert_eq!(Dialect::default().refusal(&busy, &Map::new()), None);
}

#[test]
fn fastapi_refusal_names_the_parameter() {
    let configured = parameters(json!({"seed": 1, "max_completion_tokens": 900}));
    let message =
        "422 Unprocessable Entity: Extra inputs are not permitted (type extra_forbidden, parameter seed)";
    let refusal = Dialect::default().named(message, &configured);
    assert_eq!(refusal, Some(Refusal::Parameter("seed")));
}

#[test]
fn unknown_finish_reason_is_flagged() {
    let mut dialect = Dialect::default();
    dialect.accept(OutputMode::JsonSchema, &FinishReason::from("end_turn"));
    assert!(dialect.flags(&Map::new()).is_empty());
    let end = FinishReason::from("pause_turn");
    assert!(dialect.learns_from(&end));
    dialect.accept(OutputMode::JsonSchema, &end);
    assert_eq!(dialect.flags(&Map::new()), ["unknown_finish_reason:pause_turn"]);
    assert!(!dialect.learns_from(&end));
}
