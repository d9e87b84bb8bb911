//! The server of an application: its start, its readiness and its end.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Url};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::options::{PORT, Plan};
use crate::http::{self, BaseUrl, Client, ClientOptions, ErrorKind, Request, SettingNames};
use crate::worker::{GroupHandle, ProcessGroup, ProcessLog, WorkerCommand, WorkerLog};
use promptgate_core::model::{Diagnostic, Fault, FaultKind};
use promptgate_core::text::Redactor;

/// Number of starts in a row that may fail.
const MAX_FAILED_STARTS: u32 = 3;
/// Time between two looks for readiness, and the maximum time of one.
const PROBE_DELAY: Duration = Duration::from_millis(50);
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the exit of a server whose connection broke to be noticed.
const EXIT_DELAY: Duration = Duration::from_millis(200);

const NAMES: SettingNames = SettingNames {
    url: "target.http.url",
    ca_cert: None,
    timeout_help: "raise target.timeout, or see the log of the application",
    credential: "header",
};

/// The running server, and the failures to start one.
#[derive(Default)]
pub(super) struct ServerState {
    running: Option<Arc<Server>>,
    failed_starts: u32,
    dead: Option<Fault>,
    is_shut_down: bool,
}

/// A server that was ready.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) url: Url,
    label: String,
    /// `None` for a server that was already there.
    process: Option<ServerProcess>,
}

struct ServerProcess {
    handle: Arc<GroupHandle>,
    log: Arc<WorkerLog>,
    output: Arc<ProcessLog>,
    /// The description of the end.
    ended: watch::Receiver<Option<String>>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl ServerState {
    /// Returns the running server, or starts one.
    pub(super) async fn running(
        &mut self,
        plan: &Plan,
        redactor: &Arc<Redactor>,
        log: &Arc<WorkerLog>,
    ) -> Result<Arc<Server>, Fault> {
        if let Some(fault) = &self.dead {
            return Err(fault.clone());
        }
        if self.is_shut_down {
            return Err(Fault::new(
                FaultKind::Interrupted,
                format!("{}: the server was stopped", plan.options.label),
            ));
        }
        if let Some(server) = self.running.as_ref().filter(|server| !server.has_ended()) {
            return Ok(Arc::clone(server));
        }
        // A server that ended is gone with its group before the next one starts.
        self.stop_running().await;
        match Server::start(plan, redactor, log).await {
            Ok(server) => {
                self.failed_starts = 0;
                Ok(Arc::clone(self.running.insert(Arc::new(server))))
            }
            Err(fault) => Err(self.failed(fault)),
        }
    }

    fn failed(&mut self, mut fault: Fault) -> Fault {
        self.failed_starts += 1;
        if self.failed_starts >= MAX_FAILED_STARTS && fault.kind != FaultKind::Dead {
            fault.kind = FaultKind::Dead;
            fault.message.push_str(&format!("; {MAX_FAILED_STARTS} starts in a row failed"));
        }
        if fault.kind == FaultKind::Dead {
            self.dead = Some(fault.clone());
        }
        fault
    }

    pub(super) async fn shutdown(&mut self) {
        self.is_shut_down = true;
        self.stop_running().await;
    }

    async fn stop_running(&mut self) {
        let Some(process) = self.running.take().and_then(|server| server.process_end()) else { return };
        process.wait_stopped().await;
    }
}

/// The end of a server's process, which others may await as well.
struct ServerEnd {
    stop: watch::Sender<bool>,
    ended: watch::Receiver<Option<String>>,
}

impl ServerEnd {
    async fn wait_stopped(mut self) {
        self.stop.send_replace(true);
        // The sender is dropped when the group has ended.
        while self.ended.changed().await.is_ok() {}
    }
}

impl Server {
    async fn start(plan: &Plan, redactor: &Arc<Redactor>, log: &Arc<WorkerLog>) -> Result<Self, Fault> {
        let label = &plan.options.label;
        let failed = |message: String| Fault::new(FaultKind::Disconnected, format!("{label}: {message}"));
        let port = match plan.options.start {
            Some(_) => Some(free_port().map_err(|error| failed(format!("no free port: {error}")))?),
            None => None,
        };
        let invalid = |error: Diagnostic| failed(error.to_string());
        let (base, url, ready) = plan.addresses(port).map_err(invalid)?;
        let process = match (&plan.options.start, port) {
            (Some(command), Some(port)) => {
                Some(ServerProcess::start(command, port, log).map_err(|error| {
                    let fault = failed(format!("could not start the server: {error}"));
                    Fault { kind: FaultKind::Dead, ..fault }.help("check target.http.start and PATH")
                })?)
            }
            _ => None,
        };
        let client = client(plan, base, redactor).map_err(invalid)?;
        let server = Self { client, url, label: label.clone(), process };
        if server.process.is_some() || ready.is_some() {
            server.wait_ready(ready.as_ref(), plan.options.start_timeout).await?;
        }
        Ok(server)
    }

    /// Waits until the server responds, or fails with its end.
    async fn wait_ready(&self, ready: Option<&Url>, timeout: Duration) -> Result<(), Fault> {
        let deadline = Instant::now() + timeout;
        while !self.is_ready(ready).await {
            if self.has_ended() {
                return Err(self.fault_with("ended before it was ready"));
            }
            if Instant::now() >= deadline {
                let seconds = timeout.as_secs_f64();
                return Err(self.fault_with(&format!("was not ready within {seconds} s")));
            }
            tokio::time::sleep(PROBE_DELAY).await;
        }
        // Another process may have taken the port.
        if self.has_ended() { Err(self.fault_with("ended while it started")) } else { Ok(()) }
    }

