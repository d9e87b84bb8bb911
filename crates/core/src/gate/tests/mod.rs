//! Decisions on whole analyses, against independently computed fixtures and rule by rule.

mod attribution;
mod base_cases;
mod builders;
mod case_noise;
mod ceiling;
mod corrected;
mod explanations;
mod faults;
mod limits;
mod literal;
mod looks;
mod missing;
mod oracle;
mod properties;
mod refusals;
mod rules;
mod summaries;
mod tagged_suite;
mod win_rate;
