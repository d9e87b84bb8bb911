use super::*;

fn of(variables: &[(&str, &str)]) -> Result<String, String> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    detect(&variable).map(|found| found.shard.to_string()).map_err(|diagnostic| diagnostic.message)
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
fn index_of_each_batch_engine_is_read() {
    assert_eq!(of(&[("JOB_COMPLETION_INDEX", "7"), ("PROMPTGATE_SHARDS", "8")]), Ok("8/8".to_owned()));
    let aws = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "100")];
    assert_eq!(of(&aws), Ok("1/100".to_owned()));
}

/// The variables of a task of an array.
fn slurm<'a>(
    id: &'a str,
    min: &'a str,
    max: &'a str,
    step: &'a str,
    count: &'a str,
) -> [(&'a str, &'a str); 5] {
    [
        ("SLURM_ARRAY_TASK_ID", id),
        ("SLURM_ARRAY_TASK_MIN", min),
        ("SLURM_ARRAY_TASK_MAX", max),
        ("SLURM_ARRAY_TASK_STEP", step),
        ("SLURM_ARRAY_TASK_COUNT", count),
    ]
}

#[test]
fn task_of_slurm_array_is_placed_in_its_range() {
    for (variables, shard) in [
        // --array=0-7, --array=1-99%10, --array=0-98:2, --array=1-8:2, and one task alone.
        (slurm("0", "0", "7", "1", "8"), "1/8"),
        (slurm("99", "1", "99", "1", "99"), "99/99"),
        (slurm("98", "0", "98", "2", "50"), "50/50"),
        (slurm("3", "1", "7", "2", "4"), "2/4"),
        (slurm("5", "5", "5", "1", "1"), "1/1"),
    ] {
        assert_eq!(of(&variables), Ok(shard.to_owned()), "{variables:?}");
        // Without the count and, where it is 1, the step.
        assert_eq!(of(&variables[..4]), Ok(shard.to_owned()), "{variables:?}");
    }
    assert_eq!(of(&slurm("2", "0", "7", "1", "8")[..3]), Ok("3/8".to_owned()));
}

#[test]
fn slurm_array_that_is_not_a_range_is_an_error() {
    for variables in [
        // --array=1,5,7; a task outside of its array, and between two steps; a step of nothing.
        slurm("5", "1", "7", "1", "3"),
        slurm("9", "0", "7", "1", "8"),
        slurm("0", "1", "8", "1", "8"),
        slurm("4", "1", "7", "2", "4"),
        slurm("0", "0", "7", "0", "8"),
        slurm("3", "7", "1", "1", "8"),
    ] {
        let message = of(&variables).unwrap_err();
        assert!(message.contains("not a range") && message.contains("SLURM_ARRAY_TASK_COUNT"), "{message}");
    }
    let message = of(&slurm("5", "5", "5", "1", "1")[..1]).unwrap_err();
    assert_eq!(message, "SLURM_ARRAY_TASK_ID is set without SLURM_ARRAY_TASK_MIN");
    for name in 0..5 {
        let mut variables = slurm("1", "0", "7", "1", "8");
        variables[name].1 = "x";
        assert_eq!(of(&variables).unwrap_err(), format!("{} is not a number", variables[name].0));
    }
    let message = of(&slurm("1", "0", "4294967295", "1", "4294967295")).unwrap_err();
    assert!(message.contains("at most 10000 shards"), "{message}");
}

#[test]
fn batch_job_ignores_single_ci_job_that_submitted_it() {
    let mut variables = slurm("2", "0", "3", "1", "4").to_vec();
    variables.push(("CI_NODE_TOTAL", "1"));
    assert_eq!(of(&variables), Ok("3/4".to_owned()));
    variables.push(("CI_NODE_INDEX", "1"));
    assert!(of(&variables).unwrap_err().contains("GitLab says shard 1/1"));
}

#[test]
fn number_of_shards_holds_for_every_system() {
    let mut variables = vec![("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3"), ("PROMPTGATE_SHARDS", "3")];
    assert_eq!(of(&variables), Ok("2/3".to_owned()));
    variables[2].1 = "4";
    assert!(of(&variables).unwrap_err().contains("PROMPTGATE_SHARDS is 4, but GitLab says shard 2/3"));
    variables[2].1 = "many";
    assert_eq!(of(&variables), Err("PROMPTGATE_SHARDS is not a number".to_owned()));
    // One task of eight that is submitted alone.
    let mut alone = slurm("5", "5", "5", "1", "1").to_vec();
    alone.push(("PROMPTGATE_SHARDS", "8"));
    assert!(of(&alone).unwrap_err().contains("PROMPTGATE_SHARDS is 8, but Slurm says shard 1/1"));
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
        (&[("PROMPTGATE_SHARDS", "8")], "none of these variables is set"),
        (&[("JOB_COMPLETION_INDEX", "0")], "JOB_COMPLETION_INDEX is set without PROMPTGATE_SHARDS"),
        (&[("JOB_COMPLETION_INDEX", "8"), ("PROMPTGATE_SHARDS", "8")], "Kubernetes counts from 0"),
        (
            &[("JOB_COMPLETION_INDEX", "one"), ("PROMPTGATE_SHARDS", "8")],
            "JOB_COMPLETION_INDEX is not a number",
        ),
        (
            &[("AWS_BATCH_JOB_ARRAY_INDEX", "3")],
            "AWS_BATCH_JOB_ARRAY_INDEX is set without AWS_BATCH_JOB_ARRAY_SIZE",
        ),
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
