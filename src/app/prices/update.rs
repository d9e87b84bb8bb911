//! Takes prices over from a price map of LiteLLM into the `prices:` of a configuration.
//!
//! Only models that the suite names are taken over, by their exact name or below the prefix of the vendor whose host is
//! called. A model without a price per token, or with a price of 0, keeps what the configuration says.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{embedding, host, judging};
use crate::app::files::{Links, read_text, write_text};
use crate::app::sources::{self, Examined};
use crate::app::suite::{self, SuiteOptions};
use crate::app::{Environment, Failure};
use crate::config::{self, EndpointSettings};
use promptgate_core::model::{Diagnostic, Place, Price, Prices};

/// Largest price map that is read, in bytes; LiteLLM's has 1.4 MB.
const LIMIT: u64 = 64 << 20;
/// The prefixes of vendors in names of models, by their hosts.
const PREFIXES: [(&str, &str); 6] = [
    ("api.openai.com", "openai/"),
    ("api.anthropic.com", "anthropic/"),
    ("generativelanguage.googleapis.com", "gemini/"),
    ("api.mistral.ai", "mistral/"),
    ("api.deepseek.com", "deepseek/"),
    ("api.x.ai", "xai/"),
];

/// Options of an update.
#[derive(Debug, Clone)]
pub(crate) struct UpdateOptions {
    /// The configuration or its folder; `None` for the nearest one.
    pub(crate) config: Option<PathBuf>,
    /// The price map.
    pub(crate) from: PathBuf,
}

/// A model of the suite, and what became of its price.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Updated {
    pub(crate) model: String,
    /// The price and its name in the map, or why there is none.
    pub(crate) result: Result<(Price, String), String>,
}

/// Updates the configuration; returns its path and every model of the suite.
///
/// # Errors
/// A configuration or map that cannot be read, or a `prices:` that cannot be replaced.
pub(crate) async fn update(
    options: &UpdateOptions,
    environment: &Environment,
) -> Result<(String, Vec<Updated>), Failure> {
    let map = read_map(&options.from)?;
    let Examined { shown, folder, settings, .. } = sources::examine(options.config.as_deref())?;
    let written = settings.model.as_ref().map(|model| model.value.clone()).filter(|model| !model.is_empty());
    let model = match written {
        Some(model) => Some(model),
        None if settings.target.is_some() => None,
        // That of the prompt's front matter.
        None => {
            let suite = SuiteOptions { config: options.config.clone(), ..SuiteOptions::default() };
            let suite = suite::load(&suite, None, environment).await?;
            Some(suite.plan.candidate().facts.model.clone())
        }
    };
    let answering = model.iter().map(|model| (model.as_str(), &settings.endpoint));
    let mut updated: Vec<Updated> = Vec::new();
    for (model, endpoint) in answering.chain(judging(&settings)).chain(embedding(&settings)) {
        if updated.iter().all(|known| known.model != model) {
            let result = found(&map, model, endpoint, environment);
            updated.push(Updated { model: model.to_owned(), result });
        }
    }
    let mut prices = settings.prices.clone();
    for Updated { model, result } in &updated {
        let Ok((price, _)) = result else { continue };
        match prices.0.iter_mut().find(|(known, _)| known == model) {
            Some((_, known)) => *known = *price,
            None => prices.0.push((model.clone(), *price)),
        }
    }
    if prices != settings.prices {
        let name = Path::new(&shown).file_name().map(|name| name.to_owned()).unwrap_or_default();
        write(&folder.join(name), &shown, &prices)?;
    }
    Ok((shown, updated))
}

fn read_map(path: &Path) -> Result<Map<String, Value>, Diagnostic> {
    let place = || Place::file(path.display().to_string());
    let help = "expected LiteLLM's model_prices_and_context_window.json: an object of models with input_cost_per_token and \
                output_cost_per_token";
    let text = read_text(path, "price map", LIMIT, Links::Follow)
        .map_err(|why| Diagnostic::new(why).at(place()).help(help))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Diagnostic::new("this JSON is not an object").at(place()).help(help)),
        Err(error) => {
            let place = Place { line: Some(error.line()), ..place() };
            Err(Diagnostic::new("this is not valid JSON").at(place).help(help))
        }
    }
}

