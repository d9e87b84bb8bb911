//! An application gets the variables that are listed, and never the judge's key.

use super::{application, commit};
use crate::support::{Folder, KEY, MockServer, finish};

/// A worker that answers with the names of its variables.
const NAMES: &str = "import json, os, sys\nfor line in sys.stdin:\n    case = json.loads(line)\n    \
                     print(json.dumps({'output': 'days ' + ' '.join(sorted(os.environ))}), flush=True)\n";

fn telling() -> Folder {
    let folder = application(3);
    folder.write("answer.py", NAMES);
    folder.edit("promptgate.yaml", "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n", "");
    folder.append("promptgate.yaml", "baseline: none\n");
    commit(&folder, "tell");
    folder
}

#[test]
fn application_sees_the_listed_variables_alone() {
    let folder = telling();
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  env: [APP_MODE, APP_KEY]\n");
    let mut command = folder.command(&["run"]);
    command.env("APP_MODE", "test").env("OTHER", "x").env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(0).says("APP_KEY");
    let report = folder.report();
    let output = report["cases"][0]["trials"][0]["output"].as_str().expect("an answer").to_owned();
    let names: Vec<&str> = output.split(' ').collect();
    assert!(names.contains(&"APP_MODE") && names.contains(&"PATH") && names.contains(&"HOME"), "{output}");
    for absent in ["OTHER", "OPENAI_API_KEY", "APP_KEY", "GIT_CONFIG_NOSYSTEM"] {
        assert!(!names.contains(&absent), "{absent} in {output}");
    }
}

#[test]
fn application_must_not_share_the_key_of_the_judge() {
    let folder = application(3);
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  env: [OPENAI_API_KEY]\n");
    folder
        .promptgate(&["check"])
        .expect_code(2)
        .says("OPENAI_API_KEY is the key of a judge")
        .says("JUDGE_API_KEY");
    folder.edit(
        "promptgate.yaml",
        "{model: tiny-judge}",
        "{model: tiny-judge, endpoint: {api_key_env: JUDGE_API_KEY}}",
    );
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn secrets_in_answers_and_standard_error_are_redacted() {
    let folder = telling();
    folder.write(
        "answer.py",
        "import json, os, sys\nfor line in sys.stdin:\n    print('key', os.environ['APP_KEY'], file=sys.stderr)\n    \
         print(json.dumps({'output': 'days ' + os.environ['APP_KEY']}), flush=True)\n",
    );
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  env: [APP_KEY]\n");
    let mut command = folder.command(&["run"]);
    command.env("APP_KEY", KEY);
    finish(command).expect_code(0);
    for name in ["report.json", "report.html", "report.md", "target.log"] {
        let text = folder.read(&format!("promptgate-report/{name}"));
        assert!(!text.contains(KEY), "{name}");
    }
    assert!(folder.read("promptgate-report/target.log").contains("key [redacted]"));
}

#[test]
fn judge_and_application_have_keys_of_their_own() {
    let server = MockServer::start(&[]);
    let folder = application(3);
    folder.edit(
        "promptgate.yaml",
        "{model: tiny-judge}",
        "{model: tiny-judge, endpoint: {api_key_env: JUDGE_API_KEY}}",
    );
    let mut command = folder.command(&["run", "--baseline", "none"]);
    command.env("OPENAI_BASE_URL", &server.base_url).env("JUDGE_API_KEY", KEY);
    finish(command).expect_code(0);
}
