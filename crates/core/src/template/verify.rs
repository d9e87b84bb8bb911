//! Whether a variant's templates can be rendered for every case.

use crate::model::{Case, Diagnostic, MessageRole, Place, Variant};

use super::{Placeholder, Template, variables};

/// Every mistake in a variant's templates: malformed placeholders, and placeholders that some case leaves
/// undefined, one mistake for a name in a message, however many cases lack it. Empty when all can be rendered.
pub fn verify(variant: &Variant, cases: &[Case]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (index, message) in variant.messages.iter().enumerate() {
        for diagnostic in Template::diagnostics(&message.content) {
            let spot = Spot { line: diagnostic.line, column: diagnostic.column, length: diagnostic.length };
            diagnostics.push(placed(variant, index, spot, diagnostic.message, diagnostic.help));
        }
        let Ok(template) = Template::parse(&message.content) else { continue };
        let mut seen: Vec<&str> = Vec::new();
        for placeholder in template.placeholders() {
            if seen.contains(&placeholder.name.as_str()) {
                continue;
            }
            seen.push(&placeholder.name);
            if let Some((what, help)) = undefined(placeholder, cases) {
                let spot =
                    Spot { line: placeholder.line, column: placeholder.column, length: placeholder.length };
                diagnostics.push(placed(variant, index, spot, what, help));
            }
        }
    }
    diagnostics
}

/// Whether any message of the variant uses the variable.
pub fn uses(variant: &Variant, name: &str) -> bool {
    variant.messages.iter().any(|message| {
        Template::parse(&message.content).is_ok_and(|template| template.variables().contains(&name))
    })
}

/// Things that are legal and hardly meant: `{query}` in single braces, where `query` is a variable of the cases
/// that the variant never uses as `{{query}}`.
pub fn warnings(variant: &Variant, cases: &[Case]) -> Vec<String> {
    let mut warnings = Vec::new();
    for name in known_names(cases) {
        let single = format!("{{{name}}}");
        if variant.messages.iter().any(|message| message.content.contains(&single)) && !uses(variant, name) {
            warnings.push(format!(
                "{}: `{single}` in single braces is literal text; write `{{{{{name}}}}}` to insert the case's {name}",
                variant.facts.prompt.source
            ));
        }
    }
    warnings
}

struct Spot {
    line: usize,
    column: usize,
    length: usize,
}

/// A mistake at a spot of a message, as exactly as the file's format allows.
fn placed(variant: &Variant, index: usize, spot: Spot, message: String, help: String) -> Diagnostic {
    let source = &variant.facts.prompt.source;
    let content = variant.messages.get(index).map(|message| message.content.as_str()).unwrap_or_default();
    let start = variant.lines.get(index).copied().unwrap_or(0);
    if start == 0 {
        return Diagnostic::new(format!("in the {} message: {message}", speaker(variant, index))).help(help);
    }
    // In JSON and YAML the lines of a text are not always lines of the file: name the line it starts on.
    if is_structured(source) {
        return Diagnostic::new(message).at(Place::line(source, start)).help(help);
    }
    let place = Place {
        file: source.clone(),
        line: Some(start + spot.line - 1),
        column: Some(spot.column),
        excerpt: content.lines().nth(spot.line - 1).map(str::to_owned),
        length: spot.length,
    };
    Diagnostic::new(message).at(place).help(help)
}

fn is_structured(source: &str) -> bool {
    let lower = source.to_lowercase();
    [".json", ".yaml", ".yml"].iter().any(|ending| lower.ends_with(ending))
}

fn speaker(variant: &Variant, index: usize) -> &'static str {
    match variant.messages.get(index).map(|message| message.role) {
        Some(MessageRole::System) | None => "system",
        Some(MessageRole::Developer) => "developer",
        Some(MessageRole::User) => "user",
        Some(MessageRole::Assistant) => "assistant",
    }
}

/// What is wrong with a placeholder and what to do, if some case leaves it undefined.
fn undefined(placeholder: &Placeholder, cases: &[Case]) -> Option<(String, String)> {
    let name = placeholder.name.as_str();
    let mut missing = cases.iter().filter(|case| !variables(case).has(name));
    let first = missing.next()?;
    let count = 1 + missing.count();
    let whom = if count == cases.len() && count > 1 {
        format!("for all {count} cases")
    } else if count == 1 {
        format!("for case `{}` ({})", first.id, first.place)
    } else {
        format!("for {count} of {} cases, first `{}` ({})", cases.len(), first.id, first.place)
    };
    let help = if count == cases.len() { unknown(name, cases) } else { partly(name) };
    Some((format!("`{{{{{name}}}}}` is undefined {whom}"), help))
}

/// Help for a name that no case has.
fn unknown(name: &str, cases: &[Case]) -> String {
    let lower = name.to_lowercase();
    if lower == "expected" {
        return "`expected` is not available to prompts: it would leak the answer that is asked for"
            .to_owned();
    }
    if lower == "env" || lower.starts_with("env.") {
        return "prompts read no environment; put the value into the cases' `vars`".to_owned();
    }
    let known = known_names(cases);
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), *candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1));
    if let Some((_, nearest)) = nearest {
        return format!("did you mean `{{{{{nearest}}}}}`?");
    }
    let list = known.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if known.len() > 12 { ", …" } else { "" };
    if name == "query" || name == "context" {
        return format!(
            "no case has `{name}`; map the column that holds it with `fields: {{{name}: COLUMN}}` (there are: \
             {list}{more})"
        );
    }
    format!("the cases have: {list}{more}; add `{name}` as a column or under `vars`")
}

/// Help for a name that some cases have.
fn partly(name: &str) -> String {
    format!("give every case a `{name}`; an empty text is a value, null is none")
}

/// Every name that some case has, in the order of first sight.
fn known_names(cases: &[Case]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for case in cases {
        for name in variables(case).names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}
