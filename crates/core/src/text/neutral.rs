//! Neutralizes untrusted text for logs, terminals and Markdown.
//!
//! Answers, case ids, tags, file and branch names and server messages may contain anything. A CI runner executes
//! commands in the output of a job (`::name::` at the start of a line, `##[name]` anywhere in it), a terminal executes
//! control sequences, and GitHub turns `@name`, `#1`, hashes and addresses in a comment into mentions and links.
//! The functions of this module return text without any of these. They do not redact secrets; [`clip`] shortens text.

mod invisible;
#[cfg(test)]
mod tests;

pub use invisible::{invisible, is_invisible, label};

use unicode_segmentation::UnicodeSegmentation;

/// Maximum number of characters in the output of [`terminal`].
pub const TERMINAL_LIMIT: usize = 300;

/// Characters that some programs treat as a line break.
const BREAKS: [char; 7] = ['\n', '\r', '\u{B}', '\u{C}', '\u{85}', '\u{2028}', '\u{2029}'];
/// Characters of the longest name that starts a reference or an address, and one more.
const ACTIVE_NAME: usize = 8;
/// Replaces control characters.
const REPLACEMENT: char = '\u{FFFD}';
/// Zero-width space, which ends every mention, reference and address.
pub const BREAK: char = '\u{200B}';

/// Neutralizes text for a part of a line on a terminal or in a log: at most [`TERMINAL_LIMIT`] characters.
///
/// White space and line breaks become one space; control characters and those that change the direction of text become
/// U+FFFD; `##[` and a `::` at the start get a backslash.
pub fn terminal(text: &str) -> String {
    let line = without_commands(&clip(&one_line(text), TERMINAL_LIMIT));
    if starts_command(&line) { line.replacen(':', ":\\", 1) } else { line }
}

/// Neutralizes a line of a file that is shown below a message.
///
/// The number of characters stays the same, including leading blanks, so that columns stay valid. Characters of control
/// sequences and commands become U+FFFD.
pub fn source_line(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|character| match visible(character) {
            hidden if is_ignorable(hidden) => REPLACEMENT,
            blank if blank.is_whitespace() => ' ',
            other => other,
        })
        .collect();
    if without_commands(&line) == line && !starts_command(&line) {
        return line;
    }
    line.chars().map(|c| if matches!(c, '#' | ':') { REPLACEMENT } else { c }).collect()
}

/// Neutralizes text for a Markdown paragraph, list item or table cell.
///
/// The text is rendered as it is written, in one line: without markup, HTML, comments, fences, cell borders and
/// formulas, and without mentions, references, hashes and addresses that become links. Invisible characters are shown by
/// their labels.
pub fn markdown(text: &str) -> String {
    let characters: Vec<char> = one_line(text).chars().collect();
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    if starts_block(&characters) {
        out.push(BREAK);
    }
    let mut hexadecimal = 0;
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| characters.get(before)).copied();
        let after = characters.get(index + 1).copied();
        // Seven or more hexadecimal digits in a row could be a commit hash.
        if character.is_ascii_hexdigit() {
            if hexadecimal == 6 {
                out.push(BREAK);
                hexadecimal = 0;
            }
            hexadecimal += 1;
        } else {
            hexadecimal = 0;
        }
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&vert;"),
            '\\' => out.push_str("&bsol;"),
            '`' => out.push_str("&grave;"),
            '[' => out.push_str("&lsqb;"),
            ']' => out.push_str("&rsqb;"),
            '*' => out.push_str("&ast;"),
            '$' => out.push_str("&dollar;"),
            '~' => out.push_str("\\~"),
            // An underscore inside a word is not markup.
            '_' if before.is_some_and(is_word) && after.is_some_and(is_word) => out.push('_'),
            '_' => out.push_str("&lowbar;"),
            '@' | '#' => out.extend([character, BREAK]),
            // `https://`, `mailto:name`, `:emoji:`, `:100:`, but not the colon of a time.
            // More text may follow in another part.
            ':' if after.is_none_or(|after| !after.is_whitespace())
                && !(before.is_some_and(|c| c.is_ascii_digit())
                    && after.is_some_and(|c| c.is_ascii_digit())) =>
            {
                out.extend([character, BREAK]);
            }
            '.' if ends_with(characters.get(..index).unwrap_or_default(), "www") => {
                out.extend([BREAK, character])
            }
            // `GH-1`, `GHSA-xxxx`, and autolink references of a repository: `TICKET-1`.
            '-' if starts_reference(characters.get(..index).unwrap_or_default())
                && after.is_some_and(|c| c.is_ascii_alphanumeric()) =>
            {
                out.extend([character, BREAK]);
            }
            hidden if is_invisible(before, hidden, after) => out.push_str(&label(hidden)),
            _ => out.push(character),
        }
    }
    out
}

/// Whether two texts without white space between them, each neutralized by [`markdown`], could form a link or reference
/// together.
pub fn is_active_together(before: &str, after: &str) -> bool {
    let (Some(last), Some(first)) = (before.chars().last(), after.chars().next()) else { return false };
    if last.is_whitespace() || first.is_whitespace() {
        return false;
    }
    // Hashes are cut in groups, which start anywhere.
    let both_hexadecimal = last.is_ascii_hexdigit() && first.is_ascii_hexdigit();
    let start = before.char_indices().rev().nth(ACTIVE_NAME).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(ACTIVE_NAME).map_or(after.len(), |(at, _)| at);
    let (before, after) = (before.get(start..).unwrap_or_default(), after.get(..end).unwrap_or_default());
    both_hexadecimal || markdown(&format!("{before}{after}")) != markdown(before) + &markdown(after)
}

