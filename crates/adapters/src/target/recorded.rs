//! Answers that were recorded elsewhere, one JSON object per line.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{self, BoxFuture};
use serde_json::{Map, Value};

use super::input;
use super::reply::{InvalidReply, Parts, redacted};
use promptgate_core::model::{
    Attempt, ChatRequest, Completion, Diagnostic, Diagnostics, Fault, FaultKind, Place,
};
use promptgate_core::port::ChatModel;
use promptgate_core::text::{Redactor, json};

/// Diagnostics that are shown of one file.
const MAX_DIAGNOSTICS: usize = 20;
const EXPECTED: &str = "expected {\"id\": …, \"output\": …} on each line";

/// Recorded answers by case and repeat.
#[derive(Debug)]
pub struct RecordedAnswers {
    name: String,
    has_latencies: bool,
    answers: HashMap<(String, u32), Result<Completion, Fault>>,
}

impl RecordedAnswers {
    /// Parses the content of a JSONL file; `name` is the file in messages.
    ///
    /// # Errors
    /// [`Diagnostics`] with the lines that are not answers, have no id, or answer the same case and repeat twice.
    pub fn parse(name: &str, bytes: &[u8], redactor: &Redactor) -> Result<Self, Diagnostics> {
        let mut reader = Reader {
            name,
            redactor,
            answers: HashMap::new(),
            lines: HashMap::new(),
            next: HashMap::new(),
            has_latencies: true,
        };
        let mut diagnostics = Vec::new();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Err(diagnostic) = reader.add(number, line) {
                diagnostics.push(diagnostic.at(Place::line(name, number)));
            }
        }
        if diagnostics.is_empty() && reader.answers.is_empty() {
            diagnostics.push(Diagnostic::new("the file has no answers").at(Place::file(name)).help(EXPECTED));
        }
        if let Some(omitted) = diagnostics.len().checked_sub(MAX_DIAGNOSTICS).filter(|omitted| *omitted > 0) {
            diagnostics.truncate(MAX_DIAGNOSTICS);
            let plural = if omitted == 1 { "" } else { "s" };
            diagnostics.push(Diagnostic::new(format!("and {omitted} more error{plural}")));
        }
        match diagnostics.is_empty() {
            true => Ok(Self {
                name: name.to_owned(),
                has_latencies: reader.has_latencies,
                answers: reader.answers,
            }),
            false => Err(Diagnostics(diagnostics)),
        }
    }

    /// Returns the ids of the cases, each once, in no order.
    pub fn ids(&self) -> std::collections::HashSet<&str> {
        self.answers.keys().map(|(id, _)| id.as_str()).collect()
    }

    /// Whether every answer has a latency; one without has 0 ms, which is not a measurement.
    pub fn has_latencies(&self) -> bool {
        self.has_latencies
    }

    /// Returns the number of repeats of a case: those from 0 on, without a gap.
    pub fn repeats(&self, id: &str) -> u32 {
        (0..)
            .take_while(|repeat| self.answers.contains_key(&(id.to_owned(), *repeat)))
            .count()
            .try_into()
            .unwrap_or(u32::MAX)
    }

    fn find(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let input = input(request, &self.name)?;
        let id = input.get("id").and_then(id_text).unwrap_or_default();
        let repeat = request.repeat;
        self.answers.get(&(id.clone(), repeat)).cloned().unwrap_or_else(|| {
            let id = promptgate_core::text::neutral::terminal(&id);
            let message = match repeat {
                0 => format!("{}: no recorded answer for case {id}", self.name),
                _ => format!(
                    "{}: no recorded answer for case {id}, repeat {repeat} (counted from 0)",
                    self.name
                ),
            };
            Err(with_attempt(
                Fault::new(FaultKind::InvalidAnswer, message)
                    .help("record an answer for every case and repeat, or lower `repeats`"),
            ))
        })
    }
}

impl ChatModel for RecordedAnswers {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        future::ready(self.find(request)).boxed()
    }
}

fn with_attempt(mut fault: Fault) -> Fault {
    fault.attempts.push(Attempt::new(&fault, 0));
    fault
}

/// An id that is a text or a number.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

struct Reader<'a> {
    name: &'a str,
    redactor: &'a Redactor,
    answers: HashMap<(String, u32), Result<Completion, Fault>>,
    /// The line of each answer.
    lines: HashMap<(String, u32), usize>,
    /// The lowest repeat of each case that may be free.
    next: HashMap<String, u32>,
    has_latencies: bool,
}

impl Reader<'_> {
    fn add(&mut self, number: usize, line: &[u8]) -> Result<(), Diagnostic> {
        let text =
            std::str::from_utf8(line).map_err(|_| Diagnostic::new("not valid UTF-8").help(EXPECTED))?;
        let object = match json::parse(text.trim()) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(Diagnostic::new("not a JSON object").help(EXPECTED)),
            Err(error) => return Err(Diagnostic::new(format!("not valid JSON: {error}")).help(EXPECTED)),
        };
        let id =
            object.get("id").and_then(id_text).filter(|id| !id.is_empty()).ok_or_else(|| {
                Diagnostic::new("`id` is missing, expected the id of a case").help(EXPECTED)
            })?;
        let repeat = self.repeat(&id, &object)?;
        let key = (id, repeat);
        if let Some(first) = self.lines.get(&key) {
            let id = promptgate_core::text::neutral::terminal(&key.0);
            let message = format!("duplicate answer for case {id}, repeat {repeat}");
            return Err(
                Diagnostic::new(message).help(format!("keep one of the two; the first is on line {first}"))
            );
        }
        let answer = self.answer(&object)?;
        let has_latency = object.get("latency_ms").is_some_and(|latency| !latency.is_null());
        self.has_latencies &= has_latency || answer.is_err();
        self.lines.insert(key.clone(), number);
        self.answers.insert(key, answer);
        Ok(())
    }

    /// Returns the written repeat, counted from 0; without one the next of the case.
    fn repeat(&mut self, id: &str, object: &Map<String, Value>) -> Result<u32, Diagnostic> {
        match object.get("repeat").filter(|value| !value.is_null()) {
            Some(value) => value.as_u64().and_then(|repeat| u32::try_from(repeat).ok()).ok_or_else(|| {
                Diagnostic::new(format!("`repeat` is {value}, expected a whole number, counted from 0"))
            }),
            None => {
                let next = self.next.entry(id.to_owned()).or_default();
                while self.lines.contains_key(&(id.to_owned(), *next)) {
                    *next += 1;
                }
                Ok(*next)
            }
        }
    }

    fn answer(&self, object: &Map<String, Value>) -> Result<Result<Completion, Fault>, Diagnostic> {
        match Parts::of(object).completion(Duration::ZERO) {
            Ok(completion) => Ok(Ok(redacted(completion, self.redactor))),
            Err(error @ InvalidReply::Error(_)) => {
                Ok(Err(with_attempt(error.fault(self.name, self.redactor))))
            }
            Err(InvalidReply::Malformed(reason)) => {
                Err(Diagnostic::new(self.redactor.redact(&reason).into_owned()).help(EXPECTED))
            }
        }
    }
}

#[cfg(test)]
mod tests;
