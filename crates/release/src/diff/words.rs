//! The text of messages: a patch if only wording changed, major if most words did.

use std::collections::HashMap;

use promptgate_core::model::{Image, Message, MessageRole, ToolCall};

use super::align::{Hunk, align};
use super::guarded::{Class, Guarded, articles, folded};
use super::place::{self, excerpt};
use super::roles::Pairing;
use super::tokens::{Kind, Token, tokens, written};
use super::{Change, Rules};
use crate::Level;

mod spelling;

pub(super) fn compare(old: &[Message], new: &[Message], pairing: &Pairing, rules: &Rules) -> Vec<Change> {
    let old_tokens: Vec<_> = old.iter().map(|message| tokens(&message.content)).collect();
    let new_tokens: Vec<_> = new.iter().map(|message| tokens(&message.content)).collect();
    let mut texts = Texts {
        guarded: Guarded::new(rules),
        articles: articles(old_tokens.iter().flatten()),
        places: 0,
        changes: Vec::new(),
    };
    for &(before, after) in &pairing.pairs {
        if old[before].content != new[after].content {
            let sides = Sides { old: &old_tokens[before], new: &new_tokens[after] };
            texts.message(sides, after, new[after].role);
        }
        if parts(&old[before]) != parts(&new[after]) {
            let place = place::message(after, new[after].role);
            texts.changes.push(Change::new(Level::Minor, format!("{place}: images or tool calls changed")));
        }
    }
    let Texts { places, mut changes, .. } = texts;
    if places > rules.patch_max_words {
        let text = format!("{places} places changed, more than the {} of a patch", rules.patch_max_words);
        changes.push(Change::new(Level::Minor, text));
    }
    if changes.iter().any(|change| change.level > Level::Patch) {
        let old = instructions(&old_tokens, &pairing.old_examples);
        changes.extend(replaced(&old, &instructions(&new_tokens, &pairing.new_examples)));
    }
    changes
}

/// The parts of a message beside its text.
fn parts(message: &Message) -> (&[Image], &[ToolCall], Option<&str>) {
    (&message.images, &message.tool_calls, message.tool_call_id.as_deref())
}

/// The words of the messages that are not examples, with their number.
fn instructions(messages: &[Vec<Token>], examples: &[bool]) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    let kept = messages.iter().zip(examples).filter(|(_, example)| !**example);
    for token in kept.flat_map(|(tokens, _)| tokens).filter(|token| token.kind == Kind::Word) {
        *words.entry(folded(&token.text)).or_default() += 1;
    }
    words
}

/// A change if over half of the old words are gone, wherever they were.
fn replaced(old: &HashMap<String, usize>, new: &HashMap<String, usize>) -> Option<Change> {
    let total: usize = old.values().sum();
    let gone = |(word, count): (&String, &usize)| count.saturating_sub(new.get(word).copied().unwrap_or(0));
    let gone: usize = old.iter().map(gone).sum();
    let text = format!("over half of the words were replaced: {gone} of {total}");
    (gone * 2 > total).then(|| Change::new(Level::Major, text))
}

/// The tokens of a message before and after.
#[derive(Clone, Copy)]
struct Sides<'t> {
    old: &'t [Token],
    new: &'t [Token],
}

struct Texts {
    guarded: Guarded,
    articles: &'static [&'static str],
    /// Places that a patch may change.
    places: usize,
    changes: Vec<Change>,
}

/// Why a place is more than wording.
type Doubt = String;

impl Texts {
    fn message(&mut self, sides: Sides<'_>, index: usize, role: MessageRole) {
        let alignment = align(sides.old, sides.new);
        if !alignment.exact {
            let text = many(sides, alignment.hunks.first(), &place::message(index, role));
            self.changes.push(Change::new(Level::Minor, text));
            return;
        }
        let before = self.changes.len();
        for hunk in &alignment.hunks {
            let result = self.hunk(sides, hunk);
            let text =
                format!("{}: {}", place::line(index, role, line_of(sides, hunk)), describe(sides, hunk));
            self.record(result, text);
        }
        for at in respaced(&alignment.hunks, sides) {
            let [first, second] = [&sides.new[at - 1], &sides.new[at]];
            let text = format!(
                "{}: white space between {} and {} changed",
                place::line(index, role, second.line),
                excerpt(&first.written()),
                excerpt(&second.written())
            );
            self.record(respacing(first, second), text);
        }
        if self.changes.len() == before {
            let text =
                format!("{}: white space or Unicode normalization changed", place::message(index, role));
            self.changes.push(Change::new(Level::Patch, text));
        }
    }

