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
    let images = case.messages.iter_mut().flat_map(|message| &mut message.images).chain(&mut case.images);
    for image in images {
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
