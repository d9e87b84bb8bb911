//! Langfuse: prompts with integer versions and labels.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use promptgate_core::model::Diagnostic;
use promptgate_core::text::Secret;
use promptgate_release::ports::{Capabilities, PortResult, Registry, RegistryId, Staleness, StoredVersion};
use promptgate_release::{Digest, Label, Name, PortError, Record};
use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use serde_json::json;

use super::read_back::{
    check_created, check_holder, check_record, check_unchanged, no_such_version, unknown_outcome,
};
use super::{MANAGED, version_label, version_number};
use crate::http::SettingNames;
use crate::rest::{Basic, Effect, Failure, Limits, Names, Rest};
pub(crate) use wire::config;
use wire::{Listing, Row};

/// The path of the prompts below the address.
const PROMPTS: [&str; 4] = ["api", "public", "v2", "prompts"];
/// Maximum characters of a name and of a label (`PromptNameSchema` and `PromptLabelSchema` of the server).
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 36;
/// Names that are pages of its web interface.
const RESERVED_NAMES: [&str; 3] = ["new", "metrics", "prompt-detail"];
/// Rows of a page of the list, the most that the server takes.
const PAGE: &str = "100";
/// Versions that are read at the same time.
const CONCURRENCY: usize = 4;

const NAMES: Names = Names {
    service: "the registry",
    http: SettingNames {
        url: "release.registry.langfuse.base_url",
        ca_cert: None,
        timeout_help: "check release.registry.langfuse.base_url and the server's load",
        credential: "secret key",
    },
    credentials: "the variables that public_key_env and secret_key_env of release.registry.langfuse name",
    permission: "writing needs a key or user with write access",
    example: "https://cloud.langfuse.com",
};

/// Address and keys of a Langfuse project.
#[derive(Debug, Clone)]
pub struct LangfuseOptions {
    /// `https://cloud.langfuse.com`, or the address of an own server.
    pub base_url: String,
    /// The public key, `pk-lf-…`.
    pub public_key: Secret,
    /// The secret key, `sk-lf-…`.
    pub secret_key: Secret,
    /// The name of the prompt there, if it differs.
    pub name: Option<String>,
}

/// Prompts of a Langfuse project, through its public API v2.
///
/// * A version is an integer, and immutable. Its semantic version is the label `v2.4.0`; `config` holds model and
///   parameters by their names, an answer schema as `response_format`, and promptgate's metadata under `promptgate`.
///   `latest` moves by itself, and no other label is set when a version is created.
/// * Labels are added and moved, never removed: `PATCH` takes labels to add, and `DELETE` with a label deletes the
///   versions that hold it, so this adapter sends no `DELETE`.
/// * That a label has one holder is not a constraint of the database, so holders are counted with the list.
/// * A text that refers to another prompt (`@@@langfusePrompt:…@@@`) is refused: it would change with the other one.
///
/// Sources: `https://langfuse.com/docs/prompt-management` and `https://api.reference.langfuse.com`; what both leave out
/// was read in the server's source (`web/src/features/prompts/server`) and in traffic of its SDKs
/// (`tests/fixtures/registries`).
#[derive(Debug)]
pub struct Langfuse {
    rest: Rest,
    name: Option<String>,
}

impl Langfuse {
    /// Creates a client; nothing is sent yet. Writing needs a project key with full access; a viewer's key reads.
    ///
    /// # Errors
    /// A [`Diagnostic`] for an invalid address or name, or if the keys would be sent without encryption.
    pub fn new(options: LangfuseOptions) -> Result<Self, Diagnostic> {
        Self::with_limits(options, Limits::DEFAULT)
    }

    pub(super) fn with_limits(options: LangfuseOptions, limits: Limits) -> Result<Self, Diagnostic> {
        let LangfuseOptions { base_url, public_key, secret_key, name } = options;
        if let Some(problem) = name.as_deref().and_then(name_problem) {
            return Err(Diagnostic::new(problem)
                .at(promptgate_core::model::Place::file("release.registry.langfuse.name"))
                .help("choose another name"));
        }
        let basic = Basic { user: public_key.expose(), password: &secret_key };
        Ok(Self { rest: Rest::new(&base_url, &NAMES, Some(&basic), limits)?, name })
    }

