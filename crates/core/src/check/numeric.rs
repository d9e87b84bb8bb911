//! `numeric`: the answer is a number, within a tolerance.

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
    /// With options.
    Map(NumericMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumericMap {
    /// The expected number. Default: the case's expected.
    value: Option<f64>,
    /// Maximum deviation: a number, or a share of the expected number such as "5%". Default: 0.
    tolerance: Option<ToleranceSpec>,
}

impl Spec for Numeric {
    const READS_EXPECTED: bool = true;

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
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let expected = reference(self.value.as_ref(), subject.case)?;
        let expected = number_of(expected)
            .ok_or_else(|| fail(format!("the case's `expected` is not a number: {}", shown(expected))))?;
        let found = number(answer).ok_or_else(|| fail(format!("not a number: {}", quoted(answer))))?;
        let passed = self.tolerance.admits(expected, found);
        let reason = if passed {
            format!("{found} is within the tolerance of {expected}")
        } else {
            format!("expected {expected}, found {found}")
        };
        Ok(finding(passed, &reason, json!({ "expected": expected, "found": found })))
    }
}
