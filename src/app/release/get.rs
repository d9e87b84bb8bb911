//! A prompt with its variables inserted.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::resolve::{record, resolve};
use super::wire::word;
use crate::app::Failure;
use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Diagnostics, MessageRole, Place};
use promptgate_core::template::Template;
use promptgate_release::ports::LedgerStore;
use promptgate_release::{Content, PromptKind, PromptReference, Selector};
use promptgate_report::release::Message;
use promptgate_report::release::compiled::{Compiled, SCHEMA};

/// Options of a compiled prompt.
#[derive(Debug, Clone)]
pub(crate) struct GetOptions {
    /// The version.
    pub(crate) reference: PromptReference,
    /// The values of its variables.
    pub(crate) variables: BTreeMap<String, String>,
}

/// Reads a version and inserts the values.
///
/// # Errors
/// An unknown name, version or label; variables without a value, and values without a variable; a ledger that is damaged
/// or not available.
pub(crate) async fn get(ledger: &dyn LedgerStore, options: &GetOptions) -> Result<Compiled, Failure> {
    let resolved = resolve(ledger, &options.reference).await?;
    let content = record(ledger, &options.reference.name, resolved.version, &resolved.digest).await?.content;
    let messages = compile(&content, options)?;
    let label = match &options.reference.selector {
        Selector::Label(label) => Some(label.to_string()),
        Selector::Version(_) => None,
    };
    Ok(Compiled {
        schema: SCHEMA.to_owned(),
        name: options.reference.name.to_string(),
        version: resolved.version.to_string(),
        label,
        digest: resolved.digest.to_string(),
        kind: word(&content.kind),
        messages,
        model: content.model,
        parameters: content.parameters,
        answer_schema: content.answer_schema,
    })
}

fn compile(content: &Content, options: &GetOptions) -> Result<Vec<Message>, Failure> {
    let mut templates = Vec::new();
    for message in &content.messages {
        let template = Template::parse(&message.content)
            .map_err(|error| Diagnostic::new(error.message).help(error.help))?;
        // The user message of a text prompt is the application's; its variables are known, but need no value.
        let is_returned = content.kind == PromptKind::Chat || message.role != MessageRole::User;
        templates.push((message.role, template, is_returned));
    }
    let values = &options.variables;
    let mut known: Vec<&str> = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    for (_, template, is_returned) in &templates {
        for variable in template.variables() {
            if !known.contains(&variable) {
                known.push(variable);
            }
            if *is_returned && !values.contains_key(variable) && !missing.contains(&variable) {
                missing.push(variable);
            }
        }
    }
    let unknown = values.keys().filter(|name| !known.contains(&name.as_str()));
    let mut diagnostics: Vec<Diagnostic> =
        unknown.map(|name| unknown_variable(name, &known, options)).collect();
    diagnostics.extend((!missing.is_empty()).then(|| missing_variables(&missing, options)));
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics).into());
    }
    let lookup = |name: &str| values.get(name).map(|value| Cow::Borrowed(value.as_str()));
    let mut messages = Vec::new();
    for (role, template, _) in templates.into_iter().filter(|(_, _, is_returned)| *is_returned) {
        let text = template.render(&lookup).map_err(|error| Failure::Internal(error.to_string()))?;
        messages.push(Message { role: role.as_str().to_owned(), content: text });
    }
    Ok(messages)
}

fn missing_variables(missing: &[&str], options: &GetOptions) -> Diagnostic {
    let listed: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let flags: Vec<String> = missing.iter().map(|name| format!("--var {name}=…")).collect();
    let noun = if missing.len() == 1 { "variable" } else { "variables" };
    Diagnostic::new(format!("{} needs the {noun} {}", options.reference, listed.join(", "))).help(format!(
        "give {}; `promptgate show {} --format json` has the template",
        flags.join(" "),
        options.reference
    ))
}

fn unknown_variable(name: &str, known: &[&str], options: &GetOptions) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("{} has no variable `{name}`", options.reference))
        .at(Place::file(format!("--var {name}")));
    match suggest(name, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => diagnostic.help("it has no variables"),
        None => diagnostic.help(format!("its variables are {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chat, error, ledger, name, record, reference};
    use super::*;
    use promptgate_core::model::MessageRole::{System, User};

    fn options(text: &str, variables: &[(&str, &str)]) -> GetOptions {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        GetOptions { reference: reference(text), variables: variables.collect() }
    }

    #[tokio::test]
    async fn text_prompts_are_their_system_message() {
        let options = options("support/reply@production", &[("context", "{{query}} {{context}}")]);
        let compiled = get(&ledger().await, &options).await.unwrap();
        assert_eq!((compiled.version.as_str(), compiled.label.as_deref()), ("1.0.0", Some("production")));
        let [system] = compiled.messages.as_slice() else { panic!("{:?}", compiled.messages) };
        // A value is not scanned for placeholders.
        assert_eq!(system.content, "Answer from {{query}} {{context}}.");
    }

    #[tokio::test]
    async fn chat_prompts_are_all_messages() {
        let ledger = ledger().await;
        let content = chat(&[(System, "Be {{tone}}."), (User, "{{query}}")]);
        ledger.publish(record(&name("support/reply"), "2.0.0", 3, content), "2026-11-06T10:00:00Z").await;
        let options = options("support/reply@2.0.0", &[("tone", "kind"), ("query", "Hi?")]);
        let compiled = get(&ledger, &options).await.unwrap();
        let texts: Vec<&str> = compiled.messages.iter().map(|message| message.content.as_str()).collect();
        assert_eq!((texts, compiled.label), (vec!["Be kind.", "Hi?"], None));
    }

    #[tokio::test]
    async fn variables_of_the_user_message_are_known() {
        let options = options("support/reply@1.0.0", &[("context", "a"), ("query", "b")]);
        assert_eq!(get(&ledger().await, &options).await.unwrap().messages[0].content, "Answer from a.");
    }

    #[tokio::test]
    async fn missing_variables_are_refused() {
        let diagnostic = error(get(&ledger().await, &options("support/reply@1.0.0", &[])).await);
        assert_eq!(diagnostic.message, "support/reply@1.0.0 needs the variable `context`");
        assert!(diagnostic.help.unwrap().starts_with("give --var context=…"));
    }

    #[tokio::test]
    async fn unknown_variables_are_refused() {
        let options = options("support/reply@1.0.0", &[("context", "a"), ("contxt", "b")]);
        let diagnostic = error(get(&ledger().await, &options).await);
        assert_eq!(diagnostic.message, "support/reply@1.0.0 has no variable `contxt`");
        assert_eq!(diagnostic.help.as_deref(), Some("did you mean `context`?"));
    }
}
