//! Secrets that a configuration refers to.

use crate::app::Environment;
use crate::app::keys::key_variables;
use crate::config::{EndpointSettings, HeaderValue, Settings};
use promptgate_core::document::looks_like_secret;
use promptgate_core::text::Secret;

/// Keys and header values of all endpoints, and the credentials of the registry and of the sources of metrics, as far as
/// they are set.
pub(in crate::app) fn secrets(settings: &Settings, environment: &Environment) -> Vec<Secret> {
    let variables = settings
        .release
        .iter()
        .flat_map(|release| release.registry.variables().chain(release.sources.variables()));
    let credentials = variables.filter_map(|name| environment.variable(name)).map(Secret::new);
    let of_scorers = settings.scorers.iter().flat_map(|scorer| &scorer.env);
    let of_scorers = of_scorers.chain(settings.transform.command.iter().flat_map(|command| &command.env));
    let of_commands = settings.target.iter().flat_map(|target| &target.env).chain(of_scorers);
    let of_commands = of_commands.filter_map(|name| {
        let value = environment.variable(&name.value)?;
        (Environment::names_secret(&name.value) || looks_like_secret(&value)).then(|| Secret::new(value))
    });
    let of_endpoints = endpoints(settings).flat_map(|endpoint| keys(endpoint, environment));
    of_endpoints.chain(credentials).chain(of_commands).collect()
}

/// The values of headers in variables that flags name, with and without the scheme of an `authorization`.
pub(super) fn secrets_of_flags(variables: &[String], environment: &Environment) -> Vec<Secret> {
    let values = variables.iter().filter_map(|name| environment.variable(name));
    let forms = |value: String| {
        let token = value.split_once(' ').map(|(_, token)| Secret::new(token));
        token.into_iter().chain([Secret::new(value)])
    };
    values.flat_map(forms).collect()
}

/// The tokens with which the gate itself calls GitHub.
pub(in crate::app) fn own_tokens(environment: &Environment) -> impl Iterator<Item = Secret> {
    let values =
        ["PROMPTGATE_GITHUB_TOKEN", "GITHUB_TOKEN"].into_iter().map(|name| environment.variable(name));
    values.flatten().map(Secret::new)
}

/// The key and the header values of an endpoint, as far as they are set.
fn keys(endpoint: &EndpointSettings, environment: &Environment) -> Vec<Secret> {
    let variables = key_variables(endpoint).chain(header_variables(endpoint));
    variables.filter_map(|name| environment.variable(&name)).map(Secret::new).collect()
}

/// The variables that hold values of headers.
pub(in crate::app) fn header_variables(endpoint: &EndpointSettings) -> impl Iterator<Item = String> {
    endpoint.headers.iter().filter_map(|(_, value)| match value {
        HeaderValue::Env(variable) => Some(variable.value.clone()),
        HeaderValue::Literal(_) => None,
    })
}

/// The candidate's endpoint, and then those of the judges and of embeddings.
pub(in crate::app) fn endpoints(settings: &Settings) -> impl Iterator<Item = &EndpointSettings> {
    let panel = settings.judge.iter().flat_map(|judge| &judge.panel);
    let of_judges = panel.filter_map(|member| member.endpoint.as_ref());
    let of_embeddings = settings.embeddings.iter().filter_map(|embeddings| embeddings.endpoint.as_ref());
    std::iter::once(&settings.endpoint).chain(of_judges).chain(of_embeddings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use promptgate_core::check;
    use promptgate_core::text::Redactor;

    #[test]
    fn keys_of_endpoint_judge_and_headers_are_redacted() {
        let text = "version: 1\ndataset: cases.jsonl\nprompt: p.md\nmodel: m\n\
                    endpoint: {api_key_env: FIRST, headers: {x-team: {env: SECOND}}}\n\
                    judge: {model: j, endpoint: {base_url: 'https://j.example/v1', api_key_env: THIRD}}\n\
                    metrics: {relevance: {min: 0.5}}\n";
        let settings = config::load("promptgate.yaml", text, &check::entry_schema()).unwrap();
        let set = ["FIRST", "SECOND", "THIRD"].map(|name| (name.to_owned(), format!("sk-secret-{name}")));
        let secrets = secrets(&settings, &Environment::of(set));
        let redacted =
            Redactor::new(&secrets).redact("sk-secret-FIRST sk-secret-SECOND sk-secret-THIRD").into_owned();
        assert_eq!(redacted, "[redacted] [redacted] [redacted]");
    }

    #[test]
    fn credentials_of_the_registry_are_redacted() {
        for (registry, names) in [
            ("{langfuse: {base_url: 'https://l.example'}}", ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"]),
            ("{langfuse: {base_url: 'https://l.example', public_key_env: P, secret_key_env: S}}", ["P", "S"]),
            (
                "{mlflow: {tracking_uri: 'https://m.example', user_env: USER_ENV, password_env: PASS_ENV}}",
                ["USER_ENV", "PASS_ENV"],
            ),
        ] {
            let text = format!(
                "version: 1\nname: reply\ndataset: cases.jsonl\nprompt: p.md\nmodel: m\nrelease: {{ledger: git, registry: {registry}}}\n"
            );
            let settings = config::load("promptgate.yaml", &text, &check::entry_schema()).unwrap();
            let set = names.map(|name| (name.to_owned(), format!("credential-{name}-0123456789")));
            let redactor = Redactor::new(&secrets(&settings, &Environment::of(set.clone())));
            let written = set.map(|(_, value)| value).join(" ");
            assert_eq!(redactor.redact(&written), "[redacted] [redacted]", "{registry}");
        }
    }
}
