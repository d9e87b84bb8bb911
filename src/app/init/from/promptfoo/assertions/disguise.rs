//! JavaScript that is a check in disguise: `output.includes('x')`, `output.length < 200`, `JSON.parse(output).a === 1`.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::expression::{Expression, parse};
use super::pattern;
use crate::app::init::from::template::value_at;

/// The checks that an expression amounts to, all of which have to hold; `None` where it is code.
///
/// `vars` are those of the case: `context.vars.name` is its value.
pub(super) fn checks(code: &str, negated: bool, vars: &Map<String, Value>) -> Option<Vec<Value>> {
    let code = single_return(code).unwrap_or(code);
    let expression = parse(code)?;
    let mut checks = Vec::new();
    conjunction(&expression, &mut checks, vars)?;
    let checks = merged(checks);
    match (negated, checks.as_slice()) {
        (false, _) => Some(checks),
        // The negation of a check of JSON also fails for an answer without the field, which this code passes.
        (true, [one]) if one.get("json_field").is_none() => Some(vec![negation(one)]),
        (true, _) => None,
    }
}

/// The expression of a body with one statement, `return …;`.
fn single_return(code: &str) -> Option<&str> {
    let code = code.trim();
    let body = code.strip_prefix("return")?.trim_end().trim_end_matches(';');
    (body.starts_with([' ', '(', '\n']) && !body.contains(';')).then_some(body.trim())
}

fn conjunction(expression: &Expression, checks: &mut Vec<Value>, vars: &Map<String, Value>) -> Option<()> {
    if let Expression::Binary("&&", left, right) = expression {
        conjunction(left, checks, vars)?;
        return conjunction(right, checks, vars);
    }
    checks.push(check(expression, vars)?);
    Some(())
}

fn check(expression: &Expression, vars: &Map<String, Value>) -> Option<Value> {
    match expression {
        Expression::Not(inner) => denied(check(inner, vars)?),
        Expression::Binary("||", ..) => any(expression, vars),
        Expression::Binary(operator, left, right) => compared(operator, left, right, vars),
        Expression::Call(callee, arguments) => call(callee, arguments, vars),
        _ => None,
    }
}

fn denied(check: Value) -> Option<Value> {
    check.get("json_field").is_none().then(|| negation(&check))
}

/// The negated check.
pub(super) fn negation(check: &Value) -> Value {
    let is_plain = |value: &Value| value.is_string() || value.get("all").is_none();
    if let Some(texts) = check.get("contains").filter(|texts| is_plain(texts)) {
        return json!({"not_contains": texts});
    }
    if let Some(inner) = check.get("not") {
        return inner.clone();
    }
    json!({"not": check})
}

/// `output.includes('a') || output.includes('b')`.
fn any(expression: &Expression, vars: &Map<String, Value>) -> Option<Value> {
    let mut texts = Vec::new();
    let mut parts = vec![expression];
    while let Some(part) = parts.pop() {
        match part {
            Expression::Binary("||", left, right) => parts.extend([right.as_ref(), left.as_ref()]),
            other => {
                let check = check(other, vars)?;
                texts.push(check.get("contains")?.clone());
            }
        }
    }
    if texts.iter().all(Value::is_string) {
        return Some(json!({"contains": {"any": texts}}));
    }
    let texts: Option<Vec<Value>> = texts
        .iter()
        .map(|text| {
            let is_folded = text.get("ignore_case") == Some(&Value::Bool(true));
            text.pointer("/all/0").filter(|_| is_folded).cloned()
        })
        .collect();
    Some(json!({"contains": {"any": texts?, "ignore_case": true}}))
}

/// The part of the answer that an expression reads.
enum Subject {
    /// The answer, perhaps trimmed, perhaps in lower case.
    Answer { trim: bool, lower: bool },
    /// The number of its characters.
    Length { trim: bool },
    /// A field of the answer as JSON.
    Field(String),
}

