use serde_json::json;

use super::*;
use promptgate_core::model::{Case, Completion};

#[test]
fn score_and_pass_are_read() {
    let parsed = parse_score(&json!({"score": 0.5, "reason": "half", "details": {"rows": 3}}));
    assert_eq!(parsed, Ok((0.5, "half".to_owned(), json!({"rows": 3}))));
    for (reply, expected) in [
        (json!({"score": 0}), 0.0),
        (json!({"score": 1}), 1.0),
        (json!({"pass": true}), 1.0),
        (json!({"pass": false, "score": null}), 0.0),
        (json!({"pass": false, "score": 0.9}), 0.9),
    ] {
        assert_eq!(parse_score(&reply), Ok((expected, String::new(), Value::Null)), "{reply}");
    }
}

#[test]
fn request_has_the_case_and_the_answer() {
    let mut case =
        Case { id: "a".to_owned(), query: "q".to_owned(), expected: Some(json!(7)), ..Case::default() };
    case.vars.insert("tier".to_owned(), json!("pro"));
    let completion = Completion { contexts: Some(vec!["c".to_owned()]), ..Completion::from_text("30 days") };
    let subject = Subject { case: &case, completion: &completion, answer: Ok("30 days") };
    let expected = json!({
        "id": 3,
        "case": {
            "id": "a", "query": "q", "context": null, "expected": 7, "tags": [], "vars": {"tier": "pro"}, "messages": []
        },
        "output": "30 days",
        "contexts": ["c"],
        "tool_calls": [],
        "expected": 7,
    });
    assert_eq!(input(3, &subject), expected);
}

#[test]
fn everything_else_is_ungraded() {
    for (reply, expected) in [
        (json!({}), "missing"),
        (json!([]), "missing"),
        (json!(1), "missing"),
        (json!({"score": null}), "missing"),
        (json!({"score": 1.01}), "from 0 to 1"),
        (json!({"score": -0.01}), "from 0 to 1"),
        (json!({"score": 1e308}), "from 0 to 1"),
        (json!({"score": "1"}), "from 0 to 1"),
        (json!({"score": true}), "from 0 to 1"),
        (json!({"score": "NaN"}), "from 0 to 1"),
        (json!({"pass": 1}), "true or false"),
        (json!({"pass": "true"}), "true or false"),
        (json!({"pass": "true", "score": 1}), "true or false"),
        (json!({"pass": true, "score": 2}), "from 0 to 1"),
        (json!({"score": 1, "error": "no database"}), "no database"),
        (json!({"pass": true, "error": {"message": "no database"}}), "no database"),
        (json!({"score": 1, "reason": 5}), "`reason`"),
    ] {
        let error = parse_score(&reply).unwrap_err();
        assert!(error.contains(expected), "{reply}: {error}");
    }
}