/// The price of a model and its name in the map.
fn found(
    map: &Map<String, Value>,
    model: &str,
    endpoint: &EndpointSettings,
    environment: &Environment,
) -> Result<(Price, String), String> {
    let host = host(endpoint, environment).unwrap_or_default();
    let prefix = PREFIXES.iter().find(|(vendor, _)| *vendor == host).map(|(_, prefix)| *prefix);
    let prefixed = prefix.map(|prefix| format!("{prefix}{model}"));
    let names = [Some(model.to_owned()), prefixed];
    let entry = names.into_iter().flatten().find_map(|name| Some((map.get(&name)?, name)));
    let (entry, name) = entry.ok_or("not in this map")?;
    let per_million = |key: &str| {
        let number = entry.get(key)?.as_f64().filter(|number| number.is_finite() && *number >= 0.0)?;
        // Six decimals remove what a division by a million leaves behind.
        Some((number * 1e12).round() / 1e6)
    };
    let both = per_million("input_cost_per_token").zip(per_million("output_cost_per_token"));
    let (input, output) = both.ok_or_else(|| format!("`{name}` has no price per token"))?;
    if input == 0.0 && output == 0.0 {
        return Err(format!("`{name}` has a price of 0, which may mean that it is not known"));
    }
    let cached = per_million("cache_read_input_token_cost");
    Ok((Price { cached_input_per_million: cached, ..Price::new(input, output) }, name))
}

/// Replaces `prices:` in a configuration, or adds it at the end; everything else stays as it is written.
fn write(path: &Path, shown: &str, prices: &Prices) -> Result<(), Failure> {
    let text = read_text(path, "configuration", LIMIT, Links::Follow)
        .map_err(|why| Diagnostic::new(why).at(Place::file(shown)))?;
    let block = block(prices);
    let changed = replaced(&text, &block);
    let cannot = || {
        Diagnostic::new("`prices` cannot be replaced as it is written here")
            .at(Place::file(shown))
            .help(format!("replace it with:\n{block}"))
    };
    // The new text has to say the same about everything else.
    let (mut old, mut new) =
        (config::written(shown, &text)?, config::written(shown, &changed).map_err(|_| cannot())?);
    let of = |value: &mut Value| value.as_object_mut().and_then(|map| map.shift_remove("prices"));
    of(&mut old);
    let written = of(&mut new).and_then(|prices| prices.as_object().map(Map::len));
    if old != new || written != Some(prices.0.len()) {
        return Err(cannot().into());
    }
    write_text(path, &changed)
}

/// The prices as a key of a configuration.
fn block(prices: &Prices) -> String {
    let line = |(model, price): &(String, Price)| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        let starts = model.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
        let name = match starts && model.bytes().all(is_plain) {
            true => model.clone(),
            false => Value::from(model.as_str()).to_string(),
        };
        let cached = price
            .cached_input_per_million
            .map_or_else(String::new, |cached| format!(", cached_input_per_million: {cached}"));
        format!(
            "  {name}: {{input_per_million: {}, output_per_million: {}{cached}}}\n",
            price.input_per_million, price.output_per_million
        )
    };
    format!("prices:\n{}", prices.0.iter().map(line).collect::<String>())
}

fn replaced(text: &str, block: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(start) = lines.iter().position(|line| line.starts_with("prices:")) else {
        let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{separator}{block}");
    };
    let is_inside = |line: &&&str| line.trim().is_empty() || line.starts_with([' ', '\t']);
    let mut end = start + 1 + lines.iter().skip(start + 1).take_while(is_inside).count();
    while end > start + 1 && lines.get(end - 1).is_some_and(|line| line.trim().is_empty()) {
        end -= 1;
    }
    let part = |range: &[&str]| range.concat();
    let (before, rest) = lines.split_at(start);
    let after = rest.get(end - start..).unwrap_or_default();
    format!("{}{block}{}", part(before), part(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_of_prices_is_replaced() {
        for (text, expected) in [
            ("a: 1", "a: 1\nprices:\n  m: 1\n"),
            ("a: 1\nprices: {m: 2}\nb: 2\n", "a: 1\nprices:\n  m: 1\nb: 2\n"),
            ("prices:\n  m: 2\n\n  n: 3\n\n# comment\nb: 2\n", "prices:\n  m: 1\n\n# comment\nb: 2\n"),
            ("prices: {\n  m: 2}\n", "prices:\n  m: 1\n"),
        ] {
            assert_eq!(replaced(text, "prices:\n  m: 1\n"), expected, "{text:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_in_yaml_are_quoted() {
        let price = Price::new(0.15, 12.0);
        let prices: Prices = ["gpt-4o", "llama3:latest", "4o", "a#b"]
            .map(|name| (name.to_owned(), price))
            .into_iter()
            .collect();
        let text = block(&prices);
        for name in ["\n  gpt-4o: {", "\n  \"llama3:latest\": {", "\n  \"4o\": {", "\n  \"a#b\": {"] {
            assert!(text.contains(name), "{name}: {text}");
        }
        assert!(text.contains("input_per_million: 0.15, output_per_million: 12}"), "{text}");
    }
}
