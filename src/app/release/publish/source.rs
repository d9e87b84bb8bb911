//! The prompt of a suite as it would be published, and the controls that hold for it.

use std::path::{Path, PathBuf};

use super::before::Before;
use crate::app::release::approvals::CollectedApprovals;
use crate::app::release::claims::Claims;
use crate::app::release::content;
use crate::app::release::secrets;
use crate::app::sources::configured;
use crate::app::suite::{self, SuiteOptions};
use crate::app::{Environment, Failure};
use crate::config::ReleaseSettings;
use promptgate_adapters::files::{self, ParsedPrompt, PromptSource, Tree, parse_prompt};
use promptgate_adapters::git::{self, Repository};
use promptgate_core::model::{Diagnostic, Message, MessageRole, Place};
use promptgate_core::text::Redactor;
use promptgate_release::{Change, Content, Record, ReleasePolicy};
use promptgate_report::Report;

/// The prompt of a suite.
pub(super) struct Source {
    /// The settings of the release.
    pub(super) release: ReleaseSettings,
    /// The path of the configuration, for messages.
    pub(super) shown: String,
    /// The folder of the configuration.
    pub(super) folder: PathBuf,
    /// The content.
    pub(super) content: Content,
    /// The claims of the front matter.
    pub(super) claims: Claims,
    /// The repository; `None` outside one.
    pub(super) repository: Option<Repository>,
    /// The commit that is published; `None` outside a repository.
    pub(super) commit: Option<String>,
    /// The files that make the content, relative to the root of the repository.
    pub(super) paths: Vec<String>,
    /// The digest of the dataset.
    dataset: String,
    /// The controls before the change.
    before: Before,
}

impl Source {
    /// Reads the suite of a configuration.
    ///
    /// # Errors
    /// An invalid suite, a prompt that holds a secret, and files that differ from the commit.
    pub(super) async fn read(config: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let options = SuiteOptions {
            config: config.map(Path::to_owned),
            // Nothing is compared here.
            baseline: Some("none".to_owned()),
            ..SuiteOptions::default()
        };
        let suite = suite::load(&options, None, environment).await?;
        let configured = configured(config)?;
        let (settings, location) = (configured.settings, configured.location);
        let release = settings.release.clone().ok_or_else(|| {
            Diagnostic::new("this configuration has no `release:`")
                .at(Place::file(&location.shown))
                .help("add `release: {ledger: git}`")
        })?;
        let repository = Repository::discover(&location.folder).ok();
        let commit = repository.as_ref().map(|repository| repository.resolve("HEAD")).transpose();
        let commit = commit.map_err(|diagnostic| diagnostic.help("commit what is to be published first"))?;
        let commit = commit.map(|resolved| resolved.commit);
        let tree = match &commit {
            Some(commit) => Tree::guarded(&location.folder)?.checked_against(commit)?,
            None => Tree::work_tree(&location.folder),
        };
        if let Some(commit) = &commit {
            let read = [location.name.as_str(), settings.prompt.path()].into_iter();
            committed(&tree, read.chain(settings.extends.as_deref()), commit)?;
        }
        let prompt = files::fetch_prompt(&tree, settings.prompt.path())?;
        let source = PromptSource {
            path: settings.prompt.path().to_owned(),
            inline: None,
            user: settings.user.clone(),
            model: settings.model.as_ref().map(|model| model.value.clone()),
            parameters: settings.parameters.clone(),
        };
        let parsed = parse_prompt(&prompt, &source)?.value;
        refuse_parts(&parsed, &prompt.file)?;
        let content = content::of_prompt(&parsed, content::schema_of_suite(&settings.checks, &tree).as_ref());
        let claims = Claims::of(&parsed.front_matter, &prompt.file);
        refuse_secrets(&content, &claims, [&suite.redactor, &environment.redactor()])?;
        let before = match repository.as_ref().zip(commit.as_deref()) {
            Some((repository, commit)) => Before::read(repository, commit, &location.name, environment)?,
            None => Before::default(),
        };
        let schema = content::schema_file(&settings.checks);
        let named = [location.name.as_str(), settings.prompt.path()].into_iter().chain(schema);
        let named = named.chain(settings.extends.as_deref());
        let from_root = |path: &str| match &repository {
            Some(repository) => repository.path_from_root(path),
            None => Ok(path.to_owned()),
        };
        let paths = named.map(from_root).collect::<Result<_, Diagnostic>>()?;
        Ok(Self {
            release,
            shown: location.shown,
            folder: location.folder,
            content,
            claims,
            repository,
            commit,
            paths,
            dataset: suite.plan.dataset().facts.digest.clone(),
            before,
        })
    }

