//! The meaning of lines: which request a reply answers, and how many requests a process takes at once.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::MAX_CONCURRENCY;
use promptgate_core::model::Fault;
use promptgate_core::text::json;

/// The reply to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The JSON object.
    pub value: Map<String, Value>,
    /// Time from the request to the reply; of a first request, from the announcement of a concurrency if that came later.
    pub elapsed: Duration,
}

/// The text of an `error` that a program reports: a text, or an object with `message`.
pub(crate) fn error_text(error: &Value) -> String {
    match error.get("message").unwrap_or(error) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The identity of a request on the wire.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    id: Option<Value>,
    repeat: Option<Value>,
}

impl Key {
    pub(super) fn of(line: &Value) -> Self {
        Self { id: present(line.get("id")), repeat: present(line.get("repeat")) }
    }

    /// Whether a reply may have this key: what it does not name is not compared.
    fn fits(&self, id: Option<&Value>, repeat: Option<&Value>) -> bool {
        let fits = |named: Option<&Value>, own: &Option<Value>| {
            named.is_none_or(|named| own.as_ref() == Some(named))
        };
        fits(id, &self.id) && fits(repeat, &self.repeat)
    }
}

fn present(value: Option<&Value>) -> Option<Value> {
    value.filter(|value| !value.is_null()).cloned()
}

/// A request that waits for its reply.
pub(super) struct InFlight {
    pub(super) ticket: u64,
    key: Key,
    sent: Instant,
    elapsed: Duration,
    sender: oneshot::Sender<Result<Reply, Fault>>,
}

impl InFlight {
    pub(super) fn answer(self, result: Result<Map<String, Value>, Fault>) {
        let reply = result.map(|value| Reply { value, elapsed: self.elapsed });
        // Nobody waits for the reply of a cancelled request.
        drop(self.sender.send(reply));
    }
}

/// A reply with the request that it answers.
pub(super) struct MatchedReply {
    pub(super) request: Box<InFlight>,
    pub(super) value: Map<String, Value>,
}

/// The requests of one process.
pub(super) struct Conversation {
    /// Maximum number of requests in flight.
    seats: usize,
    /// Requests whose replies were not delivered.
    busy: usize,
    in_flight: Vec<InFlight>,
    tickets: u64,
    has_lines: bool,
    replies: u64,
    names_ids: bool,
    is_out_of_step: bool,
    is_closed: bool,
}

impl Conversation {
    pub(super) fn new() -> Self {
        Self {
            seats: 1,
            busy: 0,
            in_flight: Vec::new(),
            tickets: 0,
            has_lines: false,
            replies: 0,
            names_ids: true,
            is_out_of_step: false,
            is_closed: false,
        }
    }

    pub(super) fn busy(&self) -> usize {
        self.busy
    }

    pub(super) fn has_answered(&self) -> bool {
        self.replies > 0
    }

    /// Whether there was one reply so far.
    pub(super) fn is_first_reply(&self) -> bool {
        self.replies == 1
    }

    /// Whether there was a reply that no request asked for, after replies without an id: they may have answered others.
    pub(super) fn is_out_of_step(&self) -> bool {
        self.is_out_of_step
    }

    /// Whether the process takes one request at a time, so that a line without an id has one meaning.
    pub(super) fn is_single(&self) -> bool {
        self.seats == 1
    }

    /// Adds a request; `None` where the process is at its limit, or one with the same key is in flight.
    pub(super) fn reserve(&mut self, key: &Key) -> Option<(u64, oneshot::Receiver<Result<Reply, Fault>>)> {
        if self.is_closed || self.busy >= self.seats || self.in_flight.iter().any(|other| other.key == *key) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        self.tickets += 1;
        self.busy += 1;
        let request = InFlight {
            ticket: self.tickets,
            key: key.clone(),
            sent: Instant::now(),
            elapsed: Duration::ZERO,
            sender,
        };
        self.in_flight.push(request);
        Some((self.tickets, receiver))
    }

