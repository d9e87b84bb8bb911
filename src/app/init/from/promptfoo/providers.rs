//! `providers`: models, and applications as targets.

use serde_json::{Map, Value, json};

use promptgate_core::document::pointer;
use promptgate_core::model::{Diagnostics, Place};

use super::super::draft::Model;
use super::super::sources::{extension, normal};
use super::{Reader, assertions, transform, vendors};

/// The programs that connect an application written for the tool.
const PYTHON: &str = include_str!("../scripts/provider.py");
const JAVASCRIPT: &str = include_str!("../scripts/provider.mjs");
const EXEC: &str = include_str!("../scripts/exec.py");

/// A provider.
pub(super) struct Provider {
    /// As written.
    pub(super) id: String,
    pub(super) kind: ProviderKind,
    /// Files that it needs.
    pub(super) files: Vec<(String, String)>,
    pub(super) place: Place,
}

pub(super) enum ProviderKind {
    Model(Model),
    /// The value of `target`.
    Target(Value),
    /// Nothing that could be carried.
    Unknown,
}

/// The model of a provider as written in options.
pub(super) fn model_of(value: &Value) -> Option<Model> {
    match value {
        Value::String(id) => vendors::model(id, &Map::new()),
        Value::Object(map) => {
            let config = map.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
            vendors::model(map.get("id")?.as_str()?, &config)
        }
        _ => None,
    }
}

