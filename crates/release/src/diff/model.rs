//! Families of model names: the name without provider, date, `-latest` and `-preview`.

use super::{Change, Rules, place::excerpt};
use crate::Level;

/// Providers that are written before a model's name with a colon or a dot.
const PROVIDERS: [&str; 16] = [
    "ai21",
    "amazon",
    "anthropic",
    "azure",
    "bedrock",
    "cohere",
    "deepseek",
    "google",
    "groq",
    "meta",
    "mistral",
    "openai",
    "openrouter",
    "together",
    "vertex",
    "xai",
];

/// Regions that Bedrock writes before the provider.
const REGIONS: [&str; 6] = ["apac.", "au.", "eu.", "global.", "jp.", "us."];

pub(super) fn compare(old: &str, new: &str, rules: &Rules) -> Option<Change> {
    if old == new {
        return None;
    }
    let (shown_old, shown_new) = (excerpt(old), excerpt(new));
    let (old_family, new_family) = (family(old, rules), family(new, rules));
    if old_family == new_family {
        let text =
            format!("model {shown_old} became {shown_new}, of the same family {}", excerpt(&old_family));
        return Some(Change::new(Level::Minor, text));
    }
    Some(Change::new(Level::Major, format!("model {shown_old} became {shown_new}, another model")))
}

/// The family that the rules give to a name, else the name without its variable parts.
fn family(model: &str, rules: &Rules) -> String {
    let plain = plain(model);
    let lists = |name: &String| name.eq_ignore_ascii_case(model) || self::plain(name) == plain;
    rules
        .families
        .iter()
        .find(|(family, names)| self::plain(family) == plain || names.iter().any(lists))
        .map_or(plain, |(family, _)| family.to_lowercase())
}

/// The name in lower case without provider, dates, `-latest` and `-preview`.
fn plain(model: &str) -> String {
    let lower = model.trim().to_lowercase();
    let mut name = without_provider(&lower);
    loop {
        let shorter = ["-latest", "-preview", ":latest"].iter().find_map(|end| name.strip_suffix(end));
        match shorter.or_else(|| without_date(name)).filter(|rest| !rest.is_empty()) {
            Some(rest) => name = rest,
            None => return name.to_owned(),
        }
    }
}

fn without_provider(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = REGIONS.iter().find_map(|region| name.strip_prefix(region)).unwrap_or(name);
    match name.split_once([':', '.']) {
        Some((provider, rest)) if PROVIDERS.contains(&provider) => rest,
        _ => name,
    }
}

/// The name without a date at its end: `-2024-08-06`, `-20240806`, `@20240806`, `-08-06`, `-09-2025`, `-0806` or `-2408`.
fn without_date(name: &str) -> Option<&str> {
    let (rest, last) = name.rsplit_once(['-', '@'])?;
    if !last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let is_month = |text: &str| (1..=12).contains(&number(text));
    let is_day = |text: &str| (1..=31).contains(&number(text));
    let is_year = |text: &str| text.len() == 4 && (2019..=2099).contains(&number(text));
    match last.len() {
        8 if is_year(&last[..4]) && is_month(&last[4..6]) && is_day(&last[6..]) => Some(rest),
        // Month and day, or year and month.
        4 if is_month(&last[..2]) && is_day(&last[2..]) => Some(rest),
        4 if (20..=39).contains(&number(&last[..2])) && is_month(&last[2..]) => Some(rest),
        4 if is_year(last) => {
            let (rest, month) = rest.rsplit_once('-')?;
            (month.len() == 2 && is_month(month)).then_some(rest)
        }
        2 if is_day(last) => {
            let (rest, month) = rest.rsplit_once('-')?;
            if month.len() != 2 || !is_month(month) {
                return None;
            }
            match rest.rsplit_once('-') {
                Some((rest, year)) if is_year(year) => Some(rest),
                _ => Some(rest),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(old: &str, new: &str) -> Option<Level> {
        compare(old, new, &Rules::default()).map(|change| change.level)
    }

    #[test]
    fn dates_providers_and_channels_do_not_make_another_model() {
        for (old, new) in [
            ("gpt-4o", "gpt-4o-2024-08-06"),
            ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
            ("openai/gpt-4o", "gpt-4o"),
            ("openai:gpt-4o", "azure/gpt-4o"),
            ("gpt-4-0613", "gpt-4-1106-preview"),
            ("gpt-4-turbo-preview", "gpt-4-turbo"),
            ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-latest"),
            ("claude-3-5-sonnet@20240620", "anthropic.claude-3-5-sonnet"),
            ("us.anthropic.claude-sonnet-4", "claude-sonnet-4"),
            ("gemini-2.5-pro-preview-05-06", "models/gemini-2.5-pro"),
            ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
            ("mistral-large-2407", "mistral-large-latest"),
            ("llama3:latest", "llama3"),
            ("GPT-4o", "gpt-4o"),
        ] {
            assert_eq!(level(old, new), Some(Level::Minor), "{old} {new}");
            assert_eq!(level(new, old), Some(Level::Minor), "{new} {old}");
        }
        assert_eq!(level("gpt-4o", "gpt-4o"), None);
    }

    #[test]
    fn another_model_is_major() {
        for (old, new) in [
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-4", "gpt-4o"),
            ("gpt-4.1", "gpt-4.5"),
            ("llama3:8b", "llama3:70b"),
            ("gemini-1.5-pro-001", "gemini-1.5-pro-002"),
            ("claude-3-5-sonnet", "claude-3-7-sonnet"),
            ("ft:gpt-4o:a::1", "ft:gpt-4o:a::2"),
            ("qwen-7b", "qwen-72b"),
            ("", "gpt-4o"),
            ("m-9999", "m"),
            ("-latest", "-preview"),
        ] {
            assert_eq!(level(old, new), Some(Level::Major), "{old} {new}");
        }
    }

    #[test]
    fn families_of_the_rules_join_names() {
        let families =
            [("support".to_owned(), vec!["ft:gpt-4o:a::1".to_owned(), "Gpt-4.1".to_owned()])].into();
        let rules = Rules { families, ..Rules::default() };
        let level = |old: &str, new: &str| compare(old, new, &rules).map(|change| change.level);
        assert_eq!(level("ft:gpt-4o:a::1", "openai/gpt-4.1-2025-04-14"), Some(Level::Minor));
        assert_eq!(level("ft:gpt-4o:a::1", "support-latest"), Some(Level::Minor));
        assert_eq!(level("ft:gpt-4o:a::1", "ft:gpt-4o:a::2"), Some(Level::Major));
    }
}
