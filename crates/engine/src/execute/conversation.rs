//! Conversations: the requests of a case for each of its turns, and the turns as one answer.
//!
//! The history of a case comes before the last message of the user in its prompt. Each earlier turn is there as it was
//! sent, with its reply. Tools are not run: their calls get a result that says so.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::plan::Prepared;
use promptgate_core::model::{
    Application, CallOrigin, Case, ChatRequest, Completion, Diagnostic, Fault, Message, MessageRole, Purpose,
    Turn,
};
use promptgate_core::template::{self, Template};

/// The result of a tool that an earlier turn calls.
const NOT_RUN: &str = "This tool is not available.";

/// The messages of a prompt for a case, each with whether it is the same for every case.
struct Rendered {
    before: Vec<(Message, bool)>,
    /// The last message of the user, which holds the question.
    question: Option<(Message, bool)>,
    after: Vec<(Message, bool)>,
}

impl Prepared {
    /// The request of the turn after the `earlier` ones.
    pub(super) fn request(
        &self,
        case: &Case,
        repeat: u32,
        earlier: &[Turn],
    ) -> Result<ChatRequest, Diagnostic> {
        let facts = &self.variant.facts;
        let input = self
            .variant
            .application
            .as_ref()
            .map(|application| Arc::new(application_input(application, case, repeat, earlier)));
        // An application renders its prompt itself.
        let messages = if input.is_some() { Vec::new() } else { self.messages(case, earlier)? };
        Ok(ChatRequest {
            model: facts.model.clone(),
            messages: messages.into_iter().map(|(message, _)| message).collect(),
            parameters: facts.parameters.clone(),
            response_format: None,
            repeat,
            purpose: Purpose::Completion,
            refresh: false,
            input,
        })
    }

    /// The requests of all turns, without the replies in them.
    pub(super) fn requests(&self, case: &Case) -> Result<Vec<ChatRequest>, Diagnostic> {
        let turns: Vec<Turn> = case.turns.iter().map(|query| without_reply(query)).collect();
        (0..self.questions(case))
            .map(|turn| self.request(case, 0, turns.get(..turn).unwrap_or_default()))
            .collect()
    }

    /// Number of questions that are asked. Recorded answers are those to the last one.
    pub(super) fn questions(&self, case: &Case) -> usize {
        let is_recorded =
            self.variant.application.as_ref().is_some_and(|application| application.is_recorded);
        if is_recorded { 1 } else { case.questions() }
    }

    /// The messages of the turn after the `earlier` ones, each with whether it is the same for every case; for an application
    /// only those of a case with a history.
    pub(super) fn messages(&self, case: &Case, earlier: &[Turn]) -> Result<Vec<(Message, bool)>, Diagnostic> {
        if self.variant.application.is_some() {
            return Ok(history(case).into_iter().map(|message| (message, false)).collect());
        }
        let mut last = self.render(&case.at_turn(earlier.len()))?;
        if case.messages.is_empty() && earlier.is_empty() {
            last.before.extend(last.question);
            last.before.extend(last.after);
            return Ok(last.before);
        }
        let mut messages = last.before;
        messages.extend(case.messages.iter().map(|message| (message.clone(), false)));
        for (turn, Turn { reply, .. }) in earlier.iter().enumerate() {
            let asked = self.render(&case.at_turn(turn))?.question;
            messages.extend(asked.map(|(message, _)| (message, false)));
            messages.push((reply.clone(), false));
            messages.extend(reply.tool_calls.iter().map(|call| {
                let result = Message::new(MessageRole::Tool, NOT_RUN);
                (Message { tool_call_id: call.id.clone(), ..result }, false)
            }));
        }
        messages.extend(last.question);
        messages.extend(last.after);
        Ok(messages)
    }