impl Reader<'_> {
    pub(super) fn providers(&mut self) -> Result<Vec<Provider>, Diagnostics> {
        let key = if self.root.contains_key("providers") { "providers" } else { "targets" };
        let at = pointer("", key);
        let Some(value) = self.root.get(key) else {
            self.note("", "no provider is named", "write `model: NAME`, or a `target`");
            return Ok(Vec::new());
        };
        let mut providers = Vec::new();
        let mut pending: Vec<(Value, String)> = match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (item.clone(), format!("{at}/{index}")))
                .collect(),
            one => vec![(one.clone(), at)],
        };
        pending.reverse();
        while let Some((value, at)) = pending.pop() {
            // A file with further providers.
            if let Some(path) = value.as_str().and_then(|id| id.strip_prefix("file://"))
                && ["yaml", "yml", "json"].contains(&extension(path).as_str())
            {
                let listed = self.sources.document(&normal(path), &self.place(&at))?.into_value();
                let items = listed.as_array().cloned().unwrap_or_else(|| vec![listed]);
                pending.extend(items.into_iter().rev().map(|item| (item, at.clone())));
                continue;
            }
            providers.push(self.provider(&value, &at)?);
        }
        Ok(providers)
    }

    fn provider(&mut self, value: &Value, at: &str) -> Result<Provider, Diagnostics> {
        let (id, map) = match value {
            Value::String(id) => (id.clone(), Map::new()),
            Value::Object(map) => match (map.get("id").and_then(Value::as_str), map.iter().next()) {
                (Some(id), _) => (id.to_owned(), map.clone()),
                // The id as the key of a map.
                (None, Some((id, Value::Object(options)))) if map.len() == 1 => (id.clone(), options.clone()),
                _ => (String::new(), Map::new()),
            },
            _ => (String::new(), Map::new()),
        };
        let config = map.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
        let place = self.place(at);
        let mut provider = Provider { id: id.clone(), kind: ProviderKind::Unknown, files: Vec::new(), place };
        if let Some(code) = map.get("transform").and_then(Value::as_str) {
            self.transform(code, at);
        }
        for key in ["prompts", "delay"].iter().filter(|key| map.contains_key(**key)) {
            let help = "write a configuration for each provider, with its prompt";
            self.note(&pointer(at, key), format!("`{key}` of a provider has no counterpart"), help);
        }
        if let Some(model) = vendors::model(&id, &config) {
            let placeholder = model.endpoint.get("base_url").and_then(Value::as_str);
            if placeholder.is_some_and(|address| address.contains("//NAME.")) {
                self.note(
                    at,
                    "the address of the resource is not written here",
                    "replace NAME in `endpoint.base_url`",
                );
            }
            for (key, _) in config.iter().filter(|(key, value)| !vendors::is_carried(key, value)) {
                let help = match key.as_str() {
                    "apiKey" => "write `endpoint: {api_key_env: VARIABLE}` and set the variable",
                    "response_format" | "tools" => "write it under `parameters`",
                    _ => "where the API knows it, write it under `parameters` in the API's own words",
                };
                self.note(
                    &pointer(&pointer(at, "config"), key),
                    format!("`{key}` of the provider is not carried"),
                    help,
                );
            }
            provider.kind = ProviderKind::Model(model);
            return Ok(provider);
        }
        let (scheme, rest) = id.split_once(':').unwrap_or((id.as_str(), ""));
        match scheme {
            "http" | "https" => provider.kind = self.http(&id, &config, at),
            "exec" => {
                provider.files.push(("adapters/exec.py".to_owned(), EXEC.to_owned()));
                let command =
                    json!(["python3", "adapters/exec.py", rest.trim(), Value::Object(config).to_string()]);
                provider.kind = ProviderKind::Target(json!({"command": command}));
            }
            "python" => self.program(&mut provider, rest.trim_start_matches("//"), &config, at)?,
            "file" => self.program(&mut provider, rest.trim_start_matches("//"), &config, at)?,
            _ => self.unknown(&id, scheme, at),
        }
        Ok(provider)
    }

    fn unknown(&mut self, id: &str, scheme: &str, at: &str) {
        let help = match scheme {
            "" => "write `model: NAME` with its `endpoint`, or a `target`",
            "echo" => "the echo answers with the prompt: name a model",
            "bedrock" | "vertex" | "sagemaker" => {
                "write `model: NAME` and `endpoint: {base_url: URL}` of a gateway with an API like OpenAI's"
            }
            _ => {
                "write `model: NAME` and `endpoint: {base_url: URL}`, or `target: {command: […]}` for a program of your own"
            }
        };
        self.note(at, format!("the provider `{id}` is not known"), help);
    }

    /// A file in Python or JavaScript, with the name of a function behind a colon.
    fn program(
        &mut self,
        provider: &mut Provider,
        path: &str,
        config: &Map<String, Value>,
        at: &str,
    ) -> Result<(), Diagnostics> {
        let (path, function) = path.rsplit_once(':').map_or((path, "call_api"), |(path, name)| (path, name));
        let path = normal(path);
        let (adapter, text, runner) = match extension(&path).as_str() {
            "py" => ("adapters/provider.py", PYTHON, "python3"),
            "js" | "mjs" | "cjs" => ("adapters/provider.mjs", JAVASCRIPT, "node"),
            other => {
                let help = "write a program that reads cases and writes answers: `target: {command: […]}`";
                self.note(at, format!("a provider in a file of the kind `{other}` has no counterpart"), help);
                return Ok(());
            }
        };
        let program = self.sources.text(&path, &self.place(at))?;
        provider.files.push((adapter.to_owned(), text.to_owned()));
        let config = Value::Object(config.clone()).to_string();
        let mut target =
            json!({"command": [runner, adapter, self.sources.suite_path(&path), function, config]});
        let env = assertions::environment(&program);
        if !env.is_empty()
            && let Value::Object(target) = &mut target
        {
            target.insert("env".to_owned(), json!(env));
        }
        provider.kind = ProviderKind::Target(target);
        Ok(())
    }

    fn http(&mut self, id: &str, config: &Map<String, Value>, at: &str) -> ProviderKind {
        let at_config = pointer(at, "config");
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let url = text("url").unwrap_or(id);
        if url.contains("{{") {
            self.note(
                &at_config,
                "the address has variables",
                "write one address, and put what differs into `body`",
            );
        }
        let method = text("method").unwrap_or("POST");
        if !method.eq_ignore_ascii_case("post") {
            self.note(
                &pointer(&at_config, "method"),
                format!("requests are posted, not sent with {method}"),
                "answer POST at this address",
            );
        }
        let mut http = json!({"url": url.split("{{").next().unwrap_or(url)});
        let mut set = |key: &str, value: Value| {
            if let Value::Object(http) = &mut http {
                http.insert(key.to_owned(), value);
            }
        };
        match config.get("body") {
            Some(Value::String(body)) => match serde_json::from_str::<Value>(body) {
                Ok(body) => set("body", placeholders(&body)),
                Err(_) => {
                    self.note(&pointer(&at_config, "body"), "the body is not JSON", "write `body` as a map")
                }
            },
            Some(body) => set("body", placeholders(body)),
            None => set("body", json!({"prompt": "{{query}}"})),
        }
        let parser = text("transformResponse").or(text("responseParser"));
        let output = parser.and_then(transform::field).map(|path| format!("$.{path}"));
        if output.is_none() {
            let help = "write where the answer is: `output: $.answer`";
            self.note(&at_config, "the answer is not at a path of the response", help);
        }
        set("output", Value::from(output.unwrap_or_else(|| "$.output".to_owned())));
        let (headers, env) = self.headers(config, &at_config);
        if !headers.is_empty() {
            set("headers", Value::Object(headers));
        }
        let known = ["url", "method", "headers", "body", "transformResponse", "responseParser"];
        for key in config.keys().filter(|key| !known.contains(&key.as_str())) {
            let help = "see `target.http` in docs/targets.md for what there is";
            self.note(&pointer(&at_config, key), format!("`{key}` of the provider has no counterpart"), help);
        }
        let mut target = json!({"http": http});
        if !env.is_empty()
            && let Value::Object(target) = &mut target
        {
            target.insert("env".to_owned(), json!(env));
        }
        ProviderKind::Target(target)
    }

    /// Headers, and the variables that they come from.
    fn headers(&mut self, config: &Map<String, Value>, at: &str) -> (Map<String, Value>, Vec<String>) {
        let (mut headers, mut env) = (Map::new(), Vec::new());
        let written = config.get("headers").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, value) in &written {
            let text = value.as_str().unwrap_or_default();
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let is_secret = promptgate_core::document::is_secret_header(name);
            if is_secret || text.contains("{{") {
                let variable = variable(name);
                let help = format!("set {variable} to the whole value of the header");
                self.note(
                    &pointer(&pointer(at, "headers"), name),
                    format!("the header `{name}` comes from a variable now"),
                    help,
                );
                headers.insert(name.clone(), json!({"env": variable}));
                env.push(variable);
            } else {
                headers.insert(name.clone(), json!({"value": text}));
            }
        }
        (headers, env)
    }
}

/// The name of a variable for a header.
fn variable(header: &str) -> String {
    let name = header.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    format!("TARGET_{}", name.collect::<String>())
}

/// The body with the names of a case: the prompt is its query.
fn placeholders(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let rename = |name: &str| match name {
                "prompt" => "query".to_owned(),
                name => format!("vars.{name}"),
            };
            Value::from(
                super::super::template::translate(text, super::super::template::Dialect::Nunjucks, &rename)
                    .text,
            )
        }
        Value::Array(items) => items.iter().map(placeholders).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), placeholders(value))).collect(),
        other => other.clone(),
    }
}