    fn record(&mut self, result: Result<usize, Doubt>, text: String) {
        match result {
            Ok(places) => {
                self.places += places;
                self.changes.push(Change::new(Level::Patch, text));
            }
            Err(doubt) => self.changes.push(Change::new(Level::Minor, format!("{text} ({doubt})"))),
        }
    }

    /// The number of places of a patch in a hunk.
    fn hunk(&self, sides: Sides<'_>, hunk: &Hunk) -> Result<usize, Doubt> {
        let words = |tokens: &[Token], range: &std::ops::Range<usize>| -> Vec<usize> {
            range.clone().filter(|at| !tokens[*at].is_punctuation()).collect()
        };
        let (mut old, mut new) = (words(sides.old, &hunk.old), words(sides.new, &hunk.new));
        let mut places = 0;
        if old.len() != new.len() {
            places += self.drop_articles(sides.old, &mut old)?;
            places += self.drop_articles(sides.new, &mut new)?;
        }
        if old.len() != new.len() {
            return Err("words were added or removed".to_owned());
        }
        for (old, new) in old.into_iter().zip(new) {
            if sides.old[old] != sides.new[new] {
                self.word(sides, old, new)?;
                places += 1;
            }
        }
        let marks = |tokens: &[Token], range: &std::ops::Range<usize>| -> Vec<String> {
            let marks = tokens[range.clone()].iter().filter(|token| token.is_punctuation());
            marks.map(|token| token.text.clone()).collect()
        };
        if marks(sides.old, &hunk.old) != marks(sides.new, &hunk.new) {
            self.punctuation(sides.old, &hunk.old)?;
            self.punctuation(sides.new, &hunk.new)?;
            places += 1;
        }
        Ok(places)
    }

    fn is_article(&self, token: &Token) -> bool {
        token.kind == Kind::Word && self.articles.contains(&folded(&token.text).as_str())
    }

    /// The class of a token; an article is not guarded, though it may be a word of another language.
    fn class(&self, token: &Token) -> Option<Class> {
        if token.kind != Kind::Word || self.is_article(token) {
            None
        } else {
            self.guarded.class(&token.text)
        }
    }

    /// Removes the articles from `words`, and returns their number.
    fn drop_articles(&self, tokens: &[Token], words: &mut Vec<usize>) -> Result<usize, Doubt> {
        let count = words.len();
        for at in words.iter().filter(|at| self.is_article(&tokens[**at])) {
            self.article(tokens, *at)?;
        }
        words.retain(|at| !self.is_article(&tokens[*at]));
        Ok(count - words.len())
    }

    /// Whether an article may change where it is: `a few` is not `few`.
    fn article(&self, tokens: &[Token], at: usize) -> Result<(), Doubt> {
        let next = tokens.get(at + 1);
        if next.is_some_and(|next| {
            next.has_digit() || matches!(self.class(next), Some(Class::Quantity | Class::Negation))
        }) {
            return Err("an article before a number or quantifier".to_owned());
        }
        outside_code(tokens, at)
    }

    /// Whether one word may become another.
    fn word(&self, sides: Sides<'_>, old_at: usize, new_at: usize) -> Result<(), Doubt> {
        let (old, new) = (&sides.old[old_at], &sides.new[new_at]);
        if old.kind == Kind::Placeholder || new.kind == Kind::Placeholder {
            return Err("a placeholder".to_owned());
        }
        if old.kind == Kind::Mark || new.kind == Kind::Mark {
            return Err("a mark or character that is not punctuation".to_owned());
        }
        if old.has_digit() || new.has_digit() {
            return Err("a number".to_owned());
        }
        if folded(&old.text) == folded(&new.text) {
            return Err("upper and lower case".to_owned());
        }
        if self.is_article(old) && self.is_article(new) {
            self.article(sides.old, old_at)?;
            return self.article(sides.new, new_at);
        }
        let classes = (self.class(old), self.class(new));
        for (token, class) in [(old, classes.0), (new, classes.1)] {
            if class.is_some_and(|class| class != Class::Confusable) {
                return Err(format!("guarded word {}", excerpt(&folded(&token.text))));
            }
        }
        if classes.0.is_some() && classes.1.is_some() {
            return Err("both are words with a meaning of their own".to_owned());
        }
        spelling::is_correction(&old.text, &new.text)?;
        outside_code(sides.old, old_at)?;
        outside_code(sides.new, new_at)
    }

