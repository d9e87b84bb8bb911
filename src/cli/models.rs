//! The models of a run: over HTTP, or simulated; keys from the environment, and the redactor that knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::RunArguments;
use super::error::Failure;
use super::suite::Suite;
use crate::config::{EndpointSettings, HeaderValue, Settings};
use crate::endpoint::simulated::{Simulated, SimulatedOptions};
use crate::endpoint::{self, Budget, Ceilings, Options, Price};
use crate::load::Tree;
use crate::model::Mistake;
use crate::port::{ChatModel, EventSink};
use crate::text::{Redactor, Secret};

/// Where OpenAI's own API is.
const OPENAI: &str = "https://api.openai.com/v1";
/// The variable of the key, unless the configuration names another.
const KEY: &str = "OPENAI_API_KEY";
/// The variable of the base URL, where the configuration has none.
const BASE_URL: &str = "OPENAI_BASE_URL";
/// Simulated answers are computed, not waited for: more at once than cores brings nothing.
const SIMULATED_CONCURRENCY: usize = 16;

/// What answers and what judges.
pub(super) struct Models {
    /// Answers for both variants.
    pub(super) answering: Arc<dyn ChatModel>,
    /// Judges.
    pub(super) judging: Arc<dyn ChatModel>,
    /// The host that judges, for the fingerprint.
    pub(super) judge_host: String,
    /// Knows every secret that was read.
    pub(super) redactor: Arc<Redactor>,
    /// Trials under way at once.
    pub(super) concurrency: usize,
}

/// Connects to the endpoints of the settings, or makes the simulated model.
pub(super) fn connect(
    suite: &Suite,
    arguments: &RunArguments,
    sink: &Arc<dyn EventSink>,
    stop: &CancellationToken,
) -> Result<Models, Failure> {
    let settings = &suite.settings;
    let budget = budget(settings, arguments);
    if arguments.offline {
        let mut options = Options::new("http://simulated.invalid");
        options.max_concurrency = arguments.concurrency.map_or(SIMULATED_CONCURRENCY, |it| it as usize);
        options.budget = budget;
        let simulated = Arc::new(Simulated::new(SimulatedOptions::default()));
        let concurrency = options.max_concurrency;
        let model = endpoint::layered(simulated, &options, Arc::clone(sink), stop.clone());
        return Ok(Models {
            answering: Arc::clone(&model),
            judging: model,
            judge_host: "simulated".to_owned(),
            redactor: Arc::new(Redactor::new(&[])),
            concurrency,
        });
    }
    let mut secrets = Vec::new();
    let mut answering = options(&settings.endpoint, &suite.tree, &mut secrets)?;
    let own_endpoint = settings.judge.as_ref().and_then(|judge| judge.endpoint.as_ref());
    let mut judging = own_endpoint.map(|own| options(own, &suite.tree, &mut secrets)).transpose()?;
    for options in [Some(&mut answering), judging.as_mut()].into_iter().flatten() {
        if let Some(concurrency) = arguments.concurrency {
            options.max_concurrency = concurrency as usize;
        }
        options.budget = budget.clone();
    }
    let redactor = Arc::new(Redactor::new(&secrets));
    // A trial waits for its judges while others ask: enough trials to keep both endpoints full.
    let concurrency =
        2 * answering.max_concurrency + judging.as_ref().map_or(0, |options| options.max_concurrency);
    let judge_host = host(&judging.as_ref().unwrap_or(&answering).base_url);
    let connect = |options| endpoint::connect(options, Arc::clone(sink), Arc::clone(&redactor), stop.clone());
    let answering = connect(answering)?;
    let judging = match judging {
        Some(options) => connect(options)?,
        None => Arc::clone(&answering),
    };
    Ok(Models { answering, judging, judge_host, redactor, concurrency })
}

fn options(settings: &EndpointSettings, tree: &Tree, secrets: &mut Vec<Secret>) -> Result<Options, Mistake> {
    let base_url = settings
        .base_url
        .as_ref()
        .map(|url| url.value.clone())
        .or_else(|| variable(BASE_URL))
        .unwrap_or_else(|| OPENAI.to_owned());
    let mut options = Options::new(base_url);
    options.api_key_env =
        settings.api_key_env.as_ref().map(|name| name.value.clone()).unwrap_or_else(|| KEY.to_owned());
    options.api_key = variable(&options.api_key_env).map(Secret::new);
    secrets.extend(options.api_key.clone());
    for (name, value) in &settings.headers {
        let value = match value {
            HeaderValue::Literal(text) => Secret::new(text.clone()),
            HeaderValue::Env(variable_name) => {
                let value = variable(&variable_name.value).map(Secret::new).ok_or_else(|| {
                    Mistake::new(format!(
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

fn budget(settings: &Settings, arguments: &RunArguments) -> Option<Arc<Budget>> {
    let ceilings = Ceilings {
        calls: arguments.budget_calls.or(settings.budget.calls),
        usd: arguments.budget_usd.or(settings.budget.usd),
        time: arguments.deadline.or(settings.budget.time),
    };
    let prices: BTreeMap<String, Price> = settings
        .prices
        .iter()
        .map(|(model, input, output)| {
            (model.clone(), Price { input_per_million: *input, output_per_million: *output })
        })
        .collect();
    let limited = ceilings.calls.is_some() || ceilings.usd.is_some() || ceilings.time.is_some();
    limited.then(|| Arc::new(Budget::new(ceilings, prices)))
}

/// The value of an environment variable that holds something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// `api.openai.com`, without credentials, path and query.
fn host(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}
