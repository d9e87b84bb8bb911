//! `promptgate get`.

use std::collections::BTreeMap;

use clap::Args;

use super::ledger::{LedgerFlags, served};
use crate::app::Failure;
use crate::app::release::GetOptions;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::PromptReference;

/// `promptgate get`.
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// NAME@VERSION or NAME@LABEL; NAME alone is what production serves.
    #[arg(value_name = "NAME[@REF]", value_parser = served)]
    pub(crate) reference: PromptReference,
    /// The value of a variable; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    var: Vec<(String, String)>,
    /// Ledger and format.
    #[command(flatten)]
    pub(crate) ledger: LedgerFlags,
}

impl GetArguments {
    /// # Errors
    /// A variable with two values.
    pub(crate) fn options(&self) -> Result<GetOptions, Failure> {
        let mut options = GetOptions { reference: self.reference.clone(), variables: BTreeMap::new() };
        for (name, value) in &self.var {
            if options.variables.insert(name.clone(), value.clone()).is_some() {
                return Err(Diagnostic::new(format!("variable `{name}` has two values"))
                    .at(Place::file(format!("--var {name}")))
                    .help("give each variable once")
                    .into());
            }
        }
        Ok(options)
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
