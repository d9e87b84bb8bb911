//! The reader of strict JSON (RFC 8259): recursive descent of bounded depth that records the location of each value.

use serde_json::{Map, Number, Value};

use super::half_character;

/// A range of bytes in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: u32,
    /// The byte after the last one.
    pub(crate) end: u32,
}

impl Span {
    /// The span from `start` to `end`, in bytes.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let small = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: small(start), end: small(end.max(start)) }
    }
}

/// The location of a value and its key.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The key, in a map.
    pub(crate) key: Option<Span>,
    /// The value.
    pub(crate) span: Span,
    /// Nodes of the value's items, in their order.
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// A value without items.
    pub(crate) fn leaf(span: Span) -> Self {
        Self { key: None, span, children: Vec::new() }
    }

    /// Number of values in it, including itself.
    pub(crate) fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// Number of levels below it.
    pub(crate) fn height(&self) -> usize {
        self.children.iter().map(|child| child.height() + 1).max().unwrap_or(0)
    }
}

/// An error and its location.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) problem: Problem,
    pub(crate) span: Span,
}

/// The kind of an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// Another token was expected at the location.
    #[error("expected {expected}, found {found:?}")]
    Unexpected { expected: &'static str, found: char },
    /// The text ends at the location, where a token was expected.
    #[error("expected {0}, found the end of the text")]
    EndOfText(&'static str),
    /// A string without its closing quote.
    #[error("a string without its closing quote")]
    Unclosed,
    /// An invalid escape or character in a string.
    #[error("{0}")]
    InvalidString(String),
    /// An escape of one half of a character beyond U+FFFF, without the other half.
    #[error("a string holds half a character (a lone surrogate)")]
    HalfCharacter,
    /// Characters of a number that do not form one.
    #[error("invalid number")]
    InvalidNumber,
    /// A number outside the range that can be represented.
    #[error("number out of range")]
    UnusableNumber,
    /// A key that the map already has.
    #[error("the key {:?} occurs twice", key.chars().take(SHOWN).collect::<String>())]
    DuplicateKey { key: String, first: Option<Span> },
    /// Nesting beyond the limit.
    #[error("nested too deeply")]
    TooDeep,
}

/// Whether a JSON string has a `\ud8xx` without its second half, or a second half alone.
fn has_lone_surrogate(literal: &str) -> bool {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        let Some(hexadecimal) = escape.strip_prefix('u') else {
            rest = escape.get(1..).unwrap_or_default();
            continue;
        };
        let after = hexadecimal.get(4..).unwrap_or_default();
        rest = match unit(hexadecimal) {
            Some(0xd800..=0xdbff) => {
                let second = after.strip_prefix("\\u");
                match second.and_then(unit) {
                    Some(0xdc00..=0xdfff) => second.and_then(|text| text.get(4..)).unwrap_or_default(),
                    _ => return true,
                }
            }
            Some(0xdc00..=0xdfff) => return true,
            _ => after,
        };
    }
    false
}

/// Characters of a key in a message.
const SHOWN: usize = 120;

/// Limits of a reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum depth of nested lists and maps.
    pub(crate) depth: usize,
    /// Whether integers must fit into 64 bits; otherwise larger ones become floating-point numbers.
    pub(crate) exact_integers: bool,
}

