//! Texts as tokens: words, punctuation and placeholders, after NFC and without white space.

use promptgate_core::template::Template;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Punctuation whose change a patch may contain. Marks of code, markup and arithmetic are not in it.
const PUNCTUATION: &str = ".,;:!?…¿¡'\"‘’‚“”„‹›«»()–—-";

/// Marks that make a word next to them, without a blank, part of code, a path, a label or a number.
const CODE: &str = "/\\@#$%&=+<>{}[]|~^_`'\"‘’“”„";

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word or a number.
    Word,
    /// A mark, or a character of another kind.
    Mark,
    /// A placeholder; its text is the name.
    Placeholder,
}

/// One token. Tokens are equal if kind and text are: a token may be on another line.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// Whether it follows the token before it without white space.
    pub(super) glued: bool,
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}

impl Token {
    /// Whether it is punctuation that a patch may change.
    pub(super) fn is_punctuation(&self) -> bool {
        self.kind == Kind::Mark && self.text.chars().all(|mark| PUNCTUATION.contains(mark))
    }

    /// Whether it is a mark of code.
    pub(super) fn is_code(&self) -> bool {
        self.kind == Kind::Mark && self.text.chars().any(|mark| CODE.contains(mark))
    }

    /// Whether it contains a digit, of any script.
    pub(super) fn has_digit(&self) -> bool {
        self.kind == Kind::Word && self.text.chars().any(char::is_numeric)
    }

    /// The text as it is written.
    pub(super) fn written(&self) -> String {
        if self.kind == Kind::Placeholder { format!("{{{{{}}}}}", self.text) } else { self.text.clone() }
    }
}

/// Splits a text at the word boundaries of UAX #29.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let text: String = text.nfc().collect();
    let mut reader = Reader { tokens: Vec::new(), line: 1, glued: false };
    let mut offset = 0;
    if let Ok(template) = Template::parse(&text) {
        for placeholder in template.placeholders() {
            let start = placeholder.at.offset;
            reader.literal(text.get(offset..start).unwrap_or_default());
            reader.push(Kind::Placeholder, &placeholder.name);
            offset = start + placeholder.at.length; // placeholders are ASCII
        }
    }
    reader.literal(text.get(offset..).unwrap_or_default());
    reader.tokens
}

struct Reader {
    tokens: Vec<Token>,
    line: usize,
    glued: bool,
}

impl Reader {
    fn push(&mut self, kind: Kind, text: &str) {
        self.tokens.push(Token { kind, text: text.to_owned(), line: self.line, glued: self.glued });
        self.glued = true;
    }

    fn literal(&mut self, text: &str) {
        for piece in text.split_word_bounds() {
            if piece.chars().all(char::is_whitespace) {
                self.line += piece.matches('\n').count();
                self.glued = false;
            } else if piece.chars().any(char::is_alphanumeric) {
                self.push(Kind::Word, piece);
            } else {
                self.push(Kind::Mark, piece);
                self.line += piece.matches('\n').count();
            }
        }
    }
}

/// Tokens as they are written, with a blank where there was white space.
pub(super) fn written(tokens: &[Token]) -> String {
    /// Longer texts are cut by the excerpt anyway.
    const MAX_TOKENS: usize = 24;
    let mut text = String::new();
    for (index, token) in tokens.iter().take(MAX_TOKENS).enumerate() {
        if index > 0 && !token.glued {
            text.push(' ');
        }
        text.push_str(&token.written());
    }
    if tokens.len() > MAX_TOKENS {
        text.push('…');
    }
    text
}
