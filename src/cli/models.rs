//! The models of a run: over HTTP, or simulated; keys from the environment, and the redactor that knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::answers::{self, Answers};
use super::args::CacheFlags;
use super::environment::variable;
use super::error::Failure;
use crate::config::{EndpointSettings, HeaderValue, Settings};
use promptgate_adapters::cache::{self, Cache, Cached};
use promptgate_adapters::endpoint::{self, Budget, Ceilings, Options, Price};
use promptgate_adapters::load::Tree;
use promptgate_core::model::Diagnostic;
use promptgate_core::port::{ChatModel, EventSink};
use promptgate_core::text::{Redactor, Secret};
use promptgate_simulated::{Simulated, SimulatedOptions};

/// Where OpenAI's own API is.
const OPENAI: &str = "https://api.openai.com/v1";
/// The variable of the key, unless the configuration names another.
const KEY: &str = "OPENAI_API_KEY";
/// The variable of the base URL, where the configuration has none.
const BASE_URL: &str = "OPENAI_BASE_URL";
/// Simulated answers are computed, not waited for: more at once than cores brings nothing.
const SIMULATED_CONCURRENCY: usize = 16;
/// Trials under way for each call in flight: one waits for its judges, or for as long as a server that refused it
/// asks for, while others are asked about. With fewer, a server that refuses every fifth call stands idle.
const TRIALS_A_SLOT: usize = 4;

/// What answers and what judges.
pub(super) struct Models {
    /// Answers for both variants.
    pub(super) answering: Arc<dyn ChatModel>,
    /// Judge: one for each member of the panel.
    pub(super) judging: Vec<Arc<dyn ChatModel>>,
    /// What the endpoint that answers is known by.
    pub(super) scope: String,
    /// The hosts that judge, for the fingerprint.
    pub(super) judge_hosts: Vec<String>,
    /// Knows every secret that was read.
    pub(super) redactor: Arc<Redactor>,
    /// Trials under way at once.
    pub(super) concurrency: usize,
    /// The cache that is asked first; `None` where nothing is kept.
    pub(super) cache: Option<Arc<Cache>>,
}

/// What a command says of its calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    /// The simulated model answers and judges.
    pub(super) offline: bool,
    /// Calls in flight at once, over the configuration's.
    pub(super) concurrency: Option<u32>,
    /// Ceilings over the configuration's.
    pub(super) ceilings: Ceilings,
    /// How the cache of answers is used.
    pub(super) cache: CacheFlags,
}

/// Connects to the endpoints of the settings, or makes the simulated model.
pub(super) fn connect(
    settings: &Settings,
    tree: &Tree,
    calls: Calls,
    sink: &Arc<dyn EventSink>,
    stop: &CancellationToken,
) -> Result<Models, Failure> {
    let budget = budget(settings, calls.ceilings, calls.offline);
    let panel = settings.judge.as_ref().map_or(&[][..], |judge| &judge.panel);
    if calls.offline {
        let mut options = Options::new("http://simulated.invalid");
        options.max_concurrency = calls.concurrency.map_or(SIMULATED_CONCURRENCY, |it| it as usize);
        options.budget = budget;
        let simulated = Arc::new(Simulated::new(SimulatedOptions::default()));
        let concurrency = options.max_concurrency;
        let model = endpoint::layered(simulated, &options, Arc::clone(sink), stop.clone());
        return Ok(Models {
            judging: panel.iter().map(|_| Arc::clone(&model)).collect(),
            judge_hosts: panel.iter().map(|_| "simulated".to_owned()).collect(),
            answering: model,
            scope: "simulated".to_owned(),
            redactor: Arc::new(Redactor::new(&[])),
            concurrency,
            // Computed answers cost nothing.
            cache: None,
        });
    }
    let mut secrets = Vec::new();
    // Every endpoint once, so that its limits hold for all that ask it: the candidate's, then the judges' own.
    let mut endpoints = vec![&settings.endpoint];
    let mut places = Vec::new();
    for member in panel {
        let own = member.endpoint.as_ref().unwrap_or(&settings.endpoint);
        let place = endpoints.iter().position(|known| *known == own);
        places.push(place.unwrap_or(endpoints.len()));
        if place.is_none() {
            endpoints.push(own);
        }
    }
    let (mut all, mut scopes) = (Vec::new(), Vec::new());
    for endpoint in endpoints {
        let mut options = options(endpoint, tree, &mut secrets)?;
        scopes.push(scope(&options.base_url, endpoint));
        // A key goes to the host that it was given for, and to no other unless that is said.
        let elsewhere =
            all.first().is_some_and(|first: &Options| host(&first.base_url) != host(&options.base_url));
        if elsewhere && endpoint.api_key_env.is_none() && host(&options.base_url) != host(OPENAI) {
            options.api_key = None;
        }
        if let Some(concurrency) = calls.concurrency {
            options.max_concurrency = concurrency as usize;
        }
        options.budget = budget.clone();
        all.push(options);
    }
    let redactor = Arc::new(Redactor::new(&secrets));
    let concurrency = TRIALS_A_SLOT * all.iter().map(|options| options.max_concurrency).sum::<usize>();
    let hosts: Vec<String> =
        all.iter().zip(&scopes).map(|(options, scope)| known_as(&options.base_url, scope)).collect();
    let answers = answers::open(settings, tree, calls.cache)?;
    let connect = |(options, scope): (Options, &String)| {
        let model = endpoint::connect(options, Arc::clone(sink), Arc::clone(&redactor), stop.clone())?;
        Ok(match &answers {
            None => model,
            Some(Answers { cache, options }) => {
                let cache = Arc::clone(cache);
                Arc::new(Cached::new(model, cache, scope, *options, Arc::clone(sink))) as Arc<dyn ChatModel>
            }
        })
    };
    let connected = all.into_iter().zip(&scopes).map(connect).collect::<Result<Vec<_>, Diagnostic>>()?;
    Ok(Models {
        answering: Arc::clone(&connected[0]),
        scope: scopes[0].clone(),
        judging: places.iter().map(|place| Arc::clone(&connected[*place])).collect(),
        judge_hosts: places.iter().map(|place| hosts[*place].clone()).collect(),
        redactor,
        concurrency,
        cache: answers.map(|answers| answers.cache),
    })
}

