//! YAML 1.2 (core schema) from parser events, with limited aliases and without ambiguous features.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as YamlSpan, StrInput};
use serde_json::{Map, Number, Value};

use super::lines::Lines;

use super::missing_colon::missing_colon;
use super::{MAX_DEPTH, explain, json};
use crate::model::{Diagnostic, Diagnostics};
use crate::text::json::{Node, Span};

/// Maximum number of values that aliases may add to a document, against "billion laughs".
const MAX_ALIASED: usize = 100_000;

/// Parses one document.
pub(super) fn parse(lines: &Lines) -> Result<(Value, Node), Diagnostics> {
    let mut builder = Builder::new(lines);
    let fatal = builder.read().err();
    let mut diagnostics = builder.diagnostics;
    diagnostics.extend(fatal);
    if !diagnostics.is_empty() {
        return Err(Diagnostics(diagnostics));
    }
    let empty = || (Value::Null, Node::leaf(Span::new(0, 0)));
    Ok(builder.root.unwrap_or_else(empty))
}

/// A list or map that is not complete yet.
struct Frame {
    span: Span,
    anchor: usize,
    content: Content,
    nodes: Vec<Node>,
}

enum Content {
    List(Vec<Value>),
    /// The complete entries, and the key of the next value.
    Map(Map<String, Value>, Option<Key>),
}

/// The key of the next value.
enum Key {
    Text(String, Span),
    /// An invalid key that was reported; its value is discarded.
    Rejected,
}

struct Builder<'a> {
    lines: &'a Lines,
    diagnostics: Vec<Diagnostic>,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, (Value, Node)>,
    aliased: usize,
    documents: usize,
    root: Option<(Value, Node)>,
    /// Characters and bytes up to the last marker. Markers count characters.
    cursor: (usize, usize),
}

impl<'a> Builder<'a> {
    fn new(lines: &'a Lines) -> Self {
        Self {
            lines,
            diagnostics: Vec::new(),
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            aliased: 0,
            documents: 0,
            root: None,
            cursor: (0, 0),
        }
    }

