//! Invisible characters that a change adds: a reviewer does not see them, and the model reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variants::Variants;
use promptgate_core::model::{Variant, VariantFacts};
use promptgate_core::text::neutral;

/// Kinds of characters that the warning names.
const NAMED: usize = 3;

/// A warning about the invisible characters of the candidate that the baseline does not have.
pub(super) fn warning(variants: &Variants) -> Option<String> {
    let before = match (&variants.baseline, &variants.earlier) {
        (Some(baseline), _) => Some(of_variant(baseline)),
        (None, Some(earlier)) => of_facts(&earlier.run.candidate),
        (None, None) => None,
    };
    let known = before.clone().unwrap_or_default();
    let added: Vec<(char, usize)> = of_variant(&variants.candidate)
        .into_iter()
        .map(|(character, count)| (character, count - count.min(known.get(&character).copied().unwrap_or(0))))
        .filter(|(_, count)| *count > 0)
        .collect();
    let count: usize = added.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return None;
    }
    let named: Vec<String> =
        added.iter().take(NAMED).map(|(character, _)| format!("U+{:04X}", u32::from(*character))).collect();
    let more = if added.len() > NAMED { ", …" } else { "" };
    let noun = if count == 1 { "character" } else { "characters" };
    let new = if before.is_some() { " that the baseline does not have" } else { "" };
    let source = &variants.candidate.facts.prompt.source;
    Some(format!(
        "{source}: the prompt has {count} invisible {noun}{new} ({}{more}), which a model reads: remove them, unless they are \
         meant",
        named.join(", ")
    ))
}

/// How often each invisible character occurs.
type Counts = BTreeMap<char, usize>;

fn of_variant(variant: &Variant) -> Counts {
    let mut counts = Counts::new();
    for message in &variant.messages {
        add(&message.content, &mut counts);
    }
    variant.facts.parameters.values().for_each(|value| add_value(value, &mut counts));
    counts
}

/// The same of a variant of an earlier run; `None` where its messages are not known.
fn of_facts(facts: &VariantFacts) -> Option<Counts> {
    let mut counts = Counts::new();
    for message in &facts.messages {
        add(&message.content, &mut counts);
    }
    facts.parameters.values().for_each(|value| add_value(value, &mut counts));
    (!facts.messages.is_empty()).then_some(counts)
}

fn add(text: &str, counts: &mut Counts) {
    neutral::invisible(text).for_each(|character| *counts.entry(character).or_default() += 1);
}

/// Adds the texts of a value: of a tool, for example.
fn add_value(value: &Value, counts: &mut Counts) {
    match value {
        Value::String(text) => add(text, counts),
        Value::Array(values) => values.iter().for_each(|value| add_value(value, counts)),
        Value::Object(fields) => {
            for (name, value) in fields {
                add(name, counts);
                add_value(value, counts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::app::suite::SuiteOptions;
    use crate::app::testing::{CONFIG, commit, folder, load, options, write};

    fn warnings(before: &str, now: &str, parameters: &str) -> Vec<String> {
        let folder = folder();
        write(folder.path(), "prompt.md", before);
        write(folder.path(), "cases.jsonl", "{\"query\": \"q\", \"context\": \"c\"}\n");
        let base = commit(folder.path());
        write(folder.path(), "prompt.md", now);
        write(folder.path(), "promptgate.yaml", &format!("{CONFIG}{parameters}"));
        let options = SuiteOptions { baseline: Some(format!("git:{base}")), ..options(folder.path()) };
        let suite = load(&options).unwrap_or_else(|failure| panic!("{failure:#?}"));
        suite.warnings.into_iter().filter(|warning| warning.contains("invisible")).collect()
    }

    #[test]
    fn invisible_characters_that_a_change_adds_are_counted() {
        let old = "Answer {{query}} from {{context}}. می\u{200C}خواهم\n";
        let [warning] =
            warnings(old, &old.replace("from", "f\u{E0100}r\u{200B}o\u{200B}m"), "").try_into().unwrap();
        assert!(
            warning.contains(
                "the prompt has 3 invisible characters that the baseline does not have (U+200B, U+E0100)"
            ),
            "{warning}"
        );
        // Those that were there before, and those of scripts and emoji, are nobody's change.
        let has = old.replace("from", "f\u{200B}rom");
        assert_eq!(warnings(&has, &has.replace("Answer", "Reply to"), ""), Vec::<String>::new());
        assert_eq!(warnings(old, &old.replace("from", "from 👨\u{200D}👩"), ""), Vec::<String>::new());
    }

    #[test]
    fn parameters_are_read_as_well() {
        let old = "Answer {{query}} from {{context}}.\n";
        let found = warnings(old, old, "parameters: {stop: [\"a\\u2060b\"]}\n");
        assert!(found.len() == 1 && found[0].contains("1 invisible character that"), "{found:?}");
    }
}
