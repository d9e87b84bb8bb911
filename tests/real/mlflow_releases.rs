//! The assignments of a rollout as a prompt of the real MLflow, published by the executable.

use promptgate_adapters::registry::{Mlflow, MlflowOptions};
use promptgate_release::ports::Registry as _;
use promptgate_release::{Label, Name, RELEASES_PROMPT};

use crate::mlflow_server::{self, runtime};
use crate::served::Released;

#[test]
fn assignments_of_a_rollout_are_published_in_mlflow() {
    let Some(uri) = mlflow_server::uri() else { return };
    let released = Released::new();
    released.begin_rollout("support/reply:1", &[2_500]);
    let registry = format!("registry: {{mlflow: {{tracking_uri: \"{uri}\", name: support-releases}}}}");
    let ledger = "ledger: {path: ledger}";
    released.folder.edit("promptgate.yaml", ledger, &format!("{ledger}, {registry}"));
    let reconcile = ["reconcile", "support/reply"];
    released.folder.promptgate(&reconcile).expect_code(0).says("done: publish them as promptgate/releases");
    released.folder.promptgate(&reconcile).expect_code(0).says("the registry agrees with the ledger");

    // An application reads the name without a slash, which MLflow does not allow.
    let name = Some("promptgate-releases".to_owned());
    let mlflow = Mlflow::new(MlflowOptions { tracking_uri: uri, name, user: None, password: None });
    let mlflow = mlflow.expect("valid options");
    let name: Name = RELEASES_PROMPT.parse().expect("a name");
    let text = runtime().block_on(async {
        let labels = mlflow.labels(&name).await.expect("labels");
        let [id] = labels[&Label::Production].as_slice() else { panic!("{labels:?}") };
        let stored = mlflow.get(&name, id).await.expect("a version").expect("a version");
        stored.content.messages[0].content.clone()
    });
    assert_eq!(text, released.folder.read("ledger/releases.json"));
}
