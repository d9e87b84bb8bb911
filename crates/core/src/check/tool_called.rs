//! `tool_called`: the answer calls tools, with arguments that match a schema, as often and in the order that is asked for.

use std::fmt;

use ::jsonschema::Validator;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::ToolCall;
use crate::port::{Check, Finding, Subject};

use super::calls::{arguments, described, times};
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::json_schema;
use super::reason::{fail, finding, pass, quoted};
use super::spec::{Built, Files, Spec, present};

/// The name of a tool, a list of calls in their order, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ToolCalled {
    /// This tool is called.
    Name(#[schemars(length(min = 1))] String),
    /// These calls occur in this order; other calls may come between them.
    Sequence(#[schemars(length(min = 1))] Vec<Expected>),
    /// With options.
    Map(ToolCalledMap),
}

/// One call of a list: the name of its tool, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Expected {
    /// A call of this tool.
    Name(#[schemars(length(min = 1))] String),
    /// A call with these arguments.
    Map(ExpectedMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedMap {
    /// The name of the tool.
    #[schemars(length(min = 1))]
    name: String,
    /// JSON Schema of the arguments. Default: any arguments.
    #[serde(default, deserialize_with = "present")]
    arguments: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolCalledMap {
    /// The name of the tool.
    #[schemars(length(min = 1))]
    name: String,
    /// JSON Schema of the arguments; only calls that match it count. Default: any arguments.
    #[serde(default, deserialize_with = "present")]
    arguments: Option<Value>,
    /// How often it is called: a number, or a map with min and max. Default: at least once.
    times: Option<Times>,
    /// Its place among all calls of the answer, counted from 1. Default: any.
    #[schemars(range(min = 1))]
    order: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Times {
    /// Exactly this often.
    Exactly(#[schemars(range(min = 1))] usize),
    /// Within bounds.
    Map(TimesMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct TimesMap {
    /// At least this often. Default: 1.
    min: Option<usize>,
    /// At most this often. Default: any number.
    #[schemars(range(min = 1))]
    max: Option<usize>,
}

impl Spec for ToolCalled {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        match self {
            Self::Name(name) => Ok(Built::new(CalledCheck {
                call: Pattern { name, arguments: None },
                min: 1,
                max: None,
                order: None,
            })),
            Self::Sequence(calls) => sequence(calls),
            Self::Map(map) => map.build(),
        }
    }
}

impl ToolCalledMap {
    fn build(self) -> Result<Built, Vec<EntryDiagnostic>> {
        let (min, max) = match self.times {
            None => (1, None),
            Some(Times::Exactly(times)) => (times, Some(times)),
            Some(Times::Map(map)) => (map.min.unwrap_or(1), map.max),
        };
        let mut diagnostics = Vec::new();
        match max {
            None if min == 0 => diagnostics.push(
                EntryDiagnostic::new("/times/min", "is 0 without `max`, which every answer meets")
                    .help("give `max`, or leave `times` out"),
            ),
            Some(max) if min > max => {
                let message = format!("min is {min}, more than max, which is {max}");
                diagnostics.push(EntryDiagnostic::new("/times/min", message).help("no answer can meet both"));
            }
            _ => {}
        }
        let call = Pattern::new(self.name, self.arguments, "");
        match call {
            Ok((call, warnings)) => {
                no_errors(diagnostics)?;
                Ok(Built::new(CalledCheck { call, min, max, order: self.order }).warning(warnings))
            }
            Err(found) => Err([diagnostics, found].concat()),
        }
    }
}

fn sequence(calls: Vec<Expected>) -> Result<Built, Vec<EntryDiagnostic>> {
    let (mut patterns, mut warnings, mut diagnostics) = (Vec::new(), Vec::new(), Vec::new());
    for (index, call) in calls.into_iter().enumerate() {
        let (name, arguments) = match call {
            Expected::Name(name) => (name, None),
            Expected::Map(map) => (map.name, map.arguments),
        };
        match Pattern::new(name, arguments, &format!("/{index}")) {
            Ok((pattern, found)) => {
                patterns.push(pattern);
                warnings.extend(found);
            }
            Err(found) => diagnostics.extend(found),
        }
    }
    no_errors(diagnostics)?;
    Ok(Built::new(SequenceCheck { calls: patterns }).warning(warnings))
}

/// The calls that count: those of a tool, with arguments that match.
struct Pattern {
    name: String,
    arguments: Option<Validator>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Pattern {
    fn new(
        name: String,
        schema: Option<Value>,
        parent: &str,
    ) -> Result<(Self, Vec<EntryDiagnostic>), Vec<EntryDiagnostic>> {
        let Some(schema) = schema else { return Ok((Self { name, arguments: None }, Vec::new())) };
        let pointer = format!("{parent}/arguments");
        let (validator, warnings) = json_schema::validator(&schema, &pointer, "arguments")?;
        Ok((Self { name, arguments: Some(validator) }, warnings))
    }

    /// Whether a call counts.
    ///
    /// # Errors
    /// The reason why the arguments of a call of this tool do not match.
    fn admits(&self, call: &ToolCall) -> Result<bool, Mismatch> {
        if call.name != self.name {
            return Ok(false);
        }
        let Some(validator) = &self.arguments else { return Ok(true) };
        let value = arguments(call).map_err(Mismatch::NotJson)?;
        match json_schema::violation(validator, &value) {
            None => Ok(true),
            Some(violation) => Err(Mismatch::Violation(format!(
                "the arguments of {} do not match: {violation}",
                quoted(&self.name)
            ))),
        }
    }
}

/// Why the arguments of a call do not match.
enum Mismatch {
    NotJson(String),
    Violation(String),
}

#[derive(Debug)]
struct CalledCheck {
    call: Pattern,
    min: usize,
    max: Option<usize>,
    order: Option<usize>,
}

impl CalledCheck {
    fn required(&self) -> String {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => format!("expected {}", times(min)),
            (1, None) => "expected at least once".to_owned(),
            (min, None) => format!("expected at least {}", times(min)),
            (0 | 1, Some(max)) => format!("expected at most {}", times(max)),
            (min, Some(max)) => format!("expected {min} to {max} times"),
        }
    }
}

impl Check for CalledCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let calls = &subject.completion.tool_calls;
        let details = json!({ "called": calls.iter().map(|call| &call.name).collect::<Vec<_>>() });
        let name = quoted(&self.call.name);
        let (mut places, mut mismatches) = (Vec::new(), Vec::new());
        for (place, call) in (1_usize..).zip(calls) {
            match self.call.admits(call) {
                Ok(true) => places.push(place),
                Ok(false) => {}
                Err(mismatch) => mismatches.push(mismatch),
            }
        }
        let count = places.len();
        if count < self.min || self.max.is_some_and(|max| count > max) {
            return match mismatches.into_iter().next() {
                Some(Mismatch::NotJson(reason)) => Err(finding(false, &reason, details)),
                Some(Mismatch::Violation(reason)) => Ok(finding(false, &reason, details)),
                None if count == 0 => {
                    Ok(finding(false, &format!("{name} was not called; {}", described(calls)), details))
                }
                None => {
                    let reason = format!("{name} was called {}, {}", times(count), self.required());
                    Ok(finding(false, &reason, details))
                }
            };
        }
        if let Some(order) = self.order.filter(|order| !places.contains(order)) {
            let reason = format!("call {order} is not that of {name}; {}", described(calls));
            return Ok(finding(false, &reason, details));
        }
        Ok(pass(format!("{name} was called {}", times(count))))
    }
}

#[derive(Debug)]
struct SequenceCheck {
    calls: Vec<Pattern>,
}

impl Check for SequenceCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let calls = &subject.completion.tool_calls;
        let mut rest = calls.iter();
        for (number, expected) in (1_usize..).zip(&self.calls) {
            let mut mismatch = None;
            let found = rest.by_ref().any(|call| match expected.admits(call) {
                Ok(admitted) => admitted,
                Err(reason) => {
                    mismatch.get_or_insert(reason);
                    false
                }
            });
            if found {
                continue;
            }
            let place = format!("call {number} of {}", self.calls.len());
            return match mismatch {
                Some(Mismatch::NotJson(reason)) => Err(fail(format!("{place}: {reason}"))),
                Some(Mismatch::Violation(reason)) => Ok(fail(format!("{place}: {reason}"))),
                None => {
                    let name = quoted(&expected.name);
                    let relation = if number == 1 { "" } else { " after the calls before it" };
                    Ok(fail(format!("{place}: {name} was not called{relation}; {}", described(calls))))
                }
            };
        }
        Ok(pass("the calls came in this order"))
    }
}
