//! Decisions on whole analyses: against independently computed fixtures, and case by case.

mod build;
mod looks;
mod missing;
mod oracle;
mod properties;
mod rules;
mod told;
mod told_metrics;
