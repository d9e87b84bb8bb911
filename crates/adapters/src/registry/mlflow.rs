//! MLflow: prompts as registered models with tags.

#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt as _;
use promptgate_core::model::{Diagnostic, Place};
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
pub(super) use wire::create_version_body;
use wire::{ModelReply, RegisteredModel, SearchPage, StoredModelVersion, VersionReply};

/// The path of the registry's API below the address.
const API: [&str; 3] = ["api", "2.0", "mlflow"];
/// Rows of a page.
const PAGE: &str = "100";
/// Maximum characters of a name and an alias, which are columns of 256.
const MAX_NAME: usize = 250;

const NAMES: Names = Names {
    service: "the registry",
    http: SettingNames {
        url: "release.registry.mlflow.tracking_uri",
        ca_cert: None,
        timeout_help: "check release.registry.mlflow.tracking_uri and the server's load",
        credential: "password",
    },
    credentials: "the variables that user_env and password_env of release.registry.mlflow name",
    permission: "writing needs a key or user with write access",
    example: "https://mlflow.example.org",
};

/// Address and user of an MLflow server.
#[derive(Debug, Clone)]
pub struct MlflowOptions {
    /// `https://mlflow.example.org`.
    pub tracking_uri: String,
    /// The name of the prompt there, if it differs.
    pub name: Option<String>,
    /// The user, for a server with basic authentication.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
}

/// Prompts of an MLflow tracking server, through the REST API of its model registry.
///
/// * A prompt is a registered model with the tag `mlflow.prompt.is_prompt`, a version a model version whose tags hold
///   everything: the text or the messages, the model configuration, the response format. What MLflow has no place for
///   is in tags `promptgate.*`.
/// * A version can be changed under its number with `set-tag`, so its content is compared with its digest.
/// * Labels are aliases; a semantic version is the alias `v2-4-0`, as dots are not allowed. Deleting a version removes
///   its aliases without a message, so this adapter deletes nothing.
/// * The search hides prompts unless its filter has a clause for their tag, and a missing alias is a 400, so labels are
///   read from the whole map of the registered model.
///
/// Tested against the real server (`tests/real`). Sources: `https://mlflow.org/docs/latest/rest-api.html` and
/// `https://mlflow.org/docs/latest/genai/prompt-registry`; what both leave out was read in traffic of the Python client
/// 3.17.2 (`tests/fixtures/registries`).
#[derive(Debug)]
pub struct Mlflow {
    rest: Rest,
    name: Option<String>,
}

impl Mlflow {
    /// Creates a client; nothing is sent yet.
    ///
    /// # Errors
    /// A [`Diagnostic`] for an address that is not http or https, an invalid name, a user without a password or the
    /// other way round, or if a password would be sent without encryption.
    pub fn new(options: MlflowOptions) -> Result<Self, Diagnostic> {
        Self::with_limits(options, Limits::DEFAULT)
    }

