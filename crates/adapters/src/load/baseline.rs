//! What a candidate is compared with: nothing, a file, a commit, or a saved report.

#[cfg(test)]
mod tests;

use std::path::Path;

use promptgate_core::document::suggest;
use promptgate_core::model::Diagnostic;

use super::git::{NoMergeBase, NoRepository, Repository};
use super::tree::Tree;

/// A baseline (or candidate) as written in the configuration or on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineSpec {
    /// `none`: thresholds alone.
    None,
    /// `file:PATH`, or a bare path: another prompt file of the work tree.
    File(String),
    /// `git:REF[:PATH]`: a commit, and the prompt's path in it where it differs from the configured one.
    Git {
        /// A branch, tag, commit or expression such as `HEAD~1`.
        reference: String,
        /// The prompt file, relative to the configuration.
        path: Option<String>,
    },
    /// `git:merge-base[:PATH]`: the commit that the change started from.
    MergeBase {
        /// The prompt file, relative to the configuration.
        path: Option<String>,
    },
    /// `report:PATH`: the candidate of a saved report.
    Report(String),
}

const FORMS: &str = "write `git:merge-base`, `git:REF`, `git:REF:PATH`, `file:PATH`, `report:PATH` or `none`";

impl BaselineSpec {
    /// Reads a baseline.
    ///
    /// # Errors
    /// A mistake for an unknown or empty form; `gti:main` and a bare `merge-base` are answered with what was
    /// probably meant.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let shown = || text.chars().filter(|character| !character.is_control()).take(100).collect::<String>();
        if text.trim().is_empty() {
            return Err(Diagnostic::new("the baseline is empty").help(FORMS));
        }
        if text == "none" {
            return Ok(Self::None);
        }
        let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| is_kind(kind)) else {
            if text == "merge-base"
                || text == "HEAD"
                || text.starts_with("HEAD~")
                || text.starts_with("HEAD^")
            {
                return Err(Diagnostic::new(format!("`{}` is no baseline", shown()))
                    .help(format!("did you mean `git:{}`?", shown())));
            }
            if text.eq_ignore_ascii_case("none") {
                return Err(
                    Diagnostic::new(format!("`{}` is no baseline", shown())).help("did you mean `none`?")
                );
            }
            return Ok(Self::File(text.to_owned()));
        };
        let needs = |what: &str| {
            Diagnostic::new(format!("`{}` names no {what}", shown()))
                .help(format!("write `{kind}:{}`", what.to_uppercase()))
        };
        match kind {
            "file" if rest.is_empty() => Err(needs("path")),
            "file" => Ok(Self::File(rest.to_owned())),
            "report" if rest.is_empty() => Err(needs("path")),
            "report" => Ok(Self::Report(rest.to_owned())),
            "git" => {
                let (reference, path) = match rest.split_once(':') {
                    Some((_, "")) => return Err(needs("path").help("write `git:REF:PATH`, or `git:REF`")),
                    Some((reference, path)) => (reference, Some(path.to_owned())),
                    None => (rest, None),
                };
                match reference {
                    "" => Err(needs("ref")),
                    "merge-base" => Ok(Self::MergeBase { path }),
                    _ => Ok(Self::Git { reference: reference.to_owned(), path }),
                }
            }
            _ => {
                let help = match suggest(kind, ["git", "file", "report"]) {
                    Some(known) => format!("did you mean `{known}:{rest}`?"),
                    None => FORMS.to_owned(),
                };
                Err(Diagnostic::new(format!("`{kind}:` is no kind of baseline")).help(help))
            }
        }
    }

    /// Reads a candidate or a policy: a baseline that is neither `none` nor a report.
    ///
    /// # Errors
    /// As [`BaselineSpec::parse`].
    pub fn parse_candidate(text: &str) -> Result<Self, Diagnostic> {
        match Self::parse(text)? {
            Self::None | Self::Report(_) => Err(Diagnostic::new(format!("`{text}` cannot be used here"))
                .help("write a path, `file:PATH`, `git:REF` or `git:REF:PATH`")),
            spec => Ok(spec),
        }
    }
}

