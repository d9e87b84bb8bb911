//! The plans of several suites with their sum: `promptgate.plans/v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::{Amount, Plan};

/// The value of `schema` in every document of this version.
pub const SCHEMA: &str = "promptgate.plans/v1";

/// The plans of several suites, and what all runs take together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate plans v1")]
pub struct Plans {
    /// Always `promptgate.plans/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The sum if every run ends at its first look.
    pub lowest: Sum,
    /// The expected sum if every candidate is as good as its baseline.
    pub expected: Sum,
    /// The sum if every run goes to its last look with every judge.
    pub most: Sum,
    /// Every suite, in the order of a run.
    pub suites: Vec<PlannedSuite>,
}

/// The plan of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedSuite {
    /// The path of its configuration.
    pub config: String,
    /// Its plan.
    pub plan: Plan,
}

/// Amounts that are added up, with the self-tests of the judges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sum {
    /// Calls: answers, judgements and self-tests, without re-prompts and retries.
    pub calls: u64,
    /// Approximate tokens of the requests.
    pub prompt_tokens: u64,
    /// Approximate tokens of the answers.
    pub completion_tokens: u64,
    /// Approximate cost in US dollars; null where a price is not known.
    pub cost_usd: Option<f64>,
}

impl Sum {
    /// Adds amounts up; the cost is unknown if one is.
    pub fn of<'a>(amounts: impl IntoIterator<Item = &'a Amount>) -> Self {
        let nothing = Self { calls: 0, prompt_tokens: 0, completion_tokens: 0, cost_usd: Some(0.0) };
        amounts.into_iter().fold(nothing, |sum, amount| Self {
            calls: sum.calls.saturating_add(amount.answers).saturating_add(amount.judgements),
            prompt_tokens: sum.prompt_tokens.saturating_add(amount.prompt_tokens),
            completion_tokens: sum.completion_tokens.saturating_add(amount.completion_tokens),
            cost_usd: sum.cost_usd.zip(amount.cost_usd).map(|(sum, cost)| sum + cost),
        })
    }

    /// An amount of a plan with its self-test.
    pub fn with_self_test(plan: &Plan, amount: &Amount) -> Self {
        Self::of(std::iter::once(amount).chain(&plan.self_test))
    }
}

impl Plans {
    /// The plans with their sum.
    pub fn of(suites: Vec<PlannedSuite>) -> Self {
        let sum = |amount: fn(&Plan) -> &Amount| {
            Sum::of(
                suites
                    .iter()
                    .flat_map(|suite| std::iter::once(amount(&suite.plan)).chain(&suite.plan.self_test)),
            )
        };
        let (lowest, expected, most) =
            (sum(|plan| &plan.lowest), sum(|plan| &plan.expected), sum(|plan| &plan.most));
        Self { schema: SCHEMA.to_owned(), lowest, expected, most, suites }
    }
}

/// The JSON Schema of [`Plans`], draft 2020-12.
pub fn schema() -> Value {
    super::schema_of::<Plans>("plans")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_unknown_if_one_is() {
        let amount = |answers: u64, cost_usd: Option<f64>| Amount {
            repeats: 3,
            answers,
            judgements: 1,
            prompt_tokens: 10,
            completion_tokens: 5,
            cost_usd,
        };
        let sum = Sum::of(&[amount(2, Some(0.5)), amount(3, Some(0.25))]);
        assert_eq!((sum.calls, sum.prompt_tokens, sum.completion_tokens), (7, 20, 10));
        assert_eq!(sum.cost_usd, Some(0.75));
        assert_eq!(Sum::of(&[amount(2, Some(0.5)), amount(3, None)]).cost_usd, None);
    }
}
