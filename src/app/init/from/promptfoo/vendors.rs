//! The vendors of models by the prefix of a provider.

use serde_json::{Map, Value, json};

use super::super::draft::Model;

/// Vendors with an API that is compatible with OpenAI's: prefix, address, variable of the key.
const COMPATIBLE: [(&str, &str, Option<&str>); 13] = [
    ("cerebras", "https://api.cerebras.ai/v1", Some("CEREBRAS_API_KEY")),
    ("deepseek", "https://api.deepseek.com/v1", Some("DEEPSEEK_API_KEY")),
    ("fireworks", "https://api.fireworks.ai/inference/v1", Some("FIREWORKS_API_KEY")),
    ("github", "https://models.github.ai/inference", Some("GITHUB_MODELS_TOKEN")),
    ("groq", "https://api.groq.com/openai/v1", Some("GROQ_API_KEY")),
    ("localai", "http://localhost:8080/v1", None),
    ("llama", "http://localhost:8080/v1", None),
    ("mistral", "https://api.mistral.ai/v1", Some("MISTRAL_API_KEY")),
    ("ollama", "http://localhost:11434/v1", None),
    ("openrouter", "https://openrouter.ai/api/v1", Some("OPENROUTER_API_KEY")),
    ("perplexity", "https://api.perplexity.ai", Some("PERPLEXITY_API_KEY")),
    ("togetherai", "https://api.together.xyz/v1", Some("TOGETHER_API_KEY")),
    ("xai", "https://api.x.ai/v1", Some("XAI_API_KEY")),
];
/// Words between a vendor and its model.
const KINDS: [&str; 5] = ["chat", "completion", "messages", "responses", "live"];

/// The model of an id such as `openai:chat:gpt-4o-mini`, with the `config` of its provider.
pub(super) fn model(id: &str, config: &Map<String, Value>) -> Option<Model> {
    let (vendor, rest) = id.split_once(':')?;
    let name = match rest.split_once(':') {
        Some((kind, name)) if KINDS.contains(&kind) => name,
        _ if KINDS.contains(&rest) => return None,
        _ => rest,
    };
    let mut model = Model { name: name.to_owned(), ..Model::default() };
    match vendor {
        "openai" => {}
        "anthropic" => set(&mut model, "protocol", json!("anthropic")),
        "google" | "palm" => set(&mut model, "protocol", json!("gemini")),
        "azure" | "azureopenai" => azure(&mut model, name, config)?,
        vendor => {
            let (_, address, key) = COMPATIBLE.iter().find(|(prefix, ..)| *prefix == vendor)?;
            set(&mut model, "base_url", json!(address));
            set(&mut model, "api_key_env", json!(key));
        }
    }
    let address = ["apiBaseUrl", "baseUrl"].iter().find_map(|key| config.get(*key)?.as_str());
    let host = config.get("apiHost").and_then(Value::as_str).filter(|_| !vendor.starts_with("azure"));
    let address = address.map(str::to_owned).or_else(|| host.map(|host| format!("https://{host}/v1")));
    if let Some(address) = address.filter(|address| !address.contains("{{")) {
        set(&mut model, "base_url", json!(address.trim_end_matches('/')));
    }
    if let Some(name) = key_variable(config) {
        set(&mut model, "api_key_env", json!(name));
    } else if vendor == "openai" && model.endpoint.contains_key("base_url") {
        set(&mut model, "api_key_env", json!("OPENAI_API_KEY"));
    }
    if let Some(organization) =
        config.get("organization").and_then(Value::as_str).filter(|text| !text.contains("{{"))
    {
        set(&mut model, "headers", json!({"OpenAI-Organization": {"value": organization}}));
    }
    model.parameters = parameters(config);
    Some(model)
}

fn set(model: &mut Model, key: &str, value: Value) {
    model.endpoint.insert(key.to_owned(), value);
}

/// The deployment is part of the address.
fn azure(model: &mut Model, deployment: &str, config: &Map<String, Value>) -> Option<()> {
    let host = config.get("apiHost").and_then(Value::as_str).filter(|host| !host.contains("{{"));
    let host = host.unwrap_or("NAME.openai.azure.com").trim_start_matches("https://").trim_end_matches('/');
    let version = config.get("apiVersion").and_then(Value::as_str).unwrap_or("2024-10-21");
    let address = format!("https://{host}/openai/deployments/{deployment}?api-version={version}");
    set(model, "base_url", json!(address));
    let variable = key_variable(config).unwrap_or_else(|| "AZURE_API_KEY".to_owned());
    set(model, "headers", json!({"api-key": {"env": variable}}));
    Some(())
}

