//! `--changed`: which suites differ from the commit that a change is based on, as the gate of a pull request decides it.

use std::path::PathBuf;

use super::super::evaluate::RunOptions;
use super::super::sources::{self, KnownBase};
use super::super::{Environment, Failure, ci};
use super::{NamedSuite, Selected, SuiteChoice, select};
use crate::config;
use promptgate_adapters::git::{Repository, short};
use promptgate_core::model::{Diagnostic, Place};

/// The flag.
const FLAG: &str = "--changed";

/// The commit that suites are compared with.
pub(crate) struct Changes {
    base: KnownBase,
    /// Whether it is HEAD itself.
    is_head: bool,
}

impl Changes {
    /// Finds the merge base of HEAD with a reference, else with the branch that changes are merged into; with `trusted` not one
    /// that only HEAD supports.
    ///
    /// # Errors
    /// No repository, an unknown reference, and no common commit.
    pub(crate) fn since(
        reference: Option<&str>,
        environment: &Environment,
        trusted: bool,
    ) -> Result<Self, Failure> {
        let at = |error| Diagnostic::from(error).or_at(&Place::file(FLAG));
        let repository = Repository::discover(&sources::current_folder()?).map_err(at)?;
        let found = match reference {
            Some(reference) => repository.merge_base_with(reference),
            None => repository.merge_base(&|name| environment.variable(name)),
        };
        let found = found.map_err(|error| {
            let error = at(error);
            let is_unnamed =
                reference.is_none() && error.help.as_ref().is_some_and(|help| help.contains("baseline"));
            if is_unnamed { error.help("name a branch or commit: `--changed=REF`") } else { error }
        })?;
        let variable = |name: &str| environment.variable(name);
        if trusted
            && found.guessed
            && !repository.is_merged(&found.commit, &variable).map_err(Failure::from)?
        {
            let message =
                format!("the merge base would be the {}, but only HEAD itself indicates that", found.how);
            let help = "a change must not choose what it is compared with: also fetch the target branch, or name it, \
                        `--changed=REF`";
            return Err(Diagnostic::new(message).at(Place::file(FLAG)).help(help).into());
        }
        let is_head = repository.resolve("HEAD").is_ok_and(|head| head.commit == found.commit);
        let base = KnownBase { commit: Some(found.commit), how: found.how, evaluated: None, if_needed: None };
        Ok(Self { base, is_head })
    }

    /// Refuses a flag that chooses what is evaluated or judged by a file of its own, which no commit is compared with.
    ///
    /// # Errors
    /// Such a flag.
    pub(crate) fn refuse(flag: Option<&str>) -> Result<(), Failure> {
        let Some(flag) = flag else { return Ok(()) };
        let message =
            format!("`--changed` compares suites, and cannot tell whether what {flag} names has changed");
        let help = format!("leave `--changed` out; {flag} is taken with it as a commit: `git:REF`");
        let help = if flag == "--candidate" { "leave `--changed` out".to_owned() } else { help };
        Err(Diagnostic::new(message).at(Place::file(flag)).help(help).into())
    }

    /// Selects suites: without a name those of the nearest list, else all in the current folder and below it.
    ///
    /// # Errors
    /// As [`select`].
    pub(crate) fn select(choice: &SuiteChoice) -> Result<Selected, Failure> {
        if choice.all || !choice.named.is_empty() {
            return select(choice);
        }
        let here = sources::current_folder()?;
        let nearest = config::find(&here).map(|_| select(choice)).transpose()?;
        match nearest {
            Some(list @ Selected::Several { .. }) => Ok(list),
            _ if sources::configurations(&here).is_empty() => select(choice),
            _ => select(&SuiteChoice { all: true, ..choice.clone() }),
        }
    }

    /// The choice that makes the selection.
    pub(crate) fn choice(choice: &SuiteChoice) -> SuiteChoice {
        let is_list = || matches!(select(choice), Ok(Selected::Several { .. }));
        let all = choice.all || (choice.named.is_empty() && !is_list());
        SuiteChoice { all, ..choice.clone() }
    }

    /// The commit.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.base.commit.as_deref()
    }

    /// The configurations of a selection, for [`super::named`].
    ///
    /// # Errors
    /// No configuration.
    pub(crate) fn configurations(selected: &Selected) -> Result<Vec<PathBuf>, Failure> {
        Ok(match selected {
            Selected::One(named) => vec![sources::configuration_file(named.as_deref())?],
            Selected::Several { configurations, .. } => configurations.clone(),
        })
    }

    /// Whether a suite differs: its prompt, its dataset, its policy or a file that these name, committed or not.
    pub(crate) async fn include(&self, run: &RunOptions, environment: &Environment) -> bool {
        !ci::is_suite_of(run, &self.base, environment).await
    }

    /// The commit in words.
    pub(crate) fn describe(&self) -> String {
        let commit = self.base.commit.as_deref().map(short).unwrap_or_default();
        format!("{commit} ({})", self.base.how)
    }

    /// The failure of a run in which no suite differs.
    pub(crate) fn nothing(&self, suites: &[NamedSuite]) -> Failure {
        let count = match suites {
            [only] => format!("{} does not differ", sources::shown_path(&only.name)),
            all => format!("none of the {} suites differs", all.len()),
        };
        let base = self.describe();
        let (message, help) = if self.is_head {
            (
                format!(
                    "nothing to compare: {count} from {base}, which is HEAD itself: nothing is evaluated"
                ),
                "commit to a branch, or name another base with `--changed=REF`; leave `--changed` out to evaluate all the same",
            )
        } else {
            (
                format!("{count} from {base}: nothing is evaluated"),
                "leave `--changed` out to evaluate them all the same",
            )
        };
        Failure::Nothing(Diagnostic::new(message).at(Place::file(FLAG)).help(help))
    }
}
