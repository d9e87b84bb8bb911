//! Hard limits of a run: calls, US dollars and time, shared by all its endpoints.
//!
//! A call reserves its worst-case cost before it is made and settles for the actual cost. If only reservations of calls
//! in flight block a call, it waits for them to settle; if the spent amount leaves no room, it ends with
//! [`FaultKind::BudgetSpent`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pace::max_answer_tokens;
use super::sync::{interrupted, lock};
use promptgate_core::model::{
    ChatRequest, Completion, Fault, FaultKind, Message, Price, Prices, Purpose, ResponseFormat, Usage,
};
use promptgate_core::port::{ChatModel, Event, EventSink};

/// Tokens reserved for an answer without a limit.
const ANSWER_TOKENS: u64 = 4096;

/// Maximum tokens of a message in addition to its text: role and separators.
const MESSAGE_TOKENS: u64 = 16;

/// Tokens reserved for an image.
const IMAGE_TOKENS: u64 = 4096;

/// Time that calls in flight may take after the time limit, as after an interrupt.
const GRACE: Duration = Duration::from_secs(5);

/// Tolerance of comparisons, in US dollars.
const TOLERANCE_USD: f64 = 1e-9;

/// The limits of a run; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ceilings {
    /// Requests sent, retries included.
    pub calls: Option<u64>,
    /// US dollars.
    pub usd: Option<f64>,
    /// Time from the start of the run.
    pub time: Option<Duration>,
}

/// The limits of a run and the amounts used so far.
#[derive(Debug)]
pub struct Budget {
    ceilings: Ceilings,
    prices: Prices,
    deadline: Option<Instant>,
    account: Mutex<Account>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Account {
    calls: u64,
    spent: f64,
    reserved: f64,
    in_flight: u64,
    /// The highest cost that an application has reported for an answer.
    highest_reported: f64,
}

impl Budget {
    /// Creates a budget whose time starts now, with prices by model name.
    pub fn new(ceilings: Ceilings, prices: Prices) -> Self {
        let deadline = ceilings.time.and_then(|time| Instant::now().checked_add(time));
        Self { ceilings, prices, deadline, account: Mutex::default(), settled: Notify::new() }
    }

    /// Returns the number of requests sent.
    pub fn calls(&self) -> u64 {
        lock(&self.account).calls
    }

    /// Returns an upper bound of the US dollars spent: calls that may have been charged without an answer count in full.
    pub fn spent_usd(&self) -> f64 {
        lock(&self.account).spent
    }

    /// Returns the end of the time limit.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The maximum cost of a call. That of an application without a price is the highest it has reported so far.
    fn max_cost(&self, request: &ChatRequest) -> Result<f64, Fault> {
        let model = &request.model;
        match self.prices.get(model) {
            Some(price) => Ok(max_cost(request, price)),
            None if request.input.is_some() => Ok(lock(&self.account).highest_reported),
            None if self.ceilings.usd.is_some() => Err(spent(
                format!("budget.usd cannot be enforced: the price of the model `{model}` is unknown"),
                "add the model to `prices`",
            )),
            None => Ok(0.0),
        }
    }

    /// The cost of an answer as reported or by the prices; `None` where neither is known.
    ///
    /// # Errors
    /// An application neither reports its costs nor has a price, so that a limit in US dollars cannot be enforced.
    fn cost(&self, request: &ChatRequest, completion: &Completion) -> Result<Option<f64>, Fault> {
        if let Some(cost) = completion.reported_cost() {
            let mut account = lock(&self.account);
            account.highest_reported = account.highest_reported.max(cost);
            return Ok(Some(cost));
        }
        let price = self.prices.of_answer(&request.model, completion.model.as_deref());
        match price.zip(completion.usage) {
            Some((price, usage)) => Ok(Some(price.cost(usage))),
            None if request.input.is_some() && self.ceilings.usd.is_some() => Err(spent(
                "budget.usd cannot be enforced: the application reported neither `cost_usd` nor priced `usage`".to_owned(),
                "let it report `cost_usd`, or remove budget.usd",
            )),
            None => Ok(None),
        }
    }

    /// Reserves the cost of one call; `false` where it has to wait for other calls to settle.
    fn reserve(&self, max_cost: f64) -> Result<bool, Fault> {
        self.check_time()?;
        let mut account = lock(&self.account);
        if let Some(calls) = self.ceilings.calls
            && account.calls >= calls
        {
            let what = format!("the budget of {calls} calls is spent");
            return Err(spent(what, "raise budget.calls, or run fewer cases"));
        }
        if let Some(usd) = self.ceilings.usd {
            if account.spent + max_cost > usd + TOLERANCE_USD {
                let what = format!(
                    "the budget of ${usd} is spent: ${:.4} so far, and the next call may cost ${max_cost:.4}",
                    account.spent
                );
                let help = "raise budget.usd, or limit answers with max_completion_tokens";
                return Err(spent(what, help));
            }
            if account.spent + account.reserved + max_cost > usd + TOLERANCE_USD && account.in_flight > 0 {
                return Ok(false);
            }
        }
        account.calls += 1;
        account.in_flight += 1;
        account.reserved += max_cost;
        Ok(true)
    }

