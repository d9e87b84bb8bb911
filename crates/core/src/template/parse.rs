//! Parser and renderer of templates.

use std::borrow::Cow;

use crate::document::shortened;

/// A parsed template: literal text and placeholders, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Placeholder(Placeholder),
}

/// The location of double braces in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Byte offset of the first brace.
    pub offset: usize,
    /// Line of the first brace, counted from 1.
    pub line: usize,
    /// Column of the first brace in characters, counted from 1.
    pub column: usize,
    /// Characters from the first brace to the last.
    pub length: usize,
}

/// One `{{name}}` of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The name between the braces.
    pub name: String,
    /// The location.
    pub at: Position,
}

/// An invalid placeholder: double braces on one line that do not enclose a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message} (help: {help})", at.line, at.column)]
pub struct TemplateDiagnostic {
    /// The location.
    pub at: Position,
    /// The message.
    pub message: String,
    /// The next step.
    pub help: String,
}

/// A placeholder without a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{{{{{}}}}}` is undefined", .0.name)]
pub struct UndefinedVariable(pub Placeholder);

impl Template {
    /// Parses a template.
    ///
    /// `{{name}}` and `{{ name }}` are placeholders; a name is an ASCII letter or `_`, then letters, digits,
    /// `_`, `.` and `-`. Everything else is literal: single braces, `{%`, `{#`, JSON such as
    /// `{"a": {"b": 1}}` or `{{"a": 1}}`, double braces that span lines. In `{{{name}}}` the outer braces are
    /// literal.
    ///
    /// # Errors
    /// The first `{{…}}` on one line that looks like an expression of another template language: `{{7*7}}`,
    /// `{{#if x}}`, `{{x | upper}}`, `{{}}`. Whether it is meant literally cannot be known.
    pub fn parse(text: &str) -> Result<Self, TemplateDiagnostic> {
        let (template, mut diagnostics) = scan(text);
        if diagnostics.is_empty() { Ok(template) } else { Err(diagnostics.swap_remove(0)) }
    }

    /// Returns all diagnostics of a text in order; none if [`Template::parse`] accepts it.
    pub fn diagnostics(text: &str) -> Vec<TemplateDiagnostic> {
        scan(text).1
    }

    /// Returns all placeholders in order, including repeated names.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder(placeholder) => Some(placeholder),
            Segment::Literal(_) => None,
        })
    }

    /// Returns the texts between the placeholders, in order.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(literal) => Some(literal.as_str()),
            Segment::Placeholder(_) => None,
        })
    }

    /// Returns the distinct names in the order of their first use.
    pub fn variables(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for placeholder in self.placeholders() {
            if !names.contains(&placeholder.name.as_str()) {
                names.push(&placeholder.name);
            }
        }
        names
    }

    /// Inserts the values. Values are not scanned for placeholders.
    ///
    /// # Errors
    /// The first placeholder for which `lookup` has no value.
    pub fn render<'v>(
        &self,
        lookup: &dyn Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<String, UndefinedVariable> {
        let mut text = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Placeholder(placeholder) => {
                    let value = lookup(&placeholder.name);
                    text.push_str(&value.ok_or_else(|| UndefinedVariable(placeholder.clone()))?);
                }
            }
        }
        Ok(text)
    }
}

/// The meaning of a `{{`.
enum Braces<'t> {
    /// A placeholder with its name; `bytes` includes both pairs of braces.
    Name { name: &'t str, bytes: usize },
    /// An expression of another template language; `bytes` includes both pairs of braces.
    Expression { bytes: usize },
    /// Literal braces.
    Literal,
}

fn scan(text: &str) -> (Template, Vec<TemplateDiagnostic>) {
    let mut segments = Vec::new();
    let mut diagnostics = Vec::new();
    let mut literal = String::new();
    let mut position = Position { offset: 0, line: 1, column: 1, length: 0 };
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, at) = rest.split_at(start);
        literal.push_str(before);
        position.advance(before);
        let consumed = match classify(at) {
            Braces::Name { name, bytes } => {
                if !literal.is_empty() {
                    segments.push(Segment::Literal(std::mem::take(&mut literal)));
                }
                let at = Position { length: bytes, ..position };
                segments.push(Segment::Placeholder(Placeholder { name: name.to_owned(), at }));
                bytes
            }
            Braces::Expression { bytes } => {
                diagnostics.push(expression(&at[..bytes], position));
                bytes
            }
            Braces::Literal => {
                literal.push('{');
                1
            }
        };
        position.advance(&at[..consumed]);
        rest = &at[consumed..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        segments.push(Segment::Literal(literal));
    }
    (Template { segments }, diagnostics)
}

impl Position {
    pub(super) fn advance(&mut self, text: &str) {
        self.offset += text.len();
        match text.rfind('\n') {
            Some(newline) => {
                self.line += text.matches('\n').count();
                self.column = 1 + text[newline + 1..].chars().count();
            }
            None => self.column += text.chars().count(),
        }
    }
}

/// Classifies a text that starts with `{{`.
fn classify(at: &str) -> Braces<'_> {
    let inside = &at[2..];
    let trimmed = inside.trim_start_matches([' ', '\t']);
    let name_length = trimmed.bytes().take_while(|byte| is_name_byte(*byte)).count();
    let (name, after) = trimmed.split_at(name_length);
    let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let after_spaces = after.trim_start_matches([' ', '\t']);
    if starts_well && after_spaces.starts_with("}}") {
        return Braces::Name { name, bytes: at.len() - after_spaces.len() + 2 };
    }
    // Braces that end on another line, enclose braces, or are not closed are literal.
    let Some(end) = inside.find(['{', '}', '\n', '\r']) else { return Braces::Literal };
    if !inside[end..].starts_with("}}") {
        return Braces::Literal;
    }
    // JSON and style objects (`{{"a": 1}}`, `{{ color: 'red' }}`), LaTeX (`{{\bf x}}`).
    if trimmed.starts_with(['"', '\'', '\\', '[', '`']) {
        return Braces::Literal;
    }
    if starts_well
        && let Some(value) = after_spaces.strip_prefix(':')
        && value.starts_with([' ', '\t', '"', '\''])
    {
        return Braces::Literal;
    }
    Braces::Expression { bytes: 2 + end + 2 }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn expression(text: &str, position: Position) -> TemplateDiagnostic {
    let inside = text[2..text.len() - 2].trim();
    let message = if inside.is_empty() {
        format!("`{text}` is not a placeholder: the name is missing")
    } else {
        format!("`{}` is not a placeholder: `{}` is not a valid name", shortened(text), shortened(inside))
    };
    let help = if inside.starts_with(['#', '/', '^', '>', '!', '&', '@', '=', '~', '-', '%']) {
        "prompts support only `{{name}}`: no conditions, loops, partials or comments"
    } else if inside.contains(['|', '(', '[']) {
        "prompts support only `{{name}}`: no filters, calls or indexes; put the final text into the case's `vars`"
    } else if !inside.is_ascii() {
        "names consist of ASCII letters, digits, `_`, `.` and `-`; rename the variable with `fields`"
    } else {
        "write `{{name}}` for a variable; for literal braces write `{ {` with a space, or put the text into a \
         case's `vars` and insert it by name"
    };
    let at = Position { length: text.chars().count(), ..position };
    TemplateDiagnostic { at, message, help: help.to_owned() }
}
