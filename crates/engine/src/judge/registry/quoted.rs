//! Verdicts that count only with a real quote: asked once, and once more about those whose quotes do not back them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::details;
use crate::judge::quote::Problem;
use crate::judge::reply::{Entry, Form};
use crate::judge::request::Numbered;

/// A flag of grades with verdicts that count as the lower one for lack of a quote.
pub(super) const UNQUOTED: &str = "unquoted_support";

/// The reason of a judge of retrieval where an application returned no contexts.
pub(super) fn without_contexts() -> Stop {
    Stop::Invalid("there is no passage to judge: no `contexts` came with the answer".into())
}

/// A verdict, of which one needs quotes.
pub trait QuotedVerdict: Serialize + DeserializeOwned + Send + Copy {
    /// The form of a reply with such verdicts.
    const FORM: Form;

    /// Whether it is the verdict that needs a quote.
    fn needs_quote(self) -> bool;
}

/// An entry with quotes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompts define the fields")]
pub struct Quoted<V> {
    pub id: u32,
    pub quotes: Vec<String>,
    pub reasoning: String,
    pub verdict: V,
}

impl<V: QuotedVerdict> Entry for Quoted<V> {
    const FORM: Form = V::FORM;

    fn id(&self) -> u32 {
        self.id
    }
}

/// A verdict after the quote check.
pub(super) struct Checked<'a, V> {
    pub(super) item: &'a Numbered,
    pub(super) judged: Quoted<V>,
    /// Why its quotes do not back it; checked only for the verdict that needs a quote.
    pub(super) problem: Option<Problem>,
}

impl<V: QuotedVerdict> Checked<'_, V> {
    /// Whether it is the verdict that needs a quote, with one.
    pub(super) fn counts(&self) -> bool {
        self.judged.verdict.needs_quote() && self.problem.is_none()
    }

    /// The verdict with its evidence, for the details of a grade.
    pub(super) fn evidence(&self) -> Value {
        let mut evidence = json!({
            "id": self.item.id,
            "text": details::text(&self.item.text),
            "verdict": self.judged.verdict,
            "quotes": details::quotes(&self.judged.quotes),
            "reasoning": details::text(&self.judged.reasoning),
            "quote_found": self.counts(),
        });
        if let (Some(problem), Value::Object(fields)) = (&self.problem, &mut evidence) {
            fields.insert("problem".into(), details::text(&problem.to_string()).into());
        }
        evidence
    }
}

/// The ids of the entries that `select` accepts.
pub(super) fn ids<V>(checked: &[Checked<'_, V>], select: impl Fn(&Checked<'_, V>) -> bool) -> Vec<u32> {
    checked.iter().filter(|entry| select(entry)).map(|entry| entry.item.id).collect()
}

/// Sentences to a judge about verdicts without a quote.
pub(super) struct Objection {
    /// Before the list of ids.
    pub(super) before: &'static str,
    /// After it.
    pub(super) after: &'static str,
}

/// Asks for the verdicts on numbered items and checks their quotes. If some do not back their verdict, asks once more; only
/// disputed verdicts are taken from the second reply.
///
/// # Errors
/// There is no valid reply.
pub(super) async fn ask<'a, V: QuotedVerdict>(
    conversation: &mut Conversation<'_>,
    items: &'a [Numbered],
    backs: impl Fn(&Numbered, &[String]) -> Result<(), Problem>,
    objection: &Objection,
) -> Result<Vec<Checked<'a, V>>, Stop> {
    let check = |(item, judged): (&'a Numbered, Quoted<V>)| {
        let needs_quote = judged.verdict.needs_quote();
        let problem = needs_quote.then(|| backs(item, &judged.quotes).err()).flatten();
        Checked { item, judged, problem }
    };
    let first = conversation.ask().await?;
    let mut checked: Vec<Checked<'a, V>> = items.iter().zip(first).map(check).collect();
    if checked.iter().any(|entry| entry.problem.is_some()) {
        let mut text = objection.before.to_owned() + "\n";
        for entry in &checked {
            if let Some(problem) = &entry.problem {
                text.push_str(&format!("- id {}: {}\n", entry.item.id, details::text(&problem.to_string())));
            }
        }
        text.push_str(objection.after);
        conversation.object(text);
        let second = conversation.ask().await?;
        for (entry, judged) in checked.iter_mut().zip(second) {
            if entry.problem.is_some() {
                *entry = check((entry.item, judged));
            }
        }
    }
    Ok(checked)
}
