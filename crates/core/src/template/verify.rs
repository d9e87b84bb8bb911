//! Verifies that a variant's templates can be rendered for every case.

use crate::document::suggest;
use crate::model::{Case, Diagnostic, Message, Place, Variant};

use super::{
    Placeholder, Position, Template, TemplateDiagnostic, aliases, literal, logic, names_a_reference,
    variables,
};

/// Returns all diagnostics of a variant's templates: invalid placeholders, tags of other template languages, and
/// placeholders that are undefined for some case. A name is reported once, with the number of cases.
pub fn verify(variant: &Variant, cases: &[Case]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (index, sent) in variant.messages.iter().enumerate() {
        for TemplateDiagnostic { at, message, help } in Template::diagnostics(&sent.content) {
            let help = literal::help(&sent.content, at.offset).unwrap_or(help);
            diagnostics.push(placed(variant, index, at, message, help));
        }
        if let Some(TemplateDiagnostic { at, message, help }) = logic::diagnostic(&sent.content) {
            diagnostics.push(placed(variant, index, at, message, help));
        }
        let Ok(template) = Template::parse(&sent.content) else { continue };
        for Placeholder { name, at } in template.placeholders() {
            if seen.contains(name) {
                continue;
            }
            seen.push(name.clone());
            if let Some((what, help)) = undefined(name, cases) {
                let help = literal::help(&sent.content, at.offset).unwrap_or(help);
                diagnostics.push(placed(variant, index, *at, what, help));
            }
        }
    }
    diagnostics
}

/// Whether a message of the variant uses the variable.
pub fn uses(variant: &Variant, name: &str) -> bool {
    variant.messages.iter().any(|message| {
        Template::parse(&message.content).is_ok_and(|template| template.variables().contains(&name))
    })
}

/// The names of the variables that the variant uses, each once.
pub fn used_names(variant: &Variant) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for message in &variant.messages {
        let Ok(template) = Template::parse(&message.content) else { continue };
        for name in template.variables() {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Warns about valid but suspicious text: `{query}` in single braces, where the variant does not use the variable as
/// `{{query}}`, and JSON with doubled braces.
pub fn warnings(variant: &Variant, cases: &[Case]) -> Vec<String> {
    let mut warnings = Vec::new();
    if variant.messages.iter().any(|message| literal::has_doubled_json(&message.content)) {
        warnings.push(format!(
            "{}: `{{{{\"` is sent as it is, with two braces; f-strings double the braces of JSON, prompts here do not: \
             write `{{\"`",
            variant.facts.prompt.source
        ));
    }
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

/// Creates a diagnostic at a location in a message, as precise as the file's format allows.
fn placed(variant: &Variant, index: usize, spot: Position, message: String, help: String) -> Diagnostic {
    let source = &variant.facts.prompt.source;
    let Some(Message { role, content, .. }) = variant.messages.get(index) else {
        return Diagnostic::new(message).help(help);
    };
    let start = variant.lines.get(index).copied().unwrap_or(0);
    if start == 0 {
        return Diagnostic::new(format!("in the {} message: {message}", role.as_str())).help(help);
    }
    // In JSON and YAML, lines of a text may differ from lines of the file: report the line where the text starts.
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

/// Returns message and help for a placeholder that is undefined for some case.
fn undefined(name: &str, cases: &[Case]) -> Option<(String, String)> {
    let mut missing = cases.iter().filter(|case| !variables(case).has(name));
    let first = missing.next()?;
    let count = 1 + missing.count();
    let affected = if count == cases.len() && count > 1 {
        format!("for all {count} cases")
    } else if count == 1 {
        format!("for case `{}` ({})", first.id, first.place)
    } else {
        format!("for {count} of {} cases, first `{}` ({})", cases.len(), first.id, first.place)
    };
    let help = if count == cases.len() { help_for_unknown(name, cases) } else { help_for_partial(name) };
    Some((format!("`{{{{{name}}}}}` is undefined {affected}"), help))
}

/// Help for a variable that no case has.
fn help_for_unknown(name: &str, cases: &[Case]) -> String {
    let lower = name.to_lowercase();
    if lower == "expected" {
        return "`expected` is not available to prompts: it would leak the reference answer".to_owned();
    }
    if names_a_reference(name) {
        return format!(
            "`{name}` is the reference answer of the cases, which prompts never see; if it is an input, map it: \
             `fields: {{\"vars.{name}\": {name}}}`"
        );
    }
    if lower == "env" || lower.starts_with("env.") {
        return "prompts cannot read the environment; put the value into the cases' `vars`".to_owned();
    }
    let known = known_names(cases);
    if let Some(nearest) = suggest(name, known.iter().copied()) {
        return format!("did you mean `{{{{{nearest}}}}}`?");
    }
    let list = known.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if known.len() > 12 { ", …" } else { "" };
    if name == "query" || name == "context" {
        let column = aliases(name).iter().find(|alias| known.contains(*alias)).copied().unwrap_or("COLUMN");
        return format!(
            "no case has `{name}`; map its column with `fields: {{{name}: {column}}}` (available: {list}{more})"
        );
    }
    format!("available variables: {list}{more}; or add `{name}` as a column or under `vars`")
}

/// Help for a variable that some cases have.
fn help_for_partial(name: &str) -> String {
    format!("give every case a `{name}`; an empty text is a value, null is not")
}

/// The names of variables that at least one case has, in the order of the dataset.
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
