//! Prices of the models that a suite calls: those of the built-in table, and those that a limit in US dollars needs.

pub(crate) mod listed;
pub(crate) mod update;

use reqwest::Url;

use super::keys::base_url;
use super::suite::Suite;
use super::{Environment, Failure};
use crate::config::{EndpointSettings, Settings};
use promptgate_adapters::endpoint::Ceilings;
use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Diagnostics, Place, Price, price_table};

/// A model with an endpoint that calls it.
type Called<'a> = (&'a str, &'a EndpointSettings);

/// Adds the prices of the built-in table for the models that a suite calls.
pub(super) fn add_known(suite: &mut Suite, environment: &Environment) {
    let settings = &suite.settings;
    let variants = [Some(suite.plan.candidate()), suite.plan.baseline()].into_iter().flatten();
    let models = variants.filter(|variant| variant.application.is_none()).map(|it| it.facts.model.as_str());
    let answering = models.map(|model| (model, &settings.endpoint));
    let called: Vec<Called<'_>> = answering.chain(judging(settings)).chain(embedding(settings)).collect();
    let known = known(settings, &called, environment);
    add(&mut suite.settings, known);
}

/// Adds the prices of the built-in table for the judges alone.
pub(super) fn add_known_of_judges(settings: &mut Settings, environment: &Environment) {
    let known = known(settings, &judging(settings).collect::<Vec<_>>(), environment);
    add(settings, known);
}

fn judging(settings: &Settings) -> impl Iterator<Item = Called<'_>> {
    let panel = settings.judge.iter().flat_map(|judge| &judge.panel);
    panel.map(|member| (member.model.value.as_str(), member.endpoint.as_ref().unwrap_or(&settings.endpoint)))
}

/// The model of embeddings with its endpoint.
fn embedding(settings: &Settings) -> impl Iterator<Item = Called<'_>> {
    settings.embeddings.iter().map(|embeddings| {
        (embeddings.model.value.as_str(), embeddings.endpoint.as_ref().unwrap_or(&settings.endpoint))
    })
}

/// The prices of the table that hold for every endpoint which calls the model. A price of the configuration comes first,
/// and one that only the change under test has comes last.
fn known(settings: &Settings, called: &[Called<'_>], environment: &Environment) -> Vec<(String, Price)> {
    let mut found: Vec<(String, Price)> = Vec::new();
    for (model, _) in called {
        if settings.reviewed_price(model).is_some() || found.iter().any(|(known, _)| known == model) {
            continue;
        }
        let at = |(_, endpoint): &Called<'_>| price_table::price_at(&host(endpoint, environment)?, model);
        let prices: Option<Vec<Price>> = called.iter().filter(|(other, _)| other == model).map(at).collect();
        let price = prices.and_then(|prices| prices.first().copied());
        found.extend(price.map(|price| ((*model).to_owned(), price)));
    }
    found
}

fn add(settings: &mut Settings, known: Vec<(String, Price)>) {
    settings.prices.0.retain(|(model, _)| known.iter().all(|(other, _)| other != model));
    settings.prices.0.extend(known);
}

/// The host of an endpoint in lower case; `None` where its URL has none.
fn host(endpoint: &EndpointSettings, environment: &Environment) -> Option<String> {
    let url = Url::parse(base_url(endpoint, environment).trim()).ok()?;
    Some(url.host_str()?.trim_end_matches('.').to_ascii_lowercase())
}

/// Requires a price for each of these models where there is a limit in US dollars, which could not be kept without them.
pub(super) fn require<'a>(
    settings: &Settings,
    flags: Ceilings,
    answering: &[&'a str],
    judging: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    let (limit, place) = match (flags.usd, settings.budget.usd) {
        (Some(_), _) => ("--budget-usd", Place::file("--budget-usd")),
        (None, Some(_)) => ("budget.usd", Place::file(settings.file.clone())),
        (None, None) => return require_for_limit(settings, answering),
    };
    let mut unpriced: Vec<&str> = Vec::new();
    for model in answering.iter().copied().chain(judging) {
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

/// Requires the prices of the answering models where there is a limit on the cost of a case, unless the change under test
/// brings them: the limit is then not measured, and all else is judged.
fn require_for_limit(settings: &Settings, answering: &[&str]) -> Result<(), Failure> {
    if !settings.limits.iter().any(|criterion| criterion.metric == "cost_usd") {
        return Ok(());
    }
    match answering.iter().find(|model| settings.price(model).is_none()) {
        Some(model) => {
            Err(Diagnostic::new(format!("there is no price for `{model}`, so its cost is not known"))
                .at(Place::file(settings.file.clone()))
                .help(format!("add `prices: {{{model}: {{input_per_million: …, output_per_million: …}}}}`"))
                .into())
        }
        None => Ok(()),
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
