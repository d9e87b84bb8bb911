//! The judge against people: labelled answers are judged, and every figure says how far its verdicts can be trusted.
//!
//! [`labels`] turns rows into answers with their ratings, [`judge_all`] asks, [`measure`] computes. A score is read
//! as a verdict when it is 1: everything is as it should be. Left to others: reading and writing files, and what a
//! figure means for a run (cli, report).

mod ask;
mod cut_off;
mod figures;
mod labels;
#[cfg(test)]
mod tests;

pub use ask::{Judged, judge_all};
pub use cut_off::CutOff;
pub use figures::{
    Corrections, Figures, Humans, Measured, Repeatability, SliceFigures, kappa_at, measure, passes,
};
pub use labels::{Answer, ID, Labels, labels};
