//! Redaction of secrets in logs, messages and reports.
//!
//! This is the second line of defense: the first is that a [`Secret`] cannot be printed. Redaction covers the value
//! itself and its base64, URL-encoded and JSON-escaped forms. Base64 may be standard or URL-safe, with or without
//! padding, and part of a longer encoded text, as in basic authentication.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::Secret;

/// Minimum length of a redacted secret in characters. Values such as `none`, `EMPTY` or `ollama` are set for servers
/// that check no key; redacting them would garble texts and reveal the value.
const MIN_LENGTH: usize = 8;

/// Replacements of a secret. The first one that cannot form a secret with the text around it is used.
const MARKS: [&str; 3] = ["[redacted]", "***", "(secret)"];

/// Replaces secrets in text. Secrets shorter than eight characters are ignored.
#[derive(Clone, Default)]
pub struct Redactor {
    /// All forms of all secrets; `None` without secrets.
    forms: Option<AhoCorasick>,
    mark: &'static str,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Creates a redactor of these secrets.
    pub fn new(secrets: &[Secret]) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            let value = secret.expose();
            if value.chars().count() >= MIN_LENGTH {
                add_forms(value, &mut forms);
            }
        }
        let mark = MARKS.into_iter().find(|mark| forms.iter().all(|form| !overlap(mark, form)));
        let mark = mark.unwrap_or("\u{FFFD}");
        let search = |forms| AhoCorasick::new(forms).expect("a key is not gigabytes long");
        let forms = (!forms.is_empty()).then(|| search(forms));
        Self { forms, mark }
    }

    /// Replaces every secret in the text by `[redacted]`; borrows a text without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(forms) = &self.forms else { return Cow::Borrowed(text) };
        let mut ranges: Vec<Range<usize>> =
            forms.find_overlapping_iter(text).map(|occurrence| occurrence.range()).collect();
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        ranges.sort_by_key(|range| range.start);
        let mut redacted = String::with_capacity(text.len());
        let mut end = 0;
        for range in ranges {
            if range.start > end || redacted.is_empty() {
                redacted.push_str(text.get(end..range.start).unwrap_or_default());
                redacted.push_str(self.mark);
            }
            end = end.max(range.end);
        }
        redacted.push_str(text.get(end..).unwrap_or_default());
        Cow::Owned(redacted)
    }
}

/// Whether one contains the other, or starts with an end of the other.
fn overlap(mark: &str, form: &str) -> bool {
    let touch = |end: &str, start: &str| {
        start.char_indices().skip(1).any(|(at, _)| end.ends_with(start.get(..at).unwrap_or_default()))
    };
    mark.contains(form) || form.contains(mark) || touch(mark, form) || touch(form, mark)
}

/// Adds every form of one secret.
fn add_forms(value: &str, forms: &mut BTreeSet<String>) {
    forms.insert(value.to_owned());
    for json in json_forms(value) {
        forms.insert(json);
    }
    for space in ["%20", "+"] {
        // RFC 3986, JavaScript, HTML forms, and encoders that keep letters and digits only.
        for keep in ["-._~", "-._~!*'()", "-._*", ""] {
            forms.insert(percent_encoded(value, keep, space, false));
            forms.insert(percent_encoded(value, keep, space, true));
        }
    }
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(value));
        for offset in 0..3 {
            forms.insert(base64_within(value.as_bytes(), offset, &engine));
        }
    }
}

/// The value inside a JSON string: as serde writes it, with escaped slashes, and with non-ASCII characters escaped.
fn json_forms(value: &str) -> [String; 3] {
    let quoted = serde_json::to_string(value).unwrap_or_default();
    let plain = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let slashes = plain.replace('/', "\\/");
    let mut ascii = String::with_capacity(plain.len());
    for unit in plain.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(char::from(byte)),
            _ => ascii.push_str(&format!("\\u{unit:04x}")),
        }
    }
    [plain, slashes, ascii]
}

/// Percent-encoding (RFC 3986, section 2.1) of everything but letters, digits and `keep`.
fn percent_encoded(value: &str, keep: &str, space: &str, lower: bool) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || keep.contains(character) {
            encoded.push(character);
        } else if byte == b' ' {
            encoded.push_str(space);
        } else if lower {
            encoded.push_str(&format!("%{byte:02x}"));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The base64 characters that depend on the value alone if it starts at byte `offset` of a group of three.
fn base64_within(bytes: &[u8], offset: usize, engine: &GeneralPurpose) -> String {
    let shifted = [&[0; 2][..offset], bytes].concat();
    let encoded = engine.encode(&shifted);
    let first = (offset * 8).div_ceil(6);
    let last = (shifted.len() * 8) / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
