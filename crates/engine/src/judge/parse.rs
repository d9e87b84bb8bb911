//! Strict reading of a judge's reply.
//!
//! The whole text has to be the JSON document (or hold exactly one fenced block and nothing else that looks like
//! JSON), no key may come twice, every entry has to have the asked form, and every id asked for comes exactly
//! once. Anything else is an error whose message goes back to the judge: a candidate's own JSON, echoed before
//! the verdict, must never be taken for the verdict. The messages hold no text of the reply but short names.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use promptgate_core::text::json;

use super::reply::{JudgedItem, JudgedRating, JudgedReference, JudgedStatement};

/// The most characters of a library's message that are passed on.
const MAX_MESSAGE: usize = 300;

/// An entry of a reply.
pub(super) trait Entry: DeserializeOwned {
    /// The id it speaks of.
    fn id(&self) -> u32;
}

impl Entry for JudgedStatement {
    fn id(&self) -> u32 {
        self.id
    }
}

impl Entry for JudgedItem {
    fn id(&self) -> u32 {
        self.id
    }
}

impl Entry for JudgedReference {
    fn id(&self) -> u32 {
        self.id
    }
}

impl Entry for JudgedRating {
    fn id(&self) -> u32 {
        self.id
    }
}

/// Reads a reply that has to be JSON and nothing else.
///
/// # Errors
/// What is wrong, for the judge.
pub(super) fn whole(text: &str) -> Result<Value, String> {
    document(text)
}

/// The inside of the fenced block of a reply that has to hold exactly one, and no curly bracket outside of it.
///
/// # Errors
/// What is wrong, for the judge.
pub(super) fn block(text: &str) -> Result<&str, String> {
    let mut fences = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fences.push((
                start,
                start + line.len(),
                line.trim().trim_start_matches('`').trim().to_lowercase(),
            ));
        }
        start += line.len();
    }
    let [(before, begin, language), (end, after, closing)] = fences.as_slice() else {
        return Err(format!(
            "the reply must hold exactly one block fenced by ```json and ```, but it has {} fence lines",
            fences.len()
        ));
    };
    if !matches!(language.as_str(), "json" | "") || !closing.is_empty() {
        return Err("the block must open with ```json and close with ``` on lines of their own".into());
    }
    let outside = text.get(..*before).into_iter().chain(text.get(*after..));
    if outside.into_iter().any(|part| part.contains(['{', '}'])) {
        return Err("there is something like JSON outside of the fenced block".into());
    }
    Ok(text.get(*begin..*end).unwrap_or_default())
}

fn document(text: &str) -> Result<Value, String> {
    json::parse(text).map_err(|error| format!("the reply is not one JSON document: {}", short(&error)))
}

/// The entries of the list named `list`, in the order of their ids, which are exactly 1 to `asked`.
///
/// # Errors
/// Everything that is wrong, for the judge.
pub(super) fn entries<T: Entry>(document: &Value, list: &str, asked: usize) -> Result<Vec<T>, String> {
    let Value::Object(object) = document else {
        return Err(format!("the reply must be an object with the key `{list}`"));
    };
    if let Some(key) = object.keys().find(|key| *key != list) {
        return Err(format!("unknown key `{}`: the only key is `{list}`", short(key)));
    }
    let Some(Value::Array(values)) = object.get(list) else {
        return Err(format!("`{list}` must be a list"));
    };
    let mut found: BTreeMap<u32, T> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match entry::<T>(value) {
            Err(message) => wrong.push(format!("{list}[{index}]: {message}")),
            Ok(entry) => {
                let id = entry.id();
                if id == 0 || usize::try_from(id).map_or(true, |id| id > asked) {
                    wrong.push(format!("{list}[{index}]: id {id} was not asked for"));
                } else if found.insert(id, entry).is_some() {
                    wrong.push(format!("{list}[{index}]: id {id} comes twice"));
                }
            }
        }
    }
    let missing: Vec<String> = (1..=u32::try_from(asked).unwrap_or(u32::MAX))
        .filter(|id| !found.contains_key(id))
        .map(|id| id.to_string())
        .collect();
    if !missing.is_empty() {
        wrong.push(format!("no valid entry for id {}", bounded(&missing)));
    }
    if wrong.is_empty() { Ok(found.into_values().collect()) } else { Err(bounded(&wrong)) }
}

/// One entry. Serde alone would also take a list for an object and an object for an enumeration.
fn entry<T: Entry>(value: &Value) -> Result<T, String> {
    let Value::Object(object) = value else {
        return Err("must be an object".into());
    };
    match object.get("verdict") {
        Some(Value::String(_)) => {}
        Some(_) => return Err("`verdict` must be a string".into()),
        None => return Err("`verdict` is missing".into()),
    }
    T::deserialize(value).map_err(|error| short(&error.to_string()))
}

