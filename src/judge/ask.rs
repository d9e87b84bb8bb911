//! One conversation with a judge: asking, repairing, and what it took.
//!
//! A reply is valid or it is asked again with what was wrong, at most twice; then there is no grade. There is no
//! default verdict. Refused ways of asking are left behind for the judge's life (`dialect`).

use serde_json::Value;

use crate::model::{
    ChatRequest, Completion, Fault, FaultKind, FinishReason, Judging, Message, Purpose, Speaker,
};
use crate::port::ChatModel;

use super::Member;
use super::dialect::{Dialect, Rung};
use super::parse;
use super::request::Payload;
use super::schema::Form;

/// Re-asks after an invalid reply, in one conversation.
const REPAIRS: u32 = 2;
/// Changes of the dialect that one call may go through; there are fewer ways than that.
const MOST_CHANGES: u32 = 16;
/// The most bytes of a reply that go back to the judge with what is wrong with it.
const LONGEST_ECHO: usize = 20_000;

const DATA: &str = include_str!("prompts/data.md");
const FORMAT_JSON: &str = include_str!("prompts/format_json.md");
const FORMAT_FENCED: &str = include_str!("prompts/format_fenced.md");

/// The system message of a judge whose own part is `rubric`.
pub(super) fn system(rubric: &str, rung: Rung) -> String {
    let format = if rung == Rung::Fenced { FORMAT_FENCED } else { FORMAT_JSON };
    format!("{}\n\n{}\n\n{}", rubric.trim_end(), format.trim_end(), DATA.trim_end())
}

/// Why there is no grade.
#[derive(Debug)]
pub(super) enum Stop {
    /// The endpoint's fault.
    Fault(Fault),
    /// The judge's: it did not give a whole, valid reply, or there was nothing to ask.
    Invalid(String),
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Question {
    /// The judge's own part of the system message.
    pub(super) rubric: &'static str,
    /// The data.
    pub(super) payload: Payload,
    /// The form of the reply.
    pub(super) form: Form,
    /// How many ids there are: 1 to this.
    pub(super) asked: usize,
}

/// The letters and digits of a text: what a copy keeps, however it is spaced and escaped.
fn letters(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A conversation about one answer.
pub(super) struct Conversation<'a> {
    member: &'a Member,
    model: &'a dyn ChatModel,
    repeat: u32,
    question: Question,
    /// What follows the system message.
    turns: Vec<Message>,
    repairs: u32,
    judging: Judging,
}

impl<'a> Conversation<'a> {
    /// Begins one; nothing is sent yet.
    pub(super) fn new(member: &'a Member, model: &'a dyn ChatModel, repeat: u32, question: Question) -> Self {
        let boundary = format!("{:032x}", rand::random::<u128>());
        let data = Message { role: Speaker::User, content: question.payload.wrap(&boundary) };
        Self { member, model, repeat, question, turns: vec![data], repairs: 0, judging: Judging::default() }
    }

    /// What it took so far.
    pub(super) fn into_judging(self) -> Judging {
        self.judging
    }

    /// Asks until the reply is valid; the entries come in the order of their ids, one for each.
    ///
    /// # Errors
    /// A fault of the endpoint, a reply that is not whole, or no valid one after the repairs.
    pub(super) async fn ask<T: parse::Entry>(&mut self) -> Result<Vec<T>, Stop> {
        loop {
            let (completion, rung) = self.send().await?;
            if completion.refusal {
                return Err(Stop::Invalid("the judge refused to judge".into()));
            }
            if completion.finish_reason != FinishReason::Stop {
                return Err(Stop::Invalid(format!(
                    "the judge's reply is not whole: finish_reason {}",
                    name(completion.finish_reason.as_str())
                )));
            }
            match self.read(&completion.text, rung) {
                Ok(entries) => {
                    self.said(&completion.text);
                    return Ok(entries);
                }
                Err(wrong) if self.repairs == REPAIRS => {
                    return Err(Stop::Invalid(format!(
                        "the judge gave no valid reply in {} attempts: {wrong}",
                        REPAIRS + 1
                    )));
                }
                Err(wrong) => {
                    self.repairs += 1;
                    self.said(&completion.text);
                    self.object(format!(
                        "Your reply is not valid: {wrong}.\nReply to the same data again, in the form that the \
                         first message asks for."
                    ));
                }
            }
        }
    }

    /// Tells the judge what is wrong with its last reply; the next [`Conversation::ask`] sends it.
    pub(super) fn object(&mut self, wrong: String) {
        self.turns.push(Message { role: Speaker::User, content: wrong });
    }

    fn said(&mut self, text: &str) {
        let mut end = text.len().min(LONGEST_ECHO);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        // Some endpoints refuse a message without content.
        let content = if text.trim().is_empty() { "(an empty reply)".to_owned() } else { text.to_owned() };
        self.turns.push(Message { role: Speaker::Assistant, content });
    }

    fn read<T: parse::Entry>(&self, text: &str, rung: Rung) -> Result<Vec<T>, String> {
        let text = if rung == Rung::Fenced { parse::block(text)? } else { text };
        let document: Value = parse::whole(text)?;
        let entries = parse::entries(&document, self.question.form.list(), self.question.asked)?;
        // A candidate may write a whole reply, and a judge say it again.
        let answer = letters(self.question.payload.answer());
        if answer.contains(&letters(text)) || answer.contains(&letters(&document.to_string())) {
            return Err("it is copied from the answer, which must not judge itself".into());
        }
        Ok(entries)
    }

    /// One call that came back, after as many as the endpoint refused for the way it was asked.
    async fn send(&mut self) -> Result<(Completion, Rung), Stop> {
        let mut changes = 0;
        loop {
            let dialect = self.member.dialect();
            let request = self.request(&dialect);
            self.judging.calls = self.judging.calls.saturating_add(1);
            match self.model.complete(&request).await {
                Ok(completion) => {
                    self.count(&completion, dialect.rung);
                    return Ok((completion, dialect.rung));
                }
                Err(fault) => {
                    changes += 1;
                    let refused = fault.kind == FaultKind::Rejected && changes <= MOST_CHANGES;
                    if !(refused && self.member.adapt(&dialect, &fault.message)) {
                        return Err(Stop::Fault(fault));
                    }
                }
            }
        }
    }

    fn request(&self, dialect: &Dialect) -> ChatRequest {
        let content = system(self.question.rubric, dialect.rung);
        let mut messages = vec![Message { role: Speaker::System, content }];
        messages.extend(self.turns.iter().cloned());
        ChatRequest {
            model: self.member.model.clone(),
            messages,
            parameters: dialect.parameters(&self.member.parameters),
            response_format: dialect.response_format(self.question.form, self.question.asked),
            repeat: self.repeat,
            purpose: Purpose::Judgement,
        }
    }

    fn count(&mut self, completion: &Completion, rung: Rung) {
        let judging = &mut self.judging;
        if let Some(usage) = completion.usage {
            judging.usage.prompt_tokens = judging.usage.prompt_tokens.saturating_add(usage.prompt_tokens);
            judging.usage.completion_tokens =
                judging.usage.completion_tokens.saturating_add(usage.completion_tokens);
        }
        judging.latency_ms += completion.latency_ms;
        judging.rung = Some(rung.as_str().to_owned());
        judging.model.clone_from(&completion.model);
        judging.system_fingerprint.clone_from(&completion.system_fingerprint);
    }
}

/// A name from the server, fit for a message.
fn name(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}
