//! Which key an endpoint is sent. The default key goes only to the hosts that it was set for.

use reqwest::Url;

use super::Environment;
use super::sources::header_variables;
use crate::config::{EndpointSettings, HeaderValue, KeyVariable, Settings};
use promptgate_adapters::endpoint::{is_loopback, needs_key};
use promptgate_core::document::is_auth_header;
use promptgate_core::model::{Diagnostic, Protocol};

/// How an endpoint is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Authentication {
    /// By the key in this variable.
    Key(String),
    /// By the header whose value is in this variable.
    Header(String),
    /// Not at all, by the configuration.
    Keyless,
    /// The configuration does not say, and the default key is not for this host.
    Unnamed,
}

impl Authentication {
    /// How the configuration and the variables authenticate an endpoint.
    pub(super) fn of(endpoint: &EndpointSettings, environment: &Environment) -> Self {
        match &endpoint.api_key_env {
            KeyVariable::Named(name) => Self::Key(name.value.clone()),
            KeyVariable::None => auth_header(endpoint).map_or(Self::Keyless, Self::Header),
            KeyVariable::Default => match auth_header(endpoint) {
                Some(variable) => Self::Header(variable),
                None if is_for_default_key(endpoint, environment) => {
                    Self::Key(endpoint.protocol.key_variable().to_owned())
                }
                None => Self::Unnamed,
            },
        }
    }

    /// The variable to name in messages.
    pub(super) fn variable(&self, protocol: Protocol) -> &str {
        match self {
            Self::Key(name) | Self::Header(name) => name,
            Self::Keyless | Self::Unnamed => protocol.key_variable(),
        }
    }
}

/// The variables that may hold the key of an endpoint, whether it is sent or not.
pub(super) fn key_variables(endpoint: &EndpointSettings) -> impl Iterator<Item = String> {
    let named = match &endpoint.api_key_env {
        KeyVariable::Named(name) => Some(name.value.clone()),
        KeyVariable::None | KeyVariable::Default => None,
    };
    let by_default = Protocol::ALL.iter().map(|protocol| protocol.key_variable().to_owned());
    named.into_iter().chain(by_default)
}

/// The base URL of an endpoint.
pub(super) fn base_url(endpoint: &EndpointSettings, environment: &Environment) -> String {
    let written = endpoint.base_url.as_ref().map(|url| url.value.clone());
    let protocol = endpoint.protocol;
    written
        .or_else(|| environment.variable(protocol.base_url_variable()))
        .unwrap_or_else(|| protocol.base_url().to_owned())
}

/// An error for an endpoint that a user might expect to get the default key, which is for other hosts.
pub(super) fn misdirected_endpoint(
    endpoint: &EndpointSettings,
    environment: &Environment,
) -> Option<Diagnostic> {
    let url = endpoint.base_url.as_ref()?;
    let (protocol, key) = (endpoint.protocol, endpoint.protocol.key_variable());
    environment.variable(key)?;
    if Authentication::of(endpoint, environment) != Authentication::Unnamed {
        return None;
    }
    let host = Url::parse(&url.value).map_or_else(|_| url.value.clone(), |url| host(&url));
    let message = format!(
        "no key is configured for {host}: {key} is sent only to {}, the host of {} and this machine",
        protocol.vendor(),
        protocol.base_url_variable()
    );
    let help = format!(
        "add `api_key_env: VARIABLE` beside `base_url`, with the variable that holds its key ({key}, if it is this \
         one), or `api_key_env: null` if it needs none"
    );
    Some(Diagnostic::new(message).at(url.place.clone()).help(help))
}

/// An error for each endpoint that a user might expect to get the default key, which is for other hosts. `judged` says
/// whether a judge is called.
pub(crate) fn misdirected(settings: &Settings, environment: &Environment, judged: bool) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for endpoint in called(settings, judged) {
        let Some(diagnostic) = misdirected_endpoint(endpoint, environment) else { continue };
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
    found
}

