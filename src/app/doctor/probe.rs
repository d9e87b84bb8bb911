//! A few tiny calls to one model: whether it answers, and what its endpoint accepts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Findings, Severity};
use crate::app::Context;
use crate::app::models;
use crate::app::sources::NamedFiles;
use crate::app::suite::judge_parameters;
use crate::config::{EndpointSettings, MemberSettings, Settings};
use promptgate_adapters::endpoint;
use promptgate_core::model::{
    Case, ChatRequest, Completion, Fault, FaultKind, Grade, Message, MessageRole, Outcome, Protocol, Purpose,
    is_same_model,
};
use promptgate_core::port::{ChatModel, NullSink};
use promptgate_core::text::Redactor;
use promptgate_engine::judge::{Judge, Member, registry};
use promptgate_report::doctor::{Check, CheckStatus};

/// Attempts of a call.
const ATTEMPTS: u32 = 2;
/// Longest wait between them.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Longest time for an attempt.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
const QUESTION: &str = "Reply with the word OK.";
/// The built-in judge that tries structured output: it needs a question and an answer alone.
const JUDGE: &str = "relevance";
/// Parameters that ask for the probabilities of tokens.
const LOGPROBS: [&str; 2] = ["logprobs", "top_logprobs"];

/// Who uses the model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'a> {
    /// The variants.
    Candidate,
    /// A member of the judge's panel.
    Judge(&'a MemberSettings),
    /// Checks of similarity.
    Embeddings,
}

/// A model at an endpoint.
pub(super) struct Probe<'a> {
    pub(super) role: Role<'a>,
    pub(super) settings: &'a Settings,
    pub(super) endpoint: &'a EndpointSettings,
    pub(super) files: &'a NamedFiles,
    pub(super) model: &'a str,
    pub(super) host: &'a str,
}

