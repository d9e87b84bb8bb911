//! Who acts: the actor of a command, from the variables of a job or the user's git configuration.
//!
//! # What protects it
//! Every variable is a claim: a job of a pull request runs what the pull request says, and can set `GITHUB_EVENT_NAME` and
//! `GITHUB_ACTOR` to whatever it likes. What it does not have is the key of the ledger, which is kept in environments
//! limited to the default branch, so that whatever it claims is never written. For the same reason the approver of a
//! review comes from the API, and never from a variable. A ledger in a folder has no key, and so claims count there.

use std::path::Path;

use crate::app::{Environment, github};
use promptgate_adapters::git::Repository;
use promptgate_adapters::github::EventKind;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_release::{Actor, ActorSource};

/// Variables of the CI systems that do not set `CI`.
const OTHER_CI: [&str; 4] = ["JENKINS_URL", "TF_BUILD", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ID"];
/// Variables with the address of a job.
const RUN_URLS: [&str; 4] = ["BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "CODEBUILD_BUILD_URL"];

/// The system that runs the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Another CI system.
    OtherCi,
    /// None: somebody's machine.
    Local,
}

/// The actor of a command, and how the login is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The actor, as recorded.
    pub(crate) actor: Actor,
    /// The system.
    pub(crate) host: Host,
    /// Other names of the same person: on somebody's machine name, address and user, since the login is a claim anyway.
    pub(crate) aliases: Vec<String>,
    /// Who started this attempt, where it is not the actor: the run of somebody else was run again.
    pub(crate) rerun_by: Option<String>,
}

impl Identity {
    /// Whether the login of a dispatched job is known from the forge. GitLab lets whoever starts a pipeline override its
    /// variables, `GITLAB_USER_LOGIN` among them.
    pub(crate) fn is_verified_dispatch(&self) -> bool {
        self.host == Host::GitHub && self.actor.source == ActorSource::Dispatch
    }

