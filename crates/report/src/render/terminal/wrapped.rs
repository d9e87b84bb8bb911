//! Styled text that wraps at words, and differences of words.

use std::collections::HashSet;
use std::io;

use anstyle::Style as Ansi;
use unicode_segmentation::UnicodeSegmentation;

use super::line_writer::{GREEN, LineWriter, PLAIN, RED};
use crate::v1::{Segment, SegmentOp};
use crate::view::changes::{CONTEXT_WORDS, abbreviated};
use promptgate_core::text::{Redactor, neutral};

/// A part of a line in one style.
pub(super) type Span = (Ansi, String);

/// A changed text with the marks that remain without color: `[-old-]`, `{+new+}`.
pub(super) fn marked(segment: &Segment) -> Span {
    let text = &segment.text;
    match segment.op {
        SegmentOp::Equal => (PLAIN, text.clone()),
        SegmentOp::Removed => (RED, format!("[-{text}-]")),
        SegmentOp::Added => (GREEN, format!("{{+{text}+}}")),
    }
}

/// The spans of a difference in one line, with only the words around changes.
pub(super) fn excerpt(segments: Vec<Segment>) -> Vec<Span> {
    abbreviated(segments, CONTEXT_WORDS, usize::MAX).segments.iter().map(marked).collect()
}

/// Share of the longer text that both have.
pub(super) fn common_share(segments: &[Segment]) -> f64 {
    let length = |op| -> usize {
        segments.iter().filter(|segment| segment.op == op).map(|segment| segment.text.trim().len()).sum()
    };
    let equal = length(SegmentOp::Equal);
    let longest = equal + length(SegmentOp::Removed).max(length(SegmentOp::Added));
    if longest == 0 { 1.0 } else { equal as f64 / longest as f64 }
}

/// At most `limit` characters of a text around the first word that another text lacks; a number counts before other words.
pub(super) fn around_difference(text: &str, other: &str, limit: usize) -> String {
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let theirs: HashSet<String> = other.split_whitespace().map(plain).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let whole = words.join(" ");
    if whole.chars().count() <= limit {
        return whole;
    }
    let differs = |word: &&str| !plain(word).is_empty() && !theirs.contains(&plain(word));
    let is_number = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let number = words.iter().position(|word| is_number(word) && differs(word));
    let at = number.or_else(|| words.iter().position(differs)).unwrap_or_default();
    let length = |words: &[&str]| words.iter().map(|word| word.chars().count() + 1).sum::<usize>();
    // Whole words before it fill up to half of the room.
    let before = (0..=at).find(|start| length(&words[*start..at]) <= limit / 2).unwrap_or(at);
    // A number says little without the words behind it.
    let fits = length(&words[..words.len().min(at + 3)]) + 2 <= limit;
    let start = if fits { 0 } else { before };
    let mark = if start > 0 { "… " } else { "" };
    neutral::clip(&format!("{mark}{}", words[start..].join(" ")), limit)
}

/// Untrusted text in one line.
pub(super) fn one_line(redactor: &Redactor, text: &str, limit: usize) -> String {
    let text = redactor.redact(text);
    let text = neutral::clip(&text, limit);
    neutral::source_line(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Untrusted text in its lines.
pub(super) fn lines(redactor: &Redactor, text: &str, limit: usize) -> String {
    let text = neutral::clip(&redactor.redact(text), limit).replace("\r\n", "\n");
    text.split('\n').map(neutral::source_line).collect::<Vec<_>>().join("\n")
}

/// Rows of at most `room` columns; a line break starts a row, and a row ends between words.
pub(super) fn rows(spans: &[Span], room: usize) -> Vec<Vec<Span>> {
    let mut rows = Rows { rows: vec![Vec::new()], used: 0, room };
    let mut word: Vec<Span> = Vec::new();
    for (ansi, text) in spans {
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                rows.place(&mut word);
                rows.start();
            }
            for part in line.split_inclusive(' ') {
                word.push((*ansi, part.to_owned()));
                if part.ends_with(' ') {
                    rows.place(&mut word);
                }
            }
        }
    }
    rows.place(&mut word);
    rows.rows
}

