//! A conversation with a judge: calls, repairs of invalid replies, and usage.
//!
//! An invalid reply is sent back with its error, at most twice; after that there is no grade, never a default verdict.
//! Features that the endpoint refused are not used again (`dialect`). A conversation that led to a grade is cached and
//! replayed instead of repeated: its replies are parsed and their quotes are checked as if they were new.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use promptgate_core::model::{
    Attempt, CallFacts, CallOrigin, CallReason, Case, ChatRequest, Completion, Fault, FinishReason, Judging,
    Message, MessageRole, Purpose, Usage,
};

use super::dialect::{Dialect, OutputMode};
use super::kind::Call;
use super::reply::{self, Entry, Form};
use super::request::{self, Payload};

/// Maximum number of repairs after an invalid reply, in one conversation.
const MAX_REPAIRS: u32 = 2;
/// Maximum number of changes of the dialect during one call; an endpoint cannot refuse as many features.
const MAX_CHANGES: u32 = 16;
/// Maximum length of a reply that goes back to the judge with its error, in bytes.
const MAX_ECHO: usize = 20_000;

const DATA: &str = include_str!("prompts/data.md");
const EARLIER: &str = include_str!("prompts/conversation.md");
const FORMAT_JSON: &str = include_str!("prompts/format_json.md");
const FORMAT_FENCED: &str = include_str!("prompts/format_fenced.md");

/// Builds the system message of a judge from its own prompt.
pub(super) fn system_message(prompt: &str, output_mode: OutputMode) -> String {
    let format = if output_mode == OutputMode::Fenced { FORMAT_FENCED } else { FORMAT_JSON };
    format!("{}\n\n{}\n\n{}", prompt.trim_end(), format.trim_end(), DATA.trim_end())
}

/// Adds the instructions about a conversation before the question.
fn with_conversation(system: String) -> String {
    format!("{system}\n\n{}", EARLIER.trim_end())
}

/// The reason why there is no grade.
#[derive(Debug)]
pub(super) enum Stop {
    /// A fault of the endpoint.
    Fault(Fault),
    /// The judge gave no complete, valid reply, or there was nothing to judge.
    Invalid(String),
}

/// The letters and digits of a text: they are the same in a copy, however it is spaced and escaped.
fn letters(text: &str) -> String {
    if text.is_ascii() {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        return letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    }
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A conversation about one answer.
pub(super) struct Conversation<'a> {
    call: Call<'a>,
    /// The judge's own part of the system message.
    prompt: &'static str,
    /// Whether there are messages before the question.
    has_conversation: bool,
    /// The data as a JSON document.
    document: String,
    /// Letters and digits of the answer or answers, to recognize copies.
    answer: String,
    /// Number of ids, which count from 1.
    ids: usize,
    /// The messages after the system message.
    messages: Vec<Message>,
    repairs: u32,
    judging: Judging,
    /// Identity of this conversation in the cache of judgements; empty if there is none.
    identity: String,
    /// Cached replies that are not replayed yet.
    cached: VecDeque<CachedReply>,
    replies: Vec<CachedReply>,
    /// The error of reading the cache.
    cache_fault: Option<Fault>,
    /// Prevents the same conversation elsewhere at the same time.
    _claim: Option<Box<dyn Send + Sync>>,
}

/// The part of a conversation's identity beside the messages.
#[derive(Serialize)]
struct IdentityParts<'a> {
    model: &'a str,
    parameters: Vec<(&'a String, &'a Value)>,
    repeat: u32,
}

/// A reply as the cache stores it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CachedReply {
    text: String,
    output_mode: OutputMode,
    /// Number of calls for it, including refused ones.
    calls: u32,
    usage: Option<Usage>,
    latency_ms: f64,
    model: Option<String>,
    system_fingerprint: Option<String>,
    /// Parameters that the endpoint refused, and that were not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
    /// The failed attempts before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