/// Whether what stands before a colon is meant as a kind, not as part of a path or a Windows drive.
fn is_kind(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// Where the baseline is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// There is none.
    None {
        /// Why, where nobody asked for `none`.
        note: Option<String>,
    },
    /// A prompt file of the work tree, with the configuration's user message, model and parameters.
    File {
        /// Its path, relative to the configuration.
        path: String,
    },
    /// A commit. Prompt path, user message, model and parameters are those of the configuration at that commit,
    /// read from `tree`; where it has none, those of the head.
    Commit {
        /// The files of that commit.
        tree: Tree,
        /// The prompt's path, where the specification names it.
        path: Option<String>,
        /// How the commit was found: `git:main`, `merge base with origin/main`.
        how: String,
    },
    /// A saved report.
    Report {
        /// Its path, relative to the configuration.
        path: String,
    },
}

/// Finds the baseline of the configuration in `folder`. `variable` looks up the environment of the CI system.
///
/// Without a specification it is `git:merge-base` in a repository where there is something to compare with, else
/// none with a note. A merge base that should be there and is out of reach, as in a clone that is too shallow,
/// is a mistake: it must not pass for "nothing to compare".
///
/// # Errors
/// A mistake with the next step where the commit cannot be found.
pub fn baseline(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Baseline, Diagnostic> {
    found(spec, folder, variable, false)
}

/// The same for a change that must not choose what it is judged by: a merge base that HEAD alone speaks for, by its
/// parents or its message, has to be part of the target branch.
///
/// # Errors
/// As [`baseline`], and for a merge base of which that cannot be seen.
pub fn trusted_baseline(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Baseline, Diagnostic> {
    found(spec, folder, variable, true)
}

fn found(
    spec: Option<&BaselineSpec>,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    trusted: bool,
) -> Result<Baseline, Diagnostic> {
    match spec {
        Some(BaselineSpec::None) => Ok(Baseline::None { note: None }),
        Some(BaselineSpec::File(path)) => Ok(Baseline::File { path: path.clone() }),
        Some(BaselineSpec::Report(path)) => Ok(Baseline::Report { path: path.clone() }),
        Some(BaselineSpec::Git { reference, path }) => {
            let repository = Repository::discover(folder).map_err(Diagnostic::from)?;
            let resolved = repository.resolve(reference)?;
            let tree = Tree::Commit { repository, commit: resolved.commit, reference: reference.clone() };
            Ok(Baseline::Commit { tree, path: path.clone(), how: format!("git:{}", resolved.name) })
        }
        Some(BaselineSpec::MergeBase { path }) => {
            let repository = Repository::discover(folder).map_err(Diagnostic::from)?;
            merge_base(repository, path.clone(), variable, trusted).map_err(Diagnostic::from)
        }
        None => match Repository::discover(folder) {
            Ok(repository) => match merge_base(repository, None, variable, trusted) {
                Ok(found) => Ok(found),
                Err(NoMergeBase::Nothing(diagnostic)) => Ok(without(&diagnostic)),
                Err(NoMergeBase::OutOfReach(diagnostic)) => Err(diagnostic),
            },
            Err(NoRepository::Absent(diagnostic)) => Ok(without(&diagnostic)),
            Err(NoRepository::Unreadable(diagnostic)) => Err(diagnostic),
        },
    }
}

fn without(reason: &Diagnostic) -> Baseline {
    Baseline::None { note: Some(format!("no baseline: {}", reason.message)) }
}

fn merge_base(
    repository: Repository,
    path: Option<String>,
    variable: &dyn Fn(&str) -> Option<String>,
    trusted: bool,
) -> Result<Baseline, NoMergeBase> {
    let found = repository.merge_base(variable)?;
    if trusted && found.guessed && !repository.is_merged(&found.commit, variable)? {
        return Err(NoMergeBase::OutOfReach(
            Diagnostic::new(format!(
                "the merge base would be the {}, and nothing but HEAD itself says so",
                found.how
            ))
            .help(
                "a change must not choose what it is judged by: fetch the target branch too (`fetch-depth: 0`), or \
                 name it: `git:REF`",
            ),
        ));
    }
    let tree = Tree::Commit { repository, commit: found.commit, reference: "merge-base".to_owned() };
    Ok(Baseline::Commit { tree, path, how: found.how })
}