    fn check_time(&self) -> Result<(), Fault> {
        match (self.deadline, self.ceilings.time) {
            (Some(deadline), Some(time)) if Instant::now() >= deadline => Err(time_is_up(time)),
            _ => Ok(()),
        }
    }

    fn settle(&self, reserved: f64, cost: f64, was_sent: bool) -> f64 {
        let spent = {
            let mut account = lock(&self.account);
            account.in_flight = account.in_flight.saturating_sub(1);
            account.reserved =
                if account.in_flight == 0 { 0.0 } else { (account.reserved - reserved).max(0.0) };
            account.spent += cost;
            if !was_sent {
                account.calls = account.calls.saturating_sub(1);
            }
            account.spent
        };
        self.settled.notify_waiters();
        spent
    }
}

fn time_is_up(time: Duration) -> Fault {
    let what = format!("the time limit of {} s is reached", time.as_secs_f64());
    spent(what, "raise budget.time or endpoint.max_concurrency, or run fewer cases")
}

fn spent(what: String, help: &str) -> Fault {
    Fault::new(FaultKind::BudgetSpent, what).help(help)
}

/// A model within a budget.
pub struct Budgeted {
    inner: Arc<dyn ChatModel>,
    budget: Arc<Budget>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
}

impl Budgeted {
    /// Limits a model by a budget.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        budget: Arc<Budget>,
        events: Arc<dyn EventSink>,
        stop: CancellationToken,
    ) -> Self {
        Self { inner, budget, events, stop }
    }

    async fn call(&self, request: &ChatRequest) -> Result<Completion, Fault> {
        let max_cost = self.budget.max_cost(request)?;
        self.wait_for_room(max_cost).await?;
        let mut reservation =
            Reservation { budgeted: self, reserved: max_cost, cost: max_cost, was_sent: true };
        let result = match self.budget.deadline.and_then(|deadline| deadline.checked_add(GRACE)) {
            None => self.inner.complete(request).await,
            Some(last) => match tokio::time::timeout_at(last, self.inner.complete(request)).await {
                Ok(result) => result,
                Err(_) => Err(time_is_up(self.budget.ceilings.time.unwrap_or_default())),
            },
        };
        match &result {
            Ok(completion) => {
                if let Some(cost) = self.budget.cost(request, completion)? {
                    reservation.cost = cost;
                }
            }
            Err(fault) => {
                reservation.was_sent = fault.kind != FaultKind::Interrupted;
                if !may_be_charged(fault.kind) {
                    reservation.cost = 0.0;
                }
            }
        }
        drop(reservation);
        result
    }

    /// Waits until the maximum cost of a call fits in the budget, and reserves it.
    async fn wait_for_room(&self, max_cost: f64) -> Result<(), Fault> {
        loop {
            let settled = self.budget.settled.notified();
            tokio::pin!(settled);
            // Enabled before the check, so that no settlement in between is missed.
            settled.as_mut().enable();
            if self.budget.reserve(max_cost)? {
                return Ok(());
            }
            let deadline = self.budget.deadline;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(interrupted()),
                () = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
                () = settled => {}
            }
        }
    }
}

impl ChatModel for Budgeted {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        self.call(request).boxed()
    }
}

/// The reservation of a call in flight; settled when dropped, in full where the call was cancelled.
struct Reservation<'a> {
    budgeted: &'a Budgeted,
    reserved: f64,
    cost: f64,
    was_sent: bool,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let usd = self.budgeted.budget.settle(self.reserved, self.cost, self.was_sent);
        if self.cost > 0.0 {
            self.budgeted.events.emit(Event::Spent { usd });
        }
    }
}

/// Whether the call may have been charged although no complete answer arrived.
fn may_be_charged(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Timeout | FaultKind::InvalidAnswer | FaultKind::TooLarge | FaultKind::BudgetSpent
    )
}

/// Returns the maximum cost of a call: a token has at least one byte of text.
fn max_cost(request: &ChatRequest, price: Price) -> f64 {
    let text: usize = request.messages.iter().map(|message| message.content.len() + calls(message)).sum();
    let images: usize = request.messages.iter().map(|message| message.images.len()).sum();
    let schema = match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => schema.to_string().len(),
        _ => 0,
    };
    let messages = (request.messages.len() as u64).saturating_mul(MESSAGE_TOKENS);
    let answers = request.parameters.get("n").and_then(serde_json::Value::as_u64).unwrap_or(1).max(1);
    let output = match request.purpose {
        Purpose::Embedding => 0,
        Purpose::Completion | Purpose::Judgement => {
            max_answer_tokens(request).unwrap_or(ANSWER_TOKENS).saturating_mul(answers)
        }
    };
    let images = (images as u64).saturating_mul(IMAGE_TOKENS);
    price.cost(Usage::new((text + schema) as u64 + messages + images, output))
}

/// Bytes of the tool calls of a message.
fn calls(message: &Message) -> usize {
    message.tool_calls.iter().map(|call| call.name.len() + call.arguments.len()).sum()
}

#[cfg(test)]
mod tests;