fn options(
    settings: &EndpointSettings,
    tree: &Tree,
    secrets: &mut Vec<Secret>,
) -> Result<Options, Diagnostic> {
    let mut options = Options::new(base_url(settings));
    options.api_key_env = key_variable(settings);
    options.api_key = variable(&options.api_key_env).map(Secret::new);
    secrets.extend(options.api_key.clone());
    for (name, value) in &settings.headers {
        let value = match value {
            HeaderValue::Literal(text) => Secret::new(text.clone()),
            HeaderValue::Env(variable_name) => {
                let value = variable(&variable_name.value).map(Secret::new).ok_or_else(|| {
                    Diagnostic::new(format!(
                        "the environment variable {} of header {name} is not set",
                        variable_name.value
                    ))
                    .at(variable_name.place.clone())
                    .help(format!("set {}", variable_name.value))
                })?;
                secrets.push(value.clone());
                value
            }
        };
        options.headers.push((name.clone(), value));
    }
    options.ca_cert = settings.ca_cert.as_ref().map(|path| tree.read(&path.value)).transpose()?;
    options.timeout = settings.timeout;
    options.max_concurrency = settings.max_concurrency;
    options.rpm = settings.rpm;
    options.tpm = settings.tpm;
    options.attempts = settings.attempts;
    options.max_wait = settings.max_wait;
    Ok(options)
}

/// The variables of keys that are not set, though an endpoint that will be asked needs one; in the order of the
/// endpoints. `judged` says whether a judge is asked.
pub(super) fn missing_keys(settings: &Settings, judged: bool) -> Vec<String> {
    let panel = settings.judge.iter().filter(|_| judged).flat_map(|judge| &judge.panel);
    let endpoints =
        std::iter::once(&settings.endpoint).chain(panel.filter_map(|member| member.endpoint.as_ref()));
    let mut missing = Vec::new();
    for endpoint in endpoints {
        let mut wanted: Vec<String> = endpoint
            .headers
            .iter()
            .filter_map(|(_, value)| match value {
                HeaderValue::Env(name) => Some(name.value.clone()),
                HeaderValue::Literal(_) => None,
            })
            .collect();
        // A header whose value is not in the configuration may be the key.
        if wanted.is_empty() && endpoint::needs_key(&base_url(endpoint)) {
            wanted.push(key_variable(endpoint));
        }
        for name in wanted {
            if variable(&name).is_none() && !missing.contains(&name) {
                missing.push(name);
            }
        }
    }
    missing
}

fn base_url(settings: &EndpointSettings) -> String {
    let written = settings.base_url.as_ref().map(|url| url.value.clone());
    written.or_else(|| variable(BASE_URL)).unwrap_or_else(|| OPENAI.to_owned())
}

fn key_variable(settings: &EndpointSettings) -> String {
    settings.api_key_env.as_ref().map_or_else(|| KEY.to_owned(), |name| name.value.clone())
}

fn budget(settings: &Settings, over: Ceilings, offline: bool) -> Option<Arc<Budget>> {
    let ceilings = Ceilings {
        calls: over.calls.or(settings.budget.calls),
        usd: over.usd.or(settings.budget.usd),
        time: over.time.or(settings.budget.time),
    };
    let prices: BTreeMap<String, Price> = settings
        .prices
        .iter()
        .map(|(model, input, output)| {
            (model.clone(), Price { input_per_million: *input, output_per_million: *output })
        })
        .collect();
    let limited = ceilings.calls.is_some() || ceilings.usd.is_some() || ceilings.time.is_some();
    // Without a ceiling it still adds up what is spent, for the line that shows progress.
    let told = !offline && !prices.is_empty();
    (limited || told).then(|| Arc::new(Budget::new(ceilings, prices)))
}

/// What an endpoint is known by: its address, and the headers that may choose what answers there.
fn scope(base_url: &str, settings: &EndpointSettings) -> String {
    let headers: Vec<(&str, Option<&str>)> = settings
        .headers
        .iter()
        .map(|(name, value)| match value {
            HeaderValue::Literal(text) => (name.as_str(), Some(text.as_str())),
            HeaderValue::Env(_) => (name.as_str(), None),
        })
        .collect();
    cache::scope(base_url, &headers)
}

/// The same for people: the host alone where nothing but the usual path comes with it.
fn known_as(base_url: &str, scope: &str) -> String {
    let host = host(base_url);
    let rest = scope.split_once("://").map_or(scope, |(_, rest)| rest);
    if rest == host || rest.strip_suffix("/v1") == Some(&host) { host } else { rest.to_owned() }
}

/// `api.openai.com`, without credentials, path and query.
fn host(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}
