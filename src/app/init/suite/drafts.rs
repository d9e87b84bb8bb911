//! Draft cases for a prompt without a dataset: its placeholders with texts to replace.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::roles;
use super::task::Task;
use crate::app::init::survey::FoundPrompt;
use promptgate_core::template::names_a_reference;

/// Number of draft cases.
pub(super) const DRAFTS: usize = 3;
const QUESTIONS: [&str; DRAFTS] = [
    "What can you help me with?",
    "How long does it take, and what does it cost?",
    "Please explain the most important point in one sentence.",
];
const SITUATION: &str = "We help with orders, returns and repairs. A repair takes three days and costs 40 euros, the most important point is the term.";
const PASSAGES: [&str; DRAFTS] = [
    "We help with orders, returns and repairs. Replace this passage with one that your prompt gets.",
    "A repair takes three working days and costs 40 euros. Replace this passage with one that your prompt gets.",
    "The most important point is that a return is free within 30 days. Replace this passage with one that your prompt gets.",
];

/// The draft dataset and its mapping.
pub(super) struct Drafts {
    pub(super) text: String,
    pub(super) fields: BTreeMap<String, String>,
}

/// Drafts whose columns are the placeholders of the prompt, and `query` where no placeholder is the question.
pub(super) fn drafts(prompt: &FoundPrompt, task: Task) -> Drafts {
    // Single braces are probably meant as placeholders; these columns are for the day they are.
    let single: Vec<String> = prompt.single_braces.iter().map(|(_, name)| name.clone()).collect();
    let mut names = prompt.placeholders.clone();
    names.extend(single.into_iter().filter(|name| !["id", "expected"].contains(&name.as_str())));
    let asked = roles::asked(&names).map(str::to_owned);
    let listed: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut passages = roles::passages(&listed).map(str::to_owned);
    if passages.is_none() && task == Task::Rag {
        passages = Some("context".to_owned());
    }
    let mut fields = BTreeMap::new();
    for (field, name) in [("query", &asked), ("context", &passages)] {
        if let Some(name) = name.as_ref().filter(|name| *name != field) {
            fields.insert(field.to_owned(), name.clone());
            fields.insert(format!("vars.{name}"), name.clone());
        }
    }
    let columns = |name: &&String| {
        name.as_str() != "id" && asked.as_ref() != Some(name) && passages.as_ref() != Some(name)
    };
    let others: Vec<&String> = names.iter().filter(columns).collect();
    for name in &others {
        let is_field = ["query", "context"].contains(&name.as_str());
        if !is_field
            && (names_a_reference(name)
                || name.contains('.')
                || promptgate_core::document::suggest(name, FIELDS).is_some())
        {
            fields.insert(format!("vars.{name}"), (*name).clone());
        }
    }
    let row = |index: usize| {
        let mut row = Map::new();
        row.insert("id".to_owned(), Value::from(format!("draft-{}", index + 1)));
        let asked = asked.clone().unwrap_or_else(|| "query".to_owned());
        let question = QUESTIONS.get(index).copied().unwrap_or_default();
        // Without passages, this is all that an answer can be made from.
        let text = if passages.is_some() || names.is_empty() {
            question.to_owned()
        } else {
            format!("{SITUATION}\n\n{question}")
        };
        row.insert(asked, Value::from(text));
        if let Some(name) = &passages {
            row.insert(name.clone(), json!(PASSAGES.get(index)));
        }
        for name in &others {
            row.insert((*name).clone(), Value::from(format!("{name} {}", index + 1)));
        }
        row.entry("tags").or_insert_with(|| json!(["draft"]));
        let pairs = row.iter().map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())));
        format!("{{{}}}\n", pairs.collect::<Vec<_>>().join(", "))
    };
    let mut text = "# Drafts: replace them with real inputs, 30 or more. Say in `expected` what a good answer is, where you can.\n".to_owned();
    text.extend((0..DRAFTS).map(row));
    Drafts { text, fields }
}

/// Names that a column may not resemble unless it is mapped.
pub(super) const FIELDS: [&str; 15] = [
    "id",
    "query",
    "messages",
    "turns",
    "context",
    "expected",
    "expected_sources",
    "checks",
    "tags",
    "group",
    "must_pass",
    "may_refuse",
    "must_answer",
    "criteria",
    "vars",
];
