//! The environment of an application: a list of names, never that of this process.

use sha2::{Digest as _, Sha256};

use std::collections::BTreeMap;

use crate::app::Environment;
use crate::app::keys::judge_key_variables;
use crate::config::{HeaderValue, HttpSettings, Placed, Settings, TargetSettings};
use promptgate_core::model::Diagnostic;
use promptgate_core::port::{Event, EventSink};
use promptgate_core::text::Secret;

/// Variables that every command gets, as far as they are set: without them hardly a program starts.
const ALWAYS: [&str; 9] =
    ["PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "PATHEXT"];

/// The listed variables of a command with their values, and those of every command. Those that are not set are left out.
pub(in crate::app) fn variables(
    listed: &[Placed<String>],
    environment: &Environment,
) -> Vec<(String, String)> {
    let listed = listed.iter().map(|name| name.value.as_str());
    let names = ALWAYS.into_iter().chain(listed);
    names.filter_map(|name| Some((name.to_owned(), environment.variable(name)?))).collect()
}

/// Warns of listed variables that are not set. `whose` names the command.
pub(in crate::app) fn warn_of_missing(
    listed: &[Placed<String>],
    whose: &str,
    environment: &Environment,
    sink: &dyn EventSink,
) {
    let missing = listed.iter().filter(|name| environment.variable(&name.value).is_none());
    let missing: Vec<&str> = missing.map(|name| name.value.as_str()).collect();
    if !missing.is_empty() {
        let message = format!("not set, so {whose} does not get it: {}", missing.join(", "));
        sink.emit(Event::Warning { message });
    }
}

/// The identity of an application with its environment, under which its answers are cached. Values count as well, since
/// one may choose the model behind an application.
pub(in crate::app) fn scope(digest: &str, variables: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    for (name, value) in variables.iter().filter(|(name, _)| !ALWAYS.contains(&name.as_str())) {
        hash = hash.chain_update(name).chain_update([0]).chain_update(value).chain_update([0]);
    }
    let hash: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("application {digest} with {hash}")
}

/// The headers of requests to an application.
///
/// # Errors
/// A variable that is not set, or that the policy does not list.
pub(super) fn headers(
    http: &HttpSettings,
    target: &TargetSettings,
    environment: &Environment,
) -> Result<BTreeMap<String, Secret>, Diagnostic> {
    let value = |name: &str, value: &HeaderValue| match value {
        HeaderValue::Literal(text) => Ok(Secret::new(text.clone())),
        HeaderValue::Env(variable) if !target.env.iter().any(|it| it.value == variable.value) => {
            let message =
                format!("{} of header {name} is not listed in `target.env` of the policy", variable.value);
            let help = "add it there in a change of its own";
            Err(Diagnostic::new(message).at(variable.place.clone()).help(help))
        }
        HeaderValue::Env(variable) => {
            environment.variable(&variable.value).map(Secret::new).ok_or_else(|| {
                let message =
                    format!("the environment variable {} of header {name} is not set", variable.value);
                Diagnostic::new(message).at(variable.place.clone()).help(format!("set {}", variable.value))
            })
        }
    };
    http.headers.iter().map(|(name, it)| Ok((name.clone(), value(name, it)?))).collect()
}

/// An error for each variable that a program of the user would share with a judge. Code that knows the judge's key can ask the
/// judge; code of a change is not trusted, and scorers and transformations read answers that nobody has reviewed.
pub(in crate::app) fn shared_with_judge(settings: &Settings) -> Vec<Diagnostic> {
    let keys = judge_key_variables(settings);
    let of_target = settings.target.iter().flat_map(|target| target.shared_variables(&keys));
    let of_target = of_target.map(|name| (name, "an application"));
    let of_scorers = settings.scorers.iter().flat_map(|scorer| &scorer.env).map(|name| (name, "a scorer"));
    let of_transform = settings.transform.command.iter().flat_map(|command| &command.env);
    let of_commands = of_scorers.chain(of_transform.map(|name| (name, "a transformation")));
    let shared = of_target.chain(of_commands.filter(|(name, _)| keys.contains(&name.value)));
    let diagnostics = shared.map(|(name, whose)| {
        let message = format!("{} is the key of a judge, which {whose} must not get", name.value);
        let help = "give the judge a key of its own: `judge: {endpoint: {api_key_env: JUDGE_API_KEY}}`";
        Diagnostic::new(message).at(name.place.clone()).help(help)
    });
    diagnostics.collect()
}