    /// The prompt for a case. One without a message of the user gets the question of a conversation as its last message.
    fn render(&self, case: &Case) -> Result<Rendered, Diagnostic> {
        let source = &self.variant.facts.prompt.source;
        let variables = template::variables(case);
        let render = |(message, parsed): (&Message, &Template)| {
            let content = parsed.render(&|name: &str| -> Option<Cow<'_, str>> { variables.get(name) });
            let content = content
                .map_err(|error| Diagnostic::new(format!("{source} for case {}: {error}", case.id)))?;
            let is_fixed = parsed.variables().is_empty();
            Ok((Message { content, ..message.clone() }, is_fixed))
        };
        let messages = self.variant.messages.iter().zip(&self.templates).map(render);
        let mut before = messages.collect::<Result<Vec<_>, Diagnostic>>()?;
        let asked = before.iter().rposition(|(message, _)| message.role == MessageRole::User);
        let after = asked.map_or_else(Vec::new, |index| before.split_off(index + 1));
        let mut question = asked.and_then(|_| before.pop());
        let is_conversation = !(case.messages.is_empty() && case.turns.is_empty() && case.images.is_empty());
        if question.is_none() && is_conversation && case.has_query() {
            question = Some((Message::new(MessageRole::User, case.query.as_str()), false));
        }
        if let Some((message, is_fixed)) = question.as_mut().filter(|_| !case.images.is_empty()) {
            message.images.extend(case.images.iter().cloned());
            *is_fixed = false;
        }
        Ok(Rendered { before, question, after })
    }
}

/// The history of a case with its first question; empty without a history.
fn history(case: &Case) -> Vec<Message> {
    let mut messages = case.messages.clone();
    if !messages.is_empty() && case.has_query() {
        let question = Message::new(MessageRole::User, case.at_turn(0).query.as_str());
        messages.push(Message { images: case.images.clone(), ..question });
    }
    messages
}

/// The input of an application, which is given the whole case and the conversation before its question.
fn application_input(application: &Application, case: &Case, repeat: u32, earlier: &[Turn]) -> Value {
    // Turns of one conversation that are graded apart are asked once, where answers are cached.
    let id = case.turn_of.as_ref().filter(|_| !application.is_recorded).unwrap_or(&case.id);
    let digest = Sha256::new().chain_update(id).chain_update([0]).chain_update(repeat.to_be_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
    let turn = if application.is_recorded { case.turns.len().saturating_sub(1) } else { earlier.len() };
    let asked = case.at_turn(turn);
    let mut messages: Vec<Value> = case.messages.iter().map(Message::to_chat).collect();
    for Turn { query, reply } in earlier {
        messages.push(json!({"role": MessageRole::User, "content": query}));
        messages.push(reply.to_chat());
    }
    let mut input = json!({
        "id": id,
        "repeat": repeat,
        // 31 bits, which every language reads as a number.
        "seed": u32::from_be_bytes([a, b, c, d]) >> 1,
        "query": asked.has_query().then_some(&asked.query),
        "context": case.context,
        "messages": messages,
        "vars": case.vars,
        "prompt": application.prompt,
    });
    if !case.images.is_empty() {
        let urls: Vec<&str> = case.images.iter().map(|image| image.url.as_str()).collect();
        input["images"] = json!(urls);
    }
    input
}

/// The earlier turns of an answer that was recorded without them.
pub(super) fn recorded_turns(case: &Case) -> Vec<Turn> {
    let earlier = case.turns.len().saturating_sub(1);
    case.turns.iter().take(earlier).map(|query| without_reply(query)).collect()
}

fn without_reply(query: &str) -> Turn {
    Turn { query: query.to_owned(), reply: Message::new(MessageRole::Assistant, "") }
}

/// The turn that an answer makes.
pub(super) fn turn(query: &str, completion: &Completion) -> Turn {
    let reply = Message::new(MessageRole::Assistant, completion.text.as_str());
    let reply = Message { tool_calls: completion.tool_calls.clone(), ..reply };
    Turn { query: query.to_owned(), reply }
}

/// The last answer with the earlier turns: tokens, time and cost are the sums over all. It counts as cached if all are.
pub(super) fn joined(last: Completion, turns: Vec<Turn>, earlier: &[Completion]) -> Completion {
    if earlier.is_empty() {
        return Completion { turns, ..last };
    }
    let all = || earlier.iter().chain(std::iter::once(&last));
    let mut usage = Some(promptgate_core::model::Usage::default());
    for completion in all() {
        usage = usage.zip(completion.usage).map(|(mut sum, more)| {
            sum.add(more);
            sum
        });
    }
    let is_made = |completion: &&Completion| completion.call.is_some_and(|call| call.how == CallOrigin::Made);
    let cached: Option<Vec<u64>> = all().map(|completion| completion.cached_at).collect();
    Completion {
        usage,
        latency_ms: all().map(|completion| completion.latency_ms).sum(),
        cost_usd: all().map(|completion| completion.cost_usd).sum(),
        attempts: all().flat_map(|completion| completion.attempts.iter().cloned()).collect(),
        cached_at: cached.and_then(|times| times.into_iter().min()),
        call: all().find(is_made).map_or(last.call, |completion| completion.call),
        turns,
        ..last
    }
}

/// The fault of a turn as that of its trial.
pub(super) fn fault(fault: Fault, turn: usize, questions: usize, earlier: &[Completion]) -> Fault {
    if questions < 2 {
        return fault;
    }
    let attempts = earlier.iter().flat_map(|completion| completion.attempts.iter().cloned());
    Fault {
        message: format!("turn {} of {questions}: {}", turn + 1, fault.message),
        attempts: attempts.chain(fault.attempts).collect(),
        ..fault
    }
}
