//! `prices`: US dollars per million tokens, by model.

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::document::suggest;
use promptgate_core::model::{Price, PriceDate, Prices, price_table};

use super::Settings;
use super::load::Reader;
use super::scalar::Ordered;

/// A price.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Price", extend("required" = ["input_per_million", "output_per_million"]))]
pub(super) struct WrittenPrice {
    /// US dollars per million tokens of a request.
    #[schemars(range(min = 0))]
    input_per_million: f64,
    /// US dollars per million tokens of an answer.
    #[schemars(range(min = 0))]
    output_per_million: f64,
    /// US dollars per million tokens of a request that the endpoint read from its own cache; as other tokens by default.
    #[schemars(range(min = 0))]
    cached_input_per_million: Option<f64>,
}

pub(super) fn resolve(written: Ordered<WrittenPrice>) -> Prices {
    let price = |written: WrittenPrice| Price {
        input_per_million: written.input_per_million,
        output_per_million: written.output_per_million,
        cached_input_per_million: written.cached_input_per_million,
        from_change: false,
        as_of: None,
    };
    written.0.into_iter().map(|(model, written)| (model, price(written))).collect()
}

impl Settings {
    /// The price of a model.
    pub fn price(&self, model: &str) -> Option<Price> {
        self.prices.get(model)
    }

    /// The price of a model that does not come from the change that is judged.
    pub fn reviewed_price(&self, model: &str) -> Option<Price> {
        self.prices.reviewed(model)
    }

    /// The day of the built-in table, where a price is from it.
    pub fn prices_as_of(&self) -> Option<PriceDate> {
        self.prices.as_of()
    }

    /// Requires prices for limits in money, which would never be reached without them. Whether the built-in table has one
    /// depends on the host, which may come from the environment: such a model is left to the caller.
    pub(super) fn require_prices(&self, reader: &mut Reader<'_>) {
        let priced = reader.keys("/prices");
        let budget = self.budget.usd.is_some();
        let cost_limit = self.limits.iter().any(|criterion| criterion.metric == "cost_usd");
        let at = if budget { "/budget/usd" } else { "/limits/cost_per_case_usd" };
        let candidate = self.model.iter().filter(|_| budget || cost_limit);
        // Only the budget includes judgements and embeddings.
        let judges = self.judge.iter().filter(|_| budget).flat_map(|judge| &judge.panel);
        let embeddings = self.embeddings.iter().filter(|_| budget).map(|embeddings| &embeddings.model);
        for model in candidate.chain(judges.map(|member| &member.model)).chain(embeddings) {
            let model = &model.value;
            if model.is_empty() || priced.contains(model) || price_table::is_listed(model) {
                continue;
            }
            let help = match suggest(model, priced.iter().map(String::as_str)) {
                Some(near) => format!("there is one for `{near}`; the name must be that of the model"),
                None => {
                    format!("add `prices: {{{model}: {{input_per_million: …, output_per_million: …}}}}`")
                }
            };
            let message = format!("there is no price for `{model}`, so its cost is not known");
            reader.report_key(at, message, help);
        }
    }
}