    /// The controls that hold, if `latest` is the newest published version.
    pub(super) fn policy<'a>(&'a self, latest: Option<&'a Record>) -> &'a ReleasePolicy {
        self.before.policy(&self.release, latest)
    }

    /// Refuses controls of which nobody can tell whether the change itself brought them.
    ///
    /// # Errors
    /// Such controls, for a ledger that others trust.
    pub(super) fn require_known_policy(&self, latest: Option<&Record>) -> Result<(), Diagnostic> {
        self.before.require_known(&self.release, latest, &self.shown)
    }

    /// Where the change is from.
    pub(super) fn change(&self, collected: &CollectedApprovals) -> Change {
        let committed = self.repository.as_ref().zip(self.commit.as_deref());
        let time = committed.and_then(|(repository, commit)| repository.committed_at(commit).ok());
        Change {
            commit: self.commit.clone(),
            committed_at: time.and_then(|time| time.parse().ok()),
            authors: collected.authors.clone(),
            pull_request: collected.pull_request,
            path: self.paths.get(1).cloned(),
        }
    }

    /// Refuses a report over other cases than those of the suite.
    ///
    /// # Errors
    /// Another dataset.
    pub(super) fn refuse_other_dataset(&self, report: &Report, path: &Path) -> Result<(), Diagnostic> {
        if report.dataset.digest == self.dataset {
            return Ok(());
        }
        Err(Diagnostic::new("this report is over other cases than those of the suite")
            .at(Place::file(path.display().to_string()))
            .help("run the gate again on this commit, without --filter and --tag"))
    }
}

/// Requires that a commit holds files.
fn committed<'a>(
    tree: &Tree,
    paths: impl IntoIterator<Item = &'a str>,
    commit: &str,
) -> Result<(), Diagnostic> {
    for path in paths {
        // The bytes are compared with the commit's.
        tree.find(path, files::FILE_LIMIT)?;
        if tree.is_in_evaluated_commit(path) != Some(true) {
            return Err(Diagnostic::new(format!("commit {} does not hold this file", git::short(commit)))
                .at(Place::file(path))
                .help("commit what is to be published"));
        }
    }
    Ok(())
}

/// Refuses a prompt that holds a key of this environment, in its content or in the reason.
fn refuse_secrets(content: &Content, claims: &Claims, redactors: [&Redactor; 2]) -> Result<(), Diagnostic> {
    let whole = serde_json::to_string(content).unwrap_or_default();
    let messages = content.messages.iter().map(|message| message.content.as_str());
    for redactor in redactors {
        for text in messages.clone().chain([whole.as_str()]) {
            secrets::refuse(text, "the prompt", &claims.place, redactor)?;
        }
        secrets::refuse(claims.reason.as_deref().unwrap_or_default(), "the reason", &claims.place, redactor)?;
    }
    Ok(())
}

/// Refuses messages that are more than text: registries and the applications that read them take a role and a text.
fn refuse_parts(prompt: &ParsedPrompt, file: &str) -> Result<(), Diagnostic> {
    let is_text = |message: &Message| {
        message.images.is_empty() && message.tool_calls.is_empty() && message.role != MessageRole::Tool
    };
    let messages = prompt.variant.messages.iter().zip(&prompt.variant.lines);
    match messages.into_iter().find(|(message, _)| !is_text(message)) {
        None => Ok(()),
        Some((_, line)) => {
            let message =
                "a prompt with images or tool calls cannot be published: registries take text alone";
            let help = "add images and tool calls in the application that uses the prompt";
            Err(Diagnostic::new(message).at(Place::line(file, *line)).help(help))
        }
    }
}