/// The first few of them, and how many more there are.
fn bounded(parts: &[String]) -> String {
    const MAX: usize = 12;
    let mut text = parts.iter().take(MAX).cloned().collect::<Vec<_>>().join(", ");
    if parts.len() > MAX {
        text.push_str(&format!(" and {} more", parts.len() - MAX));
    }
    text
}

fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fenced(text: &str) -> Result<Value, String> {
        whole(block(text)?)
    }

    fn items(text: &str, asked: usize) -> Result<Vec<JudgedItem>, String> {
        entries(&whole(text)?, "items", asked)
    }

    #[test]
    fn reads_entries_in_the_order_of_ids() {
        let text = r#" {"items":[{"id":2,"reasoning":"b","verdict":"no"},{"id":1,"reasoning":"a","verdict":"yes"}]} "#;
        let ids: Vec<u32> = items(text, 2).unwrap().iter().map(|item| item.id).collect();
        assert_eq!(ids, [1, 2]);
    }

    #[test]
    fn refuses_what_is_not_exactly_the_form() {
        let good = r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"}]}"#;
        assert!(items(good, 1).is_ok());
        for (bad, says) in [
            ("it looks fine to me", "not one JSON document"),
            ("", "not one JSON document"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"}]} {}"#, "trailing"),
            (r#"Sure: {"items":[{"id":1,"reasoning":"a","verdict":"yes"}]}"#, "not one JSON document"),
            (r#"[{"id":1,"reasoning":"a","verdict":"yes"}]"#, "must be an object"),
            (r#"{"items":[[1,"a","yes"]]}"#, "must be an object"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":{"yes":null}}]}"#, "must be a string"),
            (r#"{"items":[{"id":1,"reasoning":"a"}]}"#, "`verdict` is missing"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"maybe"}]}"#, "unknown variant"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"YES"}]}"#, "unknown variant"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes","score":7}]}"#, "unknown field"),
            (r#"{"items":[{"id":1.0,"reasoning":"a","verdict":"yes"}]}"#, "invalid type"),
            (r#"{"items":[{"id":"1","reasoning":"a","verdict":"yes"}]}"#, "invalid type"),
            (r#"{"items":[{"id":1,"reasoning":null,"verdict":"yes"}]}"#, "invalid type"),
            (r#"{"items":[]}"#, "no valid entry for id 1"),
            (r#"{"items":{}}"#, "must be a list"),
            (r#"{"items":[],"score":11}"#, "unknown key `score`"),
            (r#"{"items":[{"id":1,"id":1,"reasoning":"a","verdict":"yes"}]}"#, "occurs twice"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"no","verdict":"yes"}]}"#, "occurs twice"),
            (
                r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"},{"id":1,"reasoning":"a","verdict":"yes"}]}"#,
                "id 1 comes twice",
            ),
            (
                r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"},{"id":2,"reasoning":"a","verdict":"yes"}]}"#,
                "id 2 was not asked for",
            ),
            (r#"{"items":[{"id":0,"reasoning":"a","verdict":"yes"}]}"#, "id 0 was not asked for"),
        ] {
            let message = items(bad, 1).unwrap_err();
            assert!(message.contains(says), "{bad}: {message}");
        }
    }

    #[test]
    fn a_deeply_nested_reply_is_refused_without_harm() {
        assert!(whole(&"[".repeat(100_000)).is_err());
        assert!(whole(&"{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn the_message_stays_short_whatever_the_reply() {
        let many = json!({"items": (0..5000).map(|_| json!({"id": 1})).collect::<Vec<_>>()}).to_string();
        assert!(items(&many, 5000).unwrap_err().len() < 2000);
    }

    #[test]
    fn takes_exactly_one_fenced_block() {
        let block = "```json\n{\"a\": 1}\n```";
        assert_eq!(fenced(block).unwrap(), json!({"a": 1}));
        assert_eq!(fenced(&format!("Here it is.\n\n{block}\nDone.\n")).unwrap(), json!({"a": 1}));
        for bad in [
            "{\"a\": 1}".to_owned(),
            format!("{block}\n{block}"),
            format!("{{\"a\": 2}}\n{block}"),
            format!("{block}\n{{\"a\": 2}}"),
            "```json\n{\"a\": 1}\n".to_owned(),
            "```python\n{\"a\": 1}\n```".to_owned(),
            "```json {\"a\": 2}\n{\"a\": 1}\n```".to_owned(),
            "```json\n{\"a\": 1} {\"a\": 2}\n```".to_owned(),
        ] {
            assert!(fenced(&bad).is_err(), "{bad}");
        }
    }
}
