//! Strict JSON (RFC 8259) with places, by recursive descent within a bounded depth.

use serde_json::{Map, Number, Value};

use super::lines::Lines;
use super::tree::{Node, Span};
use super::{MAX_DEPTH, explain};
use crate::model::{Diagnostic, Diagnostics};

/// Parses one value.
pub(super) fn parse(lines: &Lines) -> Result<(Value, Node), Diagnostics> {
    let mut parser = Parser { lines, text: lines.text(), at: 0, diagnostics: Vec::new() };
    let result = parser.document();
    let mut diagnostics = parser.diagnostics;
    match result {
        Ok(parsed) if diagnostics.is_empty() => Ok(parsed),
        Ok(_) => Err(Diagnostics(diagnostics)),
        Err(fatal) => {
            diagnostics.extend(fatal.0);
            Err(Diagnostics(diagnostics))
        }
    }
}

/// The mistake of a key that stands twice in one map.
pub(super) fn duplicate(lines: &Lines, key: &str, span: Span, first: Option<Span>) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("the key {} stands here a second time", explain::quoted(key)))
        .at(lines.place(span));
    match first.and_then(|first| lines.place(first).line) {
        Some(line) => diagnostic.help(format!("keep one of the two; the first is on line {line}")),
        None => diagnostic.help("keep one of the two"),
    }
}

/// The mistake of a number that is infinite, not a number, or an integer of more than 64 bits.
pub(super) fn unusable_number(lines: &Lines, span: Span) -> Diagnostic {
    Diagnostic::new("this number is not finite, or too large to be kept exactly")
        .at(lines.place(span))
        .help("put quotes around it if it is an identifier")
}

struct Parser<'a> {
    lines: &'a Lines,
    text: &'a str,
    at: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(Value, Node), Diagnostics> {
        let parsed = self.value(0)?;
        self.blank();
        match self.peek() {
            None => Ok(parsed),
            Some(_) => Err(self.expected("the end of the text").into()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(Value, Node), Diagnostics> {
        self.blank();
        let start = self.at;
        let (value, children) = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => (Value::String(self.string()?), Vec::new()),
            Some(b'-' | b'0'..=b'9') => (self.number()?, Vec::new()),
            _ if self.word("true") => (Value::Bool(true), Vec::new()),
            _ if self.word("false") => (Value::Bool(false), Vec::new()),
            _ if self.word("null") => (Value::Null, Vec::new()),
            _ => return Err(self.expected("a value").into()),
        };
        Ok((value, Node { key: None, span: Span::new(start, self.at), children }))
    }

    fn map(&mut self, depth: usize) -> Result<(Value, Vec<Node>), Diagnostics> {
        self.deeper(depth)?;
        let (mut map, mut nodes) = (Map::new(), Vec::<Node>::new());
        if self.empty(b'}') {
            return Ok((Value::Object(map), nodes));
        }
        loop {
            self.blank();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes").into());
            }
            let key = self.string()?;
            let span = Span::new(start, self.at);
            self.blank();
            if !self.skip(b':') {
                return Err(self.expected("`:`").into());
            }
            let (value, mut node) = self.value(depth + 1)?;
            node.key = Some(span);
            if map.contains_key(&key) {
                let index = map.keys().position(|known| *known == key);
                let first = index.and_then(|index| nodes.get(index)).and_then(|node| node.key);
                self.diagnostics.push(duplicate(self.lines, &key, span, first));
            } else {
                map.insert(key, value);
                nodes.push(node);
            }
            self.blank();
            if self.skip(b'}') {
                return Ok((Value::Object(map), nodes));
            }
            if !self.skip(b',') {
                return Err(self.expected("`,` or `}`").into());
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<(Value, Vec<Node>), Diagnostics> {
        self.deeper(depth)?;
        let (mut items, mut nodes) = (Vec::new(), Vec::new());
        if self.empty(b']') {
            return Ok((Value::Array(items), nodes));
        }
        loop {
            let (value, node) = self.value(depth + 1)?;
            items.push(value);
            nodes.push(node);
            self.blank();
            if self.skip(b']') {
                return Ok((Value::Array(items), nodes));
            }
            if !self.skip(b',') {
                return Err(self.expected("`,` or `]`").into());
            }
        }
    }

    /// Steps over the opening bracket.
    fn deeper(&mut self, depth: usize) -> Result<(), Diagnostics> {
        if depth >= MAX_DEPTH {
            return Err(self.diagnostic(&explain::too_deep(), self.at, self.at + 1).into());
        }
        self.at += 1;
        Ok(())
    }

    fn empty(&mut self, close: u8) -> bool {
        self.blank();
        self.skip(close)
    }

    /// A string in double quotes; its end is found here, its escapes are read by serde_json.
    fn string(&mut self) -> Result<String, Diagnostics> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b'\n' | b'\r') | None => {
                    return Err(self
                        .diagnostic("not valid JSON: a text without its closing quote", start, end)
                        .help("close it with `\"`; a line break in a text is written `\\n`")
                        .into());
                }
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        let literal = self.text.get(start..self.at).unwrap_or("");
        serde_json::from_str(literal).map_err(|error| {
            // serde_json appends its own line and column, which count from this literal.
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or("a broken text");
            self.diagnostic(&format!("not valid JSON: {reason}"), start, end + 1)
                .help("a backslash is written `\\\\`, a control character `\\u00XX`")
                .into()
        })
    }

    fn number(&mut self) -> Result<Value, Diagnostics> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let length =
            rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        self.at += length;
        let literal = rest.get(..length).unwrap_or("");
        let whole = literal.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match serde_json::from_str::<Number>(literal) {
            Ok(number) if !(whole && number.is_f64()) => Ok(Value::Number(number)),
            // `-0` is an integer that serde_json keeps as a float, for its sign.
            Ok(number) if number.as_f64() == Some(0.0) => Ok(Value::Number(number)),
            Ok(_) => Ok(self.unusable(start)),
            Err(error) if error.to_string().starts_with("number out of range") => Ok(self.unusable(start)),
            Err(_) => Err(self.diagnostic("not valid JSON: this is not a number", start, self.at).into()),
        }
    }

    fn unusable(&mut self, start: usize) -> Value {
        self.diagnostics.push(unusable_number(self.lines, Span::new(start, self.at)));
        Value::Null
    }

    fn word(&mut self, word: &str) -> bool {
        let rest = self.text.get(self.at..).unwrap_or("");
        let whole = rest
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if whole {
            self.at += word.len();
        }
        whole
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> Diagnostic {
        let rest = self.text.get(self.at..).unwrap_or("");
        let Some(next) = rest.chars().next() else {
            return self.diagnostic(
                &format!("not valid JSON: expected {what}, found the end of the text"),
                self.at,
                self.at,
            );
        };
        let message =
            format!("not valid JSON: expected {what}, found {}", explain::quoted(&next.to_string()));
        let diagnostic = self.diagnostic(&message, self.at, self.at + next.len_utf8());
        match next {
            '}' | ']' => diagnostic.help("remove the comma before it"),
            '\'' => diagnostic.help("texts stand in double quotes"),
            '/' | '#' => diagnostic.help("JSON has no comments"),
            'N' | 'I' => diagnostic.help("JSON has no NaN or Infinity; use null"),
            _ => diagnostic,
        }
    }

    fn diagnostic(&self, message: &str, start: usize, end: usize) -> Diagnostic {
        Diagnostic::new(message).at(self.lines.place(Span::new(start, end)))
    }
}
