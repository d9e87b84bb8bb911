//! The models of a run: over HTTP or simulated, with keys from the environment.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::cache::{self, CacheMode};
use super::keys::{self, Authentication, base_url};
use super::sources::NamedFiles;
use super::{Environment, Failure};
use crate::config::{EndpointSettings, HeaderValue, Settings};
use promptgate_adapters::cache::{Cache, CacheOptions, Cached, scope as cache_scope};
use promptgate_adapters::endpoint::{self, Budget, Ceilings, Options};
use promptgate_core::model::{Diagnostic, Diagnostics, Protocol};
use promptgate_core::port::{ChatModel, EventSink};
use promptgate_core::text::{Redactor, Secret};
use promptgate_simulated::{Simulated, SimulatedOptions};

/// Simulated answers are computed: more at once than cores bring nothing.
const SIMULATED_CONCURRENCY: usize = 16;
/// Trials in progress for each call in flight: while one waits for its judges, or for a server that refused it, others
/// use the slot. With fewer, a server that refuses every fifth call is idle at times.
const TRIALS_PER_CALL: usize = 4;

/// How a command makes its calls.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CallOptions {
    /// The simulated model answers and judges.
    pub(crate) offline: bool,
    /// Calls in flight at once; overrides the configuration.
    pub(crate) concurrency: Option<u32>,
    /// Ceilings; override the configuration.
    pub(crate) ceilings: Ceilings,
    /// How the cache is used.
    pub(crate) cache: CacheMode,
}

/// The models of a run.
pub(super) struct Models {
    /// Answers for both variants.
    pub(super) answering: Arc<dyn ChatModel>,
    /// Judge: one for each member of the panel.
    pub(super) judging: Vec<Arc<dyn ChatModel>>,
    /// Computes embeddings; `None` where none are configured.
    pub(super) embedding: Option<Arc<dyn ChatModel>>,
    /// Identity of the endpoint that answers.
    pub(super) scope: String,
    /// Hosts of the judges, for the fingerprint.
    pub(super) judge_hosts: Vec<String>,
    /// Knows every secret that was read.
    pub(super) redactor: Arc<Redactor>,
    /// Trials in progress at once.
    pub(super) concurrency: usize,
    /// The cache, and how it is used; `None` where it is bypassed.
    pub(super) cache: Option<(Arc<Cache>, CacheOptions)>,
    /// The budget that all calls of the run share.
    pub(super) budget: Option<Arc<Budget>>,
}

/// Where calls of a run go.
pub(super) struct Connection<'a> {
    /// The configuration.
    pub(super) settings: &'a Settings,
    /// Whether a judge is called; without one, its endpoints need neither keys nor headers.
    pub(super) judged: bool,
    /// Files that the configuration names.
    pub(super) files: &'a NamedFiles,
    /// The variables that hold keys.
    pub(super) environment: &'a Environment,
    /// How calls are made.
    pub(super) calls: CallOptions,
    /// Knows every secret that settings and environment hold.
    pub(super) redactor: &'a Arc<Redactor>,
}

