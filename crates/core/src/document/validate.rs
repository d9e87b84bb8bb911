//! Conversion of JSON Schema violations to diagnostics.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::expected::{Expectation, known_keys};
use super::explain::{Path, quoted, quoted_list, shown};
use super::secret::names_secret;
use super::{Document, advice_for, pointer, suggest};
use crate::model::{Diagnostic, Place};

/// Returns a diagnostic for every violation of a JSON Schema in a document, in the order of the text.
///
/// A `title` in the schema describes the expected value ("a duration"), `examples` become the help. Of several allowed
/// forms (`anyOf`, `oneOf`), the violations of the most likely one are reported: the form of the same type, and of several
/// the one whose required keys are present.
pub fn validate(document: &Document, schema: &Value) -> Vec<Diagnostic> {
    violations(document, schema).into_iter().map(|violation| violation.diagnostic).collect()
}

/// Returns all violations of a JSON Schema like [`validate`], with the JSON pointers of the invalid values.
pub fn violations(document: &Document, schema: &Value) -> Vec<Violation> {
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            let diagnostic = Diagnostic::new(format!("invalid schema: {error}"));
            return vec![Violation { pointer: String::new(), diagnostic }];
        }
    };
    let mut explainer = Explainer { document, schema, reports: Vec::new(), suggested: BTreeSet::new() };
    for error in validator.iter_errors(document.value()) {
        explainer.explain(&error);
    }
    explainer.finish()
}

/// A violation of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of the invalid value or the missing key.
    pub pointer: String,
    /// The diagnostic.
    pub diagnostic: Diagnostic,
}

struct Report {
    violation: Violation,
    /// For a missing key, the map and the key.
    missing: Option<(String, String)>,
}

struct Explainer<'a> {
    document: &'a Document,
    schema: &'a Value,
    reports: Vec<Report>,
    /// Maps and the keys that were suggested for unknown keys; they are not reported as missing as well.
    suggested: BTreeSet<(String, String)>,
}