    /// Reads one version; `None` if there is none.
    async fn row(&self, name: &str, version: &str) -> Result<Option<Row>, PortError> {
        let path = prompt_path(name, &[]);
        match self.rest.get::<Row>(&path, &[("version", version)]).await {
            Ok(row) => Ok(Some(row)),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The versions that a filter of the list leaves, the newest first.
    async fn numbers(&self, name: &str, label: Option<&str>) -> Result<Vec<u64>, PortError> {
        let mut numbers = Vec::new();
        let mut page = 1_u64;
        loop {
            let number = page.to_string();
            let mut query = vec![("name", name), ("page", number.as_str()), ("limit", PAGE)];
            query.extend(label.map(|label| ("label", label)));
            let listing: Listing = self.rest.get(&PROMPTS, &query).await?;
            let is_last = listing.is_last(page);
            for entry in listing.data.into_iter().filter(|entry| entry.name == name) {
                numbers.extend(entry.versions);
            }
            if is_last {
                break;
            }
            page += 1;
        }
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.dedup();
        Ok(numbers)
    }

    /// The versions that hold a label, counted over all of them.
    async fn holders(&self, name: &str, label: &str) -> Result<Vec<RegistryId>, PortError> {
        let numbers = self.numbers(name, Some(label)).await?;
        Ok(numbers.iter().map(u64::to_string).collect())
    }

    /// Adds a label to a version, which removes it from the others.
    async fn add_label(&self, name: &str, label: &str, id: &str) -> Result<(), Failure> {
        let path = prompt_path(name, &["versions", id]);
        let body = json!({ "newLabels": [label] });
        let _: IgnoredAny = self.rest.send(Method::PATCH, &path, &body, Effect::Repeatable).await?;
        Ok(())
    }

    async fn create(&self, record: &Record) -> Result<RegistryId, PortError> {
        check_record(record)?;
        let name = self.name(&record.name)?;
        let label = self.label(&record.version.to_string())?;
        let body = wire::create_body(record, &name, &label)?;
        let id = match self.rest.send::<Row>(Method::POST, &PROMPTS, &body, Effect::Once).await {
            Ok(row) => row.version.to_string(),
            Err(failure) if is_lost_race(&failure) => return Err(PortError::Conflict("registry")),
            Err(failure) if failure.is_ambiguous => {
                match self.find_by_digest(&record.name, &record.digest).await {
                    Ok(Some(created)) => created.id,
                    _ => return Err(unknown_outcome(failure)),
                }
            }
            Err(failure) => return Err(failure.into()),
        };
        check_created(record, &id, self.get(&record.name, &id).await?)?;
        check_holder(&label, &id, &self.holders(&name, &label).await?)?;
        Ok(id)
    }

    async fn move_label(&self, name: &Name, label: &Label, id: &RegistryId) -> Result<(), PortError> {
        let (prompt, text) = (self.name(name)?, self.label(&label.to_string())?);
        if self.get(name, id).await?.is_none() {
            return Err(no_such_version(&prompt, id, label));
        }
        self.add_label(&prompt, &text, id).await?;
        let mut holders = self.holders(&prompt, &text).await?;
        if holders.len() > 1 && holders.contains(id) {
            // Two moves at the same time can leave two holders; the same request once more removes the other.
            self.add_label(&prompt, &text, id).await?;
            holders = self.holders(&prompt, &text).await?;
        }
        check_holder(&text, id, &holders)?;
        self.get(name, id).await?.map(|_| ()).ok_or_else(|| no_such_version(&prompt, id, label))
    }
}

/// The path of a prompt, with segments below it.
fn prompt_path<'p>(name: &'p str, below: &[&'p str]) -> Vec<&'p str> {
    PROMPTS.iter().copied().chain([name]).chain(below.iter().copied()).collect()
}

/// Whether the server says that it has no such prompt, version or label; a wrong address also gives 404.
fn is_absent(failure: &Failure) -> bool {
    failure.status == Some(StatusCode::NOT_FOUND) && failure.body["error"] == "LangfuseNotFoundError"
}

/// Whether two versions were created at the same time, of which this one was rolled back by the database.
fn is_lost_race(failure: &Failure) -> bool {
    let message = failure.body["message"].as_str().unwrap_or_default();
    failure.status == Some(StatusCode::BAD_REQUEST) && message.contains("unique constraint")
}

fn name_problem(name: &str) -> Option<String> {
    let invalid = |rule: &str| Some(format!("invalid prompt name `{name}` for Langfuse: {rule}"));
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return invalid(&format!("expected 1 to {MAX_NAME} characters"));
    }
    if name.contains(|letter: char| matches!(letter, '|' | '<' | '>') || letter.is_control()) {
        return invalid("`|`, `<`, `>` and control characters are not allowed");
    }
    if RESERVED_NAMES.contains(&name) {
        return invalid("it is reserved");
    }
    None
}

impl Registry for Langfuse {
    fn kind(&self) -> &'static str {
        "langfuse"
    }

    fn location(&self) -> String {
        self.rest.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            unset_label: false,
            label_map: false,
            text_prompts: true,
            immutable: true,
            in_ledger: false,
        }
    }

