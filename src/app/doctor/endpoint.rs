//! Checks of the endpoints that a run calls: key, URL, model, structured output, seed, logprobs and price.

use super::probe::{Probe, Role};
use super::{Findings, Severity};
use crate::app::keys::{self, Authentication, base_url};
use crate::app::sources::NamedFiles;
use crate::app::{Context, Environment, models};
use crate::config::{EndpointSettings, Settings};
use promptgate_adapters::endpoint::needs_key;
use promptgate_core::model::FaultKind;
use promptgate_report::doctor::{Check, CheckStatus};

/// The endpoints of a suite.
pub(super) struct Subject<'a> {
    pub(super) settings: &'a Settings,
    /// The certificates that endpoints name.
    pub(super) files: &'a NamedFiles,
    /// Whether a judge is called.
    pub(super) judged: bool,
    /// The candidate's model; `None` where an application answers, or the prompt that names it cannot be read.
    pub(super) model: Option<String>,
    /// Why nothing is called; `None` to call.
    pub(super) uncalled: Option<&'static str>,
}

/// Checks every endpoint once, and every model that is called there.
pub(super) async fn check_endpoints(subject: &Subject<'_>, context: &Context, findings: &mut Findings) {
    let (settings, environment) = (subject.settings, &context.environment);
    if settings.target.is_some() {
        findings.skip("model", "an application answers, which is not started here");
    }
    let files = subject.files;
    for endpoint in keys::called(settings, subject.judged) {
        let host = models::display_host(
            &base_url(endpoint, environment),
            &models::scope(&base_url(endpoint, environment), endpoint),
        );
        let is_usable = key(endpoint, &host, subject.uncalled.is_some(), environment, findings);
        let is_usable = address(endpoint, &host, files, environment, findings) && is_usable;
        let uncalled = subject.uncalled.or((!is_usable).then_some("key or URL are not usable"));
        for (role, model) in called_models(subject, endpoint) {
            let uncalled = match role {
                Role::Embeddings => Some("embeddings are not called here"),
                Role::Candidate | Role::Judge(_) => uncalled,
            };
            match uncalled {
                Some(why) => {
                    findings
                        .add(Check::new("model", CheckStatus::Skipped, why).of(format!("{model} at {host}")));
                }
                None => {
                    let probe = Probe { role, settings, endpoint, files, model, host: &host };
                    probe.run(context, findings).await;
                }
            }
            price(settings, model, findings);
        }
    }
}

/// The models that are called at an endpoint, each with its role.
fn called_models<'a>(subject: &'a Subject<'_>, endpoint: &EndpointSettings) -> Vec<(Role<'a>, &'a str)> {
    let settings = subject.settings;
    let mut found = Vec::new();
    if settings.target.is_none() && &settings.endpoint == endpoint {
        let written = settings.model.as_ref().map(|model| model.value.as_str());
        let model = subject.model.as_deref().or(written).filter(|model| !model.is_empty());
        found.extend(model.map(|model| (Role::Candidate, model)));
    }
    let members = settings.judge.iter().filter(|_| subject.judged).flat_map(|judge| &judge.panel);
    for member in members {
        if member.endpoint.as_ref().unwrap_or(&settings.endpoint) == endpoint {
            found.push((Role::Judge(member), member.model.value.as_str()));
        }
    }
    if let Some(embeddings) = &settings.embeddings
        && embeddings.endpoint.as_ref().unwrap_or(&settings.endpoint) == endpoint
    {
        found.push((Role::Embeddings, embeddings.model.value.as_str()));
    }
    found
}

/// Whether the key is set and sent; returns whether calls can succeed.
fn key(
    endpoint: &EndpointSettings,
    host: &str,
    is_optional: bool,
    environment: &Environment,
    findings: &mut Findings,
) -> bool {
    if let Some(diagnostic) = keys::misdirected_endpoint(endpoint, environment) {
        findings.diagnostic(Severity::Usage, "key", &diagnostic);
        return false;
    }
    let url = base_url(endpoint, environment);
    let authentication = Authentication::of(endpoint, environment);
    let check = |status, message: String| Check::new("key", status, message).of(host);
    let variable = authentication.variable(endpoint.protocol).to_owned();
    match &authentication {
        Authentication::Keyless => {
            findings.add(check(CheckStatus::Ok, "none, by `api_key_env: null`".to_owned()));
        }
        Authentication::Key(name) | Authentication::Header(name) if environment.variable(name).is_some() => {
            if url.starts_with("http://") && needs_key(&url) {
                let message = format!("{name} is set, and sent without encryption");
                findings.add(check(CheckStatus::Warning, message).help("use https in `endpoint.base_url`"));
            } else {
                findings.add(check(CheckStatus::Ok, format!("{name} is set")));
            }
        }
        _ if !needs_key(&url) => {
            let message = format!("{variable} is not set; a host of this network needs none");
            findings.add(check(CheckStatus::Ok, message));
        }
        _ => {
            let help = format!(
                "set {variable}, give a file that has it with `--env-file PATH`, or write `api_key_env: null` if {host} \
                 needs none"
            );
            let missing = check(CheckStatus::Warning, format!("{variable} is not set"))
                .help(help)
                .code(FaultKind::MissingCredentials.as_str());
            if is_optional {
                findings.add(missing);
            } else {
                findings.problem(Severity::Incomplete, missing);
            }
            return false;
        }
    }
    true
}

/// Whether URL, headers and certificates are valid, and where the URL is from.
fn address(
    endpoint: &EndpointSettings,
    host: &str,
    files: &NamedFiles,
    environment: &Environment,
    findings: &mut Findings,
) -> bool {
    let protocol = endpoint.protocol;
    if let Err(diagnostic) = models::options(endpoint, files, environment) {
        findings.diagnostic(Severity::Usage, "url", &diagnostic);
        return false;
    }
    let variable = protocol.base_url_variable();
    let source = match &endpoint.base_url {
        Some(_) => "by `endpoint.base_url`".to_owned(),
        None if environment.variable(variable).is_some() => format!("by {variable}"),
        None => format!("the default of {}", protocol.vendor()),
    };
    let url = models::scope(&base_url(endpoint, environment), endpoint);
    findings.add(Check::new("url", CheckStatus::Ok, format!("{url}, {source}")).of(host));
    true
}

/// Whether the price of a model is known.
fn price(settings: &Settings, model: &str, findings: &mut Findings) {
    let check = |status, message: String| Check::new("price", status, message).of(model);
    findings.add(match settings.price(model) {
        Some(price) => {
            let as_of = price.as_of.map_or_else(String::new, |day| format!(", as of {day}"));
            let message = format!(
                "${} in, ${} out per million tokens{as_of}",
                price.input_per_million, price.output_per_million
            );
            check(CheckStatus::Ok, message)
        }
        None => {
            check(CheckStatus::Warning, "not known, so no cost is shown and none can be limited".to_owned())
                .help(format!("add `prices: {{{model}: {{input_per_million: …, output_per_million: …}}}}`"))
        }
    });
}
