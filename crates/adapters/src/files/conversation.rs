//! The conversation of a case: its question or turns, its images, and its turns as cases of their own.

use std::collections::BTreeSet;

use promptgate_core::model::{Case, Diagnostic, Diagnostics, MessageRole};

use super::images::path_beside;

/// Completes the conversation of a row: the last turn, or without a query a last message of the user, is the question.
/// Paths of images, which are relative to `file`, become relative to the configuration.
///
/// # Errors
/// Turns beside a query.
pub(super) fn complete(case: &mut Case, file: &str) -> Result<(), Diagnostic> {
    if let Some(last) = case.turns.last() {
        if case.has_query() {
            return Err(Diagnostic::new("a case has both `query` and `turns`")
                .help("keep one of them: the last of the `turns` is the question that is graded"));
        }
        case.query.clone_from(last);
    } else if !case.has_query()
        && let Some(question) = case.messages.pop_if(|message| message.role == MessageRole::User)
    {
        case.is_query_empty = question.content.is_empty();
        case.query = question.content;
        case.images = question.images;
    }
    for image in case.images_mut() {
        if let Some(path) = image.path() {
            image.url = path_beside(file, path);
        }
    }
    Ok(())
}

/// Makes each turn a case of its own, whose conversation ends with it. Cases of one conversation are a group. What grades
/// one case alone (`expected`, `checks`, `criteria`, and with these `must_pass`) grades its
/// last turn.
///
/// # Errors
/// An id that another case has already.
pub(super) fn by_turn(cases: Vec<Case>) -> Result<Vec<Case>, Diagnostics> {
    let ids: BTreeSet<String> = cases.iter().map(|case| case.id.clone()).collect();
    let mut diagnostics = Vec::new();
    let mut expanded = Vec::with_capacity(cases.len());
    for case in cases {
        let count = case.turns.len();
        if count == 0 {
            expanded.push(case);
            continue;
        }
        for (number, question) in (1..=count).zip(&case.turns) {
            let id = format!("{}/{number}", case.id);
            if ids.contains(&id) {
                let diagnostic = Diagnostic::new(format!(
                    "turn {number} of case `{}` has the id of another case, `{id}`",
                    case.id
                ));
                diagnostics.push(diagnostic.at(case.place.clone()).help("give one of them another id"));
            }
            let mut turn = Case {
                id,
                query: question.clone(),
                turns: case.turns.iter().take(number).cloned().collect(),
                turn_of: Some(case.id.clone()),
                group: case.group.clone().or_else(|| Some(case.id.clone())),
                ..case.clone()
            };
            if number < count {
                // Criteria decide about their own turn alone.
                turn.must_pass &= case.criteria.is_empty();
                turn.expected = None;
                turn.expected_sources.clear();
                turn.checks.clear();
                turn.criteria.clear();
            }
            expanded.push(turn);
        }
    }
    if diagnostics.is_empty() { Ok(expanded) } else { Err(Diagnostics(diagnostics)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::files::{DatasetBytes, DatasetFile, DatasetSource, TurnGrading, parse_dataset};

    fn cases(path: &str, text: &str, grade_turns: TurnGrading) -> Vec<Case> {
        let file =
            DatasetFile { name: path.to_owned(), path: path.to_owned(), bytes: Ok(text.as_bytes().to_vec()) };
        let bytes = DatasetBytes { name: path.to_owned(), files: Ok(vec![file]) };
        let source = DatasetSource { path: path.to_owned(), grade_turns, ..DatasetSource::default() };
        parse_dataset(bytes, &source).unwrap().value.cases
    }

    fn last(text: &str) -> Case {
        cases("data/cases.jsonl", text, TurnGrading::Last).remove(0)
    }

    #[test]
    fn last_message_of_the_user_is_the_question_where_there_is_none() {
        let image = json!({"image": "a.png"});
        let messages = json!([{"role": "assistant", "content": "Hi"},
            {"role": "user", "content": [{"type": "text", "text": "Why?"}, image]}]);
        let case = last(&json!({"messages": messages}).to_string());
        assert_eq!((case.query.as_str(), case.messages.len(), case.images.len()), ("Why?", 1, 1));
        assert_eq!(case.images[0].url, "data/a.png", "relative to the dataset");
        let case = last(&json!({"messages": messages, "query": "How?"}).to_string());
        assert_eq!((case.query.as_str(), case.messages.len(), case.images.len()), ("How?", 2, 0));
        assert_eq!(case.messages[1].images[0].url, "data/a.png");
        let case = last(&json!({"messages": messages, "turns": ["How?", "When?"]}).to_string());
        assert_eq!((case.query.as_str(), case.messages.len(), case.turns.len()), ("When?", 2, 2));
    }

    #[test]
    fn conversations_are_read_from_every_format() {
        let yaml = "- turns: [007, no]\n  messages: [{role: assistant, content: Hi}]\n";
        let of_yaml = cases("c.yaml", yaml, TurnGrading::Last).remove(0);
        let csv = "messages,turns\n\"[{\"\"role\"\": \"\"assistant\"\", \"\"content\"\": \"\"Hi\"\"}]\",\"[\"\"007\"\", \"\"no\"\"]\"\n";
        let of_csv = cases("c.csv", csv, TurnGrading::Last).remove(0);
        for case in [of_yaml, of_csv] {
            assert_eq!(
                (case.turns, case.messages[0].content.as_str()),
                (vec!["007".to_owned(), "no".to_owned()], "Hi")
            );
        }
    }

    #[test]
    fn each_turn_is_a_case_whose_last_has_what_grades_the_row() {
        let row = json!({"id": "a", "turns": ["1", "2"], "expected": "x", "criteria": ["is kind"], "must_pass": true,
            "tags": ["t"]});
        let cases = cases("c.jsonl", &row.to_string(), TurnGrading::Each);
        let of = |case: &Case| {
            (case.id.clone(), case.turns.len(), case.query.clone(), case.expected.clone(), case.must_pass)
        };
        assert_eq!(of(&cases[0]), ("a/1".to_owned(), 1, "1".to_owned(), None, false));
        assert_eq!(of(&cases[1]), ("a/2".to_owned(), 2, "2".to_owned(), Some(Value::from("x")), true));
        assert!(cases.iter().all(|case| case.group.as_deref() == Some("a") && case.tags == ["t"]));
        assert!(cases[0].criteria.is_empty() && cases[1].criteria.len() == 1);
    }

    #[test]
    fn names_near_to_messages_and_turns_are_variables() {
        let case = last(
            &json!({"query": "q", "message": "m", "passages": "p", "turn": 1, "returns": "r"}).to_string(),
        );
        assert_eq!(case.vars.len(), 4);
    }
}
