//! One conversation with a judge: asking, repairing, and what it took.
//!
//! A reply is valid or it is asked again with what was wrong, at most twice; then there is no grade. There is no
//! default verdict. Refused ways of asking are left behind for the judge's life (`dialect`). Where the model has a
//! memory, a conversation that came to a grade is kept, and gone through again instead of being asked again: what
//! the judge said is read, and its quotes are looked up, as if it had said it now.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use promptgate_core::model::{
    ChatRequest, Completion, Fault, FaultKind, FinishReason, Judging, Message, MessageRole, Purpose, Usage,
};
use promptgate_core::port::ChatModel;

use super::Member;
use super::dialect::{Dialect, OutputMode};
use super::parse;
use super::request::Payload;
use super::schema::Form;

/// Re-asks after an invalid reply, in one conversation.
const REPAIRS: u32 = 2;
/// Changes of the dialect that one call may go through; there are fewer ways than that.
const MAX_CHANGES: u32 = 16;
/// The most bytes of a reply that go back to the judge with what is wrong with it.
const MAX_ECHO: usize = 20_000;

const DATA: &str = include_str!("prompts/data.md");
const FORMAT_JSON: &str = include_str!("prompts/format_json.md");
const FORMAT_FENCED: &str = include_str!("prompts/format_fenced.md");

/// The system message of a judge whose own part is `rubric`.
pub(super) fn system(rubric: &str, output_mode: OutputMode) -> String {
    let format = if output_mode == OutputMode::Fenced { FORMAT_FENCED } else { FORMAT_JSON };
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
    if text.is_ascii() {
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        return kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    }
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
    /// What the memory knows this conversation by; empty where there is none.
    identity: String,
    /// Replies of an earlier run, still to be gone through.
    recalled: VecDeque<Reply>,
    /// All replies so far.
    replies: Vec<Reply>,
    /// Why the memory could not be read.
    damage: Option<Fault>,
    /// Keeps others from asking the same.
    _claim: Option<Box<dyn Send + Sync>>,
}

/// What a conversation is known by, beside what is asked.
#[derive(Serialize)]
struct Identity<'a> {
    model: &'a str,
    parameters: Vec<(&'a String, &'a Value)>,
    repeat: u32,
}

/// A reply as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reply {
    text: String,
    output_mode: OutputMode,
    /// Calls that it took, refused ways of asking included.
    calls: u32,
    usage: Option<Usage>,
    latency_ms: f64,
    model: Option<String>,
    system_fingerprint: Option<String>,
}

impl<'a> Conversation<'a> {
    /// Begins one, or takes up what the model's memory has of it; nothing is sent yet.
    pub(super) async fn begin(
        member: &'a Member,
        model: &'a dyn ChatModel,
        repeat: u32,
        question: Question,
    ) -> Self {
        let boundary = format!("{:032x}", rand::random::<u128>());
        let document = question.payload.document();
        let data = Message { role: MessageRole::User, content: Payload::wrap_document(&document, &boundary) };
        let mut conversation = Self {
            member,
            model,
            repeat,
            question,
            turns: vec![data],
            repairs: 0,
            judging: Judging::default(),
            identity: String::new(),
            recalled: VecDeque::new(),
            replies: Vec::new(),
            damage: None,
            _claim: None,
        };
        if let Some(judgements) = model.judgement_cache() {
            conversation.identity = conversation.identity(&document);
            match judgements.get(&conversation.identity).await {
                Ok(recalled) => {
                    conversation._claim = recalled.claim;
                    // A record that is none of ours is asked for again.
                    let replies = recalled.record.and_then(|record| serde_json::from_str(&record).ok());
                    conversation.recalled = replies.unwrap_or_default();
                }
                Err(fault) => conversation.damage = Some(fault),
            }
        }
        conversation
    }

    /// What is asked of whom, without what differs from call to call (the boundary) and without the way to ask that
    /// the endpoint allows.
    fn identity(&self, document: &str) -> String {
        let mut parameters: Vec<_> = self.member.parameters.iter().collect();
        parameters.sort_by_key(|(name, _)| *name);
        let identity = Identity { model: &self.member.model, parameters, repeat: self.repeat };
        let identity = serde_json::to_string(&identity).unwrap_or_default();
        // A line each for the two documents, and the rest is the system message.
        format!("{identity}\n{document}\n{}", system(self.question.rubric, OutputMode::JsonSchema))
    }