impl Explainer<'_> {
    fn finish(self) -> Vec<Violation> {
        let mut violations: Vec<Violation> = Vec::new();
        for Report { violation, missing } in self.reports {
            let is_suggested = missing.is_some_and(|missing| self.suggested.contains(&missing));
            if !is_suggested && !violations.contains(&violation) {
                violations.push(violation);
            }
        }
        violations.sort_by_key(|violation| position(&violation.diagnostic));
        violations
    }

    fn explain(&mut self, error: &ValidationError<'_>) {
        let at = error.instance_path().as_str();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                let known = known_keys(self.schema, self.holder(error));
                for key in unexpected {
                    self.unknown_key(at, key, &known);
                }
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default().to_owned();
                let message = match at {
                    "" => format!("the key {} is missing", quoted(&key)),
                    _ => format!("{} lacks the key {}", Path(at), quoted(&key)),
                };
                let diagnostic = Diagnostic::new(message).at(self.document.key_place(at));
                let violation = Violation { pointer: pointer(at, &key), diagnostic };
                self.reports.push(Report { violation, missing: Some((at.to_owned(), key)) });
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.choose(error, context),
            Kind::PropertyNames { error: inner } => {
                let key = inner.instance().as_str().unwrap_or_default().to_owned();
                let expectation = self.expectation(inner);
                let message =
                    format!("{}: the key {} is not {}", Path(at), quoted(&key), expectation.describe());
                let pointer = pointer(at, &key);
                let place = self.document.key_place(&pointer);
                self.push(pointer, Diagnostic::new(message).at(place), expectation.help(None));
            }
            _ => self.value(error),
        }
    }

    /// Reports a violation that concerns one value.
    fn value(&mut self, error: &ValidationError<'_>) {
        let at = error.instance_path().as_str();
        let value: &Value = error.instance();
        let expectation = self.expectation(error);
        let place = self.value_place(at);
        // The value itself says nothing about a count.
        let counted = match error.kind() {
            Kind::MinLength { .. } | Kind::MinItems { .. } | Kind::MinProperties { .. }
                if is_empty(value) =>
            {
                Some("must not be empty".to_owned())
            }
            Kind::MinLength { limit } => Some(format!("must have at least {limit} characters")),
            Kind::MaxLength { limit } => Some(format!("must have at most {limit} characters")),
            Kind::MinItems { limit } => Some(format!("must have at least {limit} items")),
            Kind::MaxItems { limit } => Some(format!("must have at most {limit} items")),
            Kind::MinProperties { limit } => Some(format!("must have at least {limit} keys")),
            Kind::MaxProperties { limit } => Some(format!("must have at most {limit} keys")),
            Kind::UniqueItems => Some("must not contain duplicate items".to_owned()),
            Kind::FalseSchema => Some("is not allowed here".to_owned()),
            Kind::OneOfMultipleValid { .. } => Some("matches more than one of the allowed forms".to_owned()),
            _ => None,
        };
        let message = counted.unwrap_or_else(|| {
            let expected = match error.kind() {
                Kind::Minimum { limit } => format!("at least {limit}"),
                Kind::Maximum { limit } => format!("at most {limit}"),
                Kind::ExclusiveMinimum { limit } => format!("above {limit}"),
                Kind::ExclusiveMaximum { limit } => format!("below {limit}"),
                _ => expectation.describe(),
            };
            format!("must be {expected}, found {}", shown_at(value, &place))
        });
        let diagnostic = Diagnostic::new(format!("{} {message}", Path(at)));
        self.push(at.to_owned(), diagnostic.at(place), expectation.help(Some(value)));
    }

    fn unknown_key(&mut self, at: &str, key: &str, known: &[String]) {
        let within = if at.is_empty() { String::new() } else { format!(" in {}", Path(at)) };
        let message = format!("unknown key {}{within}", quoted(key));
        let pointer = pointer(at, key);
        let place = without_secret(self.document.key_place(&pointer), &pointer);
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let suggestion = suggest(key, names.iter().copied());
        let help = match (advice_for(key, self.document.value().pointer(&pointer), &names), &suggestion) {
            (Some(advice), _) => Some(advice),
            (None, Some(suggestion)) => Some(format!("did you mean {}?", quoted(suggestion))),
            (None, None) if known.is_empty() => Some("no keys are allowed here".to_owned()),
            (None, None) => Some(format!("known keys are {}", quoted_list(known))),
        };
        self.suggested.extend(suggestion.map(|suggestion| (at.to_owned(), suggestion)));
        self.push(pointer, Diagnostic::new(message).at(place), help);
    }

    /// Reports the violations of the most likely form.
    fn choose(&mut self, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) {
        let at = error.instance_path().as_str();
        let fitting: Vec<&Vec<ValidationError<'static>>> =
            context.iter().filter(|errors| errors.iter().all(|inner| fits(inner, at))).collect();
        let complete = |errors: &&&Vec<ValidationError<'static>>| !errors.iter().any(|e| lacks_key(e, at));
        // Listed values are equally likely, and so are other forms than a value that is not listed: they are reported
        // together below.
        let listed = fitting.iter().all(|errors| errors.iter().any(|e| is_listed(e, at)));
        let best = fitting.iter().filter(|_| !listed).filter(complete).min_by_key(|errors| errors.len());
        if let Some(errors) = best.or(if fitting.len() == 1 && !listed { fitting.first() } else { None }) {
            for inner in *errors {
                self.explain(inner);
            }
            return;
        }
        let unknown = common_unknown_keys(&fitting, at);
        if !unknown.is_empty() {
            let known = known_keys(self.schema, self.holder(error));
            for key in unknown {
                self.unknown_key(at, &key, &known);
            }
            return;
        }
        if !fitting.is_empty() {
            let keys = fitting.iter().flat_map(|errors| errors.iter()).filter_map(missing_key);
            let keys: Vec<String> = keys.collect::<BTreeSet<_>>().into_iter().collect();
            if !keys.is_empty() {
                let message = format!("{} needs one of the keys {}", Path(at), quoted_list(&keys));
                self.push(at.to_owned(), Diagnostic::new(message).at(self.document.key_place(at)), None);
                return;
            }
        }
        self.value(error);
    }

    /// The location of a value, without excerpt if its path names a secret.
    fn value_place(&self, at: &str) -> Place {
        without_secret(self.document.place(at), at)
    }

    fn push(&mut self, pointer: String, diagnostic: Diagnostic, help: Option<String>) {
        let diagnostic = Diagnostic { help, ..diagnostic };
        self.reports.push(Report { violation: Violation { pointer, diagnostic }, missing: None });
    }

    fn expectation(&self, error: &ValidationError<'_>) -> Expectation {
        Expectation::of(self.schema, self.holder(error))
    }

    /// The schema that contains the violated keyword.
    fn holder(&self, error: &ValidationError<'_>) -> &Value {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.schema.pointer(parent).unwrap_or(&Value::Null)
    }
}

