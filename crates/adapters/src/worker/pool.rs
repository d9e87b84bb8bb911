//! A pool of processes that start when they are needed.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::connection::{Context, Ended, Stop, Worker};
use super::protocol::{Key, Reply};
use super::{ProcessGroup, WorkerCommand, WorkerLog, WorkerOptions};
use promptgate_core::model::{Attempt, Fault, FaultKind};
use promptgate_core::text::Redactor;

/// Number of processes in a row that may end before their first answer, while none has answered.
const MAX_FAILED_STARTS: u32 = 3;

/// Processes of one command that answer requests. Dropping it kills them.
pub struct Workers {
    pool: Arc<Pool>,
}

struct Pool {
    context: Arc<Context>,
    state: Mutex<PoolState>,
}

#[derive(Default)]
struct PoolState {
    workers: Vec<Arc<Worker>>,
    tasks: Vec<JoinHandle<()>>,
    failed_starts: u32,
    has_answered: bool,
    /// The fault of all further requests.
    dead: Option<Fault>,
    /// The fault of a process whose answers may be those of other requests.
    out_of_step: Option<Fault>,
    is_shut_down: bool,
}

impl Workers {
    /// Creates a pool; nothing is started yet.
    pub fn new(options: WorkerOptions, redactor: Arc<Redactor>, log: Arc<WorkerLog>) -> Self {
        let context = Arc::new(Context { options, redactor, log, freed: tokio::sync::Notify::new() });
        Self { pool: Arc::new(Pool { context, state: Mutex::default() }) }
    }

    /// Sends a request and returns the reply, a JSON object.
    ///
    /// # Errors
    /// A [`Fault`] in place of a reply. [`FaultKind::Dead`] where the command cannot be started.
    pub async fn call(&self, line: &Value) -> Result<Value, Fault> {
        self.exchange(line).await.map(|reply| Value::Object(reply.value))
    }

    /// Sends a request and returns the reply with its duration. Dropping the future ends the process that has the
    /// request.
    ///
    /// # Errors
    /// As [`Workers::call`]; the fault lists its own attempt.
    pub async fn exchange(&self, line: &Value) -> Result<Reply, Fault> {
        let started = Instant::now();
        self.try_exchange(line).await.map_err(|mut fault| {
            let ms = started.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
            let mut attempt = Attempt::new(&fault, ms);
            // The code was started, so the fault is not free of suspicion.
            if fault.kind == FaultKind::Dead {
                attempt.kind = FaultKind::Disconnected;
            }
            fault.attempts.push(attempt);
            fault
        })
    }

    async fn try_exchange(&self, line: &Value) -> Result<Reply, Fault> {
        let key = Key::of(line);
        let mut bytes = serde_json::to_vec(line).map_err(|error| {
            let label = &self.pool.context.options.label;
            Fault::new(
                FaultKind::Rejected,
                format!("{label}: the request cannot be written as JSON: {error}"),
            )
        })?;
        bytes.push(b'\n');
        self.seat(&key).await?.send(&bytes, self.pool.context.options.timeout).await
    }

    /// Waits for a process that takes the request.
    async fn seat(&self, key: &Key) -> Result<Seat, Fault> {
        loop {
            let mut freed = std::pin::pin!(self.pool.context.freed.notified());
            // A seat that is freed after the look below is not missed.
            freed.as_mut().enable();
            if let Some(seat) = self.pool.try_seat(key)? {
                return Ok(seat);
            }
            freed.await;
        }
    }

