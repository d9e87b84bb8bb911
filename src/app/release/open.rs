//! Finds the configuration that releases a prompt, and opens its ledger and its registry.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{names, secrets};
use crate::app::sources::{
    Released, configurations, configured_release, current_folder, refuse_list, repository_root,
};
use crate::app::{Environment, Failure};
use crate::config::{LedgerSettings, RegistrySettings, ReleaseSettings};
use promptgate_adapters::ledger::{Folder, GitBranch};
use promptgate_adapters::registry::{Embedded, Langfuse, LangfuseOptions, Mlflow, MlflowOptions};
use promptgate_core::document::suggest;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_release::ports::{LedgerStore, Registry};
use promptgate_release::{Actor, Name, RELEASES_PROMPT};

/// Which release is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// A configuration, or its folder.
    pub(crate) config: Option<PathBuf>,
    /// The name of the prompt; `None` for the only one.
    pub(crate) name: Option<Name>,
}

/// An open release.
pub(crate) struct Opened {
    /// The settings.
    pub(crate) settings: ReleaseSettings,
    /// The path of the configuration, for messages.
    pub(crate) shown: String,
    /// The folder of the configuration.
    pub(crate) folder: PathBuf,
    /// The ledger.
    pub(crate) ledger: Arc<dyn LedgerStore>,
}

impl Opened {
    /// Opens the ledger of a release; nothing is fetched.
    ///
    /// # Errors
    /// No configuration that releases the prompt, or several of them.
    pub(crate) fn open(target: &Target) -> Result<Self, Failure> {
        let (shown, folder, settings) = find(target)?;
        Ok(Self::of(settings, shown, folder))
    }

    /// Opens the ledger of a release as [`Opened::open`] does, for a rollback, which nothing may keep from running: where
    /// several configurations release the prompt, any of them will do if ledger and registry are the same.
    ///
    /// # Errors
    /// No configuration that releases the prompt, or several of them with different ledgers or registries.
    pub(super) fn open_any(target: &Target) -> Result<Self, Failure> {
        Self::open(target).or_else(|failure| {
            let (None, Some(name)) = (&target.config, &target.name) else { return Err(failure) };
            let here = current_folder()?;
            let mut releases = names::releases(repository_root(&here).unwrap_or(&here));
            releases.retain(|(_, _, settings)| settings.name == *name);
            let place = |release: &Released| (names::ledger_of(release), release.2.registry.clone());
            let are_equal = releases.windows(2).all(|pair| place(&pair[0]) == place(&pair[1]));
            match releases.into_iter().next() {
                Some((shown, folder, settings)) if are_equal => Ok(Self::of(settings, shown, folder)),
                _ => Err(failure),
            }
        })
    }

    /// Opens the ledger of these settings; nothing is fetched.
    pub(super) fn of(settings: ReleaseSettings, shown: String, folder: PathBuf) -> Self {
        let ledger = open_ledger(&settings.ledger, &folder);
        Self { settings, shown, folder, ledger }
    }

    /// The name of the prompt.
    pub(crate) fn name(&self) -> &Name {
        &self.settings.name
    }

    /// Opens the registry; nothing is sent. `actor` signs labels that are moved in the ledger itself.
    ///
    /// # Errors
    /// Credentials that are not set.
    pub(crate) fn registry(
        &self,
        environment: &Environment,
        actor: &Actor,
    ) -> Result<Arc<dyn Registry>, Failure> {
        self.open_registry(environment, None).map(|server| {
            server.unwrap_or_else(|| Arc::new(Embedded::new(self.ledger.clone(), actor.clone())))
        })
    }

    /// Opens the registry for the assignments of all prompts; `None` where the ledger is the registry.
    ///
    /// # Errors
    /// Credentials that are not set.
    pub(super) fn releases_registry(
        &self,
        environment: &Environment,
    ) -> Result<Option<Arc<dyn Registry>>, Failure> {
        self.open_registry(environment, Some(&RELEASES_PROMPT.replace('/', "-")))
    }

    /// Opens a registry that is a server. `releases` is the name of the assignments where a slash is not allowed; `None` for
    /// the registry of the prompt.
    fn open_registry(
        &self,
        environment: &Environment,
        releases: Option<&str>,
    ) -> Result<Option<Arc<dyn Registry>>, Failure> {
        let secret = |name: &str| secrets::required(name, environment, "the registry", &self.shown);
        Ok(Some(match &self.settings.registry {
            RegistrySettings::Embedded => return Ok(None),
            RegistrySettings::Langfuse { base_url, public_key_env, secret_key_env, name } => {
                Arc::new(Langfuse::new(LangfuseOptions {
                    base_url: base_url.clone(),
                    public_key: secret(public_key_env)?,
                    secret_key: secret(secret_key_env)?,
                    // The configured name is that of one prompt.
                    name: name.clone().filter(|_| releases.is_none()),
                })?)
            }
            RegistrySettings::Mlflow { tracking_uri, name, credentials_env } => {
                let credentials = match credentials_env {
                    Some((user, password)) => Some((secret(user)?, secret(password)?)),
                    None => None,
                };
                let (user, password) = credentials.unzip();
                let user = user.map(|user| user.expose().to_owned());
                let tracking_uri = tracking_uri.clone();
                let name = releases.map(str::to_owned).or_else(|| name.clone());
                Arc::new(Mlflow::new(MlflowOptions { tracking_uri, name, user, password })?)
            }
        }))
    }
}

