//! `--shard auto`: the index of this job among the parallel jobs of a CI system.

use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{MAX_SHARDS, Shard};

/// How a CI system numbers its parallel jobs.
struct System {
    name: &'static str,
    index: &'static str,
    total: &'static str,
    /// The index of the first job.
    first: u32,
    /// How parallel jobs are configured.
    key: &'static str,
}

const SYSTEMS: [System; 3] = [
    System {
        name: "GitLab",
        index: "CI_NODE_INDEX",
        total: "CI_NODE_TOTAL",
        first: 1,
        key: "`parallel: N` on the job",
    },
    System {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        total: "BUILDKITE_PARALLEL_JOB_COUNT",
        first: 0,
        key: "`parallelism: N` on the step",
    },
    System {
        name: "CircleCI",
        index: "CIRCLE_NODE_INDEX",
        total: "CIRCLE_NODE_TOTAL",
        first: 0,
        key: "`parallelism: N` on the job",
    },
];

/// The shard in the variables of the CI system.
///
/// # Errors
/// No variables, half of a pair, invalid numbers, and two systems that disagree.
pub(super) fn detect(variable: &impl Fn(&str) -> Option<String>) -> Result<Shard, Diagnostic> {
    let mut found: Option<(&System, Shard)> = None;
    for system in &SYSTEMS {
        let Some(shard) = of_system(system, variable)? else { continue };
        match found {
            Some((other, earlier)) if earlier != shard => {
                return Err(diagnostic(format!(
                    "{} says shard {earlier} ({} and {}), {} says shard {shard} ({} and {})",
                    other.name, other.index, other.total, system.name, system.index, system.total
                ))
                .help("choose one with `--shard k/n`"));
            }
            _ => found = Some((system, shard)),
        }
    }
    found.map(|(_, shard)| shard).ok_or_else(|| {
        let known: Vec<String> = SYSTEMS
            .iter()
            .map(|system| format!("{} and {} ({})", system.index, system.total, system.name))
            .collect();
        diagnostic(format!("no parallel job: none of these variables is set: {}", known.join(", ")))
            .help("name the shard with `--shard k/n`, in GitHub Actions `--shard ${{ matrix.shard }}`")
    })
}

fn of_system(
    system: &System,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Shard>, Diagnostic> {
    let read = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let parallel =
        || format!("enable parallel jobs of {} with {}, or pass `--shard k/n`", system.name, system.key);
    let half = |set, unset| diagnostic(format!("{set} is set without {unset}")).help(parallel());
    let (index, total) = match (read(system.index), read(system.total)) {
        (None, None) => return Ok(None),
        // GitLab counts the nodes of every job, but numbers those of parallel ones only.
        (None, Some(total)) if total == "1" => return Ok(Shard::new(1, 1)),
        (None, Some(_)) => return Err(half(system.total, system.index)),
        (Some(_), None) => return Err(half(system.index, system.total)),
        (Some(index), Some(total)) => (index, total),
    };
    let number = |name: &str, text: &str| {
        text.parse::<u32>().map_err(|_| diagnostic(format!("{name} is not a number")).help(parallel()))
    };
    let (number_of, count) = (number(system.index, &index)?, number(system.total, &total)?);
    let place = (number_of >= system.first).then(|| number_of.saturating_add(1 - system.first));
    place.and_then(|place| Shard::new(place, count)).map(Some).ok_or_else(|| {
        diagnostic(format!(
            "{} is {number_of} and {} is {count}: {} counts from {}, and there are at most {MAX_SHARDS} shards",
            system.index, system.total, system.name, system.first
        ))
        .help(parallel())
    })
}

fn diagnostic(message: String) -> Diagnostic {
    Diagnostic::new(message).at(Place::file("--shard auto"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        detect(&variable).map(|shard| shard.to_string()).map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn index_of_each_system_is_read() {
        assert_eq!(of(&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "8")]), Ok("3/8".to_owned()));
        let buildkite = [("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")];
        assert_eq!(of(&buildkite), Ok("1/4".to_owned()));
        assert_eq!(of(&[("CIRCLE_NODE_INDEX", "3"), ("CIRCLE_NODE_TOTAL", "4")]), Ok("4/4".to_owned()));
        // A job of GitLab that is not parallel.
        assert_eq!(of(&[("CI_NODE_TOTAL", "1")]), Ok("1/1".to_owned()));
    }

    #[test]
    fn contradictory_variables_are_errors() {
        for (variables, words) in [
            (&[][..], "CI_NODE_INDEX and CI_NODE_TOTAL (GitLab), BUILDKITE_PARALLEL_JOB"),
            (&[("CI_NODE_INDEX", " "), ("CI_NODE_TOTAL", "")], "none of these variables is set"),
            (&[("CI_NODE_TOTAL", "8")], "CI_NODE_TOTAL is set without CI_NODE_INDEX"),
            (&[("CIRCLE_NODE_INDEX", "0")], "CIRCLE_NODE_INDEX is set without CIRCLE_NODE_TOTAL"),
            (&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "8")], "GitLab counts from 1"),
            (&[("CI_NODE_INDEX", "9"), ("CI_NODE_TOTAL", "8")], "CI_NODE_INDEX is 9 and CI_NODE_TOTAL is 8"),
            (&[("CIRCLE_NODE_INDEX", "4"), ("CIRCLE_NODE_TOTAL", "4")], "CircleCI counts from 0"),
            (&[("CIRCLE_NODE_INDEX", "4294967295"), ("CIRCLE_NODE_TOTAL", "4294967295")], "at most 10000"),
            (&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "0")], "CI_NODE_TOTAL is 0"),
            (&[("CI_NODE_INDEX", "three"), ("CI_NODE_TOTAL", "8")], "CI_NODE_INDEX is not a number"),
            (
                &[
                    ("CI_NODE_INDEX", "1"),
                    ("CI_NODE_TOTAL", "8"),
                    ("CIRCLE_NODE_INDEX", "1"),
                    ("CIRCLE_NODE_TOTAL", "8"),
                ],
                "GitLab says shard 1/8",
            ),
        ] {
            let message = of(variables).expect_err(words);
            assert!(message.contains(words), "{words}: {message}");
        }
    }
}