/// The variables of required keys that are not set, in the order of the endpoints. `judged` says whether a judge is
/// called.
pub(super) fn missing_keys(settings: &Settings, environment: &Environment, judged: bool) -> Vec<String> {
    let mut missing = Vec::new();
    for endpoint in called(settings, judged) {
        let mut required: Vec<String> = header_variables(endpoint).collect();
        let authentication = Authentication::of(endpoint, environment);
        // A header whose value is not in the configuration may be the key.
        let has_key = !required.is_empty() || authentication == Authentication::Keyless;
        if !has_key && needs_key(&base_url(endpoint, environment)) {
            required.push(authentication.variable(endpoint.protocol).to_owned());
        }
        for name in required {
            if environment.variable(&name).is_none() && !missing.contains(&name) {
                missing.push(name);
            }
        }
    }
    missing
}

/// The variables that hold the keys of judges.
pub(super) fn judge_key_variables(settings: &Settings) -> Vec<String> {
    let of_judge = |endpoint: &EndpointSettings| -> Vec<String> {
        let key = match &endpoint.api_key_env {
            KeyVariable::Named(name) => Some(name.value.clone()),
            KeyVariable::Default if auth_header(endpoint).is_none() => {
                Some(endpoint.protocol.key_variable().to_owned())
            }
            KeyVariable::Default | KeyVariable::None => None,
        };
        key.into_iter().chain(header_variables(endpoint)).collect()
    };
    judges(settings).flat_map(of_judge).collect()
}

/// The endpoints of the judges, each with its own settings or those of the suite.
fn judges(settings: &Settings) -> impl Iterator<Item = &EndpointSettings> {
    let panel = settings.judge.iter().flat_map(|judge| &judge.panel);
    panel.map(|member| member.endpoint.as_ref().unwrap_or(&settings.endpoint))
}

/// The endpoint that answers, those of the judges where they are called, and that of embeddings. An application takes the place of the first.
pub(super) fn called(settings: &Settings, judged: bool) -> impl Iterator<Item = &EndpointSettings> {
    let answering = settings.target.is_none().then_some(&settings.endpoint);
    let embeddings = settings.embeddings.iter();
    let embeddings = embeddings.map(|embeddings| embeddings.endpoint.as_ref().unwrap_or(&settings.endpoint));
    let judges = judges(settings).filter(move |_| judged);
    let is_new = |judge: &&EndpointSettings| settings.target.is_some() || *judge != &settings.endpoint;
    answering.into_iter().chain(judges.chain(embeddings).filter(is_new))
}

/// The variable of the first header that carries credentials.
fn auth_header(endpoint: &EndpointSettings) -> Option<String> {
    endpoint.headers.iter().find_map(|(name, value)| match value {
        HeaderValue::Env(variable) if is_auth_header(name) => Some(variable.value.clone()),
        HeaderValue::Env(_) | HeaderValue::Literal(_) => None,
    })
}

/// Whether the host is the vendor's, that of the variable of the base URL, or this machine.
fn is_for_default_key(endpoint: &EndpointSettings, environment: &Environment) -> bool {
    let Some(written) = &endpoint.base_url else { return true };
    let Ok(url) = Url::parse(written.value.trim()) else { return false };
    let name = host(&url);
    let vendor = endpoint.protocol.host();
    let of_variable =
        environment.variable(endpoint.protocol.base_url_variable()).and_then(|text| Url::parse(&text).ok());
    is_loopback(&url)
        || name == vendor
        || name.strip_suffix(vendor).is_some_and(|rest| rest.ends_with('.'))
        || of_variable.is_some_and(|other| host(&other) == name)
}

