//! Rollouts through the executable: real git, ledgers on a branch and in a folder, a fake Langfuse, and a clock handed in.

mod changed;
mod fixed;
mod flags;
mod harm;
mod jobs;
mod killed;
mod langfuse;
mod metrics;
mod otlp;
mod people;
mod repeated;
mod summary;
mod support;
mod way;
