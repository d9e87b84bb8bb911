//! Makes untrusted text harmless where it is shown: in logs, on terminals and in Markdown.
//!
//! Answers, case ids, tags, file and branch names and server messages may hold anything. A CI runner reads
//! commands in what a job prints (`::name::` at the start of a line, `##[name]` anywhere in it), a terminal obeys
//! control sequences, and a forge turns `@name`, `#1`, hashes and addresses in a comment into mentions and links.
//! Every function here takes any text and gives text that does none of it. Taking secrets out is left to
//! redaction; cutting what is too long for its place to [`clip`].

#[cfg(test)]
mod tests;

use unicode_segmentation::UnicodeSegmentation;

/// Characters that [`terminal`] keeps at most.
pub const TERMINAL_LIMIT: usize = 300;

/// What breaks a line somewhere.
const BREAKS: [char; 7] = ['\n', '\r', '\u{B}', '\u{C}', '\u{85}', '\u{2028}', '\u{2029}'];
/// Shown where a control character was.
const REPLACEMENT: char = '\u{FFFD}';
/// Takes no room and is no white space, but ends every mention, reference and address.
const BREAK: char = '\u{200B}';

/// Text for one place in one line of a terminal or log, at most [`TERMINAL_LIMIT`] characters.
///
/// White space of every kind, line breaks among them, becomes one space; control characters and those that turn the
/// direction of text become U+FFFD; `##[` and a `::` at the start get a backslash.
pub fn terminal(text: &str) -> String {
    let line = without_commands(&clip(&one_line(text), TERMINAL_LIMIT));
    if starts_command(&line) { line.replacen(':', ":\\", 1) } else { line }
}

/// A line of a file for the picture below a message.
///
/// It stays as long as it was, character by character, blanks at its start included, so that a column points at
/// what it meant. What a terminal or a runner would obey becomes U+FFFD.
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

/// Text for one place in a Markdown document: a paragraph, a list item or a cell of a table.
///
/// It shows as it is written, in one line. Nothing in it acts: no markup, HTML, comment, fence, cell border or
/// formula; no mention, reference, hash or address that becomes a link.
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
        // A run of seven hexadecimal digits or more could name a commit.
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
            // Inside a word an underscore is no markup.
            '_' if before.is_some_and(is_word) && after.is_some_and(is_word) => out.push('_'),
            '_' => out.push_str("&lowbar;"),
            '@' | '#' => out.extend([character, BREAK]),
            // `https://`, `mailto:name`, `:emoji:`, `:100:`; a time stays as it is
            ':' if after.is_some_and(|after| !after.is_whitespace())
                && !(before.is_some_and(|c| c.is_ascii_digit())
                    && after.is_some_and(|c| c.is_ascii_digit())) =>
            {
                out.extend([character, BREAK]);
            }
            '.' if ends_with(characters.get(..index).unwrap_or_default(), "www") => {
                out.extend([BREAK, character])
            }
            // `GH-1`, `GHSA-xxxx`, and what a repository may have configured: `TICKET-1`
            '-' if could_refer(characters.get(..index).unwrap_or_default())
                && after.is_some_and(|c| c.is_ascii_alphanumeric()) =>
            {
                out.extend([character, BREAK]);
            }
            _ => out.push(character),
        }
    }
    out
}

/// Text of many lines as a block of code in a Markdown document, its fences included; it ends with a line break.
///
/// The fence is longer than any run of its character inside, so nothing in the text ends the block. Code makes no
/// mention, but whoever answers by e-mail quotes it as plain text, where it does: U+200B stands after `@` and `#`.
pub fn fenced(text: &str) -> String {
    let lines: Vec<String> = lines(text).collect();
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}text\n");
    for line in lines {
        for character in line.chars() {
            out.push(character);
            if matches!(character, '@' | '#') {
                out.push(BREAK);
            }
        }
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// The length of the longest run of a character.
fn longest_run(line: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for character in line.chars() {
        run = if character == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// At most `limit` user-perceived characters of a text, the last one `…` where more was there.
///
/// A character may be composed of several; four for each allowed one are kept at most, so that the size is bounded
/// as well.
pub fn clip(text: &str, limit: usize) -> String {
    let bounded = match text.char_indices().nth(limit.saturating_mul(4)) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    let mut clusters = bounded.graphemes(true);
    let mut kept: Vec<&str> = clusters.by_ref().take(limit).collect();
    if clusters.next().is_none() && bounded.len() == text.len() {
        return text.to_owned();
    }
    if kept.len() == limit {
        kept.pop();
    }
    let mut out = kept.concat();
    if limit > 0 {
        out.push('…');
    }
    out
}

/// A whole line of our own making, with pieces of others in it: the last guard before a log.
///
/// The pieces may be harmless each and a command together, or be moved to the start of a line by wrapping. A break in
/// it, which would begin a line of somebody else's making, becomes U+FFFD.
pub fn guarded(line: &str) -> String {
    let line = without_commands(&line.replace(BREAKS, "\u{FFFD}"));
    if starts_command(&line) { format!("| {}", line.trim_start()) } else { line }
}

/// The lines of a text, whatever breaks them, without control characters.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.replace("\r\n", "\n")
        .split(BREAKS)
        .map(|line| line.chars().map(visible).collect())
        .collect::<Vec<String>>()
        .into_iter()
}

/// The text in one line: white space of every kind, line breaks among them, as one space.
fn one_line(text: &str) -> String {
    let lines: Vec<String> = lines(text).collect();
    lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// The character, or U+FFFD for one that a terminal obeys or that turns the direction of what follows.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            REPLACEMENT
        }
        // Invisible copies of ASCII, used to hide text from readers.
        '\u{E0000}'..='\u{E007F}' => REPLACEMENT,
        control if control.is_control() => REPLACEMENT,
        other => other,
    }
}

/// Whether a runner may overlook this character when it compares text: those that take no room.
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

/// The line with a backslash in every `##[` and `##name[`, also where characters without width hide in it.
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

/// Whether a runner would read the line as a command: `::` after nothing but white space and what has no width.
fn starts_command(line: &str) -> bool {
    let mut visible = line.chars().filter(|character| !is_ignorable(*character));
    let first = visible.by_ref().find(|character| !character.is_whitespace());
    first == Some(':') && visible.next() == Some(':')
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// Whether such a line would be an item of a list, a rule, or what makes the line above it a heading.
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

/// Whether what stands before could begin a reference: a capital letter, as in `TICKET-1`, or GitHub's own names.
fn could_refer(before: &[char]) -> bool {
    before.last().is_some_and(char::is_ascii_uppercase)
        || ["gh", "ghsa"].into_iter().any(|name| ends_with(before, name))
}

/// Whether the characters end with this name, in capitals or not.
fn ends_with(characters: &[char], name: &str) -> bool {
    let mut before = characters.iter().rev();
    name.chars().rev().all(|wanted| before.next().is_some_and(|found| found.eq_ignore_ascii_case(&wanted)))
}
