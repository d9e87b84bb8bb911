//! Prices that a limit in US dollars needs.

use super::Failure;
use crate::config::Settings;
use promptgate_adapters::endpoint::Ceilings;
use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

/// Requires a price for each of these models where there is a limit in US dollars, which could not be kept without them.
pub(super) fn require<'a>(
    settings: &Settings,
    flags: Ceilings,
    models: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    let (limit, place) = match (flags.usd, settings.budget.usd) {
        (Some(_), _) => ("--budget-usd", Place::file("--budget-usd")),
        (None, Some(_)) => ("budget.usd", Place::file(settings.file.clone())),
        (None, None) => return Ok(()),
    };
    let mut unpriced: Vec<&str> = Vec::new();
    for model in models {
        if settings.reviewed_price(model).is_none() && !unpriced.contains(&model) {
            unpriced.push(model);
        }
    }
    let diagnostic = |model: &&str| {
        if settings.price(model).is_some() {
            let message =
                format!("the price of `{model}` comes from this change alone, so {limit} cannot be kept");
            let help = "add it to `prices` of the policy first, in a change of its own";
            return Diagnostic::new(message).at(place.clone()).help(help);
        }
        let message = format!("there is no price for `{model}`, so {limit} cannot be kept");
        let mut help = format!("add `prices: {{{model}: {{input_per_million: …, output_per_million: …}}}}`");
        if let Some(near) = suggest(model, settings.prices.0.iter().map(|(name, _)| name.as_str())) {
            help.push_str(&format!("; there is one for `{near}`"));
        }
        Diagnostic::new(message).at(place.clone()).help(help)
    };
    match unpriced.as_slice() {
        [] => Ok(()),
        unpriced => Err(Diagnostics(unpriced.iter().map(diagnostic).collect()).into()),
    }
}

/// The model of embeddings.
pub(super) fn embeddings(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.embeddings.iter().map(|embeddings| embeddings.model.value.as_str())
}

/// The models of the judges.
pub(super) fn judges(settings: &Settings) -> impl Iterator<Item = &str> {
    settings.judge.iter().flat_map(|judge| &judge.panel).map(|member| member.model.value.as_str())
}