fn subject(expression: &Expression) -> Option<Subject> {
    match expression {
        Expression::Name(name) if name == "output" => Some(Subject::Answer { trim: false, lower: false }),
        Expression::Member(inner, name) => match (subject(inner), name.as_str()) {
            (Some(Subject::Answer { trim, lower: false }), "length") => Some(Subject::Length { trim }),
            (Some(Subject::Field(path)), name) if name != "length" => {
                Some(Subject::Field(member(&path, name)))
            }
            (None, name) if is_parsed(inner) && name != "length" => Some(Subject::Field(member("", name))),
            _ => None,
        },
        Expression::Index(inner, index) => {
            let path = match subject(inner) {
                Some(Subject::Field(path)) => path,
                None if is_parsed(inner) => String::new(),
                _ => return None,
            };
            match index.as_ref() {
                Expression::Text(name) => Some(Subject::Field(member(&path, name))),
                Expression::Number(number) if *number >= 0.0 && number.fract() == 0.0 => {
                    Some(Subject::Field(format!("{path}[{number}]")))
                }
                _ => None,
            }
        }
        Expression::Call(callee, arguments) if arguments.is_empty() => {
            let Expression::Member(inner, name) = callee.as_ref() else { return None };
            match (subject(inner)?, name.as_str()) {
                (Subject::Answer { lower, .. }, "trim") => Some(Subject::Answer { trim: true, lower }),
                (Subject::Answer { trim, .. }, "toLowerCase") => Some(Subject::Answer { trim, lower: true }),
                (subject @ Subject::Answer { .. }, "toString") => Some(subject),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `JSON.parse(output)`.
fn is_parsed(expression: &Expression) -> bool {
    let Expression::Call(callee, arguments) = expression else { return false };
    let Expression::Member(object, name) = callee.as_ref() else { return false };
    let is_json = matches!(object.as_ref(), Expression::Name(json) if json == "JSON") && name == "parse";
    let argument = arguments.first().and_then(subject);
    is_json && arguments.len() == 1 && matches!(argument, Some(Subject::Answer { lower: false, .. }))
}

/// The path of a member.
pub(super) fn member(path: &str, name: &str) -> String {
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (is_word, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", Value::from(name)),
    }
}

/// A literal, or a variable of the case.
fn literal(expression: &Expression, vars: &Map<String, Value>) -> Option<Value> {
    Some(match expression {
        Expression::Text(text) => Value::from(text.as_str()),
        Expression::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Value::from(*number as i64)
        }
        Expression::Number(number) => Value::from(*number),
        Expression::Flag(flag) => Value::from(*flag),
        Expression::Null => Value::Null,
        Expression::List(items) => {
            items.iter().map(|item| literal(item, vars)).collect::<Option<Vec<_>>>()?.into()
        }
        Expression::Member(inner, name) => match inner.as_ref() {
            Expression::Member(context, key) if key == "vars" => {
                let is_context = matches!(context.as_ref(), Expression::Name(name) if name == "context");
                value_at(vars, name).filter(|_| is_context)?.clone()
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn compared(
    operator: &str,
    left: &Expression,
    right: &Expression,
    vars: &Map<String, Value>,
) -> Option<Value> {
    if let Expression::Flag(flag) = right {
        // `output.includes('x') === true`.
        if let (Some(check), "===" | "==") = (check(left, vars), operator) {
            return if *flag { Some(check) } else { denied(check) };
        }
    }
    let Some(subject) = subject(left) else {
        let mirrored = match operator {
            "<" => ">",
            ">" => "<",
            "<=" => ">=",
            ">=" => "<=",
            same => same,
        };
        subject(right)?;
        return compared(mirrored, right, left, vars);
    };
    let value = literal(right, vars)?;
    match subject {
        Subject::Length { trim: false } => length(operator, value.as_i64()?),
        Subject::Length { trim: true } => {
            (operator == ">" && value == json!(0)).then(|| json!({"regex": "\\S"}))
        }
        Subject::Answer { trim, lower } => {
            let text = value.as_str().filter(|text| !lower || text.to_lowercase() == **text)?;
            if trim && text.trim() != text {
                return None;
            }
            let mut map = json!({"value": text});
            set_flags(&mut map, trim, lower);
            let equals = if trim || lower { json!({"equals": map}) } else { json!({"equals": text}) };
            match operator {
                "===" | "==" => Some(equals),
                "!==" | "!=" => Some(json!({"not": equals})),
                _ => None,
            }
        }
        // `==` converts between text and number; an inequality holds for a missing field.
        Subject::Field(path) => {
            let is_exact = operator == "===" || (operator == "==" && (value.is_string() || value.is_null()));
            let is_scalar = value.is_string() || value.is_number() || value.is_boolean();
            (is_exact && is_scalar).then(|| json!({"json_field": {"path": path, "equals": value}}))
        }
    }
}

fn set_flags(map: &mut Value, trim: bool, lower: bool) {
    if let Value::Object(map) = map {
        if lower {
            map.insert("ignore_case".to_owned(), Value::Bool(true));
        }
        if trim {
            map.insert("trim".to_owned(), Value::Bool(true));
        }
    }
}

fn length(operator: &str, bound: i64) -> Option<Value> {
    let (min, max) = match operator {
        "<" => (None, Some(bound - 1)),
        "<=" => (None, Some(bound)),
        ">" => (Some(bound + 1), None),
        ">=" => (Some(bound), None),
        "===" | "==" => (Some(bound), Some(bound)),
        _ => return None,
    };
    let mut bounds = Map::new();
    for (key, bound) in [("min_chars", min), ("max_chars", max)] {
        if let Some(bound) = bound {
            bounds.insert(key.to_owned(), u64::try_from(bound).ok()?.into());
        }
    }
    Some(json!({"length": bounds}))
}

fn call(callee: &Expression, arguments: &[Expression], vars: &Map<String, Value>) -> Option<Value> {
    let (Expression::Member(object, method), [argument]) = (callee, arguments) else { return None };
    match (object.as_ref(), method.as_str()) {
        (Expression::Pattern(source, flags), "test") => {
            matches!(subject(argument)?, Subject::Answer { trim: false, lower: false }).then_some(())?;
            pattern::check(source, flags)
        }
        (Expression::List(_), "includes") => {
            let values = literal(object, vars)?;
            let Subject::Answer { trim, lower } = subject(argument)? else { return None };
            let texts: Option<Vec<&str>> = values.as_array()?.iter().map(Value::as_str).collect();
            let texts =
                texts.filter(|texts| !lower || texts.iter().all(|text| text.to_lowercase() == **text))?;
            let mut map = json!({"values": texts, "normalize_unicode": false});
            set_flags(&mut map, trim, lower);
            Some(json!({"one_of": map}))
        }
        (object, method) => {
            let subject = subject(object)?;
            if let Expression::Pattern(source, flags) = argument {
                let is_whole = matches!(subject, Subject::Answer { trim: false, lower: false });
                return (is_whole && matches!(method, "match")).then(|| pattern::check(source, flags))?;
            }
            let value = literal(argument, vars)?;
            let text = value.as_str().filter(|text| !text.is_empty())?;
            searched(&subject, method, text)
        }
    }
}

fn searched(subject: &Subject, method: &str, text: &str) -> Option<Value> {
    match (subject, method) {
        (Subject::Field(path), "includes") => Some(json!({"json_field": {"path": path, "contains": text}})),
        (Subject::Answer { lower: true, .. }, _) if text.to_lowercase() != text => None,
        (Subject::Answer { trim: true, .. }, _) if text.trim() != text => None,
        (Subject::Answer { lower: false, .. }, "includes") => Some(json!({"contains": text})),
        (Subject::Answer { lower: true, .. }, "includes") => {
            Some(json!({"contains": {"all": [text], "ignore_case": true}}))
        }
        (Subject::Answer { trim, lower }, "startsWith" | "endsWith") => {
            let key = if method == "startsWith" { "starts_with" } else { "ends_with" };
            let mut map = json!({"any": [text]});
            set_flags(&mut map, *trim, *lower);
            Some(if *trim || *lower { json!({key: map}) } else { json!({key: text}) })
        }
        _ => None,
    }
}

/// Joins the bounds of a length.
fn merged(checks: Vec<Value>) -> Vec<Value> {
    let mut result: Vec<Value> = Vec::new();
    for check in checks {
        let bounds = check.get("length").and_then(Value::as_object).cloned();
        let before = result.iter_mut().find_map(|other| other.get_mut("length")?.as_object_mut());
        match (bounds, before) {
            (Some(bounds), Some(before)) if bounds.keys().all(|key| !before.contains_key(key)) => {
                before.extend(bounds)
            }
            _ => result.push(check),
        }
    }
    result
}
