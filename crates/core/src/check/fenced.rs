//! Fenced code blocks of an answer (CommonMark 0.31, section 4.5).

/// Returns the content of the only fenced code block of a text.
pub(crate) fn only(text: &str) -> Result<String, String> {
    let Scan { blocks, first, is_open } = scan(text);
    match (blocks, is_open) {
        (0, _) => Err("the answer has no fenced block".to_owned()),
        (_, true) => Err("the fenced block of the answer is not closed".to_owned()),
        (1, false) => Ok(first),
        (blocks, false) => Err(format!("the answer has {blocks} fenced blocks, not one")),
    }
}

/// Counts the fenced code blocks of a text.
pub(crate) fn count(text: &str) -> usize {
    scan(text).blocks
}

/// The fenced code blocks of a text.
struct Scan {
    blocks: usize,
    /// The content of the first block.
    first: String,
    /// Whether the last block is not closed.
    is_open: bool,
}

fn scan(text: &str) -> Scan {
    let (mut blocks, mut first) = (0, String::new());
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        match (open, fence(line)) {
            (None, Some((mark, length, _))) => {
                blocks += 1;
                open = Some((mark, length));
            }
            (Some((mark, length)), Some((closing, closing_length, true)))
                if closing == mark && closing_length >= length =>
            {
                open = None;
            }
            (Some(_), _) if blocks == 1 => {
                first.push_str(line);
                first.push('\n');
            }
            _ => {}
        }
    }
    Scan { blocks, first, is_open: open.is_some() }
}

/// Returns the fence of a line: its character, its length, and whether nothing follows, so that it can close a block.
fn fence(line: &str) -> Option<(char, usize, bool)> {
    let trimmed = line.trim_start_matches(' ');
    if line.len() - trimmed.len() > 3 {
        return None;
    }
    let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let after = trimmed.trim_start_matches(mark);
    let length = trimmed.len() - after.len();
    if length < 3 || (mark == '`' && after.contains('`')) {
        return None;
    }
    Some((mark, length, after.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exactly_one_fenced_block_is_required() {
        assert_eq!(only("Here:\n```json\n{\"a\": 1}\n```\nDone."), Ok("{\"a\": 1}\n".to_owned()));
        assert_eq!(only("  ~~~~\n[\n```\n]\n ~~~~~"), Ok("[\n```\n]\n".to_owned()));
        assert_eq!(only("```\r\n1\r\n```"), Ok("1\n".to_owned()));
        for text in ["", "{}", "``` {} ```", "    ```\n{}\n    ```"] {
            assert_eq!(only(text), Err("the answer has no fenced block".to_owned()), "{text:?}");
        }
        assert_eq!(only("```\n{}\n"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(only("```\n{}\n``` x"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(only("````\n{}\n```"), Err("the fenced block of the answer is not closed".to_owned()));
        assert_eq!(
            only("```\n1\n```\n```\n2\n```"),
            Err("the answer has 2 fenced blocks, not one".to_owned())
        );
    }

    proptest! {
        #[test]
        fn only_never_panics(text in "[`~ \\na1ü]{0,60}") {
            let _ = only(&text);
        }
    }
}
