//! The applications of a run: their files and setup, their environment, and the models that answer for them.

mod checkouts;
pub(super) mod environment;
mod prepare;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::CacheMode;
use super::models::Models;
use super::sources::ApplicationSource;
use super::suite::Applications;
use super::{Environment, Failure};
use crate::config::{HttpSettings, TargetKind, TargetSettings};
use prepare::Prepared;
use promptgate_adapters::cache::Cached;
use promptgate_adapters::endpoint::{self, Options};
use promptgate_adapters::target::{CommandTarget, HttpTarget, HttpTargetOptions, RecordedAnswers};
use promptgate_adapters::worker::{
    DEFAULT_MAX_LINE_BYTES, WorkerCommand, WorkerLog, WorkerOptions, make_undumpable,
};
use promptgate_core::model::{Diagnostics, Fault, Role};
use promptgate_core::port::{ChatModel, EventSink};
use promptgate_core::text::{Redactor, Secret};

pub(super) use checkouts::Checkouts;
pub(super) use environment::shared_with_judge;

/// Attempts at an answer. A second one replaces a fault that was no more than bad luck; the first one is in the report.
const ATTEMPTS: u32 = 2;
/// Maximum time until a server that was started is ready.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// The file of the output of applications.
pub(super) const LOG: &str = "target.log";
/// Requests in flight for each process: a worker may take several at once.
const REQUESTS_PER_WORKER: usize = 64;

/// The running applications of both variants; `None` for a prompt with a model.
#[derive(Default)]
pub(super) struct Running {
    pub(super) candidate: Option<Arc<dyn ChatModel>>,
    pub(super) baseline: Option<Arc<dyn ChatModel>>,
    processes: Vec<Process>,
}

/// The models that answer for the variants.
pub(super) struct Answering {
    pub(super) candidate: Arc<dyn ChatModel>,
    /// The baseline's, where it has one of its own.
    pub(super) baseline: Option<Arc<dyn ChatModel>>,
}

/// A started application.
struct Process {
    role: Role,
    server: Server,
    log: Arc<WorkerLog>,
    /// Its files, which no other process may replace meanwhile.
    _prepared: Prepared,
}

enum Server {
    Command(Arc<CommandTarget>),
    Http(Arc<HttpTarget>),
    Recorded,
}

/// The parts of a run that its applications need.
pub(super) struct ApplicationContext<'a> {
    pub(super) environment: &'a Environment,
    pub(super) sink: Arc<dyn EventSink>,
    pub(super) stop: CancellationToken,
    pub(super) models: &'a Models,
    pub(super) cache_mode: CacheMode,
    /// The checkouts of the run.
    pub(super) checkouts: &'a Checkouts,
}

impl Running {
    /// Prepares the applications and the models in front of them. A variant whose application has the digest of the other
    /// one shares it.
    ///
    /// # Errors
    /// A baseline that cannot be checked out, a setup that fails, recorded answers that are not valid, and settings that an
    /// adapter refuses.
    pub(super) async fn start(
        applications: Applications,
        context: &ApplicationContext<'_>,
    ) -> Result<Self, Failure> {
        let mut running = Self::default();
        let Applications { candidate, baseline } = applications;
        if candidate.is_some() || baseline.is_some() {
            // Another process of this user could otherwise read the keys of judges from memory.
            make_undumpable().map_err(|error| Failure::Internal(error.to_string()))?;
        }
        let digest = candidate.as_ref().map(|source| source.facts.digest.clone());
        if let Some(source) = candidate {
            running.candidate = Some(running.add(source, Role::Candidate, context).await?);
        }
        match baseline {
            Some(source) if Some(&source.facts.digest) == digest.as_ref() => {
                running.baseline.clone_from(&running.candidate);
            }
            Some(source) => {
                running.baseline = Some(running.add(source, Role::Baseline, context).await?);
            }
            None => {}
        }
        Ok(running)
    }

    async fn add(
        &mut self,
        source: ApplicationSource,
        role: Role,
        context: &ApplicationContext<'_>,
    ) -> Result<Arc<dyn ChatModel>, Failure> {
        let variables = environment::variables(&source.target.env, context.environment);
        let listed = &source.target.env;
        environment::warn_of_missing(listed, "the application", context.environment, &*context.sink);
        let redactor = &context.models.redactor;
        let log = Arc::new(WorkerLog::new(Arc::clone(redactor)));
        let prepared = prepare::prepare(&source, role, &variables, &log, context).await?;
        let command = |line: &[String]| WorkerCommand {
            command: line.to_vec(),
            folder: prepared.folder.clone(),
            env: variables.clone(),
        };
        let label = format!("the {}'s application", role.as_str());
        let target = &source.target;
        let (server, model): (Server, Arc<dyn ChatModel>) = match &target.kind {
            TargetKind::Command(line) => {
                let WorkerCommand { command, folder, env } = command(line);
                let options = WorkerOptions {
                    command,
                    folder,
                    env,
                    workers: target.workers,
                    timeout: target.timeout,
                    max_line_bytes: DEFAULT_MAX_LINE_BYTES,
                    label,
                };
                let target = Arc::new(CommandTarget::new(options, Arc::clone(redactor), Arc::clone(&log)));
                (Server::Command(Arc::clone(&target)), target)
            }
            TargetKind::Http(http) => {
                let headers = environment::headers(http, target, context.environment)?;
                let options = http_options(http, target, command, headers, label);
                let target = HttpTarget::new(options, Arc::clone(redactor), Arc::clone(&log));
                let target = Arc::new(target?);
                (Server::Http(Arc::clone(&target)), target)
            }
            TargetKind::Answers(_) => {
                let file =
                    source.answers.as_ref().ok_or_else(|| Failure::Internal("no answers".to_owned()))?;
                let answers = RecordedAnswers::parse(&file.name, &file.bytes, redactor)?;
                (Server::Recorded, Arc::new(answers))
            }
        };
        self.processes.push(Process { role, server, log, _prepared: prepared });
        Ok(layered(model, &source, &variables, context))
    }