/// Reads one value that is the whole text.
///
/// # Errors
/// Duplicate keys and unusable numbers in the order of the text, then the syntax error, if any.
pub(crate) fn read(text: &str, limits: Limits) -> Result<(Value, Node), Vec<Error>> {
    let mut reader = Reader { text, at: 0, limits, errors: Vec::new() };
    let parsed = reader.document().map_err(|fatal| reader.errors.push(fatal));
    parsed.ok().filter(|_| reader.errors.is_empty()).ok_or(reader.errors)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    /// Errors after which reading can go on.
    errors: Vec<Error>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(Value, Node), Error> {
        let parsed = self.value(0)?;
        self.skip_blanks();
        match self.peek() {
            None => Ok(parsed),
            Some(_) => Err(self.expected("the end of the text")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(Value, Node), Error> {
        self.skip_blanks();
        let start = self.at;
        let (value, children) = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => (Value::String(self.string()?), Vec::new()),
            Some(b'-' | b'0'..=b'9') => (self.number()?, Vec::new()),
            _ if self.word("true") => (Value::Bool(true), Vec::new()),
            _ if self.word("false") => (Value::Bool(false), Vec::new()),
            _ if self.word("null") => (Value::Null, Vec::new()),
            _ => return Err(self.expected("a value")),
        };
        Ok((value, Node { key: None, span: Span::new(start, self.at), children }))
    }

    fn map(&mut self, depth: usize) -> Result<(Value, Vec<Node>), Error> {
        self.open(depth)?;
        let (mut map, mut nodes) = (Map::new(), Vec::<Node>::new());
        if self.closes_with(b'}') {
            return Ok((Value::Object(map), nodes));
        }
        loop {
            self.skip_blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            let key = self.string()?;
            let span = Span::new(start, self.at);
            if !self.closes_with(b':') {
                return Err(self.expected("`:`"));
            }
            let (value, mut node) = self.value(depth + 1)?;
            node.key = Some(span);
            if map.contains_key(&key) {
                let index = map.keys().position(|known| *known == key);
                let first = index.and_then(|index| nodes.get(index)).and_then(|node| node.key);
                self.errors.push(Error { problem: Problem::DuplicateKey { key, first }, span });
            } else {
                map.insert(key, value);
                nodes.push(node);
            }
            if self.closes_with(b'}') {
                return Ok((Value::Object(map), nodes));
            }
            if !self.skip(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<(Value, Vec<Node>), Error> {
        self.open(depth)?;
        let (mut items, mut nodes) = (Vec::new(), Vec::new());
        if self.closes_with(b']') {
            return Ok((Value::Array(items), nodes));
        }
        loop {
            let (value, node) = self.value(depth + 1)?;
            items.push(value);
            nodes.push(node);
            if self.closes_with(b']') {
                return Ok((Value::Array(items), nodes));
            }
            if !self.skip(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    /// Skips the opening bracket.
    fn open(&mut self, depth: usize) -> Result<(), Error> {
        if depth >= self.limits.depth {
            return Err(error(Problem::TooDeep, self.at, self.at + 1));
        }
        self.at += 1;
        Ok(())
    }

    /// Skips blanks and then this byte, if it follows.
    fn closes_with(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        self.skip(byte)
    }

    /// A string in double quotes: finds its end, and leaves its escapes to serde_json.
    fn string(&mut self) -> Result<String, Error> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b'\n' | b'\r') | None => return Err(error(Problem::Unclosed, start, end)),
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        let literal = self.text.get(start..self.at).unwrap_or("");
        serde_json::from_str(literal).map_err(|cause| {
            if let Some(half) = half_character(literal.as_bytes()) {
                let reason = format!("{half} is half a character, a surrogate without its partner");
                return error(Problem::InvalidString(reason), start, self.at);
            }
            // serde_json appends its own line and column, which count from this literal.
            if has_lone_surrogate(literal) {
                return error(Problem::HalfCharacter, start, self.at);
            }
            let reason = cause.to_string();
            let reason = reason.split(" at line ").next().unwrap_or("invalid string").to_owned();
            error(Problem::InvalidString(reason), start, self.at)
        })
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let length =
            rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        self.at += length;
        let literal = rest.get(..length).unwrap_or("");
        let whole = literal.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match serde_json::from_str::<Number>(literal) {
            // `-0` is an integer that serde_json keeps as a float, for its sign.
            Ok(number) if !(whole && self.limits.exact_integers && is_large(&number)) => {
                Ok(Value::Number(number))
            }
            Err(cause) if !cause.to_string().starts_with("number out of range") => {
                Err(error(Problem::InvalidNumber, start, self.at))
            }
            Ok(_) | Err(_) => {
                self.errors.push(error(Problem::UnusableNumber, start, self.at));
                Ok(Value::Null)
            }
        }
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

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let follows = self.peek() == Some(byte);
        self.at += usize::from(follows);
        follows
    }

    fn expected(&self, expected: &'static str) -> Error {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => {
                error(Problem::Unexpected { expected, found }, self.at, self.at + found.len_utf8())
            }
            None => error(Problem::EndOfText(expected), self.at, self.at),
        }
    }
}

fn error(problem: Problem, start: usize, end: usize) -> Error {
    Error { problem, span: Span::new(start, end) }
}

/// Whether a literal without fraction and exponent did not fit into an integer.
fn is_large(number: &Number) -> bool {
    number.is_f64() && number.as_f64() != Some(0.0)
}
