//! Warnings of names in single braces, `{question}`, as other tools write placeholders: here they are sent as they are.

use promptgate_core::model::{Case, Message, Variant};
use promptgate_core::template::{self, Template, aliases};

use crate::config::Settings;

/// Fields that have usual names of columns.
const FIELDS: [&str; 2] = ["query", "context"];

/// Warns of single braces around a column that `fields` maps, and, in a message without any placeholder, around a usual name of
/// the question or the context.
pub(super) fn warnings(variant: &Variant, cases: &[Case], settings: &Settings) -> Vec<String> {
    let has = |variable: &str| cases.iter().any(|case| template::variables(case).has(variable));
    let mut found: Vec<(String, String)> = Vec::new();
    for (field, column) in &settings.dataset.fields {
        let variable = field.strip_prefix("vars.").unwrap_or(field);
        found.push((column.clone(), variable.to_owned()));
    }
    let of_columns = found.len();
    for field in FIELDS {
        let names = std::iter::once(&field).chain(aliases(field));
        found.extend(names.map(|name| ((*name).to_owned(), field.to_owned())));
    }
    let mut warnings = Vec::new();
    for (place, (name, variable)) in found.iter().enumerate() {
        let is_usual = place >= of_columns;
        let is_meant = |message: &Message| {
            let used = Template::parse(&message.content);
            let used = used.as_ref().map(Template::variables).unwrap_or_default();
            let may_be_text = if is_usual { !used.is_empty() } else { used.contains(&variable.as_str()) };
            !may_be_text && in_single_braces(&message.content, name)
        };
        if !has(variable) || !variant.messages.iter().any(is_meant) {
            continue;
        }
        let warning = format!(
            "{}: `{{{name}}}` in single braces is literal text; write `{{{{{variable}}}}}` to insert the case's {variable}",
            variant.facts.prompt.source
        );
        let is_known = warnings.iter().any(|other: &String| other.contains(&format!("`{{{name}}}`")));
        if !is_known {
            warnings.push(warning);
        }
    }
    warnings
}

/// Whether a text has `{name}` with neither another brace nor a dollar sign around it.
fn in_single_braces(text: &str, name: &str) -> bool {
    let single = format!("{{{name}}}");
    text.match_indices(&single).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + single.len()..).and_then(|after| after.chars().next());
        !matches!(before, Some('{' | '$')) && after != Some('}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_braces_stand_alone() {
        for (text, expected) in [
            ("Answer {docs}.", true),
            ("{docs}", true),
            ("{{docs}}", false),
            ("${docs}", false),
            ("{ docs }", false),
            ("{{docs}} and {docs}", true),
            ("ä{docs}ö", true),
        ] {
            assert_eq!(in_single_braces(text, "docs"), expected, "{text}");
        }
    }
}