    pub(super) fn with_limits(options: MlflowOptions, limits: Limits) -> Result<Self, Diagnostic> {
        let MlflowOptions { tracking_uri, name, user, password } = options;
        let at = |key: &str| Place::file(format!("release.registry.mlflow.{key}"));
        if let Some(problem) = name.as_deref().and_then(name_problem) {
            return Err(Diagnostic::new(problem).at(at("name")).help("choose another name"));
        }
        let basic = match (&user, &password) {
            (Some(user), Some(password)) => Some(Basic { user, password }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Diagnostic::new("a user without a password")
                    .at(at("user_env"))
                    .help("set password_env"));
            }
            (None, Some(_)) => {
                return Err(Diagnostic::new("a password without a user")
                    .at(at("password_env"))
                    .help("set user_env"));
            }
        };
        Ok(Self { rest: Rest::new(&tracking_uri, &NAMES, basic.as_ref(), limits)?, name })
    }

    async fn get_json<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.rest.get(&api_path(path), query).await
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        body: &serde_json::Value,
        effect: Effect,
    ) -> Result<T, Failure> {
        self.rest.send(Method::POST, &api_path(path), body, effect).await
    }

    /// Reads the registered model of a prompt with its aliases; `None` if there is none.
    ///
    /// # Errors
    /// [`PortError::Invalid`] if the name is that of an ordinary model.
    async fn model(&self, name: &str) -> Result<Option<RegisteredModel>, PortError> {
        let model = match self.get_json::<ModelReply>(&["registered-models", "get"], &[("name", name)]).await
        {
            Ok(reply) => reply.registered_model,
            Err(failure) if is_absent(&failure) => return Ok(None),
            Err(failure) => return Err(failure.into()),
        };
        if model.is_prompt() {
            return Ok(Some(model));
        }
        Err(PortError::Invalid(format!(
            "MLflow has a model named {name} that is not a prompt; set another name, such as \
             `registry: {{mlflow: {{…, name: {name}-prompt}}}}`"
        )))
    }

    /// Reads one version; `None` if there is none.
    async fn version(&self, name: &str, version: &str) -> Result<Option<StoredModelVersion>, PortError> {
        let query = [("name", name), ("version", version)];
        match self.get_json::<VersionReply>(&["model-versions", "get"], &query).await {
            Ok(reply) => Ok(Some(reply.model_version).filter(StoredModelVersion::is_prompt)),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Reads a page of versions, the newest first.
    async fn page(&self, name: &str, token: Option<&str>) -> Result<SearchPage, PortError> {
        let filter = format!("name = '{name}' AND tag.`mlflow.prompt.is_prompt` = 'true'");
        let mut query =
            vec![("filter", filter.as_str()), ("max_results", PAGE), ("order_by", "version_number DESC")];
        query.extend(token.map(|token| ("page_token", token)));
        Ok(self.get_json(&["model-versions", "search"], &query).await?)
    }

    /// Reads versions, the newest first, until one is accepted; `None` after the last.
    async fn find(
        &self,
        name: &str,
        mut accept: impl FnMut(StoredModelVersion) -> Option<StoredVersion> + Send,
    ) -> Result<Option<StoredVersion>, PortError> {
        let mut token: Option<String> = None;
        loop {
            let page = self.page(name, token.as_deref()).await?;
            if let Some(found) = page.model_versions.into_iter().find_map(&mut accept) {
                return Ok(Some(found));
            }
            let next = page.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == token {
                return Ok(None);
            }
            token = next;
        }
    }

    /// Sets an alias.
    ///
    /// # Errors
    /// [`PortError::Conflict`] if another writer created the same alias at the same time.
    async fn set_alias(&self, name: &str, alias: &str, version: &str) -> Result<(), PortError> {
        let body = json!({"name": name, "alias": alias, "version": version});
        match self.post::<IgnoredAny>(&["registered-models", "alias"], &body, Effect::Repeatable).await {
            Ok(_) => Ok(()),
            Err(failure) if is_lost_race(&failure) => Err(PortError::Conflict("label in the registry")),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The versions that hold an alias: the map has one at most.
    async fn holders(&self, name: &str, alias: &str) -> Result<Vec<RegistryId>, PortError> {
        let aliases = self.model(name).await?.map(|model| model.aliases).unwrap_or_default();
        Ok(aliases.into_iter().filter(|held| held.alias == alias).map(|held| held.version).collect())
    }

    async fn create(&self, record: &Record) -> Result<RegistryId, PortError> {
        check_record(record)?;
        let name = self.name(&record.name)?;
        let alias = self.label(&record.version.to_string())?;
        let body = create_version_body(record, &name)?;
        if self.model(&name).await?.is_none() {
            let body = wire::create_prompt_body(record, &name);
            match self.post::<IgnoredAny>(&["registered-models", "create"], &body, Effect::Repeatable).await {
                Ok(_) => {}
                Err(failure) if has_code(&failure, "RESOURCE_ALREADY_EXISTS") => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        let id = match self.post::<VersionReply>(&["model-versions", "create"], &body, Effect::Once).await {
            Ok(reply) => reply.model_version.version,
            Err(failure) if failure.is_ambiguous => {
                match self.find_by_digest(&record.name, &record.digest).await {
                    Ok(Some(created)) => created.id,
                    _ => return Err(unknown_outcome(failure)),
                }
            }
            Err(failure) => return Err(failure.into()),
        };
        self.set_alias(&name, &alias, &id).await?;
        check_created(record, &id, self.get(&record.name, &id).await?)?;
        check_holder(&alias, &id, &self.holders(&name, &alias).await?)?;
        Ok(id)
    }

    async fn move_label(&self, name: &Name, label: &Label, id: &RegistryId) -> Result<(), PortError> {
        let (prompt, alias) = (self.name(name)?, self.label(&label.to_string())?);
        if self.get(name, id).await?.is_none() {
            return Err(no_such_version(&prompt, id, label));
        }
        self.set_alias(&prompt, &alias, id).await?;
        check_holder(&alias, id, &self.holders(&prompt, &alias).await?)?;
        self.get(name, id).await?.map(|_| ()).ok_or_else(|| no_such_version(&prompt, id, label))
    }
}

fn api_path<'p>(path: &[&'p str]) -> Vec<&'p str> {
    API.iter().copied().chain(path.iter().copied()).collect()
}

fn has_code(failure: &Failure, code: &str) -> bool {
    failure.body["error_code"] == code
}

/// Whether the server says that it has no such model or version; a wrong address also gives 404.
fn is_absent(failure: &Failure) -> bool {
    failure.status == Some(StatusCode::NOT_FOUND) && has_code(failure, "RESOURCE_DOES_NOT_EXIST")
}

/// Whether the database refused a row that another writer inserted first. The server passes its text on, which names the
/// exception of the database's driver.
fn is_lost_race(failure: &Failure) -> bool {
    let message = failure.body["message"].as_str().unwrap_or_default();
    let is_unique = message.contains("IntegrityError") || message.contains("UniqueViolation");
    failure.status == Some(StatusCode::BAD_REQUEST) && is_unique
}

fn name_problem(name: &str) -> Option<String> {
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    if !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_valid) {
        return None;
    }
    Some(format!("invalid prompt name `{name}` for MLflow: expected letters, digits, `_`, `.` and `-`"))
}

impl Registry for Mlflow {
    fn kind(&self) -> &'static str {
        "mlflow"
    }

    fn location(&self) -> String {
        self.rest.location()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            unset_label: true,
            label_map: true,
            text_prompts: true,
            immutable: false,
            in_ledger: false,
        }
    }

    /// The client caches an alias for 60 s and then fetches it before it returns.
    fn staleness(&self) -> Staleness {
        Staleness { cache_ttl: Duration::from_secs(60), stale_read: false }
    }

    fn name(&self, name: &Name) -> Result<String, PortError> {
        let name = self.name.clone().unwrap_or_else(|| name.to_string());
        match name_problem(&name) {
            None => Ok(name),
            Some(problem) => Err(PortError::Invalid(format!(
                "{problem}; set another one, such as `registry: {{mlflow: {{…, name: {}}}}}`",
                name.replace('/', "-")
            ))),
        }
    }

    fn label(&self, label: &str) -> Result<String, PortError> {
        if let Some(version) = version_label(label) {
            return Ok(format!("v{}-{}-{}", version.major, version.minor, version.patch));
        }
        let is_valid = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        let number = label.strip_prefix(['v', 'V']).unwrap_or_default();
        let problem = match label {
            _ if label.eq_ignore_ascii_case("latest") => "it is the newest version and moves by itself",
            _ if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                "`v` and a number is reserved"
            }
            _ if label.is_empty() || label.len() > MAX_NAME || !label.chars().all(is_valid) => {
                "expected letters, digits, `_` and `-`"
            }
            _ => return Ok(label.to_owned()),
        };
        Err(PortError::Invalid(format!("invalid label `{label}` for MLflow: {problem}")))
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
            let has_digest = |version: StoredModelVersion| {
                let (_, published) = version.published()?;
                (published == *digest).then(|| version.into_stored())
            };
            self.find(&name, has_digest).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a Name, id: &'a RegistryId) -> PortResult<'a, Option<StoredVersion>> {
        async move {
            let name = self.name(name)?;
            if version_number(id).is_none() {
                return Ok(None);
            }
            let Some(version) = self.version(&name, id).await? else { return Ok(None) };
            version.check_readable()?;
            check_unchanged(version.into_stored()).map(Some)
        }
        .boxed()
    }

    fn versions<'a>(&'a self, name: &'a Name) -> PortResult<'a, Vec<StoredVersion>> {
        async move {
            let name = self.name(name)?;
            let mut versions = Vec::new();
            let collect = |version: StoredModelVersion| {
                versions.push(version.into_stored());
                None
            };
            self.find(&name, collect).await?;
            Ok(versions)
        }
        .boxed()
    }

    fn labels<'a>(&'a self, name: &'a Name) -> PortResult<'a, BTreeMap<Label, Vec<RegistryId>>> {
        async move {
            let name = self.name(name)?;
            let mut held = BTreeMap::<Label, Vec<RegistryId>>::new();
            for entry in self.model(&name).await?.map(|model| model.aliases).unwrap_or_default() {
                if let Some(label) = MANAGED.into_iter().find(|label| label.to_string() == entry.alias) {
                    held.entry(label).or_default().push(entry.version);
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
