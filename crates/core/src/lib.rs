//! The model of the data and every pure computation on it: statistics, text, templates, documents, checks,
//! metrics, the gate, the forecast and the review of a dataset. No I/O, no async runtime, no clock.

pub mod check;
pub mod dataset_review;
pub mod document;
pub mod forecast;
pub mod gate;
pub mod metric;
pub mod model;
pub mod port;
pub mod stats;
pub mod template;
pub mod text;
pub mod transform;
