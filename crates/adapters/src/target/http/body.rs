//! The body of a request: JSON whose strings have placeholders for the input.

use serde_json::{Map, Value};

/// The fields of an application's input.
const FIELDS: [&str; 8] = ["id", "repeat", "seed", "query", "context", "messages", "vars", "prompt"];

/// A template of a body.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// The whole input.
    Input,
    Template(Node),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Constant(Value),
    /// A string that is one placeholder: the value itself.
    Field(Field),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Field(Field),
}

/// A field of the input, such as `vars.tier`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field(Vec<String>);

impl Body {
    /// Parses a template; returns all errors of its placeholders.
    pub(super) fn parse(template: Option<&Value>) -> Result<Self, Vec<String>> {
        let Some(template) = template else { return Ok(Self::Input) };
        let mut errors = Vec::new();
        let node = Node::parse(template, &mut errors);
        if errors.is_empty() { Ok(Self::Template(node)) } else { Err(errors) }
    }

    /// Returns the body for an input.
    pub(super) fn render(&self, input: &Value) -> Result<Value, String> {
        match self {
            Self::Input => Ok(input.clone()),
            Self::Template(node) => node.render(input),
        }
    }
}

impl Node {
    fn parse(value: &Value, errors: &mut Vec<String>) -> Self {
        match value {
            Value::String(text) => match pieces(text) {
                Ok(pieces) => match <[Piece; 1]>::try_from(pieces) {
                    Ok([Piece::Field(field)]) => Self::Field(field),
                    Ok([Piece::Text(text)]) => Self::Constant(Value::String(text)),
                    Err(pieces) => Self::Text(pieces),
                },
                Err(error) => {
                    errors.push(error);
                    Self::Constant(Value::Null)
                }
            },
            Value::Array(list) => Self::List(list.iter().map(|item| Self::parse(item, errors)).collect()),
            Value::Object(map) => Self::Map(
                map.iter().map(|(name, value)| (name.clone(), Self::parse(value, errors))).collect(),
            ),
            constant => Self::Constant(constant.clone()),
        }
    }

    fn render(&self, input: &Value) -> Result<Value, String> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Field(field) => field.find(input)?.clone(),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(piece) => text.push_str(piece),
                        Piece::Field(field) => push_value(&mut text, field.find(input)?),
                    }
                }
                Value::String(text)
            }
            Self::List(list) => list.iter().map(|node| node.render(input)).collect::<Result<_, _>>()?,
            Self::Map(map) => {
                let fields = map.iter().map(|(name, node)| Ok((name.clone(), node.render(input)?)));
                Value::Object(fields.collect::<Result<Map<_, _>, String>>()?)
            }
        })
    }
}

fn push_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(value) => text.push_str(value),
        other => text.push_str(&other.to_string()),
    }
}

impl Field {
    fn parse(name: &str) -> Result<Self, String> {
        let steps: Vec<String> = name.split('.').map(str::to_owned).collect();
        let is_known = steps.first().is_some_and(|first| FIELDS.contains(&first.as_str()));
        if !is_known || steps.iter().any(String::is_empty) {
            let known = FIELDS.join(", ");
            return Err(format!(
                "unknown placeholder `{{{{{name}}}}}`, expected one of {known} or vars.NAME"
            ));
        }
        Ok(Self(steps))
    }

    fn find<'a>(&self, input: &'a Value) -> Result<&'a Value, String> {
        let found = self.0.iter().try_fold(input, |value, step| value.get(step));
        found.ok_or_else(|| {
            format!("the case has no `{}`, which the body of the request needs", self.0.join("."))
        })
    }
}

/// Splits a text at its placeholders; an empty text is one piece.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| format!("`}}}}` is missing in `{text}`"))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Field(Field::parse(name.trim())?));
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(template: Value) -> Result<Value, String> {
        let input = json!({"id": "a", "query": "{{id}} \"q\"", "vars": {"tier": "gold", "n": 3}, "context": null,
            "messages": [{"role": "user"}]});
        Body::parse(Some(&template)).map_err(|errors| errors.join("; "))?.render(&input)
    }

    #[test]
    fn placeholders_take_values_of_the_input() {
        let body = render(
            json!({"q": "{{query}}", "list": ["{{ vars.n }}", 1, true], "text": "{{id}}/{{vars.n}}{{context}}!",
            "all": "{{messages}}", "vars": "{{vars}}", "empty": "", "none": "{{context}}"}),
        );
        let expected = json!({"q": "{{id}} \"q\"", "list": [3, 1, true], "text": "a/3!", "all": [{"role": "user"}],
            "vars": {"tier": "gold", "n": 3}, "empty": "", "none": null});
        assert_eq!(body, Ok(expected));
        assert_eq!(Body::parse(None).unwrap().render(&json!({"id": 1})), Ok(json!({"id": 1})));
    }

    #[test]
    fn unknown_and_missing_fields_are_errors() {
        assert!(render(json!("{{vars.plan}}")).unwrap_err().contains("the case has no `vars.plan`"));
        for (template, expected) in [
            (json!(["{{qeury}}"]), "unknown placeholder `{{qeury}}`"),
            (json!({"a": "{{query"}), "`}}` is missing"),
            (json!("{{}}"), "unknown placeholder"),
            (json!("{{vars.}}"), "unknown placeholder"),
        ] {
            assert!(render(template.clone()).unwrap_err().contains(expected), "{template}");
        }
        let both = render(json!(["{{a}}", {"b": "{{c}}"}])).unwrap_err();
        assert!(both.contains("{{a}}") && both.contains("{{c}}"), "{both}");
    }
}