    /// Keeps the conversation in the model's memory, unless it came from there.
    pub(super) fn keep(&self) {
        let is_new = self.judging.calls > self.judging.cached_calls;
        if let (Some(judgements), true) = (self.model.judgement_cache(), is_new)
            && let Ok(record) = serde_json::to_string(&self.replies)
        {
            judgements.put(&self.identity, &self.member.model, record);
        }
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
            let (completion, output_mode) = self.send().await?;
            if completion.refusal {
                return Err(Stop::Invalid("the judge refused to judge".into()));
            }
            if completion.finish_reason != FinishReason::Stop {
                return Err(Stop::Invalid(format!(
                    "the judge's reply is not whole: finish_reason {}",
                    name(completion.finish_reason.as_str())
                )));
            }
            match self.read(&completion.text, output_mode) {
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
        self.turns.push(Message { role: MessageRole::User, content: wrong });
    }

    fn said(&mut self, text: &str) {
        let mut end = text.len().min(MAX_ECHO);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        // Some endpoints refuse a message without content.
        let content = if text.trim().is_empty() { "(an empty reply)".to_owned() } else { text.to_owned() };
        self.turns.push(Message { role: MessageRole::Assistant, content });
    }

    fn read<T: parse::Entry>(&self, text: &str, output_mode: OutputMode) -> Result<Vec<T>, String> {
        let text = if output_mode == OutputMode::Fenced { parse::block(text)? } else { text };
        let document: Value = parse::whole(text)?;
        let entries = parse::entries(&document, self.question.form.list(), self.question.asked)?;
        // A candidate may write a whole reply, and a judge say it again.
        let answer = letters(self.question.payload.answer());
        let written_otherwise = || text.contains('\\') && answer.contains(&letters(&document.to_string()));
        if answer.contains(&letters(text)) || written_otherwise() {
            return Err("it is copied from the answer, which must not judge itself".into());
        }
        Ok(entries)
    }

    /// One call that came back, after as many as the endpoint refused for the way it was asked.
    async fn send(&mut self) -> Result<(Completion, OutputMode), Stop> {
        if let Some(fault) = self.damage.take() {
            return Err(Stop::Fault(fault));
        }
        if let Some(reply) = self.recalled.pop_front() {
            return Ok(self.say_again(reply));
        }
        let mut changes = 0;
        loop {
            let dialect = self.member.dialect();
            let request = self.request(&dialect);
            self.judging.calls = self.judging.calls.saturating_add(1);
            match self.model.complete(&request).await {
                Ok(completion) => {
                    self.count(&completion, dialect.output_mode);
                    self.replies.push(Reply {
                        text: completion.text.clone(),
                        output_mode: dialect.output_mode,
                        calls: changes + 1,
                        usage: completion.usage,
                        latency_ms: completion.latency_ms,
                        model: completion.model.clone(),
                        system_fingerprint: completion.system_fingerprint.clone(),
                    });
                    return Ok((completion, dialect.output_mode));
                }
                Err(fault) => {
                    changes += 1;
                    let refused = fault.kind == FaultKind::Rejected && changes <= MAX_CHANGES;
                    if !(refused && self.member.adapt(&dialect, &fault.message)) {
                        return Err(Stop::Fault(fault));
                    }
                }
            }
        }
    }

    /// A reply of an earlier run.
    fn say_again(&mut self, reply: Reply) -> (Completion, OutputMode) {
        let output_mode = reply.output_mode;
        // Only whole replies come to a grade, and only with one is a conversation kept.
        let completion = Completion {
            usage: reply.usage,
            latency_ms: reply.latency_ms,
            model: reply.model.clone(),
            system_fingerprint: reply.system_fingerprint.clone(),
            ..Completion::from_text(reply.text.as_str())
        };
        self.judging.calls = self.judging.calls.saturating_add(reply.calls);
        self.judging.cached_calls = self.judging.cached_calls.saturating_add(reply.calls);
        self.judging.cached_usage.add(reply.usage.unwrap_or_default());
        self.count(&completion, output_mode);
        self.replies.push(reply);
        (completion, output_mode)
    }

    fn request(&self, dialect: &Dialect) -> ChatRequest {
        let content = system(self.question.rubric, dialect.output_mode);
        let mut messages = vec![Message { role: MessageRole::System, content }];
        messages.extend(self.turns.iter().cloned());
        ChatRequest {
            model: self.member.model.clone(),
            messages,
            parameters: dialect.parameters(&self.member.parameters),
            response_format: dialect.response_format(self.question.form, self.question.asked),
            repeat: self.repeat,
            purpose: Purpose::Judgement,
            refresh: false,
        }
    }

    fn count(&mut self, completion: &Completion, output_mode: OutputMode) {
        let judging = &mut self.judging;
        judging.usage.add(completion.usage.unwrap_or_default());
        judging.latency_ms += completion.latency_ms;
        judging.output_mode = Some(output_mode.as_str().to_owned());
        judging.model.clone_from(&completion.model);
        judging.system_fingerprint.clone_from(&completion.system_fingerprint);
    }
}

/// A name from the server, fit for a message.
fn name(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}
