//! The prompts of a project, with the server's rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Maximum characters.
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 36;
const MAX_COMMIT_MESSAGE: usize = 500;
const TIME: &str = "2026-11-29T21:22:58.137Z";

/// The prompts of a project, by name.
#[derive(Debug, Clone, Default)]
pub struct Prompts {
    /// Every version, in the order of creation.
    pub versions: BTreeMap<String, Vec<StoredPrompt>>,
    /// The tags of a prompt, which all versions share.
    tags: BTreeMap<String, Value>,
    created: u64,
}

/// A stored version.
#[derive(Debug, Clone)]
pub struct StoredPrompt {
    id: u64,
    /// The number.
    pub version: u64,
    /// `text` or `chat`.
    pub kind: String,
    /// A text, or a list of messages.
    pub prompt: Value,
    /// The configuration.
    pub config: Value,
    /// The labels.
    pub labels: Vec<String>,
    commit_message: Value,
}

/// A refusal: status, `error` and `message`.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: Value,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn not_found(message: String) -> Self {
        Self { status: 404, error: json!("LangfuseNotFoundError"), message }
    }

    fn invalid(message: &str) -> Self {
        Self { status: 400, error: json!("InvalidRequestError"), message: message.to_owned() }
    }

    /// A body that the schema does not take.
    pub(super) fn schema(path: &str, message: &str) -> Self {
        let issues = json!([{"code": "custom", "path": [path], "message": message}]);
        Self { status: 400, error: issues, message: "Invalid request data".to_owned() }
    }
}

/// Which versions a request asks for.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) name: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) label: Option<String>,
    pub(super) tag: Option<String>,
}

impl Prompts {
    /// Gives a version a label and takes it from no other, as two moves at the same time do.
    pub fn force_label(&mut self, name: &str, version: u64, label: &str) {
        if let Some(stored) = self.version_mut(name, version)
            && !stored.labels.iter().any(|held| held == label)
        {
            stored.labels.push(label.to_owned());
        }
    }

    /// Moves a label, as the API does.
    pub fn move_label(&mut self, name: &str, version: u64, label: &str) {
        let label = label.to_owned();
        let others = self.versions.get_mut(name).into_iter().flatten();
        others.for_each(|stored| stored.labels.retain(|held| *held != label));
        self.force_label(name, version, &label);
    }

    /// A stored version.
    pub fn version_mut(&mut self, name: &str, version: u64) -> Option<&mut StoredPrompt> {
        self.versions.get_mut(name)?.iter_mut().find(|stored| stored.version == version)
    }

    /// The numbers of the versions that hold a label.
    pub fn holders(&self, name: &str, label: &str) -> Vec<u64> {
        let versions = self.versions.get(name).into_iter().flatten();
        versions.filter(|stored| stored.holds(label)).map(|stored| stored.version).collect()
    }

    /// `POST /v2/prompts`: the next version. Every label given is taken from the other versions, and `latest` moves.
    pub(super) fn create(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = body["name"].as_str().filter(|name| !name.is_empty() && name.chars().count() <= MAX_NAME);
        let name = name.filter(|name| !name.contains(['|', '<', '>']));
        let Some(name) = name else { return Err(Refusal::schema("name", "Invalid name")) };
        let kind = match &body["type"] {
            Value::Null => "text",
            Value::String(kind) if kind == "text" || kind == "chat" => kind,
            _ => return Err(Refusal::schema("type", "Invalid discriminator value")),
        };
        let is_valid = if kind == "text" { body["prompt"].is_string() } else { is_chat(&body["prompt"]) };
        if !is_valid {
            return Err(Refusal::schema("prompt", "Invalid input"));
        }
        let Some(mut labels) = strings(&body["labels"]) else {
            return Err(Refusal::schema("labels", "Expected array"));
        };
        if let Some(label) = labels.iter().find(|label| !is_label(label)) {
            return Err(Refusal::schema("labels", &format!("Invalid label {label}")));
        }
        let message = &body["commitMessage"];
        let is_short = |text: &str| text.chars().count() <= MAX_COMMIT_MESSAGE;
        if !message.is_null() && !message.as_str().is_some_and(is_short) {
            return Err(Refusal::schema("commitMessage", "String must contain at most 500 character(s)"));
        }
        let before = self.versions.entry(name.to_owned()).or_default();
        if before.last().is_some_and(|stored| stored.kind != kind) {
            let message =
                "Previous versions have different prompt type. Create a new prompt with a different name.";
            return Err(Refusal::invalid(message));
        }
        if body["tags"].is_array() {
            self.tags.insert(name.to_owned(), body["tags"].clone());
        }
        labels.push("latest".to_owned());
        labels.dedup();
        for stored in before.iter_mut() {
            stored.labels.retain(|held| !labels.contains(held));
        }
        let version = before.last().map_or(1, |stored| stored.version + 1);
        let config = if body["config"].is_null() { json!({}) } else { body["config"].clone() };
        let stored = StoredPrompt {
            id: self.created,
            version,
            kind: kind.to_owned(),
            prompt: body["prompt"].clone(),
            config,
            labels,
            commit_message: message.clone(),
        };
        self.created += 1;
        before.push(stored);
        let created = before.last().map(|stored| stored.json(name, self.tags.get(name)));
        Ok(created.unwrap_or_default())
    }

