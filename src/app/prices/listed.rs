//! The prices of a suite's models, and where each is from.

use super::{embedding, host, judging};
use crate::app::suite::{self, SuiteOptions};
use crate::app::{Environment, Failure};
use crate::config::EndpointSettings;
use promptgate_core::model::{Price, price_table};

/// A model of the suite with its price.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(crate) struct ListedPrice {
    /// The model.
    pub(crate) model: String,
    /// Its uses: `answers`, `judges`, `embeds`.
    pub(crate) roles: Vec<&'static str>,
    /// Its price; null where it is not known.
    pub(crate) price: Option<Price>,
    /// The number of request tokens above which the vendor charges more than a price of the built-in table; null where
    /// there is none.
    pub(crate) higher_above_tokens: Option<u64>,
}

/// The models of a suite with their prices.
///
/// # Errors
/// Everything that is wrong with the suite.
pub(crate) async fn list(
    options: &SuiteOptions,
    environment: &Environment,
) -> Result<Vec<ListedPrice>, Failure> {
    let suite = suite::load(options, None, environment).await?;
    let settings = &suite.settings;
    let mut listed: Vec<ListedPrice> = Vec::new();
    let mut add = |model: &str, role: &'static str, endpoint: &EndpointSettings| {
        if let Some(known) = listed.iter_mut().find(|known| known.model == model) {
            if !known.roles.contains(&role) {
                known.roles.push(role);
            }
            return;
        }
        let price = settings.price(model);
        let is_of_table = price.is_some_and(|price| price.as_of.is_some());
        let host = host(endpoint, environment).filter(|_| is_of_table);
        let higher_above_tokens = host.and_then(|host| price_table::longest_request(&host, model));
        listed.push(ListedPrice { model: model.to_owned(), roles: vec![role], price, higher_above_tokens });
    };
    for variant in [Some(suite.plan.candidate()), suite.plan.baseline()].into_iter().flatten() {
        if variant.application.is_none() {
            add(&variant.facts.model, "answers", &settings.endpoint);
        }
    }
    for (model, endpoint) in judging(settings) {
        add(model, "judges", endpoint);
    }
    for (model, endpoint) in embedding(settings) {
        add(model, "embeds", endpoint);
    }
    Ok(listed)
}
