//! `budget.case_factor`: how many times the baseline's cost a case of the candidate may have.

use super::announce::{ANSWER_TOKENS, BYTES_PER_TOKEN};
use crate::config::{DEFAULT_CASE_FACTOR, Settings};
use promptgate_core::model::{PolicySource, Role};
use promptgate_engine::execute::{CaseCostLimit, Plan, Roles, Slot};

/// Cases whose requests are measured.
const SAMPLE: usize = 200;

/// The limit of a run; `None` without a baseline, and where the change decides on its own policy.
pub(super) fn limit(
    settings: &Settings,
    source: Option<&PolicySource>,
    plan: &Plan,
) -> Option<CaseCostLimit> {
    let baseline = plan.baseline()?;
    let by_default = source.filter(|source| !source.new).map(|_| DEFAULT_CASE_FACTOR);
    let factor = settings.budget.case_factor.or(by_default)?;
    // A change could bring a price of zero.
    let price = |model: &String| {
        let price = settings.reviewed_price(model)?;
        Some((price.input_per_million, price.output_per_million))
    };
    let prices = price(&plan.candidate().facts.model).zip(price(&baseline.facts.model));
    Some(CaseCostLimit { factor, prices: prices.map(|(candidate, baseline)| [candidate, baseline]) })
}

/// The cost of a case of the candidate in times of the baseline's, by the length of the requests.
pub(super) fn estimate(limit: &CaseCostLimit, plan: &Plan) -> Option<f64> {
    let cases = plan.dataset().cases.len();
    let step = cases.div_ceil(SAMPLE).max(1);
    let cost = |role| -> Option<f64> {
        let mut sum = 0.0;
        for case in (0..cases).step_by(step) {
            let request = plan.request(Slot { case, repeat: 0, roles: Roles::One(role) }, &[]).ok()?;
            let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
            sum += limit.cost(role, bytes as f64 / BYTES_PER_TOKEN, ANSWER_TOKENS);
        }
        Some(sum)
    };
    let baseline = cost(Role::Baseline).filter(|cost| *cost > 0.0)?;
    Some(cost(Role::Candidate)? / baseline)
}
