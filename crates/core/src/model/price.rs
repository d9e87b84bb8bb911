//! Prices of models.

use serde::{Deserialize, Serialize};

use super::{PriceDate, Usage, is_same_model};

/// The price of a model, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Price of request tokens.
    pub input_per_million: f64,
    /// Price of answer tokens.
    pub output_per_million: f64,
    /// Price of request tokens that the endpoint read from its own cache; that of other request tokens if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_per_million: Option<f64>,
    /// Whether the change that is judged brought the price, since the policy has none for this model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_change: bool,
    /// The day of the built-in table that it is from; `None` for a price of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<PriceDate>,
}

impl Price {
    /// A price without one for cached tokens.
    pub fn new(input_per_million: f64, output_per_million: f64) -> Self {
        Self {
            input_per_million,
            output_per_million,
            cached_input_per_million: None,
            from_change: false,
            as_of: None,
        }
    }

    /// The cost of tokens, in US dollars.
    pub fn cost(self, usage: Usage) -> f64 {
        let cached = usage.cached_prompt_tokens.min(usage.prompt_tokens);
        let fresh = usage.prompt_tokens - cached;
        let cached_price = self.cached_input_per_million.unwrap_or(self.input_per_million);
        (fresh as f64 * self.input_per_million
            + cached as f64 * cached_price
            + usage.completion_tokens as f64 * self.output_per_million)
            / 1e6
    }
}

/// Prices by the name of the model, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prices(pub Vec<(String, Price)>);

impl Prices {
    /// The price of a model.
    pub fn get(&self, model: &str) -> Option<Price> {
        self.0.iter().find(|(name, _)| name == model).map(|(_, price)| *price)
    }

    /// The price of a model that does not come from the change that is judged.
    pub fn reviewed(&self, model: &str) -> Option<Price> {
        self.get(model).filter(|price| !price.from_change)
    }

    /// The day of the built-in table, where a price is from it.
    pub fn as_of(&self) -> Option<PriceDate> {
        self.0.iter().find_map(|(_, price)| price.as_of)
    }

    /// The price of an answer: that of the model which answered, where it is known, else of the one that was asked.
    /// A price from the change that is judged counts only where the others give none.
    pub fn of_answer(&self, asked: &str, answered: Option<&str>) -> Option<Price> {
        let other = answered.filter(|answered| *answered != asked);
        let among = |from_change| {
            let exactly = |model: &str| self.get(model).filter(|price| price.from_change == from_change);
            other
                .and_then(|answered| exactly(answered).or_else(|| self.undated(asked, answered, from_change)))
                .or_else(|| exactly(asked))
        };
        among(false).or_else(|| among(true))
    }

    /// The price of the model that the name is a dated version of, where that is not the one asked for.
    fn undated(&self, asked: &str, answered: &str, from_change: bool) -> Option<Price> {
        let is_asked = is_same_model(asked, answered);
        let mut named = self
            .0
            .iter()
            .filter(|(name, price)| price.from_change == from_change && is_same_model(name, answered));
        named.next().filter(|_| !is_asked).map(|(_, price)| *price)
    }
}

impl FromIterator<(String, Price)> for Prices {
    fn from_iter<I: IntoIterator<Item = (String, Price)>>(prices: I) -> Self {
        Self(prices.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_prompt_tokens_have_a_price_of_their_own() {
        let price = Price { cached_input_per_million: Some(1.0), ..Price::new(10.0, 100.0) };
        let usage = Usage { cached_prompt_tokens: 400_000, ..Usage::new(1_000_000, 10_000) };
        assert!((price.cost(usage) - (6.0 + 0.4 + 1.0)).abs() < 1e-12);
        assert!((Price::new(10.0, 100.0).cost(usage) - 11.0).abs() < 1e-12);
        // More cached tokens than tokens are an error of the server.
        let usage = Usage { cached_prompt_tokens: 9_000_000, ..Usage::new(1_000_000, 0) };
        assert!((price.cost(usage) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn price_is_that_of_the_model_that_answered() {
        let prices: Prices = [("big", 10.0), ("cheap", 1.0)]
            .map(|(name, price)| (name.to_owned(), Price::new(price, price)))
            .into_iter()
            .collect();
        let input = |asked: &str, answered| prices.of_answer(asked, answered).map(|it| it.input_per_million);
        assert_eq!(input("big", None), Some(10.0));
        assert_eq!(input("big", Some("big-2026-01-01")), Some(10.0));
        assert_eq!(input("big", Some("cheap")), Some(1.0));
        assert_eq!(input("big", Some("cheap-2026-01-01")), Some(1.0));
        assert_eq!(input("big", Some("unknown")), Some(10.0));
        assert_eq!(input("unknown", Some("cheap")), Some(1.0));
        assert_eq!(input("unknown", None), None);
    }

    #[test]
    fn price_of_the_change_counts_only_without_another_one() {
        let of = |model: &str, price: f64, from_change| {
            (model.to_owned(), Price { from_change, ..Price::new(price, price) })
        };
        let new = of("new", 0.5, true);
        let prices: Prices =
            [of("tiny", 10.0, false), of("tiny-2026-01-01", 0.0, true), of("tiny-fast", 0.0, true), new]
                .into_iter()
                .collect();
        let found = |asked: &str, answered| {
            prices.of_answer(asked, answered).map(|price| (price.input_per_million, price.from_change))
        };
        // A change cannot avoid the policy's price by another name of the answering model.
        assert_eq!(found("tiny", Some("tiny-2026-01-01")), Some((10.0, false)));
        assert_eq!(found("tiny", Some("tiny-fast")), Some((10.0, false)));
        assert_eq!(found("new", Some("tiny")), Some((10.0, false)));
        assert_eq!(found("new", None), Some((0.5, true)));
        assert_eq!(found("new", Some("new-2026-01-01")), Some((0.5, true)));
        assert_eq!(prices.reviewed("new"), None);
    }
}
