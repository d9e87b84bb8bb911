//! `--shard auto` in the tasks of batch engines: all shards in one shared folder, merged, equal the whole run.

use std::process::Stdio;

use super::json;
use super::whole::{rich, same};
use crate::support::{Folder, KEY, MockServer, finish, repository};

const TASKS: usize = 4;

type Variables = Vec<(&'static str, String)>;

/// An engine, and its variables in a task.
type Engine = (&'static str, fn(usize) -> Variables);

/// The variables that an engine sets in one of [`TASKS`] tasks, and those of its manifest.
const ENGINES: [Engine; 4] = [
    ("Kubernetes", |task| {
        vec![("JOB_COMPLETION_INDEX", task.to_string()), ("PROMPTGATE_SHARDS", TASKS.to_string())]
    }),
    ("AWS Batch", |task| {
        vec![("AWS_BATCH_JOB_ARRAY_INDEX", task.to_string()), ("AWS_BATCH_JOB_ARRAY_SIZE", TASKS.to_string())]
    }),
    // --array=0-3
    ("Slurm", |task| array(task, 0, 1)),
    // --array=10-16:2%2, submitted from a job of GitLab that is not parallel
    ("Slurm", |task| [array(task, 10, 2), vec![("CI_NODE_TOTAL", "1".to_owned())]].concat()),
];

fn array(task: usize, first: usize, step: usize) -> Variables {
    vec![
        ("SLURM_ARRAY_TASK_ID", (first + task * step).to_string()),
        ("SLURM_ARRAY_TASK_MIN", first.to_string()),
        ("SLURM_ARRAY_TASK_MAX", (first + (TASKS - 1) * step).to_string()),
        ("SLURM_ARRAY_TASK_STEP", step.to_string()),
        ("SLURM_ARRAY_TASK_COUNT", TASKS.to_string()),
    ]
}

#[test]
fn array_of_each_engine_equals_the_whole_run() {
    let folder = rich();
    folder.edit("promptgate.yaml", "{model: tiny-judge}", "{model: tiny-judge, self_test: false}");
    let whole = folder.promptgate(&["run", "--offline", "--quiet", "--repeats", "2", "--out", "whole"]);
    for (name, variables) in ENGINES {
        let _ = std::fs::remove_dir_all(folder.path().join("shared"));
        let flags = ["run", "--offline", "--repeats", "2", "--shard", "auto", "--out", "shared"];
        // All tasks at once, as an engine starts them.
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let mut command = folder.command(&flags);
                command.envs(variables(task)).stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().expect("the executable starts")
            })
            .collect();
        for (task, child) in tasks.into_iter().enumerate() {
            let output = child.wait_with_output().expect("its end");
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(text.contains(&format!("SHARD {} of {TASKS}", task + 1)), "{name}: {text}");
            assert!(text.contains("read from ") && text.contains(&format!("({name})")), "{name}: {text}");
        }
        let merged = folder.promptgate(&["merge", "shared", "--out", "merged"]);
        assert_eq!(merged.code, whole.code, "{name}: {}", merged.text());
        same(json(&folder, "merged/report.json"), json(&folder, "whole/report.json"));
    }
}

#[test]
fn wrong_variables_of_batch_engines_are_refused_before_any_call() {
    let folder = Folder::small(3);
    let auto = |variables: &[(&str, &str)], words: &str, help: &str| {
        let mut command = folder.command(&["run", "--offline", "--shard", "auto", "--out", "auto"]);
        command.envs(variables.iter().copied());
        finish(command).expect_code(2).says(words).says(help);
        assert!(!folder.path().join("auto").exists(), "{words}");
    };
    auto(
        &[("JOB_COMPLETION_INDEX", "0")],
        "JOB_COMPLETION_INDEX is set without PROMPTGATE_SHARDS",
        "to the `completions` of the Job",
    );
    auto(
        &[("AWS_BATCH_JOB_ARRAY_INDEX", "4"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")],
        "AWS_BATCH_JOB_ARRAY_INDEX is 4",
        "--array-properties size=N",
    );
    auto(
        &[("SLURM_ARRAY_TASK_ID", "one"), ("SLURM_ARRAY_TASK_MIN", "0"), ("SLURM_ARRAY_TASK_MAX", "3")],
        "SLURM_ARRAY_TASK_ID is not a number",
        "sbatch --array=0-7",
    );
    auto(
        &[
            ("JOB_COMPLETION_INDEX", "0"),
            ("PROMPTGATE_SHARDS", "4"),
            ("CIRCLE_NODE_INDEX", "1"),
            ("CIRCLE_NODE_TOTAL", "4"),
        ],
        "CircleCI says shard 2/4",
        "choose one with `--shard k/n`",
    );
    // One task of four that is submitted again, alone: not a run of its own.
    auto(
        &[
            ("PROMPTGATE_SHARDS", "4"),
            ("SLURM_ARRAY_TASK_ID", "2"),
            ("SLURM_ARRAY_TASK_MIN", "2"),
            ("SLURM_ARRAY_TASK_MAX", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "1"),
        ],
        "PROMPTGATE_SHARDS is 4, but Slurm says shard 1/1",
        "to run one shard again, pass `--shard k/n`",
    );
}

/// Runs the script as sbatch would, at once: each task of the array, or a single job, with the exported variables alone.
#[cfg(unix)]
const SBATCH: &str = r#"#!/usr/bin/env bash
set -euo pipefail
variables=("PATH=$PATH" "HOME=$HOME") array=
while [[ $1 == --* ]]; do
    case $1 in
        --array=0-*%16) array=${1#--array=0-} array=${array%\%16} ;;
        --export=*) IFS=, read -ra exported <<<"${1#--export=}" ;;
    esac
    shift
done
for pair in "${exported[@]}"; do
    if [[ $pair == *=* ]]; then variables+=("$pair"); fi
done
if [ -z "$array" ]; then exec env -i "${variables[@]}" bash "$@"; fi
for ((task = 0; task <= array; task++)); do
    env -i "${variables[@]}" SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX="$array" \
        SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=$((array + 1)) bash "$@" >&2
done
echo "7;cluster"
"#;

#[cfg(unix)]
#[test]
fn script_of_slurm_decides_over_all_tasks() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::small(6).without_self_test();
    let server = MockServer::start(&[]);
    let base_url = format!("{{base_url: \"{}\", timeout: 5s,", server.base_url);
    folder.edit("promptgate.yaml", "{timeout: 5s,", &base_url);
    folder.write("key", KEY);
    folder.write("bin/sbatch", SBATCH);
    let sbatch = folder.path().join("bin/sbatch");
    std::fs::set_permissions(&sbatch, PermissionsExt::from_mode(0o755)).expect("it is ours");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_promptgate")).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{}:{}:{path}", folder.path().join("bin").display(), program.display());
    let mut command = std::process::Command::new("bash");
    command.arg(repository().join("examples/batch/slurm.sh")).args([".", "out", "4"]);
    command.current_dir(folder.path()).env_clear().env("PATH", path).env("HOME", folder.path());
    command.env("PROMPTGATE_KEY_FILE", folder.path().join("key"));
    let outcome = finish(command);
    outcome.expect_code(0).says("PASS");
    for index in 1..=4 {
        assert!(folder.path().join(format!("out/shards/shard-{index}-of-4.json")).exists(), "{index}");
    }
    assert_eq!(json(&folder, "out/report/report.json")["cases"].as_array().map(Vec::len), Some(6));
}
