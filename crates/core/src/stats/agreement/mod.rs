//! Agreement between raters, and between a judge and people.
//!
//! Labels are two slices of equal length, one entry per answer that both rated. Every function returns `None` if its
//! figure does not exist: without answers, with different lengths, with a score that is not finite, or if nothing varies
//! and the figure is 0 / 0. Functions that count a table of labels also return `None` above 1,000 distinct labels.

mod confusion;
mod kappa;
mod krippendorff;
mod rank;

pub use confusion::Confusion;
pub use kappa::{Kappa, Weighting, cohen_kappa, gwet_ac1, percent_agreement, weighted_kappa};
pub use krippendorff::{Level, krippendorff_alpha};
pub use rank::{kendall_tau_b, spearman};