/// Wraps text of many lines in a Markdown code block with fences, which ends with a line break.
///
/// The fence is longer than any run of its character in the text, so the text cannot end the block. U+200B follows each
/// `@` and `#`, since a reply by e-mail quotes code as plain text, in which they become mentions. Invisible characters are
/// shown by their labels.
pub fn fenced(text: &str) -> String {
    let lines: Vec<String> = lines(text).collect();
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in lines {
        let mut before = None;
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                hidden if is_invisible(before, hidden, characters.peek().copied()) => {
                    out.push_str(&label(hidden));
                }
                '@' | '#' => out.extend([character, BREAK]),
                _ => out.push(character),
            }
            before = Some(character);
        }
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// The length of the longest run of a character.
fn longest_run(line: &str, counted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for character in line.chars() {
        run = if character == counted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Shortens a text to `limit` grapheme clusters, the last one `…` if anything was removed.
///
/// A grapheme cluster may consist of any number of characters; the text is also limited to four characters per cluster.
pub fn clip(text: &str, limit: usize) -> String {
    let bounded = match text.char_indices().nth(limit.saturating_mul(4)) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    let mut clusters = bounded.graphemes(true);
    let mut head: Vec<&str> = clusters.by_ref().take(limit).collect();
    if clusters.next().is_none() && bounded.len() == text.len() {
        return text.to_owned();
    }
    if head.len() == limit {
        head.pop();
    }
    let mut out = head.concat();
    if limit > 0 {
        out.push('…');
    }
    out
}

/// Neutralizes a complete line before it is written to a log.
///
/// Parts that were neutralized one by one may form a command together, or start a line after wrapping. Line breaks
/// become U+FFFD.
pub fn guarded(line: &str) -> String {
    let line = without_commands(&line.replace(BREAKS, "\u{FFFD}"));
    if starts_command(&line) { format!("| {}", line.trim_start()) } else { line }
}

/// Splits a text at every kind of line break, and replaces control characters.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.replace("\r\n", "\n")
        .split(BREAKS)
        .map(|line| line.chars().map(visible).collect())
        .collect::<Vec<String>>()
        .into_iter()
}

/// Joins the words of a text by single spaces.
fn one_line(text: &str) -> String {
    let lines: Vec<String> = lines(text).collect();
    lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// Replaces control characters and those that change the direction of text by U+FFFD.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            REPLACEMENT
        }
        // Tag characters: invisible copies of ASCII.
        '\u{E0000}'..='\u{E007F}' => REPLACEMENT,
        control if control.is_control() => REPLACEMENT,
        other => other,
    }
}

/// Whether the character has no width, so that a runner may ignore it when it compares text.
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Inserts a backslash into every `##[` and `##name[`, even if zero-width characters are between them.
fn without_commands(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut hashes = 0;
    let mut named = false;
    for character in line.chars() {
        match character {
            '#' => {
                hashes = if named { 1 } else { hashes + 1 };
                named = false;
            }
            '[' => {
                if hashes >= 2 {
                    out.push('\\');
                }
                hashes = 0;
                named = false;
            }
            letter if letter.is_alphanumeric() && hashes >= 2 => named = true,
            hidden if is_ignorable(hidden) => {}
            _ => {
                hashes = 0;
                named = false;
            }
        }
        out.push(character);
    }
    out
}

/// Whether a runner would execute the line as a command: `::` after white space and zero-width characters.
fn starts_command(line: &str) -> bool {
    let mut visible = line.chars().filter(|character| !is_ignorable(*character));
    let first = visible.by_ref().find(|character| !character.is_whitespace());
    first == Some(':') && visible.next() == Some(':')
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// Whether the line would be a list item, a rule, or the underline of a heading.
fn starts_block(characters: &[char]) -> bool {
    let marker = match characters {
        ['-' | '+' | '=', rest @ ..] => rest,
        _ => {
            let digits = characters.iter().take_while(|character| character.is_ascii_digit()).count();
            match characters.get(digits..) {
                Some(['.' | ')', rest @ ..]) if digits > 0 => rest,
                _ => return false,
            }
        }
    };
    marker.first().is_none_or(|next| next.is_whitespace() || matches!(next, '-' | '='))
}

/// Whether these characters before a hyphen could start a reference: a capital letter, as in `TICKET-1`, or GitHub's
/// own names.
fn starts_reference(before: &[char]) -> bool {
    before.last().is_some_and(char::is_ascii_uppercase)
        || ["gh", "ghsa"].into_iter().any(|name| ends_with(before, name))
}

/// Whether the characters end with this name, ignoring case.
fn ends_with(characters: &[char], name: &str) -> bool {
    let mut before = characters.iter().rev();
    name.chars().rev().all(|letter| before.next().is_some_and(|last| last.eq_ignore_ascii_case(&letter)))
}
