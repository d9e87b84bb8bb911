//! `numeric`: the answer is a number near a certain one.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::comparison::{reference, text};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding, quoted, shown};
use super::spec::{Built, Files, Spec};
use super::tolerance::{Tolerance, ToleranceSpec, number, number_of};

/// A number, or a map; a map without value compares with the case's expected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Numeric {
    /// Exactly this number.
    Number(f64),
    /// Further options.
    Map(NumericMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumericMap {
    /// The wanted number. Default: the case's expected.
    value: Option<f64>,
    /// How far the answer may be off: a number, or a share of the wanted number such as "5%". Default: 0.
    tolerance: Option<ToleranceSpec>,
}

impl Spec for Numeric {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (value, tolerance) = match self {
            Self::Number(number) => (Some(number), None),
            Self::Map(map) => (map.value, map.tolerance),
        };
        let tolerance = Tolerance::new(tolerance, "/tolerance").map_err(|diagnostic| vec![diagnostic])?;
        let needs_expected = value.is_none();
        let check = NumericCheck { value: value.map(Value::from), tolerance };
        Ok(Built::new(check).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct NumericCheck {
    value: Option<Value>,
    tolerance: Tolerance,
}

impl Check for NumericCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        self.finding(subject).unwrap_or_else(|finding| finding)
    }
}

impl NumericCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let wanted = reference(self.value.as_ref(), subject.case)?;
        let wanted = number_of(wanted)
            .ok_or_else(|| fail(format!("the case's `expected` is not a number: {}", shown(wanted))))?;
        let found = number(answer).ok_or_else(|| fail(format!("not a number: {}", quoted(answer))))?;
        let passed = self.tolerance.admits(wanted, found);
        let reason = if passed {
            format!("{found} is near {wanted}")
        } else {
            format!("expected {wanted}, found {found}")
        };
        Ok(finding(passed, &reason, json!({ "expected": wanted, "found": found })))
    }
}
