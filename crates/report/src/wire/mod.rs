//! The files that promptgate writes and reads back: reports, their trials, shards, plans and calibrations.
//!
//! Their JSON names are frozen: fields may be added, never renamed or removed. Numbers are finite or null.

pub mod calibration;
pub mod case_result;
pub mod case_results;
pub mod dataset_check;
pub mod doctor;
mod document;
pub mod history;
mod message_diff;
pub mod plan;
pub mod plans;
pub mod release;
pub mod shard;
pub mod suites;
mod trials;
pub mod v1;

use schemars::JsonSchema;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) use trials::write_lines;
pub use trials::{Digesting, FileSpool, KEPT, LARGE, RequestWriter, TRIALS_FILE, TrialsFile, is_line};

/// `sha256:…` of the bytes that were hashed.
fn digest(hasher: Sha256) -> String {
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The JSON Schema of a document, draft 2020-12.
fn schema_of<T: JsonSchema>(name: &str) -> Value {
    let mut schema = schemars::schema_for!(T);
    schema.insert("$id".to_owned(), Value::from(format!("urn:promptgate:{name}:v1")));
    schema.to_value()
}
