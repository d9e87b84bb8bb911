//! The server side of OpenAI's embeddings: parses requests, builds replies.

use serde_json::{Value, json};

use super::route::map;
use super::wire::InvalidRequest;
use promptgate_core::model::{ChatRequest, Completion, Message, MessageRole, Purpose};

/// Parses the body of `POST /v1/embeddings`, whose input is a text or a list of texts.
pub(super) fn request(body: &[u8]) -> Result<ChatRequest, InvalidRequest> {
    let invalid =
        |parameter, message: &str| InvalidRequest { message: message.to_owned(), parameter: Some(parameter) };
    let mut fields = map(body)?;
    let Some(Value::String(model)) = fields.shift_remove("model") else {
        return Err(invalid("model", "you must provide a model parameter"));
    };
    let texts = match fields.shift_remove("input") {
        Some(Value::String(text)) => vec![Value::String(text)],
        Some(Value::Array(texts)) if !texts.is_empty() => texts,
        _ => return Err(invalid("input", "you must provide an input parameter: a text, or a list of texts")),
    };
    let message = |text: Value| match text {
        Value::String(text) if !text.is_empty() => Ok(Message::new(MessageRole::User, text)),
        _ => Err(invalid("input", "'input' must be texts that are not empty")),
    };
    if !matches!(fields.get("encoding_format").and_then(Value::as_str), None | Some("float")) {
        return Err(invalid("encoding_format", "the only encoding_format is float"));
    }
    Ok(ChatRequest {
        model,
        messages: texts.into_iter().map(message).collect::<Result<_, _>>()?,
        parameters: fields,
        response_format: None,
        repeat: 0,
        purpose: Purpose::Embedding,
        refresh: false,
        input: None,
    })
}

/// The body of a reply by the model that was asked for.
pub(super) fn reply(completion: &Completion, model: &str) -> Value {
    let vectors: Vec<Value> = serde_json::from_str(&completion.text).unwrap_or_default();
    let data = vectors.into_iter().enumerate();
    let data =
        data.map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}));
    let tokens = completion.usage.unwrap_or_default().prompt_tokens;
    json!({
        "object": "list",
        "data": data.collect::<Vec<_>>(),
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_a_text_or_texts() {
        for (body, texts) in [
            (r#"{"model": "m", "input": "a"}"#, vec!["a"]),
            (r#"{"model": "m", "input": ["a", "b"], "encoding_format": "float"}"#, vec!["a", "b"]),
        ] {
            let request = request(body.as_bytes()).unwrap();
            let found: Vec<&str> = request.messages.iter().map(|message| message.content.as_str()).collect();
            assert_eq!(found, texts);
        }
        for (body, parameter) in [
            (r#"{"input": "a"}"#, "model"),
            (r#"{"model": "m"}"#, "input"),
            (r#"{"model": "m", "input": []}"#, "input"),
            (r#"{"model": "m", "input": [""]}"#, "input"),
            (r#"{"model": "m", "input": [7]}"#, "input"),
            (r#"{"model": "m", "input": "a", "encoding_format": "base64"}"#, "encoding_format"),
        ] {
            assert_eq!(request(body.as_bytes()).unwrap_err().parameter, Some(parameter), "{body}");
        }
    }
}