    /// Stops all processes: a request to end, and a kill after two seconds.
    ///
    /// # Errors
    /// The fault of a process that wrote a line which no request had asked for, after replies without an `id`: its
    /// answers may have been taken for those of other cases, so that the run must not count as complete.
    pub async fn shutdown(&self) -> Result<(), Fault> {
        let tasks = {
            let mut state = self.pool.state();
            state.is_shut_down = true;
            state.workers.iter().for_each(|worker| worker.stop(Stop::Shutdown));
            std::mem::take(&mut state.tasks)
        };
        self.pool.context.freed.notify_waiters();
        for task in tasks {
            drop(task.await);
        }
        self.pool.state().out_of_step.take().map_or(Ok(()), Err)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.is_shut_down = true;
        state.workers.iter().for_each(|worker| worker.kill());
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a seat: an idle process, else a new one, else the one with the fewest requests.
    fn try_seat(self: &Arc<Self>, key: &Key) -> Result<Option<Seat>, Fault> {
        let mut state = self.state();
        if let Some(fault) = &state.dead {
            return Err(fault.clone());
        }
        if state.is_shut_down {
            let message = format!("{}: the processes were stopped", self.context.options.label);
            return Err(Fault::new(FaultKind::Interrupted, message));
        }
        let mut by_load: Vec<(usize, &Arc<Worker>)> =
            state.workers.iter().map(|worker| (worker.conversation().busy(), worker)).collect();
        by_load.sort_by_key(|(busy, _)| *busy);
        let may_start = by_load.len() < self.context.options.workers.max(1);
        for (busy, worker) in by_load {
            if busy > 0 && may_start {
                break;
            }
            if let Some((ticket, receiver)) = worker.reserve(key) {
                return Ok(Some(Seat { worker: Arc::clone(worker), ticket, receiver, is_done: false }));
            }
        }
        if !may_start {
            return Ok(None);
        }
        let worker = self.start(&mut state)?;
        let seat = worker.reserve(key);
        Ok(seat.map(|(ticket, receiver)| Seat { worker, ticket, receiver, is_done: false }))
    }

    fn start(self: &Arc<Self>, state: &mut PoolState) -> Result<Arc<Worker>, Fault> {
        let options = &self.context.options;
        let line = WorkerCommand {
            command: options.command.clone(),
            folder: options.folder.clone(),
            env: options.env.clone(),
        };
        let mut process = ProcessGroup::start(&line, true).map_err(|error| {
            let fault = start_fault(options, &error);
            if fault.kind == FaultKind::Dead {
                state.dead = Some(fault.clone());
            }
            fault
        })?;
        let worker = Arc::new(Worker::new(Arc::clone(&self.context), &mut process));
        state.workers.push(Arc::clone(&worker));
        state.tasks.retain(|task| !task.is_finished());
        // The pool must not live as long as its processes: dropping it ends them.
        let (pool, running) = (Arc::downgrade(self), Arc::clone(&worker));
        state.tasks.push(tokio::spawn(async move {
            let mut ended = running.run(process).await;
            if let Some(pool) = pool.upgrade() {
                pool.remove(&running, &mut ended);
            }
            answer(ended);
        }));
        Ok(worker)
    }

    fn remove(&self, worker: &Arc<Worker>, ended: &mut Ended) {
        let mut state = self.state();
        state.workers.retain(|other| !Arc::ptr_eq(other, worker));
        state.has_answered |= worker.conversation().has_answered();
        let answers = state.workers.iter().any(|other| other.conversation().has_answered());
        if ended.failed_at_start && !state.has_answered && !answers {
            state.failed_starts += 1;
            if state.failed_starts >= MAX_FAILED_STARTS && state.dead.is_none() {
                ended.fault = dead(&ended.fault);
                state.dead = Some(ended.fault.clone());
            }
        }
        if ended.is_out_of_step {
            let fault = out_of_step(&ended.fault);
            state.dead.get_or_insert_with(|| fault.clone());
            state.out_of_step.get_or_insert(fault);
        }
        drop(state);
        self.context.freed.notify_waiters();
    }
}

/// Gives the requests of a process their fault.
fn answer(ended: Ended) {
    for request in ended.requests {
        let own = ended.own_fault.as_ref().filter(|(ticket, _)| *ticket == request.ticket);
        let fault = own.map_or(&ended.fault, |(_, fault)| fault).clone();
        request.answer(Err(fault));
    }
}

fn dead(last: &Fault) -> Fault {
    let message = format!(
        "{}; {MAX_FAILED_STARTS} processes in a row failed before their first answer, so no more are started",
        last.message
    );
    Fault { kind: FaultKind::Dead, message, ..last.clone() }
}

fn out_of_step(last: &Fault) -> Fault {
    let message = format!("{}; its answers may have been taken for those of other cases", last.message);
    Fault { kind: FaultKind::Dead, message, ..last.clone() }
        .help("expected one line per request; a reply that repeats the request's `id` is never taken for another one")
}

fn start_fault(options: &WorkerOptions, error: &io::Error) -> Fault {
    let program = options.command.first().map(String::as_str).unwrap_or_default();
    let program = promptgate_core::text::neutral::terminal(program);
    let message = format!("{}: could not start `{program}`: {error}", options.label);
    let (kind, help) = match error.kind() {
        // Another process may have to end first.
        io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => {
            (FaultKind::Disconnected, "the system has too many processes; lower its `workers`")
        }
        _ if !options.folder.is_dir() => (FaultKind::Dead, "its working directory does not exist"),
        _ => (FaultKind::Dead, "expected a program on PATH, or a path relative to its working directory"),
    };
    Fault::new(kind, message).help(help)
}

/// A request of a process.
struct Seat {
    worker: Arc<Worker>,
    ticket: u64,
    receiver: oneshot::Receiver<Result<Reply, Fault>>,
    is_done: bool,
}

impl Seat {
    async fn send(mut self, line: &[u8], timeout: std::time::Duration) -> Result<Reply, Fault> {
        let exchange = async {
            self.worker.write(line).await;
            (&mut self.receiver).await
        };
        let result = match tokio::time::timeout(timeout, exchange).await {
            Ok(result) => result,
            Err(_) => {
                self.worker.stop(Stop::Timeout(self.ticket));
                // A reply to a request that was not read as a whole is not an answer.
                let late = (&mut self.receiver).await;
                late.map(|result| result.and_then(|_| Err(self.worker.late_fault())))
            }
        };
        self.is_done = true;
        result.unwrap_or_else(|_| Err(self.worker.fault(FaultKind::Disconnected, "was stopped")))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.is_done {
            self.worker.stop(Stop::Cancelled(self.ticket));
        }
    }
}
