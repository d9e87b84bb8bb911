//! Server text in messages.

use promptgate_core::text::Redactor;

/// Maximum number of characters.
pub(crate) const MAX_SERVER_TEXT: usize = 300;

/// Returns text of a server without secrets, on one line and cut to 300 characters.
pub fn server_text(redactor: &Redactor, text: &str) -> String {
    let redacted = redactor.redact(text);
    let mut clean = String::new();
    let mut length = 0;
    for character in redacted.chars() {
        let character = if is_printable(character) { character } else { ' ' };
        if character.is_whitespace() && (clean.is_empty() || clean.ends_with(' ')) {
            continue;
        }
        if length == MAX_SERVER_TEXT {
            clean.push('…');
            break;
        }
        clean.push(if character.is_whitespace() { ' ' } else { character });
        length += 1;
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// Neither a control character nor an invisible or direction-changing one.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

#[cfg(test)]
mod tests {
    use promptgate_core::text::Secret;

    use super::*;

    #[test]
    fn server_text_is_short_clean_and_redacted() {
        let redactor = Redactor::new(&[Secret::new("sk-canary-0123456789")]);
        let clean = |text: &str| server_text(&redactor, text);
        assert_eq!(clean(&"é".repeat(5000)).chars().count(), MAX_SERVER_TEXT + 1);
        assert_eq!(clean("a\r\n::error::b\u{1b}[31m\u{202e}c\t \td\0"), "a ::error::b [31m c d");
        assert_eq!(clean(" \n "), "");
        // A secret across the cut is removed as a whole.
        let across = format!("{}sk-canary-0123456789", "x".repeat(MAX_SERVER_TEXT - 5));
        assert!(!clean(&across).contains("sk-"));
    }
}