impl Connection<'_> {
    /// Connects to the endpoints of the settings, or builds the simulated model.
    pub(super) fn open(
        &self,
        sink: &Arc<dyn EventSink>,
        stop: &CancellationToken,
    ) -> Result<Models, Failure> {
        if self.calls.offline { Ok(self.simulated(sink, stop)) } else { self.endpoints(sink, stop) }
    }

    fn simulated(&self, sink: &Arc<dyn EventSink>, stop: &CancellationToken) -> Models {
        let panel = self.settings.judge.as_ref().map_or(0, |judge| judge.panel.len());
        let mut options = Options::new("http://simulated.invalid");
        options.max_concurrency = self.calls.concurrency.map_or(SIMULATED_CONCURRENCY, |it| it as usize);
        options.budget = budget(self.settings, self.calls.ceilings, true);
        let simulated = Arc::new(Simulated::new(SimulatedOptions::default()));
        let model = endpoint::layered(simulated, &options, Arc::clone(sink), stop.clone());
        Models {
            judging: vec![Arc::clone(&model); panel],
            judge_hosts: vec!["simulated".to_owned(); panel],
            embedding: self.settings.embeddings.as_ref().map(|_| Arc::clone(&model)),
            answering: model,
            scope: "simulated".to_owned(),
            redactor: Arc::clone(self.redactor),
            concurrency: options.max_concurrency,
            // Computed answers cost nothing.
            cache: None,
            budget: options.budget,
        }
    }

    fn endpoints(&self, sink: &Arc<dyn EventSink>, stop: &CancellationToken) -> Result<Models, Failure> {
        // Without calls no key is sent.
        if self.calls.cache != CacheMode::CachedOnly {
            let misdirected = keys::misdirected(self.settings, self.environment, self.judged);
            if !misdirected.is_empty() {
                return Err(Diagnostics(misdirected).into());
            }
        }
        let Endpoints { endpoints, judging, embedding } = distinct(self.settings, self.judged);
        let budget = budget(self.settings, self.calls.ceilings, false);
        let mut all: Vec<(Options, String)> = Vec::new();
        for endpoint in &endpoints {
            let mut options = options(endpoint, self.files, self.environment)?;
            if let Some(concurrency) = self.calls.concurrency {
                options.max_concurrency = concurrency as usize;
            }
            options.budget = budget.clone();
            let scope = scope(&options.base_url, endpoint);
            all.push((options, scope));
        }
        let scope = all[0].1.clone();
        let calls: usize = all.iter().map(|(options, _)| options.max_concurrency).sum();
        let hosts: Vec<String> =
            all.iter().map(|(options, scope)| display_host(&options.base_url, scope)).collect();
        let cache = cache::open(self.settings, &self.files.folder, self.calls.cache, sink.as_ref())?;
        let connect = |(options, scope): (Options, String)| {
            let redactor = Arc::clone(self.redactor);
            let model = endpoint::connect(options, Arc::clone(sink), redactor, stop.clone())?;
            Ok(match &cache {
                None => model,
                Some((cache, options)) => {
                    let cache = Arc::clone(cache);
                    Arc::new(Cached::new(model, cache, &scope, *options, Arc::clone(sink)))
                        as Arc<dyn ChatModel>
                }
            })
        };
        let connected = all.into_iter().map(connect).collect::<Result<Vec<_>, Diagnostic>>()?;
        Ok(Models {
            answering: Arc::clone(&connected[0]),
            scope,
            judging: judging.iter().map(|index| Arc::clone(&connected[*index])).collect(),
            embedding: embedding.map(|index| Arc::clone(&connected[index])),
            judge_hosts: judging.iter().map(|index| hosts[*index].clone()).collect(),
            redactor: Arc::clone(self.redactor),
            concurrency: TRIALS_PER_CALL * calls,
            cache,
            budget,
        })
    }
}

/// Every endpoint once, so that its limits hold for all its callers, the candidate's first.
struct Endpoints<'a> {
    endpoints: Vec<&'a EndpointSettings>,
    /// For each member of the panel the index of its own.
    judging: Vec<usize>,
    /// The index of that of embeddings.
    embedding: Option<usize>,
}

fn distinct(settings: &Settings, judged: bool) -> Endpoints<'_> {
    let panel = settings.judge.iter().filter(|_| judged).flat_map(|judge| &judge.panel);
    let own = panel.map(|member| member.endpoint.as_ref().unwrap_or(&settings.endpoint));
    let mut endpoints = vec![&settings.endpoint];
    let judging = own.map(|own| place_of(own, &mut endpoints)).collect();
    let embeddings = settings.embeddings.as_ref();
    let embedding =
        embeddings.map(|it| place_of(it.endpoint.as_ref().unwrap_or(&settings.endpoint), &mut endpoints));
    Endpoints { endpoints, judging, embedding }
}

