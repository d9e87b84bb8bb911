//! Blocks of a Markdown text. Only marks at the start of a line and `**` are removed.

/// A block of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A text to split into sentences.
    Prose(String),
    /// A single statement: a table row or a code block.
    Whole(String),
}

/// Splits a text into blocks.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut code: Option<Fence> = None;
    for line in text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}']) {
        let trimmed = line.trim();
        if let Some(mut fence) = code.take() {
            if fence.is_closed_by(trimmed) {
                blocks.push(Block::Whole(fence.text));
            } else {
                fence.add(trimmed);
                code = Some(fence);
            }
            continue;
        }
        if let Some(fence) = Fence::open(trimmed) {
            flush(&mut blocks, &mut prose);
            code = Some(fence);
            continue;
        }
        let (content, begins) = strip_marks(trimmed);
        if content.is_empty() {
            flush(&mut blocks, &mut prose);
        } else if is_table_row(content) {
            flush(&mut blocks, &mut prose);
            blocks.push(Block::Whole(content.trim_matches('|').trim().to_owned()));
        } else {
            let heading = trimmed.starts_with('#');
            if begins || heading || !continues(&prose, content) {
                flush(&mut blocks, &mut prose);
            }
            if !prose.is_empty() {
                prose.push(' ');
            }
            prose.push_str(content);
            if heading {
                flush(&mut blocks, &mut prose);
            }
        }
    }
    if let Some(fence) = code {
        blocks.push(Block::Whole(fence.text));
    }
    flush(&mut blocks, &mut prose);
    blocks
}

fn flush(blocks: &mut Vec<Block>, prose: &mut String) {
    if !prose.is_empty() {
        blocks.push(Block::Prose(prose.replace("**", "")));
        prose.clear();
    }
}

/// Whether a line continues the sentence of the lines before: a hard wrap, not an item of a list without marks.
fn continues(prose: &str, line: &str) -> bool {
    let open = prose.chars().next_back().is_some_and(|end| {
        !matches!(end, '.' | '!' | '?' | ':' | ';' | '\u{2026}' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}')
    });
    open && line
        .chars()
        .next()
        .is_some_and(|start| start.is_lowercase() || start.is_ascii_digit() || start == '(')
}

/// Removes the marks at the start of a line. Returns also whether they begin a new item.
fn strip_marks(line: &str) -> (&str, bool) {
    let mut rest = line;
    let mut begins = false;
    // Marks nest: "> - 1. text". Each iteration removes at least one character.
    loop {
        let before = rest;
        if let Some(quoted) = rest.strip_prefix('>') {
            rest = quoted.trim_start();
        }
        let hashes = rest.trim_start_matches('#');
        if hashes.len() < rest.len() && hashes.starts_with(char::is_whitespace) {
            rest = hashes.trim_start();
            begins = true;
        }
        for mark in ['-', '*', '+', '\u{2022}', '\u{2023}', '\u{25e6}', '\u{2013}', '\u{b7}'] {
            if let Some(item) = rest.strip_prefix(mark)
                && item.starts_with(char::is_whitespace)
            {
                rest = item.trim_start();
                begins = true;
            }
        }
        if let Some(item) = without_number(rest) {
            rest = item;
            begins = true;
        }
        if rest.len() == before.len() {
            return (rest, begins);
        }
    }
}

/// The text after `1.` or `12)`. A longer number is not that of an item: "2024. " may be content.
fn without_number(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(|character: char| character.is_ascii_digit());
    if !(1..=2).contains(&(line.len() - rest.len())) {
        return None;
    }
    let rest = rest.strip_prefix(['.', ')'])?;
    let item = rest.trim_start();
    (item.len() < rest.len() && !item.is_empty()).then_some(item)
}

fn is_table_row(line: &str) -> bool {
    line.len() > 1 && line.starts_with('|') && line.ends_with('|')
}

/// An open code block.
struct Fence {
    mark: char,
    length: usize,
    text: String,
}

impl Fence {
    /// Parses an opening fence. The text after the fence is part of the block, so that nothing can hide there.
    fn open(line: &str) -> Option<Self> {
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let rest = line.trim_start_matches(mark);
        let length = line.len() - rest.len();
        // A line such as ```code``` is inline code.
        (length >= 3 && !rest.contains(mark)).then(|| Self { mark, length, text: rest.trim().to_owned() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        line.len() >= self.length && line.chars().all(|character| character == self.mark)
    }

    fn add(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
    }
}
