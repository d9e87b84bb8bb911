//! `tool_arguments`: an argument of every call of a tool meets conditions.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::calls::{arguments, described, times};
use super::conditions::{self, Conditions, Near, Written};
use super::diagnostic::EntryDiagnostic;
use super::path::Path;
use super::reason::{fail, finding, pass, quoted, shown};
use super::spec::{Built, Files, Spec, present};
use super::texts::Text;

/// A tool, the path of an argument, and at least one condition; all of them have to hold in every call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolArguments {
    /// The name of the tool, which has to be called.
    #[schemars(length(min = 1))]
    name: String,
    /// Path within its arguments, such as order.items[0].
    path: String,
    /// The argument equals this value; 1 equals 1.0, and the order of keys is ignored.
    #[serde(default, deserialize_with = "present")]
    equals: Option<Value>,
    /// The argument is text in which this text occurs, or a list with this text as an item.
    contains: Option<Text>,
    /// The argument is text, and this regular expression matches a part of it.
    matches: Option<String>,
    /// The argument is one of these values.
    #[schemars(length(min = 1))]
    one_of: Option<Vec<Value>>,
    /// The argument is this number, within the tolerance.
    number: Option<Near>,
}

impl Spec for ToolArguments {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let Self { name, path, equals, contains, matches, one_of, number } = self;
        let written = Written { equals, contains, matches, one_of, number };
        let (path, conditions, warning) = conditions::at_path(&path, written, "`tool_called`")?;
        Ok(Built::new(ToolArgumentsCheck { name, path, conditions }).warning(warning))
    }
}

#[derive(Debug)]
struct ToolArgumentsCheck {
    name: String,
    path: Path,
    conditions: Conditions,
}

impl Check for ToolArgumentsCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let calls = &subject.completion.tool_calls;
        let name = quoted(&self.name);
        let argument = quoted(&self.path.to_string());
        let mut count = 0;
        for call in calls.iter().filter(|call| call.name == self.name) {
            count += 1;
            let arguments = arguments(call).map_err(fail)?;
            let value = self
                .path
                .find(&arguments)
                .map_err(|reason| fail(format!("in the arguments of {name}, {reason}")))?;
            if let Some(violation) = self.conditions.violation(value) {
                let reason = format!("argument {argument} of {name}: {violation}");
                return Ok(finding(false, &reason, json!({ "found": shown(value) })));
            }
        }
        match count {
            0 => Err(fail(format!("{name} was not called; {}", described(calls)))),
            count => {
                Ok(pass(format!("argument {argument} is as expected; {name} was called {}", times(count))))
            }
        }
    }
}
