//! How well raters agree, and how well a judge agrees with people.
//!
//! Labels come as two slices of equal length, one entry per answer that both rated. Every function answers
//! `None` where its figure does not exist: without answers, with lengths that differ, with a score that is not
//! finite, or where nothing varies and the figure is 0 / 0. Tables of labels also stop at 1,000 different ones.

mod confusion;
mod kappa;
mod krippendorff;
mod rank;

pub use confusion::Confusion;
pub use kappa::{Kappa, Weighting, cohen_kappa, gwet_ac1, percent_agreement, weighted_kappa};
pub use krippendorff::{Level, krippendorff_alpha};
pub use rank::{kendall_tau_b, spearman};