impl<'a> Conversation<'a> {
    /// Starts a conversation, or loads a cached one. Sends nothing yet.
    pub(super) async fn begin<P: Payload>(call: Call<'a>, prompt: &'static str, payload: &P) -> Self {
        let boundary = format!("{:032x}", rand::random::<u128>());
        let earlier = request::conversation(call.case);
        let document = payload.document(&earlier);
        let content = request::wrap(&document, &boundary);
        let mut answer = letters(call.answer);
        if let Some(second) = call.second {
            answer.push('\n');
            answer.push_str(&letters(second));
        }
        let mut conversation = Self {
            call,
            prompt,
            has_conversation: !earlier.is_empty(),
            document,
            answer,
            ids: payload.entries(),
            messages: vec![Message::new(MessageRole::User, content)],
            repairs: 0,
            judging: Judging::default(),
            identity: String::new(),
            cached: VecDeque::new(),
            replies: Vec::new(),
            cache_fault: None,
            _claim: None,
        };
        conversation.judging.call = Some(CallFacts::made(CallReason::NoCache));
        if let Some(cache) = call.model.judgement_cache() {
            conversation.identity = conversation.identity();
            match cache.get(&conversation.identity).await {
                Ok(cached) => {
                    conversation._claim = cached.claim;
                    // An unreadable record is ignored: the model is called again.
                    let replies = cached.record.and_then(|record| serde_json::from_str(&record).ok());
                    conversation.cached = replies.unwrap_or_default();
                    conversation.judging.call = Some(match conversation.cached.is_empty() {
                        true => CallFacts::made(cached.miss.unwrap_or(CallReason::NotCached)),
                        false => CallFacts::spared(CallOrigin::Cached),
                    });
                }
                Err(fault) => conversation.cache_fault = Some(fault),
            }
        }
        conversation
    }

    /// The identity in the cache: the question and the model, without the boundary, which differs between calls, and
    /// without the dialect of the endpoint.
    fn identity(&self) -> String {
        let Call { member, repeat, .. } = self.call;
        let mut parameters: Vec<_> = member.parameters.iter().collect();
        parameters.sort_by_key(|(name, _)| *name);
        let parts = IdentityParts { model: &member.model, parameters, repeat };
        let parts = serde_json::to_string(&parts).unwrap_or_default();
        // The two JSON documents are one line each, so that the parts cannot run into each other.
        format!("{parts}\n{}\n{}", self.document, self.system(OutputMode::JsonSchema))
    }

    /// Caches the conversation, unless it came from the cache.
    pub(super) fn cache(&self) {
        let is_new = self.judging.calls > self.judging.cached_calls();
        if let (Some(judgements), true) = (self.call.model.judgement_cache(), is_new)
            && let Ok(record) = serde_json::to_string(&self.replies)
        {
            judgements.put(&self.identity, &self.call.member.model, record);
        }
    }