    /// The models that answer for the variants, with the endpoint's for a prompt.
    pub(super) fn models(&self, endpoint: &Models, has_baseline: bool) -> Answering {
        let has_application = self.candidate.is_some() || self.baseline.is_some();
        let or_endpoint = |own: &Option<Arc<dyn ChatModel>>| {
            own.as_ref().map_or_else(|| Arc::clone(&endpoint.answering), Arc::clone)
        };
        Answering {
            candidate: or_endpoint(&self.candidate),
            baseline: (has_application && has_baseline).then(|| or_endpoint(&self.baseline)),
        }
    }

    /// Stops the processes. Returns their output as the text of a log file, which is empty where there is none, and the
    /// fault of one whose answers may be those of other cases.
    pub(super) async fn stop(self) -> (String, Option<Fault>) {
        let (mut text, mut found) = (String::new(), None);
        for Process { role, server, log, .. } in self.processes {
            match server {
                Server::Command(target) => found = found.or(target.shutdown().await.err()),
                Server::Http(target) => target.shutdown().await,
                Server::Recorded => continue,
            }
            text.push_str(&log.section(role.as_str()));
        }
        (text, found)
    }
}

/// Writes the output of commands, if there is any, beside the report.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_log(out: &Path, name: &str, text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let path = out.join(name);
    std::fs::write(&path, text).map_err(|error| Failure::writing(&path.display().to_string(), &error))
}

fn http_options(
    http: &HttpSettings,
    target: &TargetSettings,
    command: impl Fn(&[String]) -> WorkerCommand,
    headers: BTreeMap<String, Secret>,
    label: String,
) -> HttpTargetOptions {
    HttpTargetOptions {
        start: http.start.as_deref().map(command),
        start_timeout: START_TIMEOUT,
        url: http.url.clone(),
        ready: http.ready.clone(),
        body: http.body.clone(),
        headers,
        output: http.output.clone(),
        contexts: http.contexts.clone(),
        tool_calls: http.tool_calls.clone(),
        usage: http.usage.clone(),
        timeout: target.timeout,
        concurrency: target.workers,
        max_body_bytes: DEFAULT_MAX_LINE_BYTES,
        label,
    }
}

/// The layers in front of an application: the cache, retries, the budget.
fn layered(
    model: Arc<dyn ChatModel>,
    source: &ApplicationSource,
    variables: &[(String, String)],
    context: &ApplicationContext<'_>,
) -> Arc<dyn ChatModel> {
    let target = &source.target;
    let mut options = Options::new("http://application.invalid");
    options.attempts = ATTEMPTS;
    options.timeout = target.timeout;
    options.max_concurrency = match target.kind {
        TargetKind::Command(_) => target.workers * REQUESTS_PER_WORKER,
        TargetKind::Http(_) | TargetKind::Answers(_) => target.workers,
    };
    options.budget.clone_from(&context.models.budget);
    let sink = &context.sink;
    let model = endpoint::layered(model, &options, Arc::clone(sink), context.stop.clone());
    let is_recorded = matches!(target.kind, TargetKind::Answers(_));
    match &context.models.cache {
        Some((cache, options)) if target.cache && source.is_versioned && !is_recorded => {
            let scope = environment::scope(&source.facts.digest, variables);
            Arc::new(Cached::new(model, Arc::clone(cache), &scope, *options, Arc::clone(sink)))
        }
        _ => model,
    }
}

/// Refuses recorded answers and paths of responses that are not valid, before anything is called.
///
/// # Errors
/// All of them.
pub(super) fn check(applications: &Applications) -> Result<(), Diagnostics> {
    let redactor = Arc::new(Redactor::new(&[]));
    for source in [&applications.candidate, &applications.baseline].into_iter().flatten() {
        if let Some(file) = &source.answers {
            RecordedAnswers::parse(&file.name, &file.bytes, &redactor)?;
        }
        if let TargetKind::Http(http) = &source.target.kind {
            let command = |line: &[String]| WorkerCommand {
                command: line.to_vec(),
                folder: PathBuf::new(),
                env: Vec::new(),
            };
            let options = http_options(http, &source.target, command, BTreeMap::new(), String::new());
            // It is not started before its first request.
            let target = HttpTarget::new(
                options,
                Arc::clone(&redactor),
                Arc::new(WorkerLog::new(Arc::clone(&redactor))),
            );
            target.map_err(|diagnostics| diagnostics.at(&source.target.place))?;
        }
    }
    Ok(())
}
