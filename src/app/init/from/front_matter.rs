//! Front matter between two lines `---`.

use promptgate_core::document::Document;
use promptgate_core::model::Diagnostics;

/// A file with front matter.
pub(super) struct Split {
    pub(super) front_matter: Document,
    pub(super) body: String,
    /// The first line of the body.
    pub(super) first_line: usize,
}

/// Splits a text; `None` without front matter.
///
/// # Errors
/// Front matter that is not YAML.
pub(super) fn split(shown: &str, text: &str) -> Result<Option<Split>, Diagnostics> {
    let mut lines = text.lines();
    if lines.next().is_none_or(|line| line.trim_end() != "---") {
        return Ok(None);
    }
    let lines: Vec<&str> = lines.collect();
    let Some(end) = lines.iter().position(|line| line.trim_end() == "---") else { return Ok(None) };
    let yaml: String = lines.iter().take(end).map(|line| format!("{line}\n")).collect();
    let body: String = lines.iter().skip(end + 1).map(|line| format!("{line}\n")).collect();
    let front_matter = Document::yaml_from(shown, 2, &yaml)?;
    Ok(Some(Split { front_matter, body, first_line: end + 3 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_starts_below_the_second_line() {
        let found = split("f", "---\na: 1\n---\nx\ny\n").unwrap().unwrap();
        assert_eq!((found.body.as_str(), found.first_line), ("x\ny\n", 4));
        assert!(split("f", "a\n---\n").unwrap().is_none() && split("f", "---\na\n").unwrap().is_none());
        assert!(split("f", "---\na: [\n---\n").err().unwrap().to_string().contains("f:"));
    }
}
