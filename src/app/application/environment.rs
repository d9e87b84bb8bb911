//! The environment of an application: a list of names, never that of this process.

use sha2::{Digest as _, Sha256};

use std::collections::BTreeMap;

use super::ApplicationContext;
use crate::app::Environment;
use crate::app::keys::judge_key_variables;
use crate::config::{HeaderValue, HttpSettings, Settings, TargetSettings};
use promptgate_core::model::Diagnostic;
use promptgate_core::port::Event;
use promptgate_core::text::Secret;

/// Variables that every application gets, as far as they are set: without them hardly a program starts.
const ALWAYS: [&str; 9] =
    ["PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "PATHEXT"];

/// The variables of an application with their values. Those that are not set are left out.
pub(super) fn variables(target: &TargetSettings, environment: &Environment) -> Vec<(String, String)> {
    let listed = target.env.iter().map(|name| name.value.as_str());
    let names = ALWAYS.into_iter().chain(listed);
    names.filter_map(|name| Some((name.to_owned(), environment.variable(name)?))).collect()
}

/// Warns of listed variables that are not set.
pub(super) fn warn_of_missing(target: &TargetSettings, context: &ApplicationContext<'_>) {
    let missing = target.env.iter().filter(|name| context.environment.variable(&name.value).is_none());
    let missing: Vec<&str> = missing.map(|name| name.value.as_str()).collect();
    if !missing.is_empty() {
        let message = format!("not set, so the application does not get it: {}", missing.join(", "));
        context.sink.emit(Event::Warning { message });
    }
}

/// The identity of an application with its environment, under which its answers are cached. Values count as well, since
/// one may choose the model behind an application.
pub(super) fn scope(digest: &str, variables: &[(String, String)]) -> String {
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

/// An error for each variable that the application would share with a judge: code that knows the judge's key can ask the
/// judge, and code of a change is not trusted.
pub(in crate::app) fn shared_with_judge(settings: &Settings) -> Vec<Diagnostic> {
    let Some(target) = &settings.target else { return Vec::new() };
    let keys = judge_key_variables(settings);
    let shared = target.shared_variables(&keys);
    let diagnostics = shared.map(|name| {
        let message = format!("{} is the key of a judge, which an application must not get", name.value);
        let help = "give the judge a key of its own: `judge: {endpoint: {api_key_env: JUDGE_API_KEY}}`";
        Diagnostic::new(message).at(name.place.clone()).help(help)
    });
    diagnostics.collect()
}