    async fn is_ready(&self, ready: Option<&Url>) -> bool {
        let probe = async {
            match ready {
                Some(url) => {
                    let response = self.client.send(&Request::new(Method::GET, url.clone())).await;
                    response.is_ok_and(|response| response.status.is_success())
                }
                None => {
                    let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
                    let port = self.url.port_or_known_default().unwrap_or_default();
                    TcpStream::connect((host, port)).await.is_ok()
                }
            }
        };
        tokio::time::timeout(PROBE_TIMEOUT, probe).await.unwrap_or(false)
    }

    fn has_ended(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.ended.borrow().is_some())
    }

    /// Returns the fault of a failed exchange, with the end of the server where that is the reason. No fault of code is
    /// free of suspicion, a connection that it did not accept included.
    pub(super) async fn fault(&self, error: http::Error) -> Fault {
        let is_broken =
            matches!(error.kind, ErrorKind::Connection | ErrorKind::Disconnected | ErrorKind::Truncated);
        if let Some(process) = self.process.as_ref().filter(|_| is_broken) {
            let mut ended = process.ended.clone();
            let has_ended = async { ended.wait_for(Option::is_some).await.is_ok() };
            if tokio::time::timeout(EXIT_DELAY, has_ended).await.unwrap_or(false) {
                return self.fault_with("ended before it answered");
            }
        }
        let mut fault = Fault::from(error);
        fault.message = format!("{}: {}", self.label, fault.message);
        if matches!(fault.kind, FaultKind::Connection | FaultKind::Certificate | FaultKind::Redirected) {
            fault.kind = FaultKind::Disconnected;
        }
        fault
    }

    fn fault_with(&self, event: &str) -> Fault {
        let mut message = format!("{}: the server {event}", self.label);
        if let Some(process) = &self.process {
            if let Some(end) = &*process.ended.borrow() {
                message.push_str(&format!(" ({end})"));
            }
            let tail = process.log.tail_of(&process.output);
            if !tail.is_empty() {
                message.push_str(&format!("; its output ends with: {tail}"));
            }
        }
        Fault::new(FaultKind::Disconnected, message).help("run the command of target.http.start by hand")
    }

    fn process_end(&self) -> Option<ServerEnd> {
        let process = self.process.as_ref()?;
        Some(ServerEnd { stop: process.stop.clone(), ended: process.ended.clone() })
    }
}

impl ServerProcess {
    fn start(command: &WorkerCommand, port: u16, log: &Arc<WorkerLog>) -> std::io::Result<Self> {
        let port = port.to_string();
        let mut command = command.clone();
        command.command.iter_mut().for_each(|argument| *argument = argument.replace(PORT, &port));
        command.env.retain(|(name, _)| name != "PORT");
        command.env.push(("PORT".to_owned(), port));
        let process = ProcessGroup::start(&command, false)?;
        let (handle, output) = (process.handle(), log.start());
        let (ended_sender, ended) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let task =
            tokio::spawn(supervise(process, Arc::clone(log), Arc::clone(&output), ended_sender, stopped));
        Ok(Self { handle, log: Arc::clone(log), output, ended, stop, task: Some(task) })
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.task.take().is_some_and(|task| !task.is_finished()) {
            self.handle.kill();
        }
    }
}

/// Drains the output of a server until it ends or is stopped, and ends its group.
async fn supervise(
    mut process: ProcessGroup,
    log: Arc<WorkerLog>,
    output: Arc<ProcessLog>,
    ended: watch::Sender<Option<String>>,
    mut stopped: watch::Receiver<bool>,
) {
    let drains = [
        process.child.stdout.take().map(|pipe| tokio::spawn(Arc::clone(&output).drain(pipe))),
        process.child.stderr.take().map(|pipe| tokio::spawn(Arc::clone(&output).drain(pipe))),
    ];
    let is_stopped = tokio::select! {
        result = stopped.wait_for(|stop| *stop) => result.is_ok(),
        _ = process.wait() => false,
    };
    log.observe_memory(process.handle().peak_memory());
    let status = if is_stopped { process.stop().await } else { process.end().await };
    for mut drain in drains.into_iter().flatten() {
        if tokio::time::timeout(EXIT_DELAY, &mut drain).await.is_err() {
            drain.abort();
        }
    }
    let end = status.map_or_else(|| "no exit status".to_owned(), |status| status.to_string());
    log.end(&output, &end, !is_stopped);
    drop(ended.send(Some(end)));
}

/// Returns a port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn client(plan: &Plan, base: BaseUrl, redactor: &Arc<Redactor>) -> Result<Client, Diagnostic> {
    Client::new(ClientOptions {
        base,
        headers: plan.headers.clone(),
        timeout: plan.options.timeout,
        max_idle_connections: plan.options.concurrency.max(1),
        max_redirects: 0,
        max_body_bytes: plan.options.max_body_bytes,
        ca_cert: None,
        names: NAMES,
        redactor: Arc::clone(redactor),
    })
}