/// Opens a ledger; paths are relative to `folder`.
pub(crate) fn open_ledger(settings: &LedgerSettings, folder: &Path) -> Arc<dyn LedgerStore> {
    match settings {
        LedgerSettings::Folder(path) => Arc::new(Folder::new(folder.join(path))),
        LedgerSettings::Git { branch, remote } => Arc::new(GitBranch::new(folder, remote, branch)),
    }
}

/// The configuration that releases the prompt: the named one, the nearest, or the only one below the repository's root.
fn find(target: &Target) -> Result<Released, Failure> {
    let (nearest, unread) = match configured_release(target.config.as_deref()) {
        Ok(nearest) => (nearest, Vec::new()),
        // Without a name, nothing else says which prompt is meant.
        Err(failure) if target.config.is_some() || target.name.is_none() => return Err(failure),
        Err(failure) => (None, failure.diagnostics()),
    };
    let Some(name) = &target.name else {
        let config = target.config.as_deref();
        return match nearest {
            Some(nearest) => Ok(nearest),
            None => Err(refuse_list(config).err().unwrap_or_else(|| no_release(config).into())),
        };
    };
    if let Some(found) = nearest.filter(|(_, _, settings)| settings.name == *name) {
        return Ok(found);
    }
    if let Some(config) = &target.config {
        let message = format!("this configuration does not release {name}");
        return Err(Diagnostic::new(message).at(Place::file(config.display().to_string())).into());
    }
    search(name, unread)
}

fn no_release(config: Option<&Path>) -> Diagnostic {
    let file = config.map_or_else(|| "promptgate.yaml".to_owned(), |path| path.display().to_string());
    Diagnostic::new("this configuration has no `release:`")
        .at(Place::file(file))
        .help("add `release: {ledger: git}`, or name the prompt: `promptgate … NAME`")
}

/// Looks at every configuration below the repository's root, else below the current folder. `unread` are the errors of the
/// nearest one.
fn search(name: &Name, unread: Vec<Diagnostic>) -> Result<Released, Failure> {
    let here = current_folder()?;
    let root = repository_root(&here).unwrap_or(&here);
    let mut found: Vec<Released> = Vec::new();
    let (mut names, mut broken) = (Vec::new(), Vec::new());
    for path in configurations(root) {
        let release = match configured_release(Some(&path)) {
            Ok(Some(release)) => release,
            Ok(None) => continue,
            // A broken configuration elsewhere matters only if no other releases the prompt.
            Err(_) => {
                broken.push(path.strip_prefix(&here).unwrap_or(&path).display().to_string());
                continue;
            }
        };
        names.push(release.2.name.to_string());
        if release.2.name == *name {
            found.push(release);
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if broken.is_empty() || near(name, &names).is_some() => Err(unknown(name, &names).into()),
        0 => Err(unreadable(name, &broken, unread).into()),
        _ => {
            let files: Vec<&str> = found.iter().map(|(shown, ..)| shown.as_str()).collect();
            Err(Diagnostic::new(format!(
                "{name} is released by several configurations: {}",
                files.join(", ")
            ))
            .help("give each prompt a `release.name` of its own")
            .into())
        }
    }
}

/// No configuration releases the prompt, but some could not be read; the errors of the nearest one follow.
fn unreadable(name: &Name, broken: &[String], unread: Vec<Diagnostic>) -> Diagnostics {
    let have = if broken.len() == 1 { "has" } else { "have" };
    let message = format!("no configuration releases {name}: {} {have} errors", broken.join(", "));
    let mut diagnostics = vec![Diagnostic::new(message).help(match broken {
        [only] => format!("run `promptgate check {only}`"),
        _ => "run `promptgate check` with each of them".to_owned(),
    })];
    let is_broken =
        |error: &Diagnostic| error.place.as_ref().is_some_and(|place| broken.contains(&place.file));
    diagnostics.extend(unread.into_iter().filter(is_broken));
    Diagnostics(diagnostics)
}

/// The name that was probably meant.
fn near(name: &Name, names: &[String]) -> Option<String> {
    suggest(name.to_string().as_str(), names.iter().map(String::as_str))
}

fn unknown(name: &Name, names: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("no configuration releases {name}"));
    match near(name, names) {
        Some(near) => diagnostic.help(format!("did you mean {near}?")),
        None if names.is_empty() => diagnostic
            .help("run in a clone of the repository that releases it, name its configuration with `--config PATH`, or add \
                   `release: {ledger: git}` to a promptgate.yaml"),
        None => diagnostic.help(format!("configurations here release {}", names.join(", "))),
    }
}