/// The index of an endpoint, which is added where it is not known.
fn place_of<'a>(endpoint: &'a EndpointSettings, known: &mut Vec<&'a EndpointSettings>) -> usize {
    let index = known.iter().position(|other| *other == endpoint);
    index.unwrap_or_else(|| {
        known.push(endpoint);
        known.len() - 1
    })
}

pub(super) fn options(
    settings: &EndpointSettings,
    files: &NamedFiles,
    environment: &Environment,
) -> Result<Options, Diagnostic> {
    let mut options = Options::new(base_url(settings, environment));
    options.protocol = settings.protocol;
    options.stream = settings.stream;
    let authentication = Authentication::of(settings, environment);
    authentication.variable(settings.protocol).clone_into(&mut options.api_key_env);
    options.needs_key = authentication != Authentication::Keyless;
    if let Authentication::Key(variable) = &authentication {
        options.api_key = environment.variable(variable).map(Secret::new);
    }
    for (name, value) in &settings.headers {
        let value = match value {
            HeaderValue::Literal(text) => Secret::new(text.clone()),
            HeaderValue::Env(variable) => {
                environment.variable(&variable.value).map(Secret::new).ok_or_else(|| {
                    Diagnostic::new(format!(
                        "the environment variable {} of header {name} is not set",
                        variable.value
                    ))
                    .at(variable.place.clone())
                    .help(format!("set {}", variable.value))
                })?
            }
        };
        options.headers.push((name.clone(), value));
    }
    let ca_cert = settings.ca_cert.as_ref().map(|path| files.read(&path.value)).transpose()?;
    options.ca_cert = ca_cert.map(|file| file.bytes.clone());
    options.timeout = settings.timeout;
    options.max_concurrency = settings.max_concurrency;
    options.rpm = settings.rpm;
    options.tpm = settings.tpm;
    options.attempts = settings.attempts;
    options.max_wait = settings.max_wait;
    Ok(options)
}

fn budget(settings: &Settings, flags: Ceilings, offline: bool) -> Option<Arc<Budget>> {
    let ceilings = Ceilings {
        calls: flags.calls.or(settings.budget.calls),
        usd: flags.usd.or(settings.budget.usd),
        time: flags.time.or(settings.budget.time),
    };
    let prices = settings.prices.clone();
    let limited = ceilings.calls.is_some() || ceilings.usd.is_some() || ceilings.time.is_some();
    // Without a ceiling it still sums the cost for the progress line.
    let shown = !offline && !prices.0.is_empty();
    (limited || shown).then(|| Arc::new(Budget::new(ceilings, prices)))
}

/// The identity of an endpoint: its address, and the headers that may select the model behind it.
pub(super) fn scope(base_url: &str, settings: &EndpointSettings) -> String {
    let headers: Vec<(&str, Option<&str>)> = settings
        .headers
        .iter()
        .map(|(name, value)| match value {
            HeaderValue::Literal(text) => (name.as_str(), Some(text.as_str())),
            HeaderValue::Env(_) => (name.as_str(), None),
        })
        .collect();
    let scope = cache_scope(base_url, &headers);
    // A gateway may serve several protocols under one address.
    match settings.protocol {
        Protocol::OpenAi => scope,
        other => format!("{scope} as {}", other.as_str()),
    }
}

/// The same for people: the host alone where only the usual path follows.
pub(super) fn display_host(base_url: &str, scope: &str) -> String {
    let host = host(base_url);
    let rest = scope.split_once("://").map_or(scope, |(_, rest)| rest);
    let rest = rest.split_once(" as ").map_or(rest, |(rest, _)| rest);
    let is_usual = ["/v1", "/v1beta"].iter().any(|version| rest.strip_suffix(version) == Some(&host));
    if rest == host || is_usual { host } else { rest.to_owned() }
}

/// `api.openai.com`, without credentials, path and query.
fn host(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}