/// Rows while words are placed in them.
struct Rows {
    rows: Vec<Vec<Span>>,
    /// Columns of the last row.
    used: usize,
    room: usize,
}

impl Rows {
    fn start(&mut self) {
        self.rows.push(Vec::new());
        self.used = 0;
    }

    /// Places a word, whose parts may differ in style; one that fits no row is cut.
    fn place(&mut self, word: &mut Vec<Span>) {
        let length: usize = word.iter().map(|(_, part)| columns(part)).sum();
        let blanks = word.last().map_or(0, |(_, part)| columns(part) - columns(part.trim_end()));
        if self.used > 0 && self.used + length - blanks > self.room {
            self.start();
        }
        for (ansi, part) in word.drain(..) {
            for piece in cut(&part, self.room) {
                if self.used > 0 && self.used + columns(piece.trim_end()) > self.room {
                    self.rows.push(Vec::new());
                    self.used = 0;
                }
                self.used += columns(&piece);
                if let Some(row) = self.rows.last_mut() {
                    match row.last_mut().filter(|(last, _)| *last == ansi) {
                        Some((_, text)) => text.push_str(&piece),
                        None => row.push((ansi, piece)),
                    }
                }
            }
        }
    }
}

fn columns(text: &str) -> usize {
    text.graphemes(true).count()
}

/// A word in parts that fit.
fn cut(word: &str, room: usize) -> Vec<String> {
    let clusters: Vec<&str> = word.graphemes(true).collect();
    clusters.chunks(room.max(1)).map(<[&str]>::concat).collect()
}

/// Writes a row after `start`, which is trusted and has the style `ansi`.
pub(super) fn write_row(
    (ansi, start): (Ansi, &str),
    row: &[Span],
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    let plain: String = row.iter().map(|(_, text)| text.as_str()).collect();
    let whole = format!("{start}{}", plain.trim_end());
    // Pieces may form a command together.
    if !writer.color || neutral::guarded(&whole) != whole {
        return writer.line(&whole, PLAIN);
    }
    let mut parts: Vec<(Ansi, &str)> = vec![(ansi, start)];
    parts.extend(row.iter().map(|(ansi, text)| (*ansi, text.as_str())));
    // A blank at the end may be one column too many.
    if let Some((_, last)) = parts.last_mut() {
        *last = last.trim_end();
    }
    let styled =
        |(ansi, part)| if ansi == PLAIN { str::to_owned(part) } else { format!("{ansi}{part}{ansi:#}") };
    let text: String = parts.into_iter().map(styled).collect();
    writeln!(writer.out, "{}", text.trim_end())
}

/// Writes spans beside a label, on at most `max_rows` rows.
pub(super) fn write_block(
    (ansi, label): (Ansi, &str),
    spans: &[Span],
    max_rows: usize,
    writer: &mut LineWriter<'_>,
) -> io::Result<()> {
    let indent = columns(label);
    let mut rows = rows(spans, usize::from(writer.width).saturating_sub(indent));
    if rows.len() > max_rows {
        rows.truncate(max_rows);
        if let Some(row) = rows.last_mut() {
            shorten(row, usize::from(writer.width).saturating_sub(indent));
        }
    }
    let blank = " ".repeat(indent);
    for (index, row) in rows.iter().enumerate() {
        let start = if index == 0 { (ansi, label) } else { (PLAIN, blank.as_str()) };
        write_row(start, row, writer)?;
    }
    Ok(())
}

