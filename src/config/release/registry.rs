//! `release.registry`: what applications read.

use schemars::JsonSchema;
use serde::Deserialize;

use super::credentials;
use crate::config::endpoint::base_url;
use crate::config::load::Reader;

/// A registry: `embedded`, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Registry")]
pub(super) enum WrittenRegistry {
    /// The ledger itself, read by `promptgate serve`, `get` and `export`.
    Name(RegistryName),
    /// A server.
    Map(Box<WrittenRegistryMap>),
}

/// The registry's kind.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RegistryName {
    /// The ledger itself.
    Embedded,
}

/// A server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct WrittenRegistryMap {
    /// Langfuse.
    langfuse: Option<WrittenLangfuse>,
    /// MLflow.
    mlflow: Option<WrittenMlflow>,
}

/// Langfuse.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["base_url"]))]
struct WrittenLangfuse {
    /// Address: https://cloud.langfuse.com.
    #[schemars(length(min = 1))]
    base_url: Option<String>,
    /// Environment variable with the public key; LANGFUSE_PUBLIC_KEY by default.
    #[schemars(length(min = 1))]
    public_key_env: Option<String>,
    /// Environment variable with the secret key; LANGFUSE_SECRET_KEY by default.
    #[schemars(length(min = 1))]
    secret_key_env: Option<String>,
    /// Name of the prompt there; that of the release by default.
    #[schemars(length(min = 1))]
    name: Option<String>,
}

/// MLflow.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["tracking_uri"]))]
struct WrittenMlflow {
    /// Address of the tracking server.
    #[schemars(length(min = 1))]
    tracking_uri: Option<String>,
    /// Name of the prompt there; that of the release by default.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// Environment variable with the user name of Basic authentication.
    #[schemars(length(min = 1))]
    user_env: Option<String>,
    /// Environment variable with the password of Basic authentication.
    #[schemars(length(min = 1))]
    password_env: Option<String>,
}

/// The registry that applications read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrySettings {
    /// The ledger itself.
    Embedded,
    /// Langfuse.
    Langfuse {
        /// Address.
        base_url: String,
        /// Environment variable with the public key.
        public_key_env: String,
        /// Environment variable with the secret key.
        secret_key_env: String,
        /// Name of the prompt there; `None` for that of the release.
        name: Option<String>,
    },
    /// MLflow.
    Mlflow {
        /// Address of the tracking server.
        tracking_uri: String,
        /// Name of the prompt there; `None` for that of the release.
        name: Option<String>,
        /// Environment variables with user name and password; `None` without authentication.
        credentials_env: Option<(String, String)>,
    },
}

impl Default for WrittenRegistry {
    fn default() -> Self {
        Self::Name(RegistryName::Embedded)
    }
}

impl WrittenRegistry {
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> Option<RegistrySettings> {
        let map = match self {
            Self::Name(RegistryName::Embedded) => return Some(RegistrySettings::Embedded),
            Self::Map(map) => *map,
        };
        let WrittenRegistryMap { langfuse, mlflow } = map;
        // The schema has reported several and none.
        match (langfuse, mlflow) {
            (Some(langfuse), None) => langfuse.resolve(reader),
            (None, Some(mlflow)) => mlflow.resolve(reader),
            _ => None,
        }
    }
}

impl WrittenLangfuse {
    fn resolve(self, reader: &mut Reader<'_>) -> Option<RegistrySettings> {
        let at = "/release/registry/langfuse";
        // The schema requires it.
        let base_url = base_url(reader, &format!("{at}/base_url"), self.base_url?);
        let (public_key_env, secret_key_env) =
            credentials::langfuse(reader, at, self.public_key_env, self.secret_key_env);
        Some(RegistrySettings::Langfuse {
            base_url: base_url?.value,
            public_key_env: public_key_env?,
            secret_key_env: secret_key_env?,
            name: self.name,
        })
    }
}

impl WrittenMlflow {
    fn resolve(self, reader: &mut Reader<'_>) -> Option<RegistrySettings> {
        let at = "/release/registry/mlflow";
        // The schema requires it.
        let tracking_uri = base_url(reader, &format!("{at}/tracking_uri"), self.tracking_uri?);
        let credentials_env = credentials::basic(reader, at, self.user_env, self.password_env)?;
        Some(RegistrySettings::Mlflow { tracking_uri: tracking_uri?.value, name: self.name, credentials_env })
    }
}

impl RegistrySettings {
    /// The variables that hold credentials.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Embedded => (None, None),
            Self::Langfuse { public_key_env, secret_key_env, .. } => {
                (Some(public_key_env.as_str()), Some(secret_key_env.as_str()))
            }
            Self::Mlflow { credentials_env, .. } => {
                let names =
                    credentials_env.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
                names.unzip()
            }
        };
        first.into_iter().chain(second)
    }
}
