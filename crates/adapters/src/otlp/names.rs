//! Names of the attributes that promptgate writes, reads and recommends.
//!
//! Those of OpenTelemetry are from the semantic conventions for generative AI (repository `semantic-conventions-genai`,
//! schema `gen-ai-dev/1.42.0-dev`, status *Development*) and for feature flags (*Release Candidate*). They change between
//! versions, and then only here.

/// Name of the event of an evaluation, on a span or as a log record.
pub const EVALUATION_EVENT: &str = "gen_ai.evaluation.result";
/// The metric.
pub const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// The score.
pub const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
/// The score as a word: `pass` or `fail`.
pub const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";
/// The reason for the score: text.
pub const EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";

/// The operation: `chat`.
pub const OPERATION: &str = "gen_ai.operation.name";
/// The API of the endpoint: `openai`, `anthropic` or `gcp.gemini`; `simulated` or `application` where none is called.
pub const PROVIDER: &str = "gen_ai.provider.name";
/// The name of the prompt.
pub const PROMPT_NAME: &str = "gen_ai.prompt.name";
/// The version of the prompt.
pub const PROMPT_VERSION: &str = "gen_ai.prompt.version";
/// The model that was asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The temperature that was asked for.
pub const TEMPERATURE: &str = "gen_ai.request.temperature";
/// The share of probable tokens that was asked for.
pub const TOP_P: &str = "gen_ai.request.top_p";
/// The limit of the response that was asked for, in tokens.
pub const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// The seed that was asked for.
pub const SEED: &str = "gen_ai.request.seed";
/// The model that the response named.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Why the model stopped: a list, one for each answer.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens of the request, cached ones included.
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Tokens of the response.
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Tokens of the request that the provider read from its cache.
pub const CACHE_READ_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// The response: text, as JSON.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// The conversation.
pub const CONVERSATION: &str = "gen_ai.conversation.id";
/// The class of an error.
pub const ERROR_TYPE: &str = "error.type";

/// US dollars. The conventions have no cost; this is the name of OpenLIT.
pub const COST: &str = "gen_ai.usage.cost";
/// US dollars, in OpenInference.
pub const COST_OPENINFERENCE: &str = "llm.cost.total";

/// The feature flag: the name of the prompt.
pub const FLAG_KEY: &str = "feature_flag.key";
/// The variant: `control` or `treatment`.
pub const FLAG_VARIANT: &str = "feature_flag.result.variant";
/// Rollout and step: `1/2`.
pub const FLAG_VERSION: &str = "feature_flag.version";
/// The unit: a user, a session or a conversation.
pub const FLAG_CONTEXT: &str = "feature_flag.context.id";

/// The user.
pub const USER: &str = "user.id";
/// The user, in older conventions.
pub const END_USER: &str = "enduser.id";
/// The session.
pub const SESSION: &str = "session.id";
/// The name of a log record's event, in older conventions.
pub const EVENT_NAME: &str = "event.name";

/// The name of the prompt, for Langfuse.
pub const LANGFUSE_PROMPT_NAME: &str = "langfuse.observation.prompt.name";
/// The number of the prompt's version, for Langfuse.
pub const LANGFUSE_PROMPT_VERSION: &str = "langfuse.observation.prompt.version";

/// The program that sends.
pub const SERVICE_NAME: &str = "service.name";
/// Its version.
pub const SERVICE_VERSION: &str = "service.version";
/// The project, for Phoenix.
pub const OPENINFERENCE_PROJECT: &str = "openinference.project.name";

/// The instrumentation scope of spans that promptgate sends. Sources of metrics skip them: they are not traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Runs of the gate.
    Run,
    /// Commands of rollouts.
    Rollout,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Run, Self::Rollout];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "promptgate.run",
            Self::Rollout => "promptgate.rollout",
        }
    }

    /// Whether a scope of this name is one of promptgate's own.
    pub fn is_own(name: &str) -> bool {
        Self::ALL.iter().any(|scope| scope.as_str() == name)
    }
}

