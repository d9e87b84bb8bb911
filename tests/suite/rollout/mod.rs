//! Rollouts through the executable: real git, ledgers on a branch and in a folder, a fake Langfuse, and a clock handed in.

mod carried;
mod changed;
mod example;
mod fixed;
mod flags;
mod forecasts;
mod harm;
mod jobs;
mod killed;
mod langfuse;
mod metrics;
mod monitored;
mod otlp;
mod people;
mod planted;
mod repeated;
#[cfg(unix)]
mod schedule;
mod sources;
mod summary;
mod support;
mod way;