    /// Frees the seat of a request whose reply was delivered.
    pub(super) fn release(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// Takes no more requests.
    pub(super) fn take_no_more(&mut self) {
        self.is_closed = true;
    }

    /// Takes no more requests; returns those that have no reply.
    pub(super) fn close(&mut self) -> Vec<InFlight> {
        self.take_no_more();
        std::mem::take(&mut self.in_flight)
    }

    /// Accepts a line, or explains why it was not expected. `None` for the announcement of a concurrency.
    pub(super) fn accept(&mut self, line: &[u8]) -> Result<Option<MatchedReply>, String> {
        let is_first = !std::mem::replace(&mut self.has_lines, true);
        let object = object(line)?;
        if let Some(concurrency) = object.get("concurrency").filter(|_| is_first) {
            self.announce(concurrency)?;
            return Ok(None);
        }
        let request = self.take_request(&object)?;
        self.replies += 1;
        self.names_ids &= present(object.get("id")).is_some();
        Ok(Some(MatchedReply { request: Box::new(request), value: object }))
    }

    fn announce(&mut self, concurrency: &Value) -> Result<(), String> {
        let seats = concurrency.as_u64().and_then(|seats| usize::try_from(seats).ok());
        self.seats = seats
            .filter(|seats| (1..=MAX_CONCURRENCY).contains(seats))
            .ok_or_else(|| format!("the concurrency is not a number from 1 to {MAX_CONCURRENCY}"))?;
        // The process was starting until now.
        let now = Instant::now();
        self.in_flight.iter_mut().for_each(|request| request.sent = now);
        Ok(())
    }

    fn take_request(&mut self, object: &Map<String, Value>) -> Result<InFlight, String> {
        let named = |name: &str| object.get(name).filter(|value| !value.is_null());
        let (id, repeat) = (named("id"), named("repeat"));
        if self.in_flight.is_empty() {
            self.is_out_of_step = self.has_answered() && !self.names_ids;
            return Err("a line that no request asked for".to_owned());
        }
        if id.is_none() && !self.is_single() {
            return Err("a reply without `id`, which a process with a concurrency needs".to_owned());
        }
        let mut fitting = (0..).zip(&self.in_flight).filter(|(_, request)| request.key.fits(id, repeat));
        match (fitting.next(), fitting.next()) {
            (Some((at, _)), None) => {
                let mut request = self.in_flight.swap_remove(at);
                request.elapsed = request.sent.elapsed();
                Ok(request)
            }
            (None, _) => Err("the reply to another request than the one in flight".to_owned()),
            (Some(_), Some(_)) => {
                Err("a reply without `repeat`, of which several are in flight for its `id`".to_owned())
            }
        }
    }
}

fn object(line: &[u8]) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "a line that is not valid UTF-8".to_owned())?;
    match json::parse(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("a line that is JSON, but not an object".to_owned()),
        Err(error) => Err(format!("a line that is not valid JSON ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conversation(announcement: Option<&str>, requests: &[Value]) -> Conversation {
        let mut conversation = Conversation::new();
        if let Some(line) = announcement {
            assert!(matches!(conversation.accept(line.as_bytes()), Ok(None)));
        }
        for request in requests {
            conversation.reserve(&Key::of(request)).unwrap();
        }
        conversation
    }

    fn reply(conversation: &mut Conversation, line: &str) -> Result<u64, String> {
        let reply = conversation.accept(line.as_bytes())?;
        reply.map(|reply| reply.request.ticket).ok_or_else(|| "an announcement".to_owned())
    }

    #[test]
    fn reply_names_its_request_or_none() {
        for line in
            [r#"{}"#, r#"{"id":"a"}"#, r#"{"id":"a","repeat":1}"#, r#"{"repeat":1}"#, r#"{"id":null}"#]
        {
            let mut single = conversation(None, &[json!({"id": "a", "repeat": 1})]);
            assert_eq!(reply(&mut single, line), Ok(1), "{line}");
        }
        for line in [r#"{"id":"b"}"#, r#"{"id":"a","repeat":0}"#, r#"{"id":1}"#, r#"{"repeat":"1"}"#] {
            let mut single = conversation(None, &[json!({"id": "a", "repeat": 1})]);
            assert!(reply(&mut single, line).unwrap_err().contains("another request"), "{line}");
        }
    }

    #[test]
    fn lines_that_are_not_replies_are_rejected() {
        for (line, expected) in [
            ("Loading model…", "not valid JSON"),
            ("[]", "not an object"),
            ("\"text\"", "not an object"),
            ("{\"output\": NaN}", "not valid JSON"),
            ("{\"output\": \"a\"} {}", "not valid JSON"),
            ("{\"concurrency\": 0}", "from 1 to 256"),
            ("{\"concurrency\": 257}", "from 1 to 256"),
            ("{\"concurrency\": \"4\"}", "from 1 to 256"),
        ] {
            let mut single = conversation(None, &[json!({"id": "a"})]);
            let error = reply(&mut single, line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        let mut single = conversation(None, &[json!({"id": "a"})]);
        assert!(single.accept(b"{\"output\": \"\xff\"}").err().unwrap().contains("UTF-8"));
        assert!(reply(&mut conversation(None, &[]), "{}").unwrap_err().contains("no request"));
    }

    #[test]
    fn concurrent_replies_need_ids() {
        let requests = [
            json!({"id": "a", "repeat": 0}),
            json!({"id": "b", "repeat": 0}),
            json!({"id": "a", "repeat": 1}),
        ];
        let start = || conversation(Some(r#"{"concurrency":3}"#), &requests);
        let mut several = start();
        assert_eq!(reply(&mut several, r#"{"id":"b"}"#), Ok(2));
        assert_eq!(reply(&mut several, r#"{"id":"a","repeat":1}"#), Ok(3));
        assert_eq!(reply(&mut several, r#"{"id":"a"}"#), Ok(1));
        assert!(reply(&mut start(), "{}").unwrap_err().contains("without `id`"));
        assert!(reply(&mut start(), r#"{"id":"a"}"#).unwrap_err().contains("without `repeat`"));
        // A second announcement is not a reply.
        assert!(reply(&mut start(), r#"{"concurrency":4}"#).is_err());
    }

    #[test]
    fn seats_are_limited_and_freed_by_delivery() {
        let mut several = conversation(Some(r#"{"concurrency":2}"#), &[json!({"id": "a"})]);
        assert!(several.reserve(&Key::of(&json!({"id": "a"}))).is_none(), "the same key");
        assert!(several.reserve(&Key::of(&json!({"id": "b"}))).is_some());
        assert_eq!(reply(&mut several, r#"{"id":"a"}"#), Ok(1));
        assert!(several.reserve(&Key::of(&json!({"id": "c"}))).is_none(), "not delivered yet");
        several.release();
        assert!(several.reserve(&Key::of(&json!({"id": "c"}))).is_some());
        assert_eq!(several.close().len(), 2);
        several.release();
        assert!(several.reserve(&Key::of(&json!({"id": "d"}))).is_none(), "closed");
    }
}
