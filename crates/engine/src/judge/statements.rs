//! Cutting a text into statements: the fixed denominator of faithfulness and correctness.
//!
//! Two steps. `blocks` finds lines that belong together: paragraphs (also hard-wrapped ones), headings, list
//! items, table rows, code blocks. `sentences` cuts each block by the sentence boundaries of Unicode (UAX 29, as
//! unicode-segmentation implements them) and joins again what they tear apart: abbreviations, initials, numbered
//! items, ellipses, web addresses. No letter of the text is lost: markup goes, words stay. Too few cuts are the
//! smaller error, since a statement counts as supported only as a whole.

mod blocks;
mod sentences;

#[cfg(test)]
mod tests;

/// The statements of a text in order, none of them empty; empty for a blank text alone.
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
    // A text without any word is still one thing to judge.
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
