//! Values of cases that are in files of their own: those of a change from its tree, those of its base from the base's.

use super::files::Trees;
use super::{blocking, committed};
use crate::app::Failure;
use promptgate_adapters::files::{self, DatasetSource};
use promptgate_core::model::{Case, Diagnostics};

/// Cases whose values are to be read, and how their dataset is read.
pub(in crate::app) type CasesToRead = (DatasetSource, Vec<Case>);

/// The cases with their values.
pub(in crate::app) struct ReadCases {
    /// Those of the change.
    pub(in crate::app) own: Result<Vec<Case>, Diagnostics>,
    /// Those of its base.
    pub(in crate::app) base: Result<Vec<Case>, Diagnostics>,
    /// Files of the change that the evaluated commit does not hold.
    pub(in crate::app) notice: Option<String>,
}

/// Reads the values that cases keep in files.
///
/// # Errors
/// None of its own: a value that cannot be read is an error of its case.
pub(in crate::app) async fn read_values(
    trees: &Trees,
    (own_source, mut own): CasesToRead,
    (base_source, mut base): CasesToRead,
) -> Result<ReadCases, Failure> {
    let trees = trees.clone();
    blocking(move || {
        let paths = files::read_values(&trees.candidate, &own_source, &mut own);
        let paths_of_base = files::read_values(&trees.policy, &base_source, &mut base);
        let notice = paths.as_ref().ok().and_then(|paths| committed::values_notice(&trees.candidate, paths));
        ReadCases { own: paths.map(|_| own), base: paths_of_base.map(|_| base), notice }
    })
    .await
}
