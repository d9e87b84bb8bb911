//! The difference of two texts by lines and then by words, for people who review it.

use std::ops::Range;

use similar::DiffOp;
use unicode_segmentation::UnicodeSegmentation;

use super::edit_script;

/// Maximum product of both numbers of tokens; larger texts are compared as a whole.
const MAX_WORK: usize = 100_000_000;
/// Minimum share of common text for a comparison by words: below it, scattered common words only confuse.
const MIN_COMMON: f64 = 0.25;

/// Which texts have a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// Both.
    Equal,
    /// The old text alone.
    Removed,
    /// The new text alone.
    Added,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which texts have it.
    pub kind: PieceKind,
    /// The text; not empty.
    pub text: String,
}

/// Compares two texts: lines that are equal, and within the others words, numbers and punctuation marks (Unicode Standard
/// Annex 29). The equal and removed pieces are the old text, the equal and added pieces the new one.
pub fn word_diff(old: &str, new: &str) -> Vec<Piece> {
    let mut hunks = Hunks::default();
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    for (before, after) in aligned(&old_lines, &new_lines) {
        let (before, after) = (before.concat(), after.concat());
        if before == after {
            hunks.equal(&before);
        } else {
            by_words(&before, &after, &mut hunks);
        }
    }
    hunks.pieces()
}

/// Compares two texts by lines alone, as is best for JSON.
pub fn line_diff(old: &str, new: &str) -> Vec<Piece> {
    let mut hunks = Hunks::default();
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    for (before, after) in aligned(&old_lines, &new_lines) {
        hunks.pair(&before.concat(), &after.concat());
    }
    hunks.pieces()
}

fn by_words(old: &str, new: &str, hunks: &mut Hunks) {
    let old_words: Vec<&str> = old.split_word_bounds().collect();
    let new_words: Vec<&str> = new.split_word_bounds().collect();
    let parts = aligned(&old_words, &new_words);
    let length = |words: &[&str]| words.iter().map(|word| word.trim().len()).sum::<usize>();
    let common: usize =
        parts.iter().filter(|(before, after)| before == after).map(|(before, _)| length(before)).sum();
    let longest = length(&old_words).max(length(&new_words));
    if (common as f64) < MIN_COMMON * longest as f64 {
        return hunks.pair(old, new);
    }
    for (before, after) in parts {
        hunks.pair(&before.concat(), &after.concat());
    }
}

/// Both sequences in pairs of parts, which are equal or differ.
fn aligned<'t, 's>(old: &'t [&'s str], new: &'t [&'s str]) -> Vec<(&'t [&'s str], &'t [&'s str])> {
    if old.len().saturating_mul(new.len()) > MAX_WORK {
        return vec![(old, new)];
    }
    let pick = |(before, after): (Range<usize>, Range<usize>)| {
        (old.get(before).unwrap_or_default(), new.get(after).unwrap_or_default())
    };
    let ops = edit_script::of_tokens(old, new);
    ops.iter().map(|op: &DiffOp| pick((op.old_range(), op.new_range()))).collect()
}

/// Equal and differing parts, in turns.
#[derive(Default)]
struct Hunks(Vec<Hunk>);

enum Hunk {
    Equal(String),
    Changed { old: String, new: String },
}

impl Hunks {
    fn pair(&mut self, old: &str, new: &str) {
        if old == new { self.equal(old) } else { self.changed(old, new) }
    }

    fn equal(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Hunk::Equal(last)) => last.push_str(text),
            _ => self.0.push(Hunk::Equal(text.to_owned())),
        }
    }

    fn changed(&mut self, removed: &str, added: &str) {
        // Blanks between two changed words are part of one change.
        if let [.., Hunk::Changed { .. }, Hunk::Equal(between)] = self.0.as_slice()
            && between.chars().all(|character| character == ' ' || character == '\t')
            && let Some(Hunk::Equal(between)) = self.0.pop()
            && let Some(Hunk::Changed { old, new }) = self.0.last_mut()
        {
            old.push_str(&between);
            new.push_str(&between);
        }
        match self.0.last_mut() {
            Some(Hunk::Changed { old, new }) => {
                old.push_str(removed);
                new.push_str(added);
            }
            _ => self.0.push(Hunk::Changed { old: removed.to_owned(), new: added.to_owned() }),
        }
    }

    fn pieces(self) -> Vec<Piece> {
        let pieces = self.0.into_iter().flat_map(|hunk| match hunk {
            Hunk::Equal(text) => vec![Piece { kind: PieceKind::Equal, text }],
            Hunk::Changed { old, new } => vec![
                Piece { kind: PieceKind::Removed, text: old },
                Piece { kind: PieceKind::Added, text: new },
            ],
        });
        pieces.filter(|piece| !piece.text.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(old: &str, new: &str) -> String {
        let pieces = word_diff(old, new).into_iter();
        pieces
            .map(|Piece { kind, text }| match kind {
                PieceKind::Equal => text,
                PieceKind::Removed => format!("[-{text}-]"),
                PieceKind::Added => format!("{{+{text}+}}"),
            })
            .collect()
    }

    #[test]
    fn words_and_punctuation_are_compared() {
        for (old, new, expected) in [
            ("You may offer a refund.", "You may deny a refund.", "You may [-offer-]{+deny+} a refund."),
            ("Answer briefly.", "Answer briefly!", "Answer briefly[-.-]{+!+}"),
            ("Be kind and clear.", "Be kind.", "Be kind[- and clear-]."),
            ("Use at most 10 words.", "Use at most 20 words.", "Use at most [-10-]{+20+} words."),
            ("a\nb\nc\n", "a\nb\nc\nd\n", "a\nb\nc\n{+d\n+}"),
            ("same", "same", "same"),
            ("", "", ""),
        ] {
            assert_eq!(shown(old, new), expected);
        }
    }

    #[test]
    fn adjacent_changes_are_one() {
        assert_eq!(
            shown("Offer the old plan to every customer.", "Offer a new plan to every customer."),
            "Offer [-the old-]{+a new+} plan to every customer."
        );
    }

    #[test]
    fn unrelated_lines_are_replaced_as_a_whole() {
        assert_eq!(
            shown("one is here\nkeep\n", "completely other words, one\nkeep\n"),
            "[-one is here\n-]{+completely other words, one\n+}keep\n"
        );
    }

    #[test]
    fn json_is_compared_by_lines() {
        let pieces = line_diff("{\n  \"a\": 1\n}", "{\n  \"a\": 2\n}");
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(texts, ["{\n", "  \"a\": 1\n", "  \"a\": 2\n", "}"]);
    }

    proptest! {
        #[test]
        fn pieces_are_both_texts(old in "[ab .\n]{0,40}", new in "[ab .\n]{0,40}") {
            for pieces in [word_diff(&old, &new), line_diff(&old, &new)] {
                let without = |kind: PieceKind| -> String {
                    pieces.iter().filter(|piece| piece.kind != kind).map(|piece| piece.text.as_str()).collect()
                };
                prop_assert_eq!(without(PieceKind::Added), old.clone());
                prop_assert_eq!(without(PieceKind::Removed), new.clone());
                prop_assert!(pieces.iter().all(|piece| !piece.text.is_empty()));
            }
        }
    }
}