/// Sorts diagnostics by line and column; those without a line come first.
pub fn sort_by_place(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(position);
}

fn position(diagnostic: &Diagnostic) -> (Option<usize>, Option<usize>) {
    diagnostic.place.as_ref().map_or((None, None), |place| (place.line, place.column))
}

/// Whether the form of this violation allows the type of the value at `at`.
fn fits(error: &ValidationError<'_>, at: &str) -> bool {
    if error.instance_path().as_str() != at {
        return true;
    }
    let value: &Value = error.instance();
    match error.kind() {
        Kind::Type { .. } | Kind::FalseSchema => false,
        Kind::Constant { expected_value } => same_type(expected_value, value),
        Kind::Enum { options } => {
            options.as_array().is_some_and(|options| options.iter().any(|option| same_type(option, value)))
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().any(|errors| errors.iter().all(|inner| fits(inner, at)))
        }
        _ => true,
    }
}

fn without_secret(mut place: Place, pointer: &str) -> Place {
    if names_secret(pointer) {
        place.excerpt = None;
    }
    place
}

/// Describes a value, without its text if its line must not be shown.
fn shown_at(value: &Value, place: &Place) -> String {
    match value {
        Value::String(_) if place.excerpt.is_none() => "text".to_owned(),
        _ => shown(value),
    }
}

fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Whether a value at `at` is none of those that a schema lists.
fn is_listed(error: &ValidationError<'_>, at: &str) -> bool {
    error.instance_path().as_str() == at
        && match error.kind() {
            Kind::Constant { .. } | Kind::Enum { .. } => true,
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                context.iter().all(|errors| errors.iter().any(|inner| is_listed(inner, at)))
            }
            _ => false,
        }
}

fn lacks_key(error: &ValidationError<'_>, at: &str) -> bool {
    error.instance_path().as_str() == at && missing_key(error).is_some()
}

fn missing_key(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        Kind::Required { property } => property.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The keys at `at` that are unknown to all forms.
fn common_unknown_keys(forms: &[&Vec<ValidationError<'static>>], at: &str) -> Vec<String> {
    let unknown_keys = |errors: &[ValidationError<'static>]| -> Vec<String> {
        let of = |error: &ValidationError<'static>| match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected }
                if error.instance_path().as_str() == at =>
            {
                unexpected.clone()
            }
            _ => Vec::new(),
        };
        errors.iter().flat_map(of).collect()
    };
    let Some((first, rest)) = forms.split_first() else { return Vec::new() };
    let mut common = unknown_keys(first);
    for form in rest {
        let others = unknown_keys(form);
        common.retain(|key| others.contains(key));
    }
    common
}
