//! Placeholders of other template languages: plain variables are carried, logic is found with its line.

use serde_json::Value;

use super::sources::text_of;

/// A template language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nunjucks and Jinja: `{{name}}`, `{% … %}`, `{# … #}`.
    Nunjucks,
    /// Handlebars: `{{name}}`, `{{{name}}}`, `{{#if name}}`, `{{! … }}`.
    Handlebars,
    /// `{{name}}` alone.
    Plain,
}

/// A part of a template that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Line within the text, counted from 0.
    pub(super) line: usize,
    /// The part as written.
    pub(super) written: String,
}

/// A template in the syntax of promptgate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) text: String,
    /// Names of variables before renaming.
    pub(super) names: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

enum Segment<'t> {
    Literal(&'t str),
    Name(String),
    Comment,
    Logic(&'t str),
}

/// Translates a template; `rename` gives a variable its name here. Logic stays as it is and is reported.
pub(super) fn translate(text: &str, dialect: Dialect, rename: &dyn Fn(&str) -> String) -> Translated {
    let mut result = Translated::default();
    let mut line = 0;
    for (segment, written) in segments(text, dialect) {
        match segment {
            Segment::Literal(literal) => result.text.push_str(literal),
            Segment::Name(name) => {
                result.text.push_str(&format!("{{{{{}}}}}", rename(&name)));
                if !result.names.contains(&name) {
                    result.names.push(name);
                }
            }
            Segment::Comment => {}
            Segment::Logic(logic) => {
                result.text.push_str(logic);
                result.problems.push(Problem { line, written: logic.to_owned() });
            }
        }
        line += written.matches('\n').count();
    }
    result
}

/// The names of the variables.
pub(super) fn names(text: &str, dialect: Dialect) -> Vec<String> {
    translate(text, dialect, &str::to_owned).names
}

/// Inserts values; `lookup` returns that of a name, and a name without one is an empty text, as in the source.
///
/// # Errors
/// The first part that is logic.
pub(super) fn render(
    text: &str,
    dialect: Dialect,
    lookup: &dyn Fn(&str) -> Option<Value>,
) -> Result<String, String> {
    let mut result = String::new();
    for (segment, _) in segments(text, dialect) {
        match segment {
            Segment::Literal(literal) => result.push_str(literal),
            Segment::Name(name) => {
                result.push_str(&lookup(&name).map(|value| text_of(&value)).unwrap_or_default())
            }
            Segment::Comment => {}
            Segment::Logic(logic) => return Err(logic.to_owned()),
        }
    }
    Ok(result)
}

/// The value at a path such as `user.name` or `items.0`.
pub(super) fn value_at<'v>(vars: &'v serde_json::Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = vars.get(path) {
        return Some(value);
    }
    let mut parts = path.split('.');
    let mut value = vars.get(parts.next()?)?;
    for part in parts {
        value = match value {
            Value::Object(map) => map.get(part)?,
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The segments of a text with the text of each.
fn segments(text: &str, dialect: Dialect) -> Vec<(Segment<'_>, &str)> {
    let mut result = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (segment, length) = match opening(rest, dialect) {
            Some(0) => tag(rest, dialect),
            Some(at) => (Segment::Literal(rest.get(..at).unwrap_or_default()), at),
            None => (Segment::Literal(rest), rest.len()),
        };
        let (written, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        result.push((segment, written));
        rest = after;
    }
    result
}

/// The first place where a tag may start.
fn opening(text: &str, dialect: Dialect) -> Option<usize> {
    let tags: &[&str] = match dialect {
        Dialect::Nunjucks => &["{{", "{%", "{#"],
        Dialect::Handlebars | Dialect::Plain => &["{{"],
    };
    tags.iter().filter_map(|tag| text.find(tag)).min()
}

/// The tag at the start of a text, and its length in bytes.
fn tag(text: &str, dialect: Dialect) -> (Segment<'_>, usize) {
    let literal = |length: usize| (Segment::Literal(text.get(..length).unwrap_or(text)), length);
    let whole = |end: &str| text.find(end).map(|at| at + end.len());
    if text.starts_with("{%") {
        if let Some(raw) = raw_block(text) {
            return raw;
        }
        return match whole("%}") {
            Some(length) => (Segment::Logic(text.get(..length).unwrap_or(text)), length),
            None => literal(2),
        };
    }
    if text.starts_with("{#") {
        return whole("#}").map_or_else(|| literal(2), |length| (Segment::Comment, length));
    }
    let (open, close) = match dialect {
        Dialect::Handlebars if text.starts_with("{{{") => ("{{{", "}}}"),
        Dialect::Handlebars if text.starts_with("{{!--") => ("{{!--", "--}}"),
        _ => ("{{", "}}"),
    };
    let Some(length) = whole(close) else { return literal(open.len()) };
    let written = text.get(..length).unwrap_or(text);
    let inside = written.strip_prefix(open).and_then(|inside| inside.strip_suffix(close)).unwrap_or_default();
    if dialect == Dialect::Handlebars && (open == "{{!--" || inside.starts_with('!')) {
        return (Segment::Comment, length);
    }
    match name(inside.trim(), dialect) {
        Some(name) => (Segment::Name(name), length),
        None => (Segment::Logic(written), length),
    }
}

/// `{% raw %}…{% endraw %}`: its content is literal.
fn raw_block(text: &str) -> Option<(Segment<'_>, usize)> {
    let inner = text.strip_prefix("{%")?;
    let end = inner.find("%}")?;
    if inner.get(..end)?.trim_matches(['-', ' ']) != "raw" {
        return None;
    }
    let body = inner.get(end + 2..)?;
    let close = body.match_indices("{%").find(|(at, _)| {
        let tag = body.get(at + 2..).unwrap_or_default();
        tag.find("%}")
            .and_then(|end| tag.get(..end))
            .is_some_and(|tag| tag.trim_matches(['-', ' ']) == "endraw")
    })?;
    let after = body.get(close.0..)?.find("%}")? + 2;
    let content = body.get(..close.0)?;
    // A placeholder in it would be one here, too.
    if content.contains("{{") {
        return None;
    }
    Some((Segment::Literal(content), 2 + end + 2 + close.0 + after))
}

/// A variable, with `user['name']` and `items[0]` as `user.name` and `items.0`; the filter `safe` changes nothing.
fn name(inside: &str, dialect: Dialect) -> Option<String> {
    let inside = match dialect {
        Dialect::Nunjucks => match inside.split_once('|') {
            Some((name, filter)) if filter.trim() == "safe" => name.trim(),
            _ => inside,
        },
        _ => inside,
    };
    let path = inside.replace("[\"", ".").replace("['", ".").replace("\"]", "").replace("']", "");
    let path = path.replace('[', ".").replace(']', "");
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let mut parts = path.split('.');
    let first = parts.next().filter(|part| starts(part) && is_word(part) && *part != "env")?;
    let is_keyword = dialect == Dialect::Handlebars && ["else", "this", "history"].contains(&first);
    // A hyphen is a minus in an expression.
    let is_minus = dialect == Dialect::Nunjucks && first.contains('-');
    (parts.all(is_word) && !is_keyword && !is_minus).then_some(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn translated(text: &str, dialect: Dialect) -> (String, Vec<(usize, String)>) {
        let rename = |name: &str| if name == "question" { "query".to_owned() } else { name.to_owned() };
        let result = translate(text, dialect, &rename);
        (result.text, result.problems.into_iter().map(|problem| (problem.line, problem.written)).collect())
    }

    #[test]
    fn plain_variables_are_carried() {
        for (dialect, text, expected) in [
            (Dialect::Nunjucks, "a {{ question }} {{x|safe}}", "a {{query}} {{x}}"),
            (Dialect::Nunjucks, "{{user.name}} {{items[0]}} {{a['b']}}", "{{user.name}} {{items.0}} {{a.b}}"),
            (
                Dialect::Nunjucks,
                "{# note #}{\"a\": {\"b\": 1}} {% raw %}{x}{% endraw %}!",
                "{\"a\": {\"b\": 1}} {x}!",
            ),
            (Dialect::Nunjucks, "100 {% of { # and {{", "100 {% of { # and {{"),
            (Dialect::Handlebars, "{{{question}}} {{! no }}{{!-- {{x}} --}}{{y}}", "{{query}} {{y}}"),
            (Dialect::Plain, "{{question}} {% if %}", "{{query}} {% if %}"),
        ] {
            assert_eq!(translated(text, dialect), (expected.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn logic_is_found_with_its_line() {
        for (dialect, text, line, written) in [
            (Dialect::Nunjucks, "a\n{{ x | upper }}", 1, "{{ x | upper }}"),
            (Dialect::Nunjucks, "{% for a in b %}", 0, "{% for a in b %}"),
            (Dialect::Nunjucks, "{{x}}\n\n{{ env.KEY }}", 2, "{{ env.KEY }}"),
            (Dialect::Nunjucks, "{{ a - b }}", 0, "{{ a - b }}"),
            (Dialect::Handlebars, "\n{{#each rows}}", 1, "{{#each rows}}"),
            (Dialect::Handlebars, "{{>header}}", 0, "{{>header}}"),
            (Dialect::Handlebars, "{{role \"user\"}}", 0, "{{role \"user\"}}"),
        ] {
            let (unchanged, problems) = translated(text, dialect);
            assert_eq!((unchanged.as_str(), problems), (text, vec![(line, written.to_owned())]));
        }
    }

    #[test]
    fn values_are_inserted() {
        let vars = json!({"user": {"name": "Ana", "tags": ["x"]}, "n": 3});
        let vars = vars.as_object().unwrap();
        let lookup = |name: &str| value_at(vars, name).cloned();
        let text = render("{{user.name}} {{n}} {{user.tags[0]}} [{{none}}]", Dialect::Nunjucks, &lookup);
        assert_eq!(text.unwrap(), "Ana 3 x []");
        assert_eq!(render("{{n + 1}}", Dialect::Nunjucks, &lookup), Err("{{n + 1}}".to_owned()));
    }
}
