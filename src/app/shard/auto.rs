//! `--shard auto`: the index of this job among the parallel jobs of a CI system or the tasks of a batch engine.

mod slurm;
#[cfg(test)]
mod tests;

use promptgate_core::model::{Diagnostic, Place};
use promptgate_report::shard::{MAX_SHARDS, Shard};

/// The variable that says how many shards there are where the engine does not; where it does, both must agree.
const SHARDS: &str = "PROMPTGATE_SHARDS";

/// How a CI system or a batch engine numbers its parallel jobs.
struct System {
    name: &'static str,
    index: &'static str,
    total: &'static str,
    /// The index of the first job.
    first: u32,
    /// How parallel jobs are configured.
    help: &'static str,
}

const SYSTEMS: [System; 5] = [
    System {
        name: "GitLab",
        index: "CI_NODE_INDEX",
        total: "CI_NODE_TOTAL",
        first: 1,
        help: "enable parallel jobs of GitLab with `parallel: N` on the job",
    },
    System {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        total: "BUILDKITE_PARALLEL_JOB_COUNT",
        first: 0,
        help: "enable parallel jobs of Buildkite with `parallelism: N` on the step",
    },
    System {
        name: "CircleCI",
        index: "CIRCLE_NODE_INDEX",
        total: "CIRCLE_NODE_TOTAL",
        first: 0,
        help: "enable parallel jobs of CircleCI with `parallelism: N` on the job",
    },
    System {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        total: SHARDS,
        first: 0,
        help: "Kubernetes does not say how many pods an Indexed Job has: set the variable PROMPTGATE_SHARDS of the \
               container to the `completions` of the Job",
    },
    System {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        total: "AWS_BATCH_JOB_ARRAY_SIZE",
        first: 0,
        help: "submit an array job with `--array-properties size=N`",
    },
];

/// The shard in the variables of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detected {
    /// The shard.
    pub(super) shard: Shard,
    /// The name of the system.
    name: &'static str,
    /// The variables that were read.
    variables: String,
    /// Whether the job is one of several.
    parallel: bool,
}

impl Detected {
    /// Where the shard was read: `CI_NODE_INDEX and CI_NODE_TOTAL (GitLab)`.
    pub(super) fn source(&self) -> String {
        format!("{} ({})", self.variables, self.name)
    }
}

/// The shard in the variables of the CI system or of the batch engine.
///
/// # Errors
/// No variables, half of a pair, invalid numbers, and two systems that disagree.
pub(super) fn detect(variable: &impl Fn(&str) -> Option<String>) -> Result<Detected, Diagnostic> {
    let read = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut found = Vec::new();
    for system in &SYSTEMS {
        found.extend(of_system(system, &read)?);
    }
    found.extend(slurm::detect(&read)?);
    // A batch job inherits the variables of the CI job that submitted it.
    if found.iter().any(|it| it.parallel) {
        found.retain(|it| it.parallel);
    }
    let Some(first) = found.first().cloned() else { return Err(none()) };
    if let Some(other) = found.iter().find(|other| other.shard != first.shard) {
        return Err(diagnostic(format!(
            "{} says shard {} ({}), {} says shard {} ({})",
            first.name, first.shard, first.variables, other.name, other.shard, other.variables
        ))
        .help("choose one with `--shard k/n`"));
    }
    if let Some(text) = read(SHARDS) {
        let count = number(SHARDS, &text, "set it to the number of shards")?;
        if count != first.shard.of {
            return Err(diagnostic(format!(
                "{SHARDS} is {count}, but {} says shard {} ({})",
                first.name, first.shard, first.variables
            ))
            .help("start as many jobs as there are shards; to run one shard again, pass `--shard k/n`"));
        }
    }
    Ok(first)
}

fn none() -> Diagnostic {
    let known =
        SYSTEMS.iter().map(|system| format!("{} and {} ({})", system.index, system.total, system.name));
    let known: Vec<String> = known.chain([format!("{} (Slurm)", slurm::ID)]).collect();
    diagnostic(format!("no parallel job: none of these variables is set: {}", known.join(", ")))
        .help("name the shard with `--shard k/n`, in GitHub Actions `--shard ${{ matrix.shard }}`")
}

fn of_system(
    system: &System,
    read: &impl Fn(&str) -> Option<String>,
) -> Result<Option<Detected>, Diagnostic> {
    let help = format!("{}, or pass `--shard k/n`", system.help);
    let half = |set, unset| diagnostic(format!("{set} is set without {unset}")).help(help.clone());
    let (index, total) = match (read(system.index), read(system.total)) {
        (None, None) => return Ok(None),
        // The number of shards alone names no engine.
        (None, Some(_)) if system.total == SHARDS => return Ok(None),
        // GitLab counts the nodes of every job, but numbers those of parallel ones only.
        (None, Some(total)) if total == "1" => {
            let single = |shard| Detected {
                shard,
                name: system.name,
                variables: system.total.to_owned(),
                parallel: false,
            };
            return Ok(Shard::new(1, 1).map(single));
        }
        (None, Some(_)) => return Err(half(system.total, system.index)),
        (Some(_), None) => return Err(half(system.index, system.total)),
        (Some(index), Some(total)) => (index, total),
    };
    let index = number(system.index, &index, &help)?;
    let count = number(system.total, &total, &help)?;
    let place = (index >= system.first).then(|| index.saturating_add(1 - system.first));
    let shard = place.and_then(|place| Shard::new(place, count)).ok_or_else(|| {
        diagnostic(format!(
            "{} is {index} and {} is {count}: {} counts from {}, and there are at most {MAX_SHARDS} shards",
            system.index, system.total, system.name, system.first
        ))
        .help(help.clone())
    })?;
    let variables = format!("{} and {}", system.index, system.total);
    Ok(Some(Detected { shard, name: system.name, variables, parallel: true }))
}

fn number(name: &str, text: &str, help: &str) -> Result<u32, Diagnostic> {
    text.parse::<u32>().map_err(|_| diagnostic(format!("{name} is not a number")).help(help))
}

fn diagnostic(message: String) -> Diagnostic {
    Diagnostic::new(message).at(Place::file("--shard auto"))
}