/// The host in lower case, without a final dot.
fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use promptgate_core::check;

    fn settings(endpoint: &str) -> Settings {
        let text = format!(
            "version: 1\ndataset: cases.jsonl\nprompt: p.md\nmodel: m\nendpoint: {endpoint}\n\
             metrics: {{relevance: {{min: 0.5}}}}\njudge: {{model: j}}\n"
        );
        config::load("promptgate.yaml", &text, &check::entry_schema()).unwrap()
    }

    fn environment(variables: &[&str]) -> Environment {
        let both =
            |text: &&str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Environment::of(variables.iter().filter_map(both))
    }

    fn key(variable: &str) -> Authentication {
        Authentication::Key(variable.to_owned())
    }

    #[test]
    fn default_key_goes_only_to_the_hosts_it_was_set_for() {
        let environment =
            environment(&["OPENAI_API_KEY=k", "OPENAI_BASE_URL=https://LLM.corp.example:8443/x"]);
        for url in [
            "https://api.openai.com/v1",
            "https://eu.api.openai.com/v1",
            "https://API.OpenAI.com./v1",
            "https://llm.corp.example/v1",
            "http://localhost:8000/v1",
            "http://127.0.0.1:1/v1",
            "http://[::1]:1/v1",
        ] {
            let settings = settings(&format!("{{base_url: '{url}'}}"));
            assert_eq!(Authentication::of(&settings.endpoint, &environment), key("OPENAI_API_KEY"), "{url}");
            assert_eq!(misdirected(&settings, &environment, true), [], "{url}");
        }
        for url in [
            "https://api.openai.com.evil.example/v1",
            "https://evilapi.openai.com/v1",
            "https://openrouter.ai/api/v1",
            "https://corp.example/v1",
            "http://10.0.0.7:8000/v1",
            "http://vllm:8000/v1",
            "https://localhost.example/v1",
        ] {
            let settings = settings(&format!("{{base_url: '{url}'}}"));
            assert_eq!(
                Authentication::of(&settings.endpoint, &environment),
                Authentication::Unnamed,
                "{url}"
            );
            let [diagnostic] = misdirected(&settings, &environment, true).try_into().unwrap();
            assert_eq!(diagnostic.place.as_ref().and_then(|place| place.line), Some(5), "{url}");
            assert!(diagnostic.help.unwrap().contains("`api_key_env: null`"), "{url}");
        }
    }

    #[test]
    fn default_key_is_that_of_the_protocol() {
        let environment = environment(&["OPENAI_API_KEY=k", "ANTHROPIC_API_KEY=a", "GEMINI_API_KEY=g"]);
        let of = |endpoint: &str| Authentication::of(&settings(endpoint).endpoint, &environment);
        assert_eq!(of("{protocol: anthropic}"), key("ANTHROPIC_API_KEY"));
        assert_eq!(of("{protocol: gemini}"), key("GEMINI_API_KEY"));
        assert_eq!(
            of("{protocol: anthropic, base_url: 'https://api.anthropic.com'}"),
            key("ANTHROPIC_API_KEY")
        );
        assert_eq!(of("{protocol: gemini, base_url: 'http://localhost:1'}"), key("GEMINI_API_KEY"));
        for endpoint in [
            "{protocol: anthropic, base_url: 'https://api.openai.com/v1'}",
            "{protocol: anthropic, base_url: 'https://gate.example'}",
            "{protocol: gemini, base_url: 'https://evilgenerativelanguage.googleapis.com'}",
            "{base_url: 'https://api.anthropic.com/v1'}",
        ] {
            assert_eq!(of(endpoint), Authentication::Unnamed, "{endpoint}");
            assert_eq!(misdirected(&settings(endpoint), &environment, false).len(), 1, "{endpoint}");
        }
        let [found] = misdirected(
            &settings("{protocol: anthropic, base_url: 'https://gate.example'}"),
            &environment,
            false,
        )
        .try_into()
        .unwrap();
        assert_eq!(
            found.message,
            "no key is configured for gate.example: ANTHROPIC_API_KEY is sent only to Anthropic, the host of \
             ANTHROPIC_BASE_URL and this machine"
        );
    }

    #[test]
    fn base_url_is_that_of_the_protocol() {
        let none = environment(&["OPENAI_BASE_URL=https://o.example/v1"]);
        let of = |endpoint: &str, environment| base_url(&settings(endpoint).endpoint, environment);
        assert_eq!(of("{protocol: anthropic}", &none), "https://api.anthropic.com/v1");
        assert_eq!(of("{protocol: gemini}", &none), "https://generativelanguage.googleapis.com/v1beta");
        assert_eq!(of("{}", &none), "https://o.example/v1");
        let set = environment(&[
            "ANTHROPIC_BASE_URL=https://a.example",
            "GOOGLE_GEMINI_BASE_URL=https://g.example",
        ]);
        assert_eq!(of("{protocol: anthropic}", &set), "https://a.example");
        assert_eq!(of("{protocol: gemini}", &set), "https://g.example");
    }

    #[test]
    fn keyless_server_and_named_key_are_never_misdirected() {
        let with_key = environment(&["OPENAI_API_KEY=k"]);
        let url = "base_url: 'https://llm.corp.example/v1'";
        for (rest, expected) in [
            ("api_key_env: null", Authentication::Keyless),
            ("api_key_env: OWN", key("OWN")),
            ("api_key_env: OPENAI_API_KEY", key("OPENAI_API_KEY")),
            ("headers: {api-key: {env: AZURE_KEY}}", Authentication::Header("AZURE_KEY".to_owned())),
        ] {
            let settings = settings(&format!("{{{url}, {rest}}}"));
            assert_eq!(Authentication::of(&settings.endpoint, &with_key), expected, "{rest}");
            assert_eq!(misdirected(&settings, &with_key, true), [], "{rest}");
        }
        let unnamed = settings(&format!("{{{url}}}"));
        assert_eq!(misdirected(&unnamed, &environment(&[]), true), [], "there is no key to send");
        assert_eq!(misdirected(&settings("{}"), &with_key, true), []);
    }

    #[test]
    fn authenticating_header_replaces_only_a_key_that_is_not_named() {
        let environment = environment(&["OPENAI_API_KEY=k", "OPENAI_BASE_URL=https://a.example/v1"]);
        let of = |endpoint: &str| Authentication::of(&settings(endpoint).endpoint, &environment);
        for name in ["api-key", "X-Api-Key", "Authorization", "x-goog-api-key", "X-Auth-Token", "apikey"] {
            let header = format!("headers: {{{name}: {{env: AZURE_KEY}}}}");
            assert_eq!(
                of(&format!("{{{header}}}")),
                Authentication::Header("AZURE_KEY".to_owned()),
                "{name}"
            );
            assert_eq!(of(&format!("{{{header}, api_key_env: OWN}}")), key("OWN"), "{name}");
        }
        for name in ["OpenAI-Organization", "x-team", "Proxy-Authorization"] {
            assert_eq!(of(&format!("{{headers: {{{name}: {{env: X}}}}}}")), key("OPENAI_API_KEY"), "{name}");
        }
    }

    #[test]
    fn every_judge_endpoint_is_checked() {
        let text = "version: 1\ndataset: cases.jsonl\nprompt: p.md\nmodel: m\n\
                    metrics: {relevance: {min: 0.5}}\njudge:\n  model: j\n  panel:\n\
                    \x20   - {model: a, endpoint: {base_url: 'https://one.example/v1'}}\n\
                    \x20   - {model: b, endpoint: {base_url: 'https://two.example/v1'}}\n";
        let settings = config::load("promptgate.yaml", text, &check::entry_schema()).unwrap();
        let found = misdirected(&settings, &environment(&["OPENAI_API_KEY=k"]), true);
        let hosts: Vec<bool> = ["one.example", "two.example"]
            .iter()
            .map(|host| found.iter().any(|diagnostic| diagnostic.message.contains(host)))
            .collect();
        assert_eq!((found.len(), hosts), (2, vec![true, true]));
        assert_eq!(
            misdirected(&settings, &environment(&["OPENAI_API_KEY=k"]), false),
            [],
            "no judge is called"
        );
    }

    #[test]
    fn missing_key_is_that_of_the_header_or_none() {
        let missing = |endpoint: &str| missing_keys(&settings(endpoint), &environment(&[]), true);
        assert_eq!(missing("{}"), ["OPENAI_API_KEY"]);
        assert_eq!(missing("{protocol: anthropic}"), ["ANTHROPIC_API_KEY"]);
        assert_eq!(missing("{protocol: gemini}"), ["GEMINI_API_KEY"]);
        assert_eq!(missing("{headers: {api-key: {env: AZURE_KEY}}}"), ["AZURE_KEY"]);
        assert_eq!(missing("{api_key_env: OWN}"), ["OWN"]);
        let none: [&str; 0] = [];
        assert_eq!(missing("{base_url: 'https://llm.corp.example/v1', api_key_env: null}"), none);
        assert_eq!(missing("{base_url: 'http://vllm:8000/v1'}"), none);
    }
}
