//! Rates and budgets are totals of a run: each shard takes its share. Deadline and concurrency are per shard.

use crate::app::suite::Suite;
use crate::config::EndpointSettings;
use promptgate_adapters::endpoint::Ceilings;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_report::shard::Shard;

/// Narrows a suite to a shard: one look at `repeats`, and 1/n of each rate and of the budget.
///
/// # Errors
/// A rate below one a minute for each shard: together they would exceed it.
pub(in crate::app) fn narrow(shard: Shard, suite: &mut Suite) -> Result<(), Diagnostics> {
    suite.policy.max_repeats = suite.policy.repeats;
    let settings = &mut suite.settings;
    let mut diagnostics = Vec::new();
    let place = Place::file(&settings.file);
    share_rates(shard, &mut settings.endpoint, "endpoint", &place, &mut diagnostics);
    let own = settings.judge.iter_mut().flat_map(|judge| &mut judge.panel);
    for endpoint in own.filter_map(|member| member.endpoint.as_mut()) {
        share_rates(shard, endpoint, "judge.endpoint", &place, &mut diagnostics);
    }
    let budget = &mut settings.budget;
    budget.calls = budget.calls.map(|calls| part_of(calls, shard));
    budget.usd = budget.usd.map(|usd| usd / f64::from(shard.of));
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics(diagnostics)) }
}

/// A shard's share of the ceilings set by flags; the deadline is per shard.
pub(in crate::app) fn ceilings(shard: Option<Shard>, ceilings: Ceilings) -> Ceilings {
    let Some(shard) = shard else { return ceilings };
    Ceilings {
        calls: ceilings.calls.map(|calls| part_of(calls, shard)),
        usd: ceilings.usd.map(|usd| usd / f64::from(shard.of)),
        time: ceilings.time,
    }
}

fn share_rates(
    shard: Shard,
    endpoint: &mut EndpointSettings,
    name: &str,
    place: &Place,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut too_small = |key: &str, total: u64| {
        diagnostics.push(
            Diagnostic::new(format!(
                "{name}.{key} is {total}, less than one a minute for each of {} shards",
                shard.of
            ))
            .at(place.clone())
            .help(format!("take at most {total} shards, or raise {key}")),
        );
    };
    if let Some(rpm) = endpoint.rpm.filter(|rpm| *rpm < shard.of) {
        too_small("rpm", u64::from(rpm));
    }
    if let Some(tpm) = endpoint.tpm.filter(|tpm| *tpm < u64::from(shard.of)) {
        too_small("tpm", tpm);
    }
    endpoint.rpm = endpoint.rpm.map(|rpm| (rpm / shard.of).max(1));
    endpoint.tpm = endpoint.tpm.map(|tpm| (tpm / u64::from(shard.of)).max(1));
}

/// The share of a shard in a count; the shares of all shards add up to it.
fn part_of(count: u64, shard: Shard) -> u64 {
    let of = u64::from(shard.of);
    count / of + u64::from(u64::from(shard.index) <= count % of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_count_add_up_to_it() {
        for count in [0, 1, 7, 8, 100, 1003] {
            for of in 1..=9 {
                let shares = (1..=of).filter_map(|index| Shard::new(index, of)).map(|it| part_of(count, it));
                assert_eq!(shares.sum::<u64>(), count, "{count} by {of}");
            }
        }
    }

    #[test]
    fn rates_are_shared_and_too_small_ones_are_errors() {
        let endpoint = |rpm, tpm| EndpointSettings {
            protocol: promptgate_core::model::Protocol::OpenAi,
            stream: promptgate_core::model::StreamMode::Auto,
            base_url: None,
            api_key_env: crate::config::KeyVariable::Default,
            timeout: std::time::Duration::from_secs(1),
            max_concurrency: 32,
            rpm,
            tpm,
            headers: Vec::new(),
            ca_cert: None,
            attempts: 1,
            max_wait: std::time::Duration::ZERO,
        };
        let shared = |mut endpoint: EndpointSettings| {
            let mut diagnostics = Vec::new();
            let shard = Shard { index: 2, of: 8 };
            share_rates(shard, &mut endpoint, "endpoint", &Place::file("promptgate.yaml"), &mut diagnostics);
            let messages: Vec<String> =
                diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect();
            (endpoint.rpm, endpoint.tpm, endpoint.max_concurrency, messages)
        };
        assert_eq!(shared(endpoint(Some(500), Some(200_001))), (Some(62), Some(25_000), 32, Vec::new()));
        assert_eq!(shared(endpoint(Some(8), None)), (Some(1), None, 32, Vec::new()));
        let messages = shared(endpoint(Some(7), Some(7))).3;
        assert_eq!(messages[0], "endpoint.rpm is 7, less than one a minute for each of 8 shards");
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn ceilings_of_flags_are_shared_except_the_deadline() {
        let all = Ceilings { calls: Some(10), usd: Some(1.0), time: Some(std::time::Duration::from_secs(9)) };
        assert_eq!(ceilings(None, all), all);
        let share = ceilings(Shard::new(2, 4), all);
        assert_eq!(share, Ceilings { calls: Some(3), usd: Some(0.25), time: all.time });
    }
}
