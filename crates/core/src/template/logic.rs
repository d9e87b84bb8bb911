//! Tags of template languages with conditions and loops, which would be sent to the model as text.

use super::{Position, TemplateDiagnostic};

/// First words of the tags of Jinja, Nunjucks, Liquid and Twig.
const TAGS: [&str; 24] = [
    "assign", "block", "call", "capture", "case", "elif", "else", "elseif", "elsif", "endfor", "endif",
    "extends", "filter", "for", "from", "if", "import", "include", "macro", "raw", "render", "set", "unless",
    "with",
];

/// Returns a diagnostic for the first tag in a text, such as `{% if premium %}`.
pub(super) fn diagnostic(text: &str) -> Option<TemplateDiagnostic> {
    let (offset, tag) = text.match_indices("{%").find_map(|(at, _)| Some((at, tag(text.get(at..)?)?)))?;
    let mut at = Position { offset: 0, line: 1, column: 1, length: 0 };
    at.advance(text.get(..offset)?);
    at.length = tag.chars().count();
    let message = format!("`{tag}` is not executed: prompts have no conditions and loops");
    let help = "put the finished text into a column of the dataset and insert it by name, or write a prompt for each branch; \
                to send such text, write `{ %` with a space";
    Some(TemplateDiagnostic { at, message, help: help.to_owned() })
}

/// Returns the tag that a text starts with; it ends on the same line.
fn tag(text: &str) -> Option<&str> {
    let end = text.find("%}")? + 2;
    let tag = text.get(..end).filter(|tag| !tag.contains('\n'))?;
    let inside = tag.trim_start_matches("{%").trim_start_matches(['-', '+', ' ', '\t']);
    let word: &str = inside.split(|character: char| !character.is_ascii_alphabetic()).next()?;
    TAGS.contains(&word).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_with_their_place() {
        let found = diagnostic("Answer.\n  {%- if premium %}\nBe brief.\n{% endif %}\n").unwrap();
        assert_eq!((found.at.line, found.at.column, found.at.length), (2, 3, 17));
        assert!(found.message.starts_with("`{%- if premium %}` is not executed"), "{}", found.message);
        for text in ["{%for x in y%}", "100 {% of %} {%+ set a = 1 %}", "{% else %}"] {
            assert!(diagnostic(text).is_some(), "{text}");
        }
    }

    #[test]
    fn other_text_with_percent_signs_is_literal() {
        for text in ["", "{%", "{% of all %}", "{ % if x %}", "{% if\nx %}", "50 %} and {% more", "{%é%}"] {
            assert_eq!(diagnostic(text).map(|found| found.message), None, "{text}");
        }
    }
}
