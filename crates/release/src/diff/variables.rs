//! Variables that were added, removed or renamed.

use promptgate_core::model::Message;
use promptgate_core::template::Template;

use super::{Change, place};
use crate::Level;

/// A variable and the place of its first use.
struct Variable {
    name: String,
    place: String,
}

pub(super) fn compare(old: &[Message], new: &[Message]) -> Vec<Change> {
    let (old, new) = (variables(old), variables(new));
    let missing = |from: &[Variable], of: &[Variable]| -> Vec<usize> {
        let has = |name: &str| from.iter().any(|variable| variable.name == name);
        (0..of.len()).filter(|index| !has(&of[*index].name)).collect()
    };
    let (removed, added) = (missing(&new, &old), missing(&old, &new));
    if let ([gone], [come]) = (removed.as_slice(), added.as_slice()) {
        let (gone, come) = (&old[*gone], &new[*come]);
        let text = format!("{}: variable `{}` was renamed to `{}`", come.place, gone.name, come.name);
        return vec![Change::new(Level::Major, text)];
    }
    let removed = removed.into_iter().map(|index| ("removed", &old[index]));
    let added = added.into_iter().map(|index| ("added", &new[index]));
    removed
        .chain(added)
        .map(|(verb, variable)| {
            let text = format!("{}: variable `{}` was {verb}", variable.place, variable.name);
            Change::new(Level::Major, text)
        })
        .collect()
}

/// The distinct variables, in the order of their first use.
fn variables(messages: &[Message]) -> Vec<Variable> {
    let mut seen = std::collections::HashSet::new();
    let mut variables = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        for (name, line) in names(&message.content) {
            if seen.insert(name.clone()) {
                variables.push(Variable { name, place: place::line(index, message.role, line) });
            }
        }
    }
    variables
}

/// Names with their lines. A text that is not a valid template, as other registries have them, counts each `{{…}}` with
/// its whole expression.
fn names(text: &str) -> Vec<(String, usize)> {
    if let Ok(template) = Template::parse(text) {
        return template.placeholders().map(|found| (found.name.clone(), found.at.line)).collect();
    }
    let mut names = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for inside in line.split("{{").skip(1) {
            if let Some((name, _)) = inside.split_once("}}") {
                names.push((name.trim().to_owned(), index + 1));
            }
        }
    }
    names
}
