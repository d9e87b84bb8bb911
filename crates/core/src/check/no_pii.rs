//! `no_pii`: the answer contains no personal data that deterministic detectors find.
//!
//! Findings are shown masked: the reasons of checks are printed in the logs of public repositories.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::model::Case;
use crate::port::{Check, Finding, Subject};

use super::comparison::{Comparison, text};
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::personal_data::{DataKind, Found, detect};
use super::reason::{finding, pass};
use super::spec::{Built, Files, Spec};
use super::texts::{Text, duplicates};

/// Findings that a reason and its details show.
const SHOWN: usize = 5;

/// Kinds of personal data, or a map; a map without kinds looks for all of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum NoPii {
    /// These kinds.
    Kinds(#[schemars(length(min = 1))] Vec<DataKind>),
    /// With options.
    Map(NoPiiMap),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NoPiiMap {
    /// The kinds to look for. Default: all.
    #[schemars(length(min = 1))]
    kinds: Option<Vec<DataKind>>,
    /// Data that may be in an answer, such as the number of a hotline; `@shop.example` allows every address of a domain.
    #[schemars(length(min = 1))]
    allow: Option<Vec<Text>>,
    /// Whether data of the question and of the passages may be in the answer. Default: false.
    allow_from_context: bool,
}

impl Spec for NoPii {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (map, pointer) = match self {
            Self::Kinds(kinds) => (NoPiiMap { kinds: Some(kinds), ..NoPiiMap::default() }, ""),
            Self::Map(map) => (map, "/kinds"),
        };
        let listed = map.kinds.as_deref().unwrap_or_default();
        no_errors(duplicates(listed, pointer, DataKind::eq, |kind| format!("`{}`", kind.as_str())))?;
        let allowed = map.allow.unwrap_or_default().into_iter().map(|Text(text)| text);
        Ok(Built::new(NoPiiCheck {
            kinds: map.kinds.unwrap_or_else(|| DataKind::ALL.to_vec()),
            allowed: allowed.map(|text| compact(&text)).collect(),
            allow_from_context: map.allow_from_context,
        }))
    }
}

#[derive(Debug)]
struct NoPiiCheck {
    kinds: Vec<DataKind>,
    /// Allowed data in compact form.
    allowed: BTreeSet<String>,
    allow_from_context: bool,
}

impl Check for NoPiiCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = Comparison::of_texts().normalize(text(subject)?);
        let mut found = detect(&answer, &self.kinds);
        found.retain(|one| !self.allows(&compact(&one.text)));
        if self.allow_from_context && !found.is_empty() {
            let known = self.known(subject.case);
            found.retain(|one| !known.contains(&(one.kind, compact(&one.text))));
        }
        if found.is_empty() {
            return Ok(pass("contains no personal data"));
        }
        let shown: Vec<String> = found.iter().take(SHOWN).map(Found::masked).collect();
        let more = match found.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let details = json!({"found": found.len(), "first": shown});
        Ok(finding(false, &format!("contains {}{more}", shown.join(", ")), details))
    }
}

impl NoPiiCheck {
    fn allows(&self, data: &str) -> bool {
        let domain = data.find('@').and_then(|at| data.get(at..));
        self.allowed.contains(data) || domain.is_some_and(|domain| self.allowed.contains(domain))
    }

    /// The data of the question and of the passages, in compact form.
    fn known(&self, case: &Case) -> BTreeSet<(DataKind, String)> {
        let passages = case.context.iter().flat_map(|context| context.iter());
        let texts = passages.map(String::as_str).chain([case.query.as_str()]);
        let of_text = |text: &str| {
            let found = detect(&Comparison::of_texts().normalize(text), &self.kinds);
            found.into_iter().map(|one| (one.kind, compact(&one.text))).collect::<Vec<_>>()
        };
        texts.flat_map(of_text).collect()
    }
}

/// Data without what may differ between two spellings of it: case, spaces and the punctuation of numbers. An address keeps
/// its punctuation.
fn compact(text: &str) -> String {
    let is_address = text.contains(['@', ':']) || text.matches('.').count() == 3;
    let kept = text.chars().filter(|character| {
        character.is_alphanumeric() || *character == '+' || (is_address && !character.is_whitespace())
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_same_data_are_equal() {
        for (left, right) in [
            ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
            ("+49 (30) 901-820", "+4930901820"),
            ("Ann@Shop.com", "ann@shop.com"),
        ] {
            assert_eq!(compact(left), compact(right));
        }
        assert_ne!(compact("a.nn@shop.com"), compact("ann@shop.com"));
        assert_ne!(compact("1.2.34.5"), compact("1.23.4.5"));
    }
}
