//! Prices of well-known models at their vendors, as of a day.
//!
//! `data/prices.json` names its source. A price holds for the host of the vendor alone: what a gateway or a server of one's
//! own charges for a model of the same name is not known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Price;

static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(include_str!("data/prices.json")).unwrap_or_default());

/// A day, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "date"))]
pub struct PriceDate {
    year: u16,
    month: u8,
    day: u8,
}

impl TryFrom<String> for PriceDate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || format!("expected a day such as 2026-11-30, found {text:?}");
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let digits =
                parts.next().filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u16>().ok())
        };
        let (year, month, day) = (part(4), part(2), part(2));
        let within = |number: Option<u16>, most: u16| number.filter(|number| (1..=most).contains(number));
        match (year, within(month, 12), within(day, 31), parts.next()) {
            (Some(year), Some(month), Some(day), None) => {
                let small = |number: u16| u8::try_from(number).map_err(|_| invalid());
                Ok(Self { year, month: small(month)?, day: small(day)? })
            }
            _ => Err(invalid()),
        }
    }
}

impl From<PriceDate> for String {
    fn from(date: PriceDate) -> Self {
        date.to_string()
    }
}

impl fmt::Display for PriceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[derive(Debug, Default, Deserialize)]
struct Table {
    source: String,
    as_of: PriceDate,
    hosts: BTreeMap<String, BTreeMap<String, Row>>,
}

/// Input, output and cached input, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Row {
    Flat(f64, f64, Option<f64>),
    /// The last number is that of the request tokens above which the vendor charges more.
    Tiered(f64, f64, Option<f64>, u64),
}

impl Row {
    fn price(self) -> Price {
        let (Self::Flat(input, output, cached) | Self::Tiered(input, output, cached, _)) = self;
        let as_of = Some(TABLE.as_of);
        Price { cached_input_per_million: cached, as_of, ..Price::new(input, output) }
    }
}

/// The price of a model at the host of an endpoint; `None` where the table has none.
pub fn price_at(host: &str, model: &str) -> Option<Price> {
    let host = host.split(':').next().unwrap_or_default();
    Some(TABLE.hosts.get(host)?.get(model)?.price())
}

/// The number of request tokens above which the vendor charges more than the price of the table.
pub fn longest_request(host: &str, model: &str) -> Option<u64> {
    match TABLE.hosts.get(host)?.get(model)? {
        Row::Tiered(_, _, _, tokens) => Some(*tokens),
        Row::Flat(..) => None,
    }
}

/// Whether some vendor has a model with this name.
pub fn is_listed(model: &str) -> bool {
    TABLE.hosts.values().any(|models| models.contains_key(model))
}

/// The day of the table.
pub fn table_date() -> PriceDate {
    TABLE.as_of
}

/// Where the table is from.
pub fn table_source() -> &'static str {
    &TABLE.source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_positive_prices_of_every_vendor() {
        assert_eq!(TABLE.hosts.len(), 6);
        for (host, models) in &TABLE.hosts {
            assert!(models.len() > 5, "{host}");
            for (model, row) in models {
                let price = row.price();
                let cached = price.cached_input_per_million.unwrap_or(price.input_per_million);
                let order = 0.0 < cached && cached <= price.input_per_million;
                // Embeddings have no output.
                let is_cheaper =
                    price.output_per_million == 0.0 || price.input_per_million <= price.output_per_million;
                assert!(order && is_cheaper, "{model}: {price:?}");
                assert!(!is_listed("") && is_listed(model));
            }
        }
        assert!(table_date() > PriceDate::default() && table_source().contains("https://"));
    }

    #[test]
    fn price_holds_for_the_host_of_the_vendor_alone() {
        let price = price_at("api.openai.com", "gpt-4o-mini").unwrap();
        assert_eq!((price.input_per_million, price.output_per_million), (0.15, 0.6));
        assert_eq!(price.as_of, Some(table_date()));
        assert_eq!(price_at("openrouter.ai", "gpt-4o-mini"), None);
        assert_eq!(price_at("127.0.0.1:8000", "gpt-4o-mini"), None);
        assert_eq!(price_at("api.openai.com", "gpt-4o-mini-of-my-own"), None);
        assert_eq!(longest_request("api.openai.com", "gpt-5.4"), Some(272_000));
        assert_eq!(longest_request("api.openai.com", "gpt-4o"), None);
    }

    #[test]
    fn day_is_written_in_one_form() {
        for text in ["2026-07-24", "0001-12-31"] {
            assert_eq!(PriceDate::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for text in ["", "2026-7-24", "2026-13-01", "2026-00-10", "2026-07-24-1", "+026-07-24", "24.07.2026"]
        {
            assert!(PriceDate::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