    /// Reads all events up to the first fatal error.
    fn read(&mut self) -> Result<(), Diagnostic> {
        let mut parser = Parser::new(StrInput::new(self.lines.text()));
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let at = self.offset(*error.marker());
                if let Some(key) = missing_colon(self.lines.text(), at) {
                    return self.without_colon(key);
                }
                let message = format!("not valid YAML: {}", error.info());
                let diagnostic = self.diagnostic(&message, Span::new(at, at));
                let help = self
                    .odd_space(at)
                    .or_else(|| self.unclosed(error.info()))
                    .or_else(|| explain::yaml_help(error.info()).map(str::to_owned));
                Diagnostic { help, ..diagnostic }
            })?;
            self.take(event, span)?;
        }
        Ok(())
    }

    fn without_colon(&self, key: Span) -> Diagnostic {
        let name = self.lines.text().get(key.start as usize..key.end as usize).unwrap_or_default();
        let name = explain::quoted(name);
        let help = format!("write a colon and a space after {name}");
        self.diagnostic(&format!("not valid YAML: no `:` after {name}"), key).help(help)
    }

    /// Help for a flow list or map that is not closed, or lacks a comma.
    fn unclosed(&self, info: &str) -> Option<String> {
        if !["flow", "indentation", "end of stream"].iter().any(|part| info.contains(part)) {
            return None;
        }
        let bracket =
            |frame: &Frame| match self.lines.text().get(frame.span.start as usize..)?.chars().next()? {
                '{' => Some((frame.span, '{', '}')),
                '[' => Some((frame.span, '[', ']')),
                _ => None,
            };
        let (span, opening, closing) = self.stack.iter().rev().find_map(bracket)?;
        let line = self.lines.place(span).line?;
        Some(format!(
            "close the `{opening}` of line {line} with `{closing}`, or write a comma between its entries"
        ))
    }

    /// Help for a space that is not plain, on the line of a syntax error or the one before.
    fn odd_space(&self, at: usize) -> Option<String> {
        let before = self.lines.text().get(..at)?;
        let rest = self.lines.text().get(at..)?.split('\n').next()?;
        let start = before.rmatch_indices('\n').nth(1).map_or(0, |(newline, _)| newline + 1);
        let nearby = before.get(start..)?.chars().chain(rest.chars());
        let odd = nearby.into_iter().find(|c| c.is_whitespace() && !c.is_ascii() || *c == '\u{200b}')?;
        Some(format!("a space here is U+{:04X}, not a plain one: retype it", u32::from(odd)))
    }

    fn take(&mut self, event: Event<'_>, span: YamlSpan) -> Result<(), Diagnostic> {
        let at = Span::new(self.offset(span.start), self.offset(span.end));
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let diagnostic = self.diagnostic("unexpected second document", at);
                    return Err(diagnostic.help("use one document per file; remove the line `---`"));
                }
            }
            Event::Alias(id) => {
                let (value, node) = self.alias(id, at)?;
                self.attach(value, node, 0, false);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.reject_tag(tag.is_some(), at);
                let plain = style == ScalarStyle::Plain;
                if self.expects_key() {
                    if plain && text == "<<" {
                        let diagnostic = self.diagnostic("merge keys (`<<`) are not supported", at);
                        self.reject_key(diagnostic.help("write all keys explicitly"));
                    } else {
                        self.key(text.into_owned(), at, anchor);
                    }
                    return Ok(());
                }
                // An empty value has no text, so it has the location of its key.
                let is_absent = plain && text.is_empty();
                let value = if plain { self.scalar(&text, at) } else { Value::String(text.into_owned()) };
                self.attach(value, Node::leaf(at), anchor, is_absent);
            }
            Event::SequenceStart(anchor, tag) => {
                self.reject_tag(tag.is_some(), at);
                self.open(Content::List(Vec::new()), at, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.reject_tag(tag.is_some(), at);
                self.open(Content::Map(Map::new(), None), at, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, content: Content, span: Span, anchor: usize) -> Result<(), Diagnostic> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.diagnostic(&explain::too_deep(), span));
        }
        self.stack.push(Frame { span, anchor, content, nodes: Vec::new() });
        Ok(())
    }

    fn close(&mut self, end: Span) {
        let Some(frame) = self.stack.pop() else { return };
        let span = Span { start: frame.span.start, end: end.end.max(frame.span.end) };
        let value = match frame.content {
            Content::List(items) => Value::Array(items),
            Content::Map(map, _) => Value::Object(map),
        };
        if self.expects_key() {
            let diagnostic = self.diagnostic("a key must be text, not a list or map", span);
            self.reject_key(diagnostic.help("put quotes around text that contains `{{`, `{` or `[`"));
            return;
        }
        self.attach(value, Node { key: None, span, children: frame.nodes }, frame.anchor, false);
    }

    /// Adds a complete value to its list or map.
    fn attach(&mut self, value: Value, mut node: Node, anchor: usize, is_absent: bool) {
        if let Some(Frame { content: Content::Map(_, Some(Key::Text(_, key))), .. }) = self.stack.last() {
            node.key = Some(*key);
            if is_absent {
                node.span = *key;
            }
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), node.clone()));
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some((value, node));
            return;
        };
        match &mut frame.content {
            Content::List(items) => {
                items.push(value);
                frame.nodes.push(node);
            }
            Content::Map(map, key) => {
                if let Some(Key::Text(key, _)) = key.take() {
                    map.insert(key, value);
                    frame.nodes.push(node);
                }
            }
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { content: Content::Map(_, None), .. }))
    }

    fn reject_key(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        if let Some(Frame { content: Content::Map(_, key), .. }) = self.stack.last_mut() {
            *key = Some(Key::Rejected);
        }
    }

    fn key(&mut self, text: String, span: Span, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (Value::String(text.clone()), Node::leaf(span)));
        }
        let Some(Frame { content: Content::Map(map, key), nodes, .. }) = self.stack.last_mut() else {
            return;
        };
        if map.contains_key(&text) {
            let index = map.keys().position(|known| *known == text).unwrap_or_default();
            let first = nodes.get(index).and_then(|node| node.key);
            self.reject_key(json::duplicate(self.lines, &text, span, first));
        } else {
            *key = Some(Key::Text(text, span));
        }
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(Value, Node), Diagnostic> {
        if self.expects_key() {
            return Err(self.diagnostic("an alias cannot be a key", at).help("write the key explicitly"));
        }
        let Some((value, node)) = self.anchors.get(&id) else {
            return Err(self.diagnostic("this alias is inside the value that it repeats", at));
        };
        self.aliased += node.count();
        if self.aliased > MAX_ALIASED {
            let message = format!("aliases repeat more than {MAX_ALIASED} values");
            return Err(self.diagnostic(&message, at).help("use fewer aliases"));
        }
        if self.stack.len() + node.height() > MAX_DEPTH {
            return Err(self.diagnostic(&explain::too_deep(), at));
        }
        Ok((value.clone(), Node { key: None, span: at, children: node.children.clone() }))
    }

    fn reject_tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            let diagnostic = self.diagnostic("tags (`!…`) are not supported", span);
            self.diagnostics
                .push(diagnostic.help("remove the tag, or put quotes around text that starts with `!`"));
        }
    }

    /// Interprets a plain scalar by the core schema (YAML 1.2.2, 10.3.2).
    fn scalar(&mut self, text: &str, span: Span) -> Value {
        let value = match text {
            "" | "~" | "null" | "Null" | "NULL" => Some(Value::Null),
            "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ if !NUMBER.is_match(text) => Some(Value::String(text.to_owned())),
            _ => number(text).map(Value::Number),
        };
        value.unwrap_or_else(|| {
            self.diagnostics.push(json::unusable_number(self.lines, span));
            Value::Null
        })
    }

    fn diagnostic(&self, message: &str, span: Span) -> Diagnostic {
        Diagnostic::new(message).at(self.lines.place(span))
    }

    /// Returns the byte offset of a marker, counted from the last one.
    fn offset(&mut self, marker: Marker) -> usize {
        let text = self.lines.text();
        let (mut characters, mut bytes) = self.cursor;
        while characters < marker.index() {
            let Some(next) = text.get(bytes..).and_then(|rest| rest.chars().next()) else { break };
            bytes += next.len_utf8();
            characters += 1;
        }
        while characters > marker.index() {
            let Some(last) = text.get(..bytes).and_then(|rest| rest.chars().next_back()) else { break };
            bytes -= last.len_utf8();
            characters -= 1;
        }
        self.cursor = (characters, bytes);
        bytes
    }
}

/// Numbers of the core schema: decimal, octal, hexadecimal, floating point, infinity, not a number.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"[-+]?[0-9]+",
        r"0o[0-7]+",
        r"0x[0-9a-fA-F]+",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        r"[-+]?(\.inf|\.Inf|\.INF)",
        r"\.nan|\.NaN|\.NAN",
    ];
    Regex::new(&format!("^(?:{})$", forms.join("|"))).expect("a valid pattern")
});

/// Parses a text that matches [`NUMBER`]; `None` if the number is not finite, or an integer of more than 64 bits.
fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(Number::from);
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if text.contains(['.', 'e', 'E']) {
        return text.parse().ok().and_then(Number::from_f64);
    }
    let integer = text.parse::<u64>().map(Number::from);
    integer.or_else(|_| text.parse::<i64>().map(Number::from)).ok()
}