    /// All names of the actor.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.actor.login.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// Returns the actor; `folder` is where git's configuration is read.
///
/// # Errors
/// A job whose variables or event are invalid.
pub(crate) fn identity(environment: &Environment, folder: &Path) -> Result<Identity, Diagnostic> {
    let is_set = |name: &str| environment.variable(name).is_some_and(|value| value != "false");
    if environment.is_github() {
        on_github(environment)
    } else if is_set("GITLAB_CI") {
        Ok(on_gitlab(environment))
    } else if is_set("CI") || OTHER_CI.iter().any(|name| is_set(name)) {
        let login = user(environment).unwrap_or_else(|| "ci".to_owned());
        let run = RUN_URLS.iter().find_map(|name| environment.variable(name)).filter(|url| is_url(url));
        Ok(of(Host::OtherCi, login, ActorSource::OtherBranch, run))
    } else {
        local(environment, folder)
    }
}

fn of(host: Host, login: String, source: ActorSource, run: Option<String>) -> Identity {
    Identity { actor: Actor { login, source, run }, host, aliases: Vec::new(), rerun_by: None }
}

/// The actor is `GITHUB_ACTOR`, who sent the event and, for a dispatch, wrote its inputs. `GITHUB_TRIGGERING_ACTOR` is
/// who pressed "Re-run", for which everybody who may write suffices. A run that somebody else repeats is neither's
/// consent: the actor may have approved a version that had another content, or did not exist, and the other never saw the
/// inputs. So both are kept, and `approve` refuses such a run.
fn on_github(environment: &Environment) -> Result<Identity, Diagnostic> {
    let help = "leave the variables that GitHub sets as they are";
    let actor = environment.variable("GITHUB_ACTOR").filter(|login| github::is_login(login));
    let Some(login) = actor else {
        return Err(Diagnostic::new("missing or invalid login").at(Place::file("GITHUB_ACTOR")).help(help));
    };
    let event = environment.event()?;
    let branch = environment
        .variable("GITHUB_REF")
        .and_then(|reference| reference.strip_prefix("refs/heads/").map(str::to_owned));
    let default = event.as_ref().and_then(|event| event.default_branch.clone());
    let is_default = branch.is_some() && branch == default;
    let source = match event.map(|event| event.kind) {
        Some(EventKind::Push) if is_default => ActorSource::DefaultBranch,
        Some(EventKind::WorkflowDispatch) if is_default => ActorSource::Dispatch,
        // GitHub runs schedules on the default branch alone.
        Some(EventKind::Schedule) if is_default || (default.is_none() && branch.is_some()) => {
            ActorSource::Schedule
        }
        _ => ActorSource::OtherBranch,
    };
    let rerun_by = environment
        .variable("GITHUB_TRIGGERING_ACTOR")
        .filter(|triggering| !triggering.eq_ignore_ascii_case(&login));
    Ok(Identity { rerun_by, ..of(Host::GitHub, login, source, environment.run_url()) })
}

fn on_gitlab(environment: &Environment) -> Identity {
    let login = environment.variable("GITLAB_USER_LOGIN").unwrap_or_else(|| "gitlab".to_owned());
    let branch = environment.variable("CI_COMMIT_BRANCH");
    let is_default = branch.is_some() && branch == environment.variable("CI_DEFAULT_BRANCH");
    let source = match environment.variable("CI_PIPELINE_SOURCE").as_deref() {
        Some("push") if is_default => ActorSource::DefaultBranch,
        Some("web") if is_default => ActorSource::Dispatch,
        Some("schedule") if is_default => ActorSource::Schedule,
        _ => ActorSource::OtherBranch,
    };
    of(Host::GitLab, login, source, environment.variable("CI_JOB_URL").filter(|url| is_url(url)))
}

/// The user of this machine. The login is git's `user.name` where it is one, else the name of the system's user.
fn local(environment: &Environment, folder: &Path) -> Result<Identity, Diagnostic> {
    let git = Repository::discover(folder).ok().map(|repository| repository.user()).transpose()?;
    let (name, email) = git.map(|person| (person.name, person.email)).unwrap_or_default();
    let system = user(environment);
    let login = Some(name.clone()).filter(|name| github::is_login(name)).or_else(|| system.clone());
    let login = login.or_else(|| Some(name.clone()).filter(|name| !name.is_empty()));
    let mut identity =
        of(Host::Local, login.unwrap_or_else(|| "unknown".to_owned()), ActorSource::Local, None);
    identity.aliases = system.into_iter().collect();
    if !name.is_empty() && !email.is_empty() {
        identity.aliases.push(format!("{name} <{email}>"));
    }
    identity.aliases.extend([name, email].into_iter().filter(|part| !part.is_empty()));
    let login = identity.actor.login.clone();
    identity.aliases.retain(|alias| *alias != login);
    Ok(identity)
}

fn user(environment: &Environment) -> Option<String> {
    environment.variable("USER").or_else(|| environment.variable("USERNAME"))
}

/// Whether a text is an address without user and password, which no ledger may hold.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.split(['/', '?', '#']).next().unwrap_or_default().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn on(event: &str, reference: &str, payload: &str, more: &[(&str, &str)]) -> Identity {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event.json");
        std::fs::write(&path, payload).unwrap();
        let path = path.display().to_string();
        let pairs = [
            ("GITHUB_ACTIONS", "true"),
            ("CI", "true"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", &path),
            ("GITHUB_REF", reference),
            ("GITHUB_ACTOR", "Alice"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/support"),
            ("GITHUB_RUN_ID", "17"),
        ];
        identity(&environment(&[&pairs, more].concat()), folder.path()).unwrap()
    }

    const MAIN: &str = r#"{"repository": {"default_branch": "main"}}"#;
    const PULL_REQUEST: &str = r#"{"repository": {"default_branch": "main"}, "pull_request": {"number": 7,
        "base": {"ref": "main"}, "head": {"sha": "1111111111111111111111111111111111111111"}}}"#;
    const GROUP: &str = r#"{"repository": {"default_branch": "main"},
        "merge_group": {"base_sha": "1111111111111111111111111111111111111111"}}"#;

    #[test]
    fn github_source_follows_event_and_branch() {
        use ActorSource::{DefaultBranch, Dispatch, OtherBranch, Schedule};
        let cases = [
            ("push", "refs/heads/main", MAIN, DefaultBranch),
            ("push", "refs/heads/feature", MAIN, OtherBranch),
            ("push", "refs/heads/main/x", MAIN, OtherBranch),
            ("push", "refs/tags/main", MAIN, OtherBranch),
            ("push", "main", MAIN, OtherBranch),
            ("push", "refs/heads/main", "{}", OtherBranch),
            ("workflow_dispatch", "refs/heads/main", MAIN, Dispatch),
            ("workflow_dispatch", "refs/heads/feature", MAIN, OtherBranch),
            ("workflow_dispatch", "refs/heads/main", "{}", OtherBranch),
            ("schedule", "refs/heads/main", MAIN, Schedule),
            ("schedule", "refs/heads/main", "{}", Schedule),
            ("schedule", "refs/heads/feature", MAIN, OtherBranch),
            ("pull_request", "refs/pull/7/merge", PULL_REQUEST, OtherBranch),
            ("pull_request", "refs/heads/main", PULL_REQUEST, OtherBranch),
            ("pull_request_target", "refs/heads/main", PULL_REQUEST, OtherBranch),
            ("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-1", GROUP, OtherBranch),
            ("workflow_run", "refs/heads/main", MAIN, OtherBranch),
            ("issue_comment", "refs/heads/main", MAIN, OtherBranch),
            ("repository_dispatch", "refs/heads/main", MAIN, OtherBranch),
            ("release", "refs/heads/main", MAIN, OtherBranch),
        ];
        for (event, reference, payload, expected) in cases {
            let found = on(event, reference, payload, &[]);
            assert_eq!(found.actor.source, expected, "{event} {reference} {payload}");
            assert_eq!(found.actor.login, "Alice");
            assert_eq!(found.actor.run.as_deref(), Some("https://github.com/acme/support/actions/runs/17"));
            assert_eq!(found.is_verified_dispatch(), expected == Dispatch);
        }
    }

    #[test]
    fn repeated_run_names_who_repeated_it() {
        let run =
            |login| on("workflow_dispatch", "refs/heads/main", MAIN, &[("GITHUB_TRIGGERING_ACTOR", login)]);
        assert_eq!(run("alice").rerun_by, None);
        let other = run("mallory");
        assert_eq!((other.actor.login.as_str(), other.rerun_by.as_deref()), ("Alice", Some("mallory")));
    }

    #[test]
    fn github_without_a_login_or_event_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let fails = |pairs: &[(&str, &str)]| identity(&environment(pairs), folder.path()).unwrap_err();
        let github = ("GITHUB_ACTIONS", "true");
        assert!(fails(&[github]).to_string().contains("GITHUB_ACTOR"));
        assert!(fails(&[github, ("GITHUB_ACTOR", "a/../b")]).to_string().contains("GITHUB_ACTOR"));
        let event = ("GITHUB_EVENT_NAME", "workflow_dispatch");
        assert!(fails(&[github, ("GITHUB_ACTOR", "a"), event]).to_string().contains("GITHUB_EVENT_PATH"));
    }

    #[test]
    fn gitlab_dispatch_is_no_verified_login() {
        let run = |source: &str, branch: &str| {
            let pairs = [
                ("GITLAB_CI", "true"),
                ("CI", "true"),
                ("GITLAB_USER_LOGIN", "bob"),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_PIPELINE_SOURCE", source),
                ("CI_COMMIT_BRANCH", branch),
                ("CI_JOB_URL", "https://gitlab.example/j/1"),
            ];
            identity(&environment(&pairs), Path::new("/")).unwrap()
        };
        for (source, branch, expected) in [
            ("push", "main", ActorSource::DefaultBranch),
            ("web", "main", ActorSource::Dispatch),
            ("schedule", "main", ActorSource::Schedule),
            ("push", "other", ActorSource::OtherBranch),
            ("merge_request_event", "", ActorSource::OtherBranch),
            ("trigger", "main", ActorSource::OtherBranch),
        ] {
            let found = run(source, branch);
            assert_eq!(found.actor.source, expected, "{source} {branch}");
            assert!(!found.is_verified_dispatch() && found.actor.login == "bob" && found.actor.run.is_some());
        }
    }

    #[test]
    fn other_ci_and_own_machine_are_claims() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pairs: &[(&str, &str)]| identity(&environment(pairs), folder.path()).unwrap();
        let jenkins = of(&[("JENKINS_URL", "https://ci"), ("BUILD_URL", "https://ci/1"), ("USER", "agent")]);
        assert_eq!(jenkins.actor.source, ActorSource::OtherBranch);
        assert_eq!(jenkins.actor.run.as_deref(), Some("https://ci/1"));
        for url in ["javascript:x", "https://bob:hunter2@ci.example/1", "http://token@ci.example"] {
            assert_eq!(of(&[("CI", "1"), ("BUILD_URL", url)]).actor.run, None, "{url}");
        }
        assert!(of(&[("CI", "1"), ("BUILD_URL", "https://ci.example/@x?a@b")]).actor.run.is_some());
        let own = of(&[("CI", "false"), ("USER", "carol")]);
        assert_eq!((own.actor.source, own.actor.login.as_str()), (ActorSource::Local, "carol"));
        assert_eq!(of(&[]).actor.login, "unknown");
    }

    #[test]
    fn own_machine_has_the_names_of_git() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let status =
                std::process::Command::new("git").args(arguments).current_dir(folder.path()).status();
            assert!(status.unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["config", "user.name", "Carol C"]);
        git(&["config", "user.email", "carol@example.com"]);
        let found = identity(&environment(&[("USER", "cc")]), folder.path()).unwrap();
        let names: Vec<&str> = found.names().collect();
        assert_eq!(names, ["cc", "Carol C <carol@example.com>", "Carol C", "carol@example.com"]);
        git(&["config", "user.name", "carol"]);
        let found = identity(&environment(&[("USER", "cc")]), folder.path()).unwrap();
        assert_eq!(found.actor.login, "carol");
    }
}
