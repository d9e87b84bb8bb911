//! Baseline specifications and their resolution: none, a file, a commit, or a saved report.

#[cfg(test)]
mod tests;

use std::path::Path;

use promptgate_core::document::suggest;
use promptgate_core::model::Diagnostic;
use promptgate_release::{InvalidReference, PromptReference};

use super::tree::Tree;
use crate::git::{GitError, Repository, Variables, named_base};

/// A baseline (or candidate) as written in the configuration or on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineSpec {
    /// `none`: only absolute thresholds apply.
    None,
    /// `file:PATH`, or a bare path: another prompt file of the work tree.
    File(String),
    /// `git:REF[:PATH]`: a commit, with the prompt's path in it if it differs from the configured path.
    Git {
        /// A branch, tag, commit or expression such as `HEAD~1`.
        reference: String,
        /// The prompt file, relative to the configuration.
        path: Option<String>,
    },
    /// `git:merge-base[:PATH]`: the commit on which the change is based.
    MergeBase {
        /// The prompt file, relative to the configuration.
        path: Option<String>,
    },
    /// `report:PATH`: the candidate of a saved report.
    Report(String),
    /// `registry:NAME@VERSION` or `registry:NAME@LABEL`: a version in a registry.
    Registry(PromptReference),
}

/// The use of a specification, for messages.
struct Role<'a> {
    name: &'a str,
    /// Kinds to suggest for a typo.
    kinds: &'static [&'static str],
    /// How to write it.
    forms: &'static str,
}

const BASELINE: Role<'_> = Role {
    name: "baseline",
    kinds: &["git", "file", "report", "registry"],
    forms: "write `git:merge-base`, `git:REF`, `git:REF:PATH`, `file:PATH`, `report:PATH`, `registry:NAME@LABEL` or `none`",
};

impl BaselineSpec {
    /// Parses a baseline.
    ///
    /// # Errors
    /// If the form is unknown or empty. For typos such as `gti:main` or a bare `merge-base`, the help suggests the
    /// correct form.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        Self::read(text, &BASELINE)
    }

    fn read(text: &str, role: &Role<'_>) -> Result<Self, Diagnostic> {
        let shown = || text.chars().filter(|character| !character.is_control()).take(100).collect::<String>();
        if text.trim().is_empty() {
            return Err(Diagnostic::new(format!("the {} is empty", role.name)).help(role.forms));
        }
        if text == "none" {
            return Ok(Self::None);
        }
        let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| is_kind(kind)) else {
            let is_commit = matches!(text, "merge-base" | "HEAD")
                || ["HEAD~", "HEAD^"].iter().any(|start| text.starts_with(start));
            let meant = match text {
                _ if is_commit => format!("git:{}", shown()),
                _ if text.eq_ignore_ascii_case("none") => "none".to_owned(),
                _ => return Ok(Self::File(text.to_owned())),
            };
            return Err(Diagnostic::new(format!("`{}` is not a valid {}", shown(), role.name))
                .help(format!("did you mean `{meant}`?")));
        };
        let missing = |part: &str| {
            Diagnostic::new(format!("`{}` is missing the {part}", shown()))
                .help(format!("write `{kind}:{}`", part.to_uppercase()))
        };
        match kind {
            "file" | "report" if rest.is_empty() => Err(missing("path")),
            "file" => Ok(Self::File(rest.to_owned())),
            "report" => Ok(Self::Report(rest.to_owned())),
            "registry" => rest.parse().map(Self::Registry).map_err(|error: InvalidReference| {
                Diagnostic::new(error.to_string())
                    .help("write `registry:NAME@VERSION` or `registry:NAME@LABEL`")
            }),
            "git" => {
                let (reference, path) = match rest.split_once(':') {
                    Some((_, "")) => return Err(missing("path").help("write `git:REF:PATH`, or `git:REF`")),
                    Some((reference, path)) => (reference, Some(path.to_owned())),
                    None => (rest, None),
                };
                match reference {
                    "" => Err(missing("ref")),
                    "merge-base" => Ok(Self::MergeBase { path }),
                    _ => Ok(Self::Git { reference: reference.to_owned(), path }),
                }
            }
            _ => {
                let help = match suggest(kind, role.kinds.iter().copied()) {
                    Some(known) => format!("did you mean `{known}:{rest}`?"),
                    None => role.forms.to_owned(),
                };
                Err(Diagnostic::new(format!("unknown {} kind `{kind}:`", role.name)).help(help))
            }
        }
    }

    /// Parses the `role`, a candidate or a policy, which has the forms of a baseline except `none` and `report:PATH`.
    ///
    /// # Errors
    /// As [`BaselineSpec::parse`].
    pub fn parse_candidate(text: &str, role: &str) -> Result<Self, Diagnostic> {
        let role = Role {
            name: role,
            kinds: &["git", "file", "registry"],
            forms: "write a path, `file:PATH`, `git:REF`, `git:REF:PATH` or `registry:NAME@VERSION`",
        };
        match Self::read(text, &role)? {
            Self::None | Self::Report(_) => {
                Err(Diagnostic::new(format!("`{text}` cannot be used here")).help(role.forms))
            }
            spec => Ok(spec),
        }
    }
}

