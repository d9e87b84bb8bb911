//! Strict parsing of a judge's reply.
//!
//! The text must be one JSON document, or contain exactly one fenced block and nothing else that looks like JSON. Keys
//! must be unique, every entry must have the requested form, and every requested id must occur exactly once. Anything
//! else is an error whose message goes back to the judge: a candidate's own JSON, echoed before the verdict, must never
//! be taken for the verdict. Of the reply's text, the messages contain only short names.

use std::collections::BTreeMap;

use serde_json::Value;

use promptgate_core::text::json;

use super::Entry;

/// Maximum length of a library's message, in characters.
const MAX_MESSAGE: usize = 300;

/// Parses a reply that must be JSON and nothing else.
///
/// # Errors
/// The error of the parser, in words for the judge.
pub(in crate::judge) fn whole(text: &str) -> Result<Value, String> {
    json::parse(text).map_err(|error| format!("the reply is not one JSON document: {}", short(&error)))
}

/// Parses a reply that must be JSON and nothing else, or have exactly one fenced block; with `fenced` only the block.
/// Returns the text of the JSON as well.
///
/// # Errors
/// The violation, in words for the judge.
pub(in crate::judge) fn document(text: &str, fenced: bool) -> Result<(&str, Value), String> {
    if fenced {
        let block = block(text)?;
        return Ok((block, whole(block)?));
    }
    // An endpoint may accept `response_format` and ignore it.
    match (whole(text), block(text)) {
        (Err(_), Ok(block)) => Ok((block, whole(block)?)),
        (parsed, _) => Ok((text, parsed?)),
    }
}

/// Returns the content of the only fenced block of a reply. No curly bracket may be outside of it.
///
/// # Errors
/// The violation, in words for the judge.
pub(in crate::judge) fn block(text: &str) -> Result<&str, String> {
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

/// Returns the entries of a reply on the ids 1 to `asked`, sorted by id.
///
/// # Errors
/// Every violation, in words for the judge.
pub(in crate::judge) fn entries<T: Entry>(document: &Value, asked: usize) -> Result<Vec<T>, String> {
    let list = T::FORM.list;
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

/// Parses one entry. Serde alone would also accept a list as an object, and an object as an enumeration.
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

/// Joins the first few parts, with the number of the others.
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
    use crate::judge::registry::YesNo;
    use crate::judge::reply::Judged;

    fn fenced(text: &str) -> Result<Value, String> {
        whole(block(text)?)
    }

    fn items(text: &str, asked: usize) -> Result<Vec<Judged<YesNo>>, String> {
        entries(&whole(text)?, asked)
    }

    #[test]
    fn entries_are_sorted_by_id() {
        let text = r#" {"items":[{"id":2,"reasoning":"b","verdict":"no"},{"id":1,"reasoning":"a","verdict":"yes"}]} "#;
        let ids: Vec<u32> = items(text, 2).unwrap().iter().map(|item| item.id).collect();
        assert_eq!(ids, [1, 2]);
    }

    #[test]
    fn entries_of_another_form_are_rejected() {
        let good = r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"}]}"#;
        assert!(items(good, 1).is_ok());
        for (bad, expected) in [
            ("it looks fine to me", "not one JSON document"),
            ("", "not one JSON document"),
            (r#"{"items":[{"id":1,"reasoning":"a","verdict":"yes"}]} {}"#, "expected the end of the text"),
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
            assert!(message.contains(expected), "{bad}: {message}");
        }
    }

    #[test]
    fn deeply_nested_reply_is_rejected() {
        assert!(whole(&"[".repeat(100_000)).is_err());
        assert!(whole(&"{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn error_message_of_a_long_reply_is_bounded() {
        let many = json!({"items": (0..5000).map(|_| json!({"id": 1})).collect::<Vec<_>>()}).to_string();
        assert!(items(&many, 5000).unwrap_err().len() < 2000);
    }

    #[test]
    fn block_requires_exactly_one_fenced_block() {
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
