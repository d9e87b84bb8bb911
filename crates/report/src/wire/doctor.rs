//! The result of `promptgate doctor`: `promptgate.doctor/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use promptgate_core::model::PriceDate;

/// The value of `schema` in every diagnosis of this version.
pub const SCHEMA: &str = "promptgate.doctor/v1";

/// Everything that was checked of a suite and its surroundings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate doctor v1")]
pub struct Diagnosis {
    /// Always `promptgate.doctor/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The version of promptgate.
    pub version: String,
    /// The configuration, as its path was found; null where there is none.
    pub configuration: Option<String>,
    /// The checks, in the order in which a run depends on them.
    pub checks: Vec<Check>,
    /// Calls that were made to endpoints of models.
    pub calls: u64,
    /// Their cost in US dollars; null where a price or the number of tokens is not known.
    pub cost_usd: Option<f64>,
    /// The day of the built-in table of prices; absent where no price is from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_as_of: Option<PriceDate>,
    /// Number of problems.
    pub problems: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// The exit code: 0 without a problem, else the code that a run would end with.
    pub exit_code: u8,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its name: `configuration`, `suite`, `baseline`, `key`, `url`, `model`, `structured_output`, `seed`, `logprobs`, `price`,
    /// `cache`, `git`, `ci`, `token`.
    pub name: String,
    /// The endpoint, model or file that it is about; null where there is only one.
    pub subject: Option<String>,
    /// Its status.
    pub status: CheckStatus,
    /// The finding, in one sentence.
    pub message: String,
    /// The next step; null where there is none.
    pub help: Option<String>,
    /// The code that `promptgate explain` knows; null where there is none.
    pub code: Option<String>,
}

/// The status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// In order.
    Ok,
    /// A run works, but not as well as it could.
    Warning,
    /// A run would end without a verdict.
    Problem,
    /// Not checked; the message says why.
    Skipped,
}

impl CheckStatus {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
        }
    }
}

impl Check {
    /// A check with a status and a message.
    pub fn new(name: &str, status: CheckStatus, message: impl Into<String>) -> Self {
        let (name, message) = (name.to_owned(), message.into());
        Self { name, subject: None, status, message, help: None, code: None }
    }

    /// Adds what it is about.
    #[must_use]
    pub fn of(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// Adds the next step.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Adds the code that explains it.
    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }
}

/// The JSON Schema of [`Diagnosis`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<Diagnosis>("doctor")
}