/// Whether the text before a colon is a kind, not part of a path or a Windows drive.
fn is_kind(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// A resolved baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// No baseline.
    None {
        /// The reason, unless `none` was requested.
        note: Option<String>,
        /// The error if a criterion needs a baseline: there is a repository, but the branch to compare with is unknown.
        if_needed: Option<Diagnostic>,
    },
    /// A prompt file of the work tree, used with the configuration's user message, model and parameters.
    File {
        /// Path relative to the configuration.
        path: String,
    },
    /// A commit. Prompt path, user message, model and parameters come from the configuration at that commit, read
    /// from `tree`, or from the current configuration if the commit has none.
    Commit {
        /// Files of the commit.
        tree: Tree,
        /// Path of the prompt, if the specification has one.
        path: Option<String>,
        /// How the commit was determined: `git:main`, `merge base with origin/main`.
        how: String,
    },
    /// A saved report.
    Report {
        /// Path relative to the configuration.
        path: String,
    },
}

/// Resolves the baseline of the configuration in `folder`. `variable` looks up environment variables of the CI system.
///
/// The default is `git:merge-base`, or none with a note outside a repository, in one without commits, and where no branch
/// exists to compare with. A repository that cannot be read, a clone that is too shallow, and a base that the CI system
/// names but that is out of reach are errors, never "no baseline".
///
/// # Errors
/// If the commit cannot be found.
pub fn baseline(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: Variables<'_>,
) -> Result<Baseline, Diagnostic> {
    resolve(spec, folder, variable, false)
}

/// Like [`baseline`], for changes that must not choose their own baseline: a merge base inferred only from HEAD's
/// parents or message must be part of the target branch.
///
/// # Errors
/// As [`baseline`], and if an inferred merge base is not known to be on the target branch.
pub fn trusted_baseline(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: Variables<'_>,
) -> Result<Baseline, Diagnostic> {
    resolve(spec, folder, variable, true)
}

fn resolve(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: Variables<'_>,
    trusted: bool,
) -> Result<Baseline, Diagnostic> {
    Ok(match spec {
        Some(BaselineSpec::None) => Baseline::None { note: None, if_needed: None },
        Some(BaselineSpec::File(path)) => Baseline::File { path: path.clone() },
        Some(BaselineSpec::Report(path)) => Baseline::Report { path: path.clone() },
        Some(BaselineSpec::Registry(reference)) => {
            return Err(Diagnostic::new(format!("`registry:{reference}` is a prompt, not files"))
                .help("name a file or a commit: `file:PATH`, `git:REF` or `git:REF:PATH`"));
        }
        Some(BaselineSpec::Git { reference, path }) => {
            let repository = Repository::discover(folder)?;
            let resolved = repository.resolve(reference)?;
            let tree = Tree::Commit { repository, commit: resolved.commit, reference: reference.clone() };
            Baseline::Commit { tree, path: path.clone(), how: format!("git:{}", resolved.name) }
        }
        Some(BaselineSpec::MergeBase { path }) => match merge_base(folder, path.clone(), variable, trusted) {
            Err(GitError::Unborn(reason)) if named_base(variable).is_none() => new_repository(&reason),
            result => result?,
        },
        None => match merge_base(folder, None, variable, trusted) {
            Err(error) if named_base(variable).is_some() => {
                return Err(named_by_ci(error.into(), variable));
            }
            Err(GitError::Absent(reason)) => no_baseline(&reason, None),
            Err(GitError::Unborn(reason)) => new_repository(&reason),
            Err(GitError::NoTrunk(reason)) => no_baseline(&reason, Some(reason.clone())),
            result => result?,
        },
    })
}

fn no_baseline(reason: &Diagnostic, if_needed: Option<Diagnostic>) -> Baseline {
    Baseline::None { note: Some(format!("no baseline: {}", reason.message)), if_needed }
}

/// Everything in a repository without commits is new.
fn new_repository(reason: &Diagnostic) -> Baseline {
    let note = format!("new: {}; judged by thresholds alone", reason.message);
    Baseline::None { note: Some(note), if_needed: None }
}

/// The error of a base that a variable of the CI system names.
fn named_by_ci(reason: Diagnostic, variable: Variables<'_>) -> Diagnostic {
    let Some((name, value)) = named_base(variable) else { return reason };
    let value: String = value.chars().filter(|character| !character.is_control()).take(100).collect();
    Diagnostic {
        message: format!("{name} names the base of a change, `{value}`, but {}", reason.message),
        ..reason
    }
}

fn merge_base(
    folder: &Path,
    path: Option<String>,
    variable: Variables<'_>,
    trusted: bool,
) -> Result<Baseline, GitError> {
    let repository = Repository::discover(folder)?;
    let base = repository.merge_base(variable)?;
    if trusted && base.guessed && !repository.is_merged(&base.commit, variable)? {
        let message =
            format!("the merge base would be the {}, but only HEAD itself indicates that", base.how);
        return Err(Diagnostic::new(message)
            .help(
                "a change must not choose its own baseline: also fetch the target branch (`fetch-depth: 0`), or set \
                 it: `git:REF`",
            )
            .into());
    }
    let tree = Tree::Commit { repository, commit: base.commit, reference: "merge-base".to_owned() };
    Ok(Baseline::Commit { tree, path, how: base.how })
}