    /// `GET /v2/prompts/{name}`: the version, else the label, else `production`. Of two holders one is returned.
    pub(super) fn get(&self, name: &str, filter: &Filter) -> Result<Value, Refusal> {
        let label = filter.label.as_deref().unwrap_or("production");
        let wanted = |stored: &&StoredPrompt| match filter.version {
            Some(version) => stored.version == version,
            None => stored.holds(label),
        };
        let found = self.versions.get(name).into_iter().flatten().find(wanted);
        let Some(found) = found else {
            let asked = match filter.version {
                Some(version) => format!("version {version}"),
                None => format!("label '{label}'"),
            };
            return Err(Refusal::not_found(format!("Prompt not found: '{name}' with {asked}")));
        };
        let mut found = found.json(name, self.tags.get(name));
        found["resolutionGraph"] = Value::Null;
        Ok(found)
    }

    /// `GET /v2/prompts`: one row for each prompt, with the versions that the filters leave.
    pub(super) fn list(&self, filter: &Filter, page: usize, limit: usize) -> Value {
        let has_tag = |name: &str| match (&filter.tag, self.tags.get(name).and_then(Value::as_array)) {
            (None, _) => true,
            (Some(tag), tags) => tags.is_some_and(|tags| tags.iter().any(|held| held == tag)),
        };
        let names = self.versions.iter().filter(|(name, _)| {
            filter.name.as_deref().is_none_or(|wanted| wanted == name.as_str()) && has_tag(name)
        });
        let rows: Vec<Value> = names
            .filter_map(|(name, versions)| {
                let left: Vec<_> = versions
                    .iter()
                    .filter(|stored| filter.version.is_none_or(|version| version == stored.version))
                    .filter(|stored| filter.label.as_deref().is_none_or(|label| stored.holds(label)))
                    .collect();
                let last = left.last()?;
                let mut labels: Vec<_> = left.iter().flat_map(|stored| stored.labels.clone()).collect();
                labels.sort();
                labels.dedup();
                Some(json!({
                    "name": name,
                    "type": last.kind,
                    "versions": left.iter().map(|stored| stored.version).collect::<Vec<_>>(),
                    "labels": labels,
                    "tags": self.tags.get(name).cloned().unwrap_or_else(|| json!([])),
                    "lastUpdatedAt": TIME,
                    "lastConfig": last.config,
                }))
            })
            .collect();
        let total = rows.len();
        let meta = json!({
            "page": page, "limit": limit, "totalItems": total, "totalPages": total.div_ceil(limit),
        });
        let data: Vec<_> = rows.into_iter().skip((page - 1) * limit).take(limit).collect();
        json!({"data": data, "meta": meta, "pagination": meta})
    }

    /// `PATCH /v2/prompts/{name}/versions/{version}`: adds labels. Their characters are not checked.
    pub(super) fn patch(&mut self, name: &str, version: u64, body: &Value) -> Result<Value, Refusal> {
        let Some(labels) = body["newLabels"].as_array().and_then(|_| strings(&body["newLabels"])) else {
            return Err(Refusal::schema("newLabels", "Expected array"));
        };
        if labels.iter().any(|label| label == "latest") {
            return Err(Refusal::schema(
                "newLabels",
                "Label 'latest' is always assigned to the latest version",
            ));
        }
        if self.version_mut(name, version).is_none() {
            return Err(Refusal::not_found(format!("Prompt not found: '{name}' with version {version}")));
        }
        for label in &labels {
            self.move_label(name, version, label);
        }
        self.get(name, &Filter { version: Some(version), ..Filter::default() })
    }

    /// `DELETE /v2/prompts/{name}`: all versions, or those with a number or a label.
    pub(super) fn delete(&mut self, name: &str, filter: &Filter) -> Result<(), Refusal> {
        let Some(versions) = self.versions.get_mut(name) else {
            return Err(Refusal::not_found(format!("Prompt not found: '{name}'")));
        };
        versions.retain(|stored| {
            let is_other = filter.version.is_some_and(|version| version != stored.version);
            is_other || filter.label.as_deref().is_some_and(|label| !stored.holds(label))
        });
        match versions.last().map(|stored| stored.version) {
            Some(latest) => self.move_label(name, latest, "latest"),
            None => {
                self.versions.remove(name);
            }
        }
        Ok(())
    }
}

impl StoredPrompt {
    fn holds(&self, label: &str) -> bool {
        self.labels.iter().any(|held| held == label)
    }

    fn json(&self, name: &str, tags: Option<&Value>) -> Value {
        json!({
            "id": format!("p{}", self.id),
            "createdAt": TIME,
            "updatedAt": TIME,
            "projectId": "prj",
            "createdBy": "API",
            "name": name,
            "version": self.version,
            "type": self.kind,
            "prompt": self.prompt,
            "config": self.config,
            "labels": self.labels,
            "tags": tags.cloned().unwrap_or_else(|| json!([])),
            "commitMessage": self.commit_message,
            "isActive": self.holds("production"),
        })
    }
}

/// A list of texts; empty for null.
fn strings(value: &Value) -> Option<Vec<String>> {
    if value.is_null() {
        return Some(Vec::new());
    }
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn is_label(label: &str) -> bool {
    let is_valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    !label.is_empty() && label.len() <= MAX_LABEL && label.bytes().all(is_valid)
}

/// Whether a value is a list of messages, with or without their type, and placeholders.
fn is_chat(value: &Value) -> bool {
    let is_entry = |entry: &Value| match entry["type"].as_str() {
        Some("placeholder") => entry["name"].is_string(),
        None | Some("chatmessage") => entry["role"].is_string() && entry["content"].is_string(),
        Some(_) => false,
    };
    value.as_array().is_some_and(|entries| entries.iter().all(is_entry))
}
