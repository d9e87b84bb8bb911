//! Runs the executable against other people's programs: nginx in front of the mock server, llama.cpp's server with a
//! model of random weights or with SmolLM2, LiteLLM's proxy, MLflow and Phoenix as receivers of telemetry, the SDKs of
//! Langfuse, OpenFeature, Anthropic and Google as clients, and FastAPI as an application. Compares the verdicts of promptfoo
//! with those of the suites that are imported from its configurations. Runs the adapters of MLflow and
//! Prometheus against their servers.
//!
//! `bash .ci/servers` installs them in a folder; set `PROMPTGATE_REAL_SERVERS` to it. Without it, or if a server
//! cannot be installed, the tests are skipped with a message on standard error.

#[path = "../suite/example_application.rs"]
#[expect(dead_code, reason = "shared with the suite; each uses a part of it")]
mod example_application;
mod fastapi;
mod keys;
mod langfuse;
mod litellm;
mod llama;
mod llama_server;
mod mlflow;
mod mlflow_releases;
mod mlflow_server;
mod mlflow_telemetry;
mod mlflow_traces;
mod nginx;
mod openfeature;
mod phoenix;
mod prepared;
mod prometheus;
mod prometheus_rollout;
mod prometheus_server;
mod promptfoo;
mod providers;
mod proxied;
mod python_server;
mod recorder;
#[path = "../suite/release/support.rs"]
#[expect(dead_code, reason = "shared with the suite; each uses a part of it")]
mod release;
mod rollout_telemetry;
#[path = "../suite/served.rs"]
#[expect(dead_code, reason = "shared with the suite; each uses a part of it")]
mod served;
mod smollm2;
#[path = "../suite/support.rs"]
#[expect(dead_code, reason = "shared with the suite; each uses a part of it")]
mod support;
mod tls;