/// The variable of the key, of which the value itself is never carried.
fn key_variable(config: &Map<String, Value>) -> Option<String> {
    if let Some(name) = config.get("apiKeyEnvar").and_then(Value::as_str) {
        return Some(name.to_owned());
    }
    let value = config.get("apiKey")?.as_str()?;
    let name = value.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("env.")?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then(|| name.to_owned())
}

/// The parameters of requests; keys of the tool itself are left out.
pub(in super::super) fn parameters(config: &Map<String, Value>) -> Map<String, Value> {
    const RENAMED: [(&str, &str); 8] = [
        ("maxOutputTokens", "max_tokens"),
        ("maxTokens", "max_tokens"),
        ("maxCompletionTokens", "max_completion_tokens"),
        ("topP", "top_p"),
        ("topK", "top_k"),
        ("stopSequences", "stop"),
        ("frequencyPenalty", "frequency_penalty"),
        ("presencePenalty", "presence_penalty"),
    ];
    const SENT: [&str; 22] = [
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
        "reasoning",
        "verbosity",
        "logprobs",
        "n",
        "user",
        "service_tier",
        "thinking",
        "store",
    ];
    let mut parameters = Map::new();
    for (key, value) in config {
        let name = RENAMED.iter().find(|(there, _)| there == key).map_or(key.as_str(), |(_, here)| here);
        let is_file = value.as_str().is_some_and(|text| text.starts_with("file://"));
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if SENT.contains(&name) && !is_file && !is_empty {
            parameters.insert(name.to_owned(), value.clone());
        }
    }
    parameters
}

/// Keys of a provider's `config` that are carried in one form or another.
pub(super) fn is_carried(key: &str, value: &Value) -> bool {
    let one: Map<String, Value> = [(key.to_owned(), value.clone())].into_iter().collect();
    const READ: [&str; 7] =
        ["apiHost", "apiBaseUrl", "baseUrl", "apiVersion", "apiKeyEnvar", "organization", "deployment_id"];
    let is_variable = key == "apiKey" && key_variable(&one).is_some();
    let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    is_variable || is_empty || READ.contains(&key) || !parameters(&one).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, config: Value) -> Option<(String, Value)> {
        let model = model(id, config.as_object().unwrap())?;
        Some((model.name, Value::Object(model.endpoint)))
    }

    #[test]
    fn vendors_are_known_by_their_prefix() {
        for (id, config, name, endpoint) in [
            ("openai:gpt-4o", json!({}), "gpt-4o", json!({})),
            ("openai:responses:gpt-5", json!({}), "gpt-5", json!({})),
            (
                "openai:gpt-4o",
                json!({"apiBaseUrl": "http://x/v1/"}),
                "gpt-4o",
                json!({"base_url": "http://x/v1", "api_key_env": "OPENAI_API_KEY"}),
            ),
            (
                "openai:gpt-4o",
                json!({"apiKey": "{{ env.MY_KEY }}"}),
                "gpt-4o",
                json!({"api_key_env": "MY_KEY"}),
            ),
            ("anthropic:messages:claude-x", json!({}), "claude-x", json!({"protocol": "anthropic"})),
            ("google:gemini-2.5-pro", json!({}), "gemini-2.5-pro", json!({"protocol": "gemini"})),
            (
                "ollama:chat:llama3.2:3b",
                json!({}),
                "llama3.2:3b",
                json!({"base_url": "http://localhost:11434/v1", "api_key_env": null}),
            ),
            (
                "azure:chat:d",
                json!({"apiHost": "h"}),
                "d",
                json!({"base_url": "https://h/openai/deployments/d?api-version=2024-10-21", "headers": {"api-key": {"env": "AZURE_API_KEY"}}}),
            ),
        ] {
            assert_eq!(named(id, config), Some((name.to_owned(), endpoint)), "{id}");
        }
        for id in ["echo", "bedrock:x", "vertex:gemini", "openai:chat"] {
            assert_eq!(named(id, json!({})), None, "{id}");
        }
    }

    #[test]
    fn keys_are_never_carried() {
        let model = model(
            "openai:gpt-4o",
            json!({"apiKey": "sk-1234567890abcdef", "temperature": 1}).as_object().unwrap(),
        );
        let model = model.unwrap();
        assert!(!format!("{model:?}").contains("sk-1234"));
        assert_eq!(Value::Object(model.parameters), json!({"temperature": 1}));
    }
}