    /// The case whose answer is judged.
    pub(super) fn case(&self) -> &'a Case {
        self.call.case
    }

    /// Calls and usage so far.
    pub(super) fn into_judging(self) -> Judging {
        self.judging
    }

    /// Asks until the reply is valid. Returns one entry for each id, sorted by id.
    ///
    /// # Errors
    /// A fault of the endpoint, an incomplete reply, or no valid one after the repairs.
    pub(super) async fn ask<T: Entry>(&mut self) -> Result<Vec<T>, Stop> {
        loop {
            let (completion, output_mode) = self.send(T::FORM).await?;
            if completion.refusal {
                return Err(Stop::Invalid("the judge refused to judge".into()));
            }
            // A name that no vendor is known to use is taken as an end; the reply is parsed strictly anyway.
            if matches!(completion.finish_reason, FinishReason::Length | FinishReason::ContentFilter) {
                return Err(Stop::Invalid(format!(
                    "the judge's reply is incomplete: finish_reason {}",
                    short(completion.finish_reason.as_str())
                )));
            }
            match self.parse(&completion.text, output_mode) {
                Ok(entries) => {
                    self.push_reply(&completion.text);
                    return Ok(entries);
                }
                Err(error) if self.repairs == MAX_REPAIRS => {
                    return Err(Stop::Invalid(format!(
                        "the judge gave no valid reply in {} attempts: {error}",
                        MAX_REPAIRS + 1
                    )));
                }
                Err(error) => {
                    self.repairs += 1;
                    self.push_reply(&completion.text);
                    self.object(format!(
                        "Your reply is not valid: {error}.\nReply to the same data again, in the form that the \
                         first message asks for."
                    ));
                }
            }
        }
    }

    /// Adds an objection to the last reply, which the next [`Conversation::ask`] sends.
    pub(super) fn object(&mut self, objection: String) {
        self.messages.push(Message::new(MessageRole::User, objection));
    }

    fn push_reply(&mut self, text: &str) {
        let mut end = text.len().min(MAX_ECHO);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        // Some endpoints refuse a message without content.
        let content = if text.trim().is_empty() { "(an empty reply)".to_owned() } else { text.to_owned() };
        self.messages.push(Message::new(MessageRole::Assistant, content));
    }

    fn parse<T: Entry>(&self, text: &str, output_mode: OutputMode) -> Result<Vec<T>, String> {
        let (text, document) = reply::document(text, output_mode == OutputMode::Fenced)?;
        let entries = reply::entries(&document, self.ids)?;
        // A candidate may write a whole reply, and a judge may repeat it.
        let answer = &self.answer;
        let is_unescaped_copy = || text.contains('\\') && answer.contains(&letters(&document.to_string()));
        if answer.contains(&letters(text)) || is_unescaped_copy() {
            return Err("it is copied from the answer, which must not judge itself".into());
        }
        Ok(entries)
    }

    /// Sends the messages, again for each feature that the endpoint refuses; or replays a cached reply.
    async fn send(&mut self, form: Form) -> Result<(Completion, OutputMode), Stop> {
        if let Some(fault) = self.cache_fault.take() {
            return Err(Stop::Fault(fault));
        }
        if let Some(reply) = self.cached.pop_front() {
            return Ok(self.replay(reply));
        }
        let mut changes = 0;
        loop {
            let dialect = self.call.member.dialect();
            let request = self.request(&dialect, form);
            self.judging.calls = self.judging.calls.saturating_add(1);
            match self.call.model.complete(&request).await {
                Ok(completion) => {
                    let completion = completion.strip_reasoning();
                    self.call.member.accept(&dialect, &completion);
                    self.count(&completion, dialect.output_mode);
                    self.replies.push(CachedReply {
                        text: completion.text.clone(),
                        output_mode: dialect.output_mode,
                        calls: changes + 1,
                        usage: completion.usage,
                        latency_ms: completion.latency_ms,
                        model: completion.model.clone(),
                        system_fingerprint: completion.system_fingerprint.clone(),
                        refused: dialect.refused(),
                        attempts: completion.attempts.clone(),
                    });
                    return Ok((completion, dialect.output_mode));
                }
                Err(fault) => {
                    self.judging.attempts.extend_from_slice(&fault.attempts);
                    changes += 1;
                    if !(changes <= MAX_CHANGES && self.call.member.adapt(&dialect, &fault)) {
                        return Err(Stop::Fault(fault));
                    }
                }
            }
        }
    }

    fn replay(&mut self, reply: CachedReply) -> (Completion, OutputMode) {
        let output_mode = reply.output_mode;
        self.call.member.recall(&reply.refused);
        // Cached replies are complete: only a conversation that led to a grade is cached.
        let completion = Completion {
            usage: reply.usage,
            latency_ms: reply.latency_ms,
            model: reply.model.clone(),
            system_fingerprint: reply.system_fingerprint.clone(),
            attempts: reply.attempts.clone(),
            ..Completion::from_text(reply.text.as_str())
        };
        self.judging.calls = self.judging.calls.saturating_add(reply.calls);
        self.judging.add_cached(reply.calls, reply.usage.unwrap_or_default());
        self.count(&completion, output_mode);
        self.replies.push(reply);
        (completion, output_mode)
    }

    fn system(&self, output_mode: OutputMode) -> String {
        let system = system_message(self.prompt, output_mode);
        if self.has_conversation { with_conversation(system) } else { system }
    }

    fn request(&self, dialect: &Dialect, form: Form) -> ChatRequest {
        let messages = dialect.messages(self.system(dialect.output_mode), &self.messages);
        ChatRequest {
            model: self.call.member.model.clone(),
            messages,
            parameters: dialect.parameters(&self.call.member.parameters),
            response_format: dialect.response_format(form, self.ids),
            repeat: self.call.repeat,
            purpose: Purpose::Judgement,
            refresh: false,
            input: None,
        }
    }

    fn count(&mut self, completion: &Completion, output_mode: OutputMode) {
        let judging = &mut self.judging;
        judging.usage.add(completion.usage.unwrap_or_default());
        judging.latency_ms += completion.latency_ms;
        judging.output_mode = Some(output_mode.as_str().to_owned());
        judging.model.clone_from(&completion.model);
        judging.system_fingerprint.clone_from(&completion.system_fingerprint);
        judging.attempts.extend_from_slice(&completion.attempts);
    }
}

/// A word from the server without control characters, of bounded length.
fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}