    /// Whether the punctuation of a hunk may change: not beside a negation, in a number or in code.
    fn punctuation(&self, tokens: &[Token], range: &std::ops::Range<usize>) -> Result<(), Doubt> {
        let is_mark = |at: &usize| tokens[*at].is_punctuation();
        let (Some(first), Some(last)) = (range.clone().find(is_mark), range.clone().rfind(is_mark)) else {
            return Ok(());
        };
        let line = tokens[first].line;
        let before = first.checked_sub(1).and_then(|at| tokens.get(at)).filter(|token| token.line == line);
        let after = tokens.get(last + 1).filter(|token| token.line == tokens[last].line);
        let touches = after.is_some_and(|token| token.glued);
        let follows_digit = before.is_some_and(Token::has_digit);
        let ends_value = touches || after.is_some_and(Token::is_code);
        if after.is_some_and(Token::has_digit) || (follows_digit && ends_value) {
            return Err("punctuation of a number".to_owned());
        }
        let code_before = tokens[first].glued && before.is_some_and(Token::is_code);
        if code_before || (touches && after.is_some_and(Token::is_code)) {
            return Err("punctuation in code or beside quotes".to_owned());
        }
        let negates =
            |token: Option<&Token>| token.and_then(|token| self.class(token)) == Some(Class::Negation);
        if after.is_some() && (negates(before) || negates(after)) {
            return Err("punctuation beside a negation".to_owned());
        }
        Ok(())
    }
}

/// An error for a word that touches a mark of code: part of a path, a label or a name.
fn outside_code(tokens: &[Token], at: usize) -> Result<(), Doubt> {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let after = tokens.get(at + 1).filter(|token| token.glued);
    if (tokens[at].glued && before.is_some_and(Token::is_code)) || after.is_some_and(Token::is_code) {
        return Err("part of code, of a path or of a quoted text".to_owned());
    }
    Ok(())
}

/// Positions in the new text of equal neighbors between which white space was added or removed.
fn respaced(hunks: &[Hunk], sides: Sides<'_>) -> Vec<usize> {
    let mut positions = Vec::new();
    let (mut old, mut new) = (0, 0);
    let end = Hunk { old: sides.old.len()..sides.old.len(), new: sides.new.len()..sides.new.len() };
    for hunk in hunks.iter().chain([&end]) {
        let equal = sides.old[old..hunk.old.start].iter().zip(&sides.new[new..hunk.new.start]).enumerate();
        // The first one follows a hunk, or nothing.
        positions.extend(
            equal.skip(1).filter(|(_, (old, new))| old.glued != new.glued).map(|(offset, _)| new + offset),
        );
        (old, new) = (hunk.old.end, hunk.new.end);
    }
    positions
}

/// Whether white space between two tokens may change: beside punctuation, but not in numbers or code.
fn respacing(first: &Token, second: &Token) -> Result<usize, Doubt> {
    let is_plain = |token: &Token| !token.is_code() && !token.has_digit() && token.kind != Kind::Placeholder;
    let beside_punctuation = first.is_punctuation() || second.is_punctuation();
    if beside_punctuation && is_plain(first) && is_plain(second) {
        Ok(1)
    } else {
        Err("white space that is not beside punctuation of a sentence".to_owned())
    }
}

fn line_of(sides: Sides<'_>, hunk: &Hunk) -> usize {
    let at = if hunk.new.is_empty() { hunk.new.start.saturating_sub(1) } else { hunk.new.start };
    sides.new.get(at).map_or(1, |token| token.line)
}

fn describe(sides: Sides<'_>, hunk: &Hunk) -> String {
    let shown = |tokens: &[Token], range: &std::ops::Range<usize>| excerpt(&written(&tokens[range.clone()]));
    let after = match hunk.new.start.checked_sub(1).and_then(|at| sides.new.get(at)) {
        Some(token) => format!("after {}", excerpt(&token.written())),
        None => "at the start".to_owned(),
    };
    if hunk.old.is_empty() {
        format!("{} was added {after}", shown(sides.new, &hunk.new))
    } else if hunk.new.is_empty() {
        format!("{} was removed {after}", shown(sides.old, &hunk.old))
    } else {
        format!("{} became {}", shown(sides.old, &hunk.old), shown(sides.new, &hunk.new))
    }
}

/// The sentence of a text with too many differences to list.
fn many(sides: Sides<'_>, hunk: Option<&Hunk>, place: &str) -> String {
    let Some(hunk) = hunk else { return format!("{place}: the text changed") };
    let new = &sides.new[hunk.new.clone()];
    let line = |token: Option<&Token>| token.map_or(1, |token| token.line);
    let (first, last) = (line(new.first()), line(new.last()));
    format!("{place}, lines {first} to {last}: the text changed in many places")
}