/// Ends a row with `…`, which replaces its last word where it does not fit.
fn shorten(row: &mut [Span], room: usize) {
    let used: usize = row.iter().map(|(_, text)| columns(text)).sum();
    if let Some((_, text)) = row.last_mut() {
        let kept = text.trim_end();
        let fits = used - (columns(text) - columns(kept)) + 2 <= room;
        let kept = if fits { kept } else { kept.rsplit_once(' ').map_or("", |(kept, _)| kept) };
        *text = if kept.is_empty() { "…".to_owned() } else { format!("{kept} …") };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::changes::word_diff;
    use promptgate_core::text::Secret;
    use proptest::prelude::*;

    fn plain(spans: &[Span]) -> String {
        spans.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn excerpt_keeps_the_words_around_changes() {
        let words = |from: u32, to: u32| (from..to).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let old = format!("{} old {} gone {}", words(0, 20), words(20, 50), words(50, 70));
        let new = format!("{} new {} {}", words(0, 20), words(20, 50), words(50, 70));
        assert_eq!(
            plain(&excerpt(word_diff(&old, &new))),
            "… w12 w13 w14 w15 w16 w17 w18 w19 [-old-]{+new+} w20 w21 w22 w23 w24 w25 w26 w27 … w42 w43 w44 w45 w46 w47 w48 w49[- gone-] \
             w50 w51 w52 w53 w54 w55 w56 w57 … "
        );
        assert_eq!(plain(&excerpt(word_diff("same", "same"))), "same");
    }

    #[test]
    fn words_of_several_styles_stay_together() {
        let spans = excerpt(word_diff("It costs $7.50 in total.", "It costs $4.95 in total."));
        let shown: Vec<String> = rows(&spans, 24).iter().map(|row| plain(row)).collect();
        assert_eq!(shown, ["It costs ", "$[-7.50-]{+4.95+} in ", "total."]);
    }

    #[test]
    fn control_sequences_and_secrets_are_removed() {
        let redactor = Redactor::new(&[Secret::new("sk-0123456789".to_owned())]);
        let text = one_line(&redactor, "a\u{1b}[31m b\r\nsk-0123456789 \u{202e}c ##[add-mask]x", 80);
        assert_eq!(text.lines().count(), 1);
        for part in ["\u{1b}", "sk-0123", "\u{202e}", "##["] {
            assert!(!text.contains(part), "{text}");
        }
        assert!(!one_line(&redactor, "sk-0123456789", 6).contains("sk-"));
        assert!(!lines(&redactor, "::set-env x\n\u{1b}]0;t\u{7}", 80).contains(['\u{1b}', '\u{7}']));
    }

    #[test]
    fn quotes_are_cut_around_the_word_that_differs() {
        let quote = "A refund is issued to the original payment method within 4 working days once the returned product \
                     arrives at our warehouse.";
        let answer = "A refund is issued to the original payment method once the returned product has been inspected, \
                      which takes 14 working days.";
        let cut = |text: &str, other: &str| around_difference(text, other, 70);
        assert!(cut(quote, answer).contains("within 4 working days"), "{}", cut(quote, answer));
        assert!(cut(answer, quote).contains("takes 14 working days"), "{}", cut(answer, quote));
        assert!(cut(answer, quote).starts_with("… "), "{}", cut(answer, quote));
        // Without a number the first other word, and without any difference the start.
        assert!(cut(quote, &quote.replace("warehouse", "shop")).contains("warehouse"));
        assert!(cut(quote, quote).starts_with("A refund"), "{}", cut(quote, quote));
        assert_eq!(cut("short", "text"), "short");
        assert_eq!(cut("", ""), "");
        for limit in [1, 2, 10, 70] {
            let cut = around_difference(&"x".repeat(300), answer, limit);
            assert!(cut.chars().count() <= limit, "{cut}");
        }
    }

    #[test]
    fn share_of_common_text_tells_edits_from_other_answers() {
        assert!(common_share(&word_diff("It is 30 days.", "It is 60 days.")) > 0.5);
        assert!(common_share(&word_diff("It is 30 days.", "Ask our staff, please!")) < 0.3);
        assert!((common_share(&word_diff("", "")) - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn blocks_fit_width_and_rows(old in "[a-z \n\u{1b}:#]{0,200}", new in "[a-z \n\u{1b}:#]{0,200}", most in 1_usize..5) {
            let redactor = Redactor::default();
            let mut out = Vec::new();
            let mut writer = LineWriter { out: &mut out, width: 60, color: false, redactor: &redactor };
            let (old, new) = (one_line(&redactor, &old, 150), one_line(&redactor, &new, 150));
            write_block((PLAIN, "  answer   "), &excerpt(word_diff(&old, &new)), most, &mut writer).unwrap();
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text.lines().count() <= most, "{text}");
            prop_assert!(text.lines().all(|line| line.chars().count() <= 62), "{text}");
            let has_control = text.contains('\u{1b}');
            prop_assert!(!has_control);
        }
    }
}
