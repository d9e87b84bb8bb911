//! Embeddings, as of OpenAI and compatible servers: the body of a request, and that of a response.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::invalid::{InvalidReply, read, string};
use super::super::tokens::count;
use promptgate_core::model::{ChatRequest, Completion, Usage};

/// Serializes a request for the embeddings of its messages. Its own fields take precedence over parameters of the same name.
pub(in super::super) fn body(request: &ChatRequest) -> Result<Vec<u8>, serde_json::Error> {
    let texts: Vec<&str> = request.messages.iter().map(|message| message.content.as_str()).collect();
    let mut fields =
        Map::from_iter([("model".to_owned(), json!(request.model)), ("input".to_owned(), json!(texts))]);
    for (name, value) in &request.parameters {
        fields.entry(name).or_insert_with(|| value.clone());
    }
    serde_json::to_vec(&fields)
}

#[derive(Deserialize)]
struct Body {
    data: Option<Vec<Entry>>,
    error: Option<Value>,
    usage: Option<Value>,
    model: Option<Value>,
}

#[derive(Deserialize)]
struct Entry {
    embedding: Value,
    /// The place of its text in the request; where there is none, the place in the list.
    index: Option<usize>,
}

/// Parses the body of a response: an embedding for each of the texts, in their order.
pub(in super::super) fn parse(body: &[u8], texts: usize) -> Result<Completion, InvalidReply> {
    let body: Body = read(body, "a list of embeddings")?;
    if let Some(error) = body.error.filter(|error| !error.is_null()) {
        return Err(InvalidReply::error(&error));
    }
    let data = body.data.ok_or_else(|| InvalidReply::malformed("the reply has no `data`"))?;
    let found = data.len();
    let mut vectors: Vec<Option<Vec<f64>>> = vec![None; texts];
    for (place, entry) in data.into_iter().enumerate() {
        let index = entry.index.unwrap_or(place);
        let slot = vectors.get_mut(index).ok_or_else(|| {
            InvalidReply::Malformed(format!(
                "the reply has an embedding with index {index} for {texts} texts"
            ))
        })?;
        if slot.replace(numbers(entry.embedding)?).is_some() {
            return Err(InvalidReply::Malformed(format!("the reply has two embeddings with index {index}")));
        }
    }
    let vectors: Option<Vec<Vec<f64>>> = vectors.into_iter().collect();
    let vectors = vectors.ok_or_else(|| {
        InvalidReply::Malformed(format!("the reply has {found} embeddings for {texts} texts"))
    })?;
    let text = serde_json::to_string(&vectors).unwrap_or_default();
    // There are no tokens of an answer.
    let tokens =
        body.usage.and_then(|usage| count(usage.get("prompt_tokens").or_else(|| usage.get("total_tokens"))));
    let usage = tokens.filter(|tokens| *tokens > 0).map(|tokens| Usage::new(tokens, 0));
    Ok(Completion { usage, model: body.model.and_then(string), ..Completion::from_text(text) })
}

fn numbers(embedding: Value) -> Result<Vec<f64>, InvalidReply> {
    let Value::Array(numbers) = embedding else {
        let reason = "an embedding is not a list of numbers; set the parameter encoding_format to float";
        return Err(InvalidReply::malformed(reason));
    };
    let numbers: Option<Vec<f64>> =
        numbers.iter().map(|number| number.as_f64().filter(|it| it.is_finite())).collect();
    numbers.ok_or_else(|| InvalidReply::malformed("an embedding has an entry that is not a finite number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::model::{Message, MessageRole, Purpose};

    #[test]
    fn body_has_the_texts_and_the_parameters() {
        let parameters = json!({"dimensions": 256, "model": "other", "input": "other"});
        let request = ChatRequest {
            model: "text-embedding-3-small".to_owned(),
            messages: ["a", "b"].map(|text| Message::new(MessageRole::User, text)).into(),
            parameters: parameters.as_object().cloned().unwrap(),
            response_format: None,
            repeat: 0,
            purpose: Purpose::Embedding,
            refresh: false,
            input: None,
        };
        let body: Value = serde_json::from_slice(&body(&request).unwrap()).unwrap();
        assert_eq!(body, json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 256}));
    }

    /// The example of OpenAI's API reference, shortened.
    #[test]
    fn embeddings_are_in_the_order_of_their_index() {
        let body = br#"{"object": "list", "data": [
            {"object": "embedding", "embedding": [0.5, -1e-3], "index": 1},
            {"object": "embedding", "embedding": [1, 0], "index": 0}
        ], "model": "text-embedding-ada-002", "usage": {"prompt_tokens": 8, "total_tokens": 8}}"#;
        let completion = parse(body, 2).unwrap();
        assert_eq!(completion.text, "[[1.0,0.0],[0.5,-0.001]]");
        assert_eq!(completion.usage, Some(Usage::new(8, 0)));
        assert_eq!(completion.model.as_deref(), Some("text-embedding-ada-002"));
        let plain = parse(br#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#, 2).unwrap();
        assert_eq!((plain.text.as_str(), plain.usage), ("[[1.0],[2.0]]", None));
    }

    #[test]
    fn incomplete_replies_are_rejected() {
        for (body, part) in [
            (r#"{}"#, "no `data`"),
            (r#"{"data": []}"#, "0 embeddings for 2 texts"),
            (r#"{"data": [{"embedding": [1], "index": 1}]}"#, "1 embeddings for 2 texts"),
            (
                r#"{"data": [{"embedding": [1], "index": 0}, {"embedding": [1], "index": 0}]}"#,
                "two embeddings with index 0",
            ),
            (r#"{"data": [{"embedding": [1], "index": 2}]}"#, "index 2 for 2 texts"),
            (r#"{"data": [{"embedding": "AACAPw=="}]}"#, "encoding_format"),
            (r#"{"data": [{"embedding": [1, null]}]}"#, "not a finite number"),
            (r#"{"data": [{"embedding": ["NaN"]}]}"#, "not a finite number"),
            (r#"{"data": [{"embedding": [1e999]}]}"#, "not a list of embeddings"),
            (r#"{"data": [{"index": 0}]}"#, "not a list of embeddings"),
            (r#"{"data": [{"embedding"#, "cut off"),
            (r#"{"error": {"message": "overloaded"}}"#, "overloaded"),
        ] {
            let found = parse(body.as_bytes(), 2).unwrap_err();
            assert!(format!("{found:?}").contains(part), "{body}: {found:?}");
        }
    }
}
