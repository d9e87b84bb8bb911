//! Extraction of the text that judges and text checks read: the `answer_field` of a JSON answer, or the whole answer.

use std::borrow::Cow;

use serde_json::Value;

use crate::text::json;

use super::path::Path;

/// Extracts `field` of a JSON answer, or returns the whole text if no field is configured.
///
/// The whole text has to be strict JSON. A text field is returned as it is, any other value as JSON.
///
/// # Errors
/// The reason in one line: the text is not JSON, or the field is absent or null.
pub fn extract<'a>(text: &'a str, field: Option<&str>) -> Result<Cow<'a, str>, String> {
    let Some(field) = field else {
        return Ok(Cow::Borrowed(text));
    };
    let path = Path::parse(field)?;
    let value = json::parse(text).map_err(|error| format!("the answer is not JSON: {error}"))?;
    match path.find(&value)? {
        Value::Null => Err(format!("field \"{path}\" is null")),
        Value::String(text) => Ok(Cow::Owned(text.clone())),
        other => Ok(Cow::Owned(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extract_returns_the_field_or_the_whole_text() {
        assert_eq!(extract("not JSON", None).as_deref(), Ok("not JSON"));
        assert_eq!(extract(r#"{"answer": "Äpfel\n"}"#, Some("answer")).as_deref(), Ok("Äpfel\n"));
        assert_eq!(extract(r#"{"a": [{"b": ""}]}"#, Some("a[0].b")).as_deref(), Ok(""));
        assert_eq!(
            extract(r#"{"a": {"z": 1, "b": [true]}}"#, Some("a")).as_deref(),
            Ok(r#"{"z":1,"b":[true]}"#)
        );
    }

    #[test]
    fn missing_fields_are_explained() {
        let reason = |text| extract(text, Some("answer")).unwrap_err();
        assert!(reason("Sure! {\"answer\": 1}").starts_with("the answer is not JSON"));
        assert!(reason("{\"answer\": 1, \"answer\": 2}").contains("occurs twice"));
        assert_eq!(reason("{\"reply\": 1}"), "field \"answer\" is absent");
        assert_eq!(reason("{\"answer\": null}"), "field \"answer\" is null");
        assert_eq!(reason(""), "the answer is not JSON: the text is empty");
    }
}