impl Probe<'_> {
    /// Calls the model, and adds what its replies show.
    pub(super) async fn run(&self, context: &Context, findings: &mut Findings) {
        let model = match self.connect(context) {
            Ok(model) => model,
            Err(diagnostic) => return findings.diagnostic(Severity::Usage, "url", &diagnostic),
        };
        match self.role {
            Role::Candidate => self.candidate(&*model, findings).await,
            Role::Judge(member) => self.judge(&*model, member, findings).await,
            Role::Embeddings => {}
        }
    }

    fn connect(&self, context: &Context) -> Result<Arc<dyn ChatModel>, promptgate_core::model::Diagnostic> {
        let mut options = models::options(self.endpoint, self.files, &context.environment)?;
        options.attempts = options.attempts.min(ATTEMPTS);
        options.max_wait = options.max_wait.min(MAX_WAIT);
        options.timeout = options.timeout.min(MAX_TIMEOUT);
        let redactor: Arc<Redactor> = Arc::new(context.environment.redactor());
        endpoint::connect(options, Arc::new(NullSink), redactor, context.interrupted.clone())
    }

    fn check(&self, name: &str, status: CheckStatus, message: impl Into<String>) -> Check {
        Check::new(name, status, message).of(format!("{} at {}", self.model, self.host))
    }

    async fn candidate(&self, model: &dyn ChatModel, findings: &mut Findings) {
        let parameters = &self.settings.parameters;
        let completion = match self.ask(model, parameters.clone(), findings).await {
            Ok(completion) => completion,
            Err(fault) => return self.fault("model", &fault, findings),
        };
        self.answered(
            completion.model.as_deref(),
            completion.usage.is_some(),
            completion.latency_ms,
            findings,
        );
        if LOGPROBS.iter().any(|name| parameters.contains_key(*name)) {
            findings.add(self.check("logprobs", CheckStatus::Ok, "accepted with the request"));
        }
        self.seed(model, &completion, findings).await;
    }

    /// Whether the endpoint accepts `seed`, which only some protocols have.
    async fn seed(&self, model: &dyn ChatModel, first: &Completion, findings: &mut Findings) {
        let fingerprint = match &first.system_fingerprint {
            Some(_) => "; answers name a system fingerprint",
            None => "",
        };
        let parameters = &self.settings.parameters;
        if parameters.contains_key("seed") {
            let message = format!("accepted with the request{fingerprint}");
            return findings.add(self.check("seed", CheckStatus::Ok, message));
        }
        if self.endpoint.protocol != Protocol::OpenAi {
            let message = format!("the protocol of {} is not asked for one", self.endpoint.protocol.vendor());
            return findings.add(self.check("seed", CheckStatus::Skipped, message));
        }
        let mut seeded = parameters.clone();
        seeded.insert("seed".to_owned(), Value::from(1));
        let check = match self.ask(model, seeded, findings).await {
            Ok(_) => self.check("seed", CheckStatus::Ok, format!("accepted{fingerprint}")),
            Err(fault) if fault.kind == FaultKind::Rejected => self.check(
                "seed",
                CheckStatus::Ok,
                "not accepted, and not needed: leave it out of `parameters`",
            ),
            Err(fault) => {
                let check = self.check("seed", CheckStatus::Warning, fault.message.clone());
                Check { help: fault.help.clone(), ..check.code(fault.kind.as_str()) }
            }
        };
        findings.add(check);
    }

    /// Asks for one word, and counts the call.
    async fn ask(
        &self,
        model: &dyn ChatModel,
        parameters: Map<String, Value>,
        findings: &mut Findings,
    ) -> Result<Completion, Fault> {
        let request = ChatRequest {
            model: self.model.to_owned(),
            messages: vec![Message::new(MessageRole::User, QUESTION)],
            parameters,
            response_format: None,
            repeat: 0,
            purpose: Purpose::Completion,
            refresh: true,
            input: None,
        };
        let result = model.complete(&request).await;
        match &result {
            Ok(completion) => {
                let calls = completion.attempts.len() as u64 + 1;
                let answered = completion.model.as_deref();
                findings.count(self.settings, calls, self.model, answered, completion.usage);
            }
            // Refused calls have no tokens that anybody pays for.
            Err(fault) => findings.calls += fault.attempts.len() as u64,
        }
        result
    }

    /// Grades a tiny answer with the judge's own requests.
    async fn judge(&self, model: &dyn ChatModel, member: &MemberSettings, findings: &mut Findings) {
        let Some(kind) = registry::built_in(JUDGE) else { return };
        let panel = vec![Arc::new(Member::new(self.model.to_owned(), judge_parameters(member)))];
        let judge = Judge::new(JUDGE.to_owned(), kind, panel, 1);
        let case = Case { query: "How long is a week?".to_owned(), ..Case::default() };
        let grade = judge.grade_unchecked(&[model], &case, "A week has seven days.", 0).await;
        let judging = grade.judging.clone().unwrap_or_default();
        let usage = (judging.usage.prompt_tokens > 0).then_some(judging.usage);
        findings.count(self.settings, u64::from(judging.calls), self.model, judging.model.as_deref(), usage);
        match &grade.outcome {
            Outcome::Score(_) => {
                self.answered(judging.model.as_deref(), usage.is_some(), judging.latency_ms, findings);
                self.structured_output(&grade, judging.output_mode.as_deref(), findings);
            }
            Outcome::Ungraded(Some(fault)) => self.fault("model", fault, findings),
            Outcome::Ungraded(None) => {
                self.answered(judging.model.as_deref(), usage.is_some(), judging.latency_ms, findings);
                let message = format!("the reply could not be read: {}", grade.reason);
                let check = self.check("structured_output", CheckStatus::Problem, message);
                let help = "take a stronger model as the judge, or one whose endpoint accepts json_schema";
                findings.problem(Severity::Incomplete, check.help(help).code(FaultKind::UnfitJudge.as_str()));
            }
        }
    }

    /// The form in which the judge's endpoint takes a schema.
    fn structured_output(&self, grade: &Grade, mode: Option<&str>, findings: &mut Findings) {
        let refused: Vec<&str> =
            grade.flags.iter().filter_map(|flag| flag.strip_prefix("parameter_refused:")).collect();
        let refused = match refused.as_slice() {
            [] => String::new(),
            names => format!("; not accepted and not sent: {}", names.join(", ")),
        };
        let mode = mode.unwrap_or("unknown");
        let check = match mode {
            "json_schema" => self.check("structured_output", CheckStatus::Ok, format!("json_schema{refused}")),
            _ => self
                .check("structured_output", CheckStatus::Warning, format!("{mode}: json_schema is not accepted{refused}"))
                .help("the judge adapts; an endpoint that accepts json_schema returns fewer replies that cannot be read"),
        };
        findings.add(check);
    }

    fn answered(&self, answered: Option<&str>, has_tokens: bool, latency_ms: f64, findings: &mut Findings) {
        let role = match self.role {
            Role::Candidate => "answers",
            Role::Judge(_) => "judges",
            Role::Embeddings => "embeds",
        };
        let message = format!("{role}, in {latency_ms:.0} ms");
        findings.add(match answered.filter(|answered| !is_same_model(self.model, answered)) {
            Some(other) => self
                .check("model", CheckStatus::Warning, format!("{message}; {other} answered"))
                .help("name the model that is meant, and look at the fallbacks of the gateway")
                .code("other_model"),
            None => self.check("model", CheckStatus::Ok, message),
        });
        if !has_tokens {
            let message = "the endpoint reports no tokens, so cost and token limits cannot be measured";
            findings.add(self.check("model", CheckStatus::Warning, message));
        }
    }

    fn fault(&self, name: &str, fault: &Fault, findings: &mut Findings) {
        let check = self.check(name, CheckStatus::Problem, fault.message.clone()).code(fault.kind.as_str());
        findings.problem(Severity::Incomplete, Check { help: fault.help.clone(), ..check });
    }
}
