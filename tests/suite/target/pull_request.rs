//! A pull request changes its application, and not how it is judged.

use super::{application, commit};

#[test]
fn pull_request_is_judged_with_the_variables_and_limits_of_its_base() {
    let folder = application(12);
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  env: [STOLEN]\n");
    folder.write(
        "answer.py",
        "import json, os, sys\nfor line in sys.stdin:\n    print(json.dumps({'output': 'days ' + os.environ.get('STOLEN', '-')}), flush=True)\n",
    );
    commit(&folder, "steal");
    let mut command =
        folder.command(&["run", "--offline", "--policy-from", "git:main", "--baseline", "git:main"]);
    command.env("STOLEN", "value-of-a-secret");
    crate::support::finish(command);
    let report = folder.report();
    let candidate = report["cases"][0]["trials"].as_array().expect("trials").iter();
    let answers: Vec<String> = candidate
        .filter(|trial| trial["role"] == "candidate")
        .map(|trial| trial["output"].to_string())
        .collect();
    assert!(answers.iter().all(|answer| answer == "\"days -\""), "{answers:?}");
}