/// The suite of a run.
pub const SUITE: &str = "promptgate.suite";
/// The verdict.
pub const VERDICT: &str = "promptgate.verdict";
/// The exit code of the process.
pub const EXIT_CODE: &str = "promptgate.exit_code";
/// Whether the simulated model answered.
pub const SIMULATED: &str = "promptgate.simulated";
/// Number of cases.
pub const CASES: &str = "promptgate.cases";
/// Completions of each case by each variant.
pub const REPEATS: &str = "promptgate.repeats";
/// Requests, judgements and retries included.
pub const CALLS: &str = "promptgate.calls";
/// US dollars of all calls.
pub const RUN_COST: &str = "promptgate.cost_usd";
/// Tokens that were sent to the judges.
pub const JUDGE_INPUT_TOKENS: &str = "promptgate.judge.input_tokens";
/// Tokens that the judges returned.
pub const JUDGE_OUTPUT_TOKENS: &str = "promptgate.judge.output_tokens";
/// The case.
pub const CASE_ID: &str = "promptgate.case.id";
/// The status of the case in the comparison.
pub const CASE_STATUS: &str = "promptgate.case.status";
/// The tags of the case.
pub const CASE_TAGS: &str = "promptgate.case.tags";
/// The question of the case: text.
pub const CASE_QUERY: &str = "promptgate.case.query";
/// The reference answer of the case: text.
pub const CASE_EXPECTED: &str = "promptgate.case.expected";
/// `candidate` or `baseline`.
pub const ROLE: &str = "promptgate.role";
/// The repeat, from 0.
pub const REPEAT: &str = "promptgate.repeat";
/// Whether the answer came from promptgate's cache or a saved report, so that no call was made.
pub const CACHED: &str = "promptgate.cached";

/// The span of a command of rollouts.
pub const ROLLOUT_SPAN: &str = "promptgate.rollout";
/// The command: `start`, `advance`, `pause`, `resume` or `abort`.
pub const ROLLOUT_COMMAND: &str = "promptgate.rollout.command";
/// The result, as the JSON of the command has it: `advanced`.
pub const ROLLOUT_RESULT: &str = "promptgate.rollout.result";
/// The number of the rollout among those of the prompt, from 1.
pub const ROLLOUT_NUMBER: &str = "promptgate.rollout.number";
/// `canary`, `staged`, or `fixed` for an A/B test.
pub const ROLLOUT_KIND: &str = "promptgate.rollout.kind";
/// The version that production serves.
pub const ROLLOUT_CONTROL: &str = "promptgate.rollout.control";
/// The step, from 1.
pub const ROLLOUT_STEP: &str = "promptgate.rollout.step";
/// The number of monitored steps.
pub const ROLLOUT_STEPS: &str = "promptgate.rollout.steps";
/// Treated units, in percent.
pub const ROLLOUT_PERCENT: &str = "promptgate.rollout.percent";
/// Why the rollout is paused.
pub const ROLLOUT_PAUSED: &str = "promptgate.rollout.paused";
/// Codes of the obstacles of a start.
pub const ROLLOUT_OBSTACLES: &str = "promptgate.rollout.obstacles";
/// The label that a rollback moved.
pub const ROLLBACK_LABEL: &str = "promptgate.rollback.label";
/// The version that a rollback took the label from.
pub const ROLLBACK_FROM: &str = "promptgate.rollback.from";
/// The version that production serves, where it is monitored.
pub const MONITOR_VERSION: &str = "promptgate.rollout.monitor.version";
/// The result of monitoring: `quiet`, `alert`, `rolled_back` or `source_failed`.
pub const MONITOR_RESULT: &str = "promptgate.rollout.monitor.result";
/// Name of the event of a finding.
pub const FINDING_EVENT: &str = "promptgate.rollout.finding";
/// The metric that a finding is about.
pub const FINDING_METRIC: &str = "promptgate.rollout.finding.metric";
/// The meaning of a finding for the step: `pass`, `inconclusive`, `hold`, `error` or `fail`.
pub const FINDING_STATUS: &str = "promptgate.rollout.finding.status";
/// The kind of a finding, as a code.
pub const FINDING_CODE: &str = "promptgate.rollout.finding.code";
/// A finding as a sentence.
pub const FINDING_TEXT: &str = "promptgate.rollout.finding.text";
