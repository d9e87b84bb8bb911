//! Assertions in code: checks in disguise, or entries of a scorer by command.

use serde_json::{Map, Value, json};

use promptgate_core::model::Diagnostic;

use super::super::super::draft::{Code, Language};
use super::super::super::sources::extension;
use super::{Assertion, Carried, Subject, disguise};

pub(super) fn convert(assertion: &Assertion, subject: &Subject<'_>) -> Result<Vec<Carried>, Diagnostic> {
    let text = assertion.text()?;
    let language = if assertion.kind == "python" { Language::Python } else { Language::JavaScript };
    if language == Language::JavaScript
        && assertion.threshold.is_none()
        && !subject.is_json
        && let Some(checks) = disguise::checks(&text, assertion.negated, subject.vars)
    {
        return Ok(checks.into_iter().map(Carried::Check).collect());
    }
    let mut entry = Map::new();
    match assertion.path(&text, subject) {
        Some((path, name)) => {
            let expected: &[&str] = match language {
                Language::JavaScript => &["js", "mjs", "cjs"],
                Language::Python => &["py"],
            };
            if !expected.contains(&extension(&path).as_str()) {
                let help = format!(
                    "write it in a file that ends in .{}, and import again",
                    expected.first().unwrap_or(&"")
                );
                return Err(assertion.note(format!("`{path}` is not run by the scorer"), help));
            }
            // A missing file is an error now, and not a missing score later.
            subject.sources.text(&path, &assertion.place)?;
            entry.insert("file".to_owned(), Value::from(subject.sources.suite_path(&path)));
            if let Some(name) = name {
                entry.insert("function".to_owned(), Value::from(name));
            }
        }
        None => {
            for part in ["context.prompt", "context.provider", "context.trace", "context.logProbs"] {
                if text.contains(part) {
                    let help =
                        "a scorer gets the answer and the case: rewrite it with `output` and `context.vars`";
                    return Err(assertion.note(format!("`{part}` is not available"), help));
                }
            }
            entry.insert("code".to_owned(), Value::from(text.trim_end()));
        }
    }
    if assertion.negated {
        entry.insert("not".to_owned(), Value::Bool(true));
    }
    if let Some(threshold) = assertion.threshold {
        entry.insert("threshold".to_owned(), json!(threshold));
    }
    if subject.is_json {
        entry.insert("json".to_owned(), Value::Bool(true));
    }
    Ok(vec![Carried::Code(Code { language, entry: Value::Object(entry) })])
}

/// The environment variables that a program reads.
pub(in super::super) fn environment(program: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for start in [
        "process.env.",
        "process.env['",
        "process.env[\"",
        "os.environ[\"",
        "os.environ['",
        "os.environ.get(\"",
        "os.environ.get('",
        "os.getenv(\"",
        "os.getenv('",
    ] {
        for (at, _) in program.match_indices(start) {
            let rest = program.get(at + start.len()..).unwrap_or_default();
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.retain(|name| !["PATH", "HOME", "TMPDIR", "LANG"].contains(&name.as_str()));
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_of_a_program_is_found() {
        let program =
            "process.env.B_KEY + process.env['A']; os.environ[\"C\"], os.getenv('D', 1), process.env.PATH";
        assert_eq!(environment(program), ["A", "B_KEY", "C", "D"]);
    }
}
