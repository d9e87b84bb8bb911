//! Splitting of a text into statements: the fixed denominator of faithfulness and correctness.
//!
//! `blocks` groups lines into paragraphs (also hard-wrapped ones), headings, list items, table rows and code blocks.
//! `sentences` splits each block at the sentence boundaries of Unicode (UAX 29, as unicode-segmentation implements it),
//! and ignores boundaries within a sentence: at abbreviations, initials, numbers of items, ellipses and web addresses.
//! Markup is removed, but no letter of the text is lost. Too few splits are the smaller error, since a statement counts
//! as supported only as a whole.

mod blocks;
mod sentences;

#[cfg(test)]
mod tests;

/// Splits a text into statements that are not empty. Only a blank text has none.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for block in blocks::blocks(text) {
        match block {
            blocks::Block::Whole(text) => push(&mut statements, &text),
            blocks::Block::Prose(text) => {
                for sentence in sentences::sentences(&text) {
                    push(&mut statements, sentence);
                }
            }
        }
    }
    // A text without words is one statement.
    if statements.is_empty() && !text.trim().is_empty() {
        statements.push(text.trim().to_owned());
    }
    statements
}

fn push(statements: &mut Vec<String>, text: &str) {
    let text = text.trim();
    if text.chars().any(char::is_alphanumeric) {
        statements.push(text.to_owned());
    }
}
