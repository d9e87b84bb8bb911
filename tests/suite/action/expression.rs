//! The expressions that action.yml uses; any other expression is refused.

use std::collections::BTreeMap;

/// The context of expressions.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// Inputs, defaults filled in.
    pub(crate) inputs: BTreeMap<String, String>,
    /// Outputs of the steps so far, by step.
    pub(crate) outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// `github.action_ref`, `github.token` and `strategy.job-index`.
    pub(crate) values: BTreeMap<String, String>,
    /// Whether a step has failed.
    pub(crate) failed: bool,
}

impl Context {
    /// A text with `${{ … }}` in it, filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").expect("an expression that ends");
            out.push_str(before);
            match self.evaluate(expression) {
                Value::Text(text) => out.push_str(&text),
                Value::Bool(_) => panic!("a truth value in a text: {text}"),
            }
            rest = after;
        }
        out + rest
    }

    /// Whether a step runs; without a status function it does so only as long as nothing failed.
    pub(crate) fn runs(&self, condition: Option<&str>) -> bool {
        let Some(condition) = condition else { return !self.failed };
        let status = ["always()", "success()", "failure()"].iter().any(|name| condition.contains(name));
        (status || !self.failed) && self.evaluate(condition).is_true()
    }

    fn evaluate(&self, expression: &str) -> Value {
        let mut tokens = Tokens { rest: expression.trim() };
        let value = self.all(&mut tokens);
        assert!(tokens.rest.is_empty(), "what is {:?} in {expression:?}?", tokens.rest);
        value
    }

    /// Comparisons, joined by `&&`.
    fn all(&self, tokens: &mut Tokens<'_>) -> Value {
        let mut value = self.comparison(tokens);
        while tokens.take("&&") {
            let next = self.comparison(tokens);
            value = Value::Bool(value.is_true() && next.is_true());
        }
        value
    }

    fn comparison(&self, tokens: &mut Tokens<'_>) -> Value {
        let left = self.primary(tokens);
        let equal = tokens.take("==");
        if !equal && !tokens.take("!=") {
            return left;
        }
        let (Value::Text(left), Value::Text(right)) = (left, self.primary(tokens)) else {
            panic!("only texts are compared");
        };
        // GitHub does not mind the case.
        Value::Bool((left.to_lowercase() == right.to_lowercase()) == equal)
    }

    fn primary(&self, tokens: &mut Tokens<'_>) -> Value {
        if tokens.take("always()") {
            return Value::Bool(true);
        }
        if tokens.take("success()") {
            return Value::Bool(!self.failed);
        }
        if tokens.take("'") {
            let (text, rest) = tokens.rest.split_once('\'').expect("a text that ends");
            tokens.rest = rest.trim_start();
            return Value::Text(text.to_owned());
        }
        let name = tokens.name();
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            ["inputs", input] => {
                Value::Text(self.inputs.get(*input).unwrap_or_else(|| panic!("no input {input}")).clone())
            }
            ["steps", step, "outputs", output] => {
                let step = self.outputs.get(*step).unwrap_or_else(|| panic!("no step {step} before"));
                Value::Text(step.get(*output).cloned().unwrap_or_default())
            }
            _ => Value::Text(self.values.get(name).unwrap_or_else(|| panic!("what is {name:?}?")).clone()),
        }
    }
}

enum Value {
    Text(String),
    Bool(bool),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Bool(value) => *value,
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        // Blanks inside of quotes belong to the text.
        self.rest = if token == "'" { rest } else { rest.trim_start() };
        true
    }

    fn name(&mut self) -> &'a str {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        name
    }
}

#[test]
fn known_expressions_are_evaluated_and_others_refused() {
    let mut context = Context::default();
    context.inputs.insert("cache".to_owned(), "True".to_owned());
    context.outputs.insert("gate".to_owned(), BTreeMap::from([("code".to_owned(), "0".to_owned())]));
    assert_eq!(context.fill("a ${{ inputs.cache }} b"), "a True b");
    assert!(context.runs(None) && context.runs(Some("inputs.cache == 'true'")));
    assert!(!context.runs(Some("always() && steps.gate.outputs.code != '0'")));
    assert!(!context.runs(Some("steps.gate.outputs.none")));
    context.failed = true;
    assert!(!context.runs(None) && !context.runs(Some("inputs.cache == 'true'")));
    assert!(context.runs(Some("always() && inputs.cache == 'true'")));
    for strange in ["inputs.none", "steps.other.outputs.x == ''", "hashFiles('x')", "inputs.cache || 'x'"] {
        let evaluated = std::panic::catch_unwind(|| {
            let mut context = Context::default();
            context.inputs.insert("cache".to_owned(), String::new());
            context.runs(Some(strange))
        });
        assert!(evaluated.is_err(), "{strange}");
    }
}
