//! The difference of two versions.

use serde_json::Value;

use promptgate_core::text::line_diff;
use promptgate_release::ports::LedgerStore;
use promptgate_release::{Content, PromptReference, diff as level};
use promptgate_report::release::diff::{
    ChangedParameter, ChangedValue, Diff, LevelReason, SCHEMA, Segment, message_diffs, segments,
};

use super::resolve::{record, resolve};
use super::wire::{self, word};
use crate::app::{Failure, pretty_json};

/// Options of a difference.
#[derive(Debug, Clone)]
pub(crate) struct DiffOptions {
    /// The first version.
    pub(crate) old: PromptReference,
    /// The second version.
    pub(crate) new: PromptReference,
}

/// Compares two versions; the rules of levels are those of the second one's policy.
///
/// # Errors
/// An unknown name, version or label, a ledger that is damaged or not available.
pub(crate) async fn diff(ledger: &dyn LedgerStore, options: &DiffOptions) -> Result<Diff, Failure> {
    let (old, new) = (resolve(ledger, &options.old).await?, resolve(ledger, &options.new).await?);
    let before = record(ledger, &old.reference.name, old.version, &old.digest).await?.content;
    let after = record(ledger, &new.reference.name, new.version, &new.digest).await?;
    let comparison = level::compare(&before, &after.content, &after.policy.rules);
    let after = after.content;
    let reasons = comparison
        .changes
        .iter()
        .map(|change| LevelReason { level: change.level.to_string(), text: change.text.clone() });
    Ok(Diff {
        schema: SCHEMA.to_owned(),
        old: wire::resolved(&old),
        new: wire::resolved(&new),
        equal: before == after,
        least_level: comparison.level.map(|level| level.to_string()),
        reasons: reasons.collect(),
        kind: changed(word(&before.kind).into(), word(&after.kind).into()),
        model: changed(before.model.clone().into(), after.model.clone().into()),
        parameters: parameters(&before, &after),
        messages: message_diffs(&before.messages, &after.messages),
        answer_schema: schemas(before.answer_schema.as_ref(), after.answer_schema.as_ref())?,
    })
}

fn changed(old: Value, new: Value) -> Option<ChangedValue> {
    (old != new).then_some(ChangedValue { old, new })
}

fn parameters(old: &Content, new: &Content) -> Vec<ChangedParameter> {
    let mut names: Vec<&String> = old.parameters.keys().chain(new.parameters.keys()).collect();
    names.sort();
    names.dedup();
    let value = |content: &Content, name: &String| content.parameters.get(name).cloned().unwrap_or_default();
    let differing = names.into_iter().filter_map(|name| {
        Some(ChangedParameter { name: name.clone(), values: changed(value(old, name), value(new, name))? })
    });
    differing.collect()
}

fn schemas(old: Option<&Value>, new: Option<&Value>) -> Result<Vec<Segment>, Failure> {
    if old == new {
        return Ok(Vec::new());
    }
    let text = |schema: Option<&Value>| match schema {
        Some(schema) => pretty_json(schema, "the answer schema"),
        None => Ok(String::new()),
    };
    Ok(segments(line_diff(&text(old)?, &text(new)?)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chat, error, ledger, name, record, reference};
    use super::*;
    use promptgate_core::model::MessageRole::{self, Assistant, System, User};
    use promptgate_report::release::diff::{MessageChange, SegmentOp};
    use serde_json::json;

    fn options(old: &str, new: &str) -> DiffOptions {
        DiffOptions { old: reference(old), new: reference(new) }
    }

    #[tokio::test]
    async fn words_that_differ_are_segments() {
        let diff =
            diff(&ledger().await, &options("support/reply@production", "support/reply")).await.unwrap();
        assert!(!diff.equal);
        assert_eq!((diff.old.version.as_str(), diff.new.version.as_str()), ("1.0.0", "1.1.0"));
        assert!(diff.least_level.is_some() && !diff.reasons.is_empty());
        let [system, user] = diff.messages.as_slice() else { panic!("{:?}", diff.messages) };
        let added: Vec<&str> = system
            .segments
            .iter()
            .filter(|segment| segment.op == SegmentOp::Added)
            .map(|segment| segment.text.trim())
            .collect();
        assert_eq!(added, ["briefly"]);
        assert_eq!(user.change, MessageChange::Equal);
        assert_eq!((diff.model, diff.parameters.len()), (None, 0));
    }

    #[tokio::test]
    async fn equal_versions_have_no_level() {
        let diff = diff(&ledger().await, &options("support/reply@1.0.0", "support/reply@production")).await;
        let diff = diff.unwrap();
        assert!(diff.equal && diff.reasons.is_empty());
        assert_eq!(diff.least_level, None);
    }

    #[tokio::test]
    async fn model_parameters_and_schema_are_compared() {
        let ledger = ledger().await;
        let mut content = chat(&[(System, "Answer briefly from {{context}}."), (User, "{{query}}")]);
        content.model = "gpt-5".to_owned();
        content.parameters = serde_json::from_value(json!({"temperature": 0.7, "top_p": 0.9})).unwrap();
        content.answer_schema = Some(json!({"type": "object"}));
        ledger.publish(record(&name("support/reply"), "2.0.0", 3, content), "2026-11-06T10:00:00Z").await;
        let diff = diff(&ledger, &options("support/reply@1.1.0", "support/reply@2.0.0")).await.unwrap();
        assert_eq!(diff.kind, changed(json!("text"), json!("chat")));
        assert_eq!(diff.model, changed(json!("gpt-4.1-mini"), json!("gpt-5")));
        let names: Vec<&str> = diff.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["temperature", "top_p"]);
        assert_eq!(diff.parameters[1].values.old, Value::Null);
        assert!(diff.answer_schema.iter().all(|segment| segment.op == SegmentOp::Added));
    }

    #[test]
    fn messages_are_aligned_by_role() {
        let of = |messages: &[(MessageRole, &str)]| chat(messages).messages;
        let changes = |old: &[(MessageRole, &str)], new: &[(MessageRole, &str)]| {
            let messages = message_diffs(&of(old), &of(new));
            messages.iter().map(|it| (it.role.clone(), it.change)).collect::<Vec<_>>()
        };
        let role = |role: MessageRole, change| (role.as_str().to_owned(), change);
        assert_eq!(
            changes(
                &[(System, "a"), (User, "q")],
                &[(System, "b"), (User, "1"), (Assistant, "2"), (User, "q")]
            ),
            [
                role(System, MessageChange::Changed),
                role(User, MessageChange::Added),
                role(Assistant, MessageChange::Added),
                role(User, MessageChange::Equal),
            ]
        );
        assert_eq!(
            changes(&[(System, "a"), (Assistant, "x"), (User, "q")], &[(User, "z")]),
            [
                role(System, MessageChange::Removed),
                role(Assistant, MessageChange::Removed),
                role(User, MessageChange::Changed),
            ]
        );
    }

    #[tokio::test]
    async fn unknown_references_are_refused() {
        let ledger = ledger().await;
        error(diff(&ledger, &options("support/reply@1.0.0", "support/reply@3.0.0")).await);
        error(diff(&ledger, &options("support/rply@1.0.0", "support/reply@1.0.0")).await);
    }
}
