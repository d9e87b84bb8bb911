//! `promptgate diff`.

use clap::Args;

use super::ledger::{LedgerFlags, reference};
use crate::app::release::DiffOptions;
use promptgate_release::{PromptReference, Selector};

/// `promptgate diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// NAME@VERSION or NAME@LABEL.
    #[arg(value_name = "NAME@REF", value_parser = reference)]
    pub(crate) old: PromptReference,
    /// NAME@REF, or @REF or VERSION of the same prompt.
    #[arg(value_name = "[NAME]@REF", value_parser = second)]
    new: Second,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}

/// The second reference.
#[derive(Debug, Clone)]
enum Second {
    /// With a name.
    Whole(PromptReference),
    /// Of the same prompt.
    SameName(Selector),
}

impl DiffArguments {
    pub(crate) fn options(&self) -> DiffOptions {
        let new = match &self.new {
            Second::Whole(reference) => reference.clone(),
            Second::SameName(selector) => {
                PromptReference { name: self.old.name.clone(), selector: selector.clone() }
            }
        };
        DiffOptions { old: self.old.clone(), new }
    }
}

fn second(text: &str) -> Result<Second, String> {
    if text.starts_with('@') {
        // Any name makes a whole reference of it.
        return Ok(Second::SameName(reference(&format!("name{text}"))?.selector));
    }
    if let Ok(version) = text.parse() {
        return Ok(Second::SameName(Selector::Version(version)));
    }
    reference(text).map(Second::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_reference_may_leave_out_the_name() {
        assert!(matches!(second("@2.0.0"), Ok(Second::SameName(Selector::Version(_)))));
        assert!(matches!(second("2.0.0"), Ok(Second::SameName(Selector::Version(_)))));
        assert!(matches!(second("@staging"), Ok(Second::SameName(Selector::Label(_)))));
        assert!(matches!(second("a@staging"), Ok(Second::Whole(_))));
        for text in ["@", "@2.0", "", "A@1.0.0"] {
            assert!(second(text).is_err(), "{text}");
        }
    }
}