    /// The SDKs cache for 60 s and return the old prompt once more while they fetch the new one.
    fn staleness(&self) -> Staleness {
        Staleness { cache_ttl: Duration::from_secs(60), stale_read: true }
    }

    fn name(&self, name: &Name) -> Result<String, PortError> {
        let name = self.name.clone().unwrap_or_else(|| name.to_string());
        match name_problem(&name) {
            None => Ok(name),
            Some(problem) => Err(PortError::Invalid(format!(
                "{problem}; set another one, such as `registry: {{langfuse: {{…, name: {name}-prompt}}}}`"
            ))),
        }
    }

    fn label(&self, label: &str) -> Result<String, PortError> {
        if let Some(version) = version_label(label) {
            return Ok(format!("v{version}"));
        }
        let is_valid = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-' | '.');
        let problem = match label {
            "latest" => "it is the newest version and moves by itself".to_owned(),
            "" => "it is empty".to_owned(),
            _ if label.len() > MAX_LABEL => format!("expected at most {MAX_LABEL} characters"),
            _ if !label.chars().all(is_valid) => "expected a-z, 0-9, `_`, `-` and `.`".to_owned(),
            _ => return Ok(label.to_owned()),
        };
        Err(PortError::Invalid(format!("invalid label `{label}` for Langfuse: {problem}")))
    }

    fn create_version<'a>(&'a self, record: &'a Record) -> PortResult<'a, RegistryId> {
        self.create(record).boxed()
    }

    fn find_by_digest<'a>(
        &'a self,
        name: &'a Name,
        digest: &'a Digest,
    ) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            let name = self.name(name)?;
            let numbers = self.numbers(&name, None).await?;
            let mut rows = stream::iter(numbers.iter().map(u64::to_string))
                .map(|number| {
                    let name = &name;
                    async move { self.row(name, &number).await }
                })
                .buffered(CONCURRENCY);
            while let Some(row) = rows.try_next().await? {
                let Some(row) = row else { continue };
                if row.published().is_some_and(|(_, published)| published == *digest) {
                    return Ok(Some(row.into_stored()));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            let name = self.name(name)?;
            // Other texts are no version; the server would answer with the one of the label `production`.
            if version_number(id).is_none() {
                return Ok(None);
            }
            let Some(row) = self.row(&name, id).await? else { return Ok(None) };
            row.check_readable(&name)?;
            check_unchanged(row.into_stored()).map(Some)
        }
        .boxed()
    }

    fn versions<'a>(&'a self, name: &'a Name) -> PortResult<'a, Vec<StoredVersion>> {
        async move {
            let name = self.name(name)?;
            let numbers = self.numbers(&name, None).await?;
            stream::iter(numbers.iter().map(u64::to_string))
                .map(|number| {
                    let name = &name;
                    async move { self.row(name, &number).await }
                })
                .buffered(CONCURRENCY)
                .try_filter_map(|row| async { Ok(row.map(Row::into_stored)) })
                .try_collect()
                .await
        }
        .boxed()
    }

    fn labels<'a>(&'a self, name: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>> {
        async move {
            let name = self.name(name)?;
            let mut held = BTreeMap::new();
            for label in MANAGED {
                let holders = self.holders(&name, &label.to_string()).await?;
                if !holders.is_empty() {
                    held.insert(label, holders);
                }
            }
            Ok(held)
        }
        .boxed()
    }

    fn set_label<'a>(&'a self, name: &'a Name, label: &'a Label, id: &'a RegistryId) -> PortResult<'a, ()> {
        self.move_label(name, label, id).boxed()
    }
}
