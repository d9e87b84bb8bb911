//! MLflow's tracking server, one for all tests.

use std::path::PathBuf;

use serde_json::Value;

use crate::python_server::PythonServer;
pub(crate) use crate::python_server::{client, runtime};

static SERVER: PythonServer = PythonServer::new("mlflow", "/health");

/// The address of the server; `None` if it is not installed.
pub(crate) fn uri() -> Option<String> {
    SERVER.url()
}

/// The Python that has MLflow's client; `None` if it is not installed.
pub(crate) fn python() -> Option<PathBuf> {
    SERVER.python()
}

/// Sends JSON to the registry's API, past promptgate, as another client does.
pub(crate) async fn call(method: reqwest::Method, uri: &str, path: &str, body: &Value) -> Value {
    let url = format!("{uri}/api/2.0/mlflow/{path}");
    let request =
        client().request(method, url).header("content-type", "application/json").body(body.to_string());
    let response = request.send().await.expect("a response");
    let status = response.status();
    let body = response.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status}: {body}");
    serde_json::from_str(&body).expect("JSON")
}
