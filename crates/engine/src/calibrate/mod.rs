//! Calibration of a judge: agreement with people on labeled answers.
//!
//! [`labels`] parses rows into answers with ratings, [`judge_all`] grades them, and [`measure`] computes the figures. The
//! judge passes an answer if its score is 1.

mod cut_off;
mod figures;
mod grade;
mod labels;
#[cfg(test)]
mod tests;

pub use figures::{Measured, kappa_at, measure, passes};
pub use grade::{JudgedAnswer, judge_all};
pub use labels::{ID, LabeledAnswer, Labels, labels};
