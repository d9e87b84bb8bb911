//! The files of a suite: those that the policy names, and those of the candidate.

use std::cell::RefCell;
use std::collections::BTreeSet;

use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_core::model::Diagnostic;

/// The trees of a suite; all are the same unless the policy is from elsewhere.
pub(in crate::app) struct Files {
    /// Relative to the policy's configuration: schemas, planted answers, calibration, certificates.
    pub(in crate::app) policy: Tree,
    /// The policy's files that single cases name, relative to the candidate's configuration.
    of_cases: Tree,
    /// Relative to the candidate's configuration: prompt and dataset.
    pub(in crate::app) candidate: Tree,
    /// Files that checks of the policy have read.
    read_by_checks: RefCell<BTreeSet<String>>,
    /// Files that checks of single cases have read.
    read_by_cases: RefCell<BTreeSet<String>>,
}

impl Files {
    /// One tree for everything.
    pub(super) fn of(tree: Tree) -> Self {
        Self::from(tree.clone(), tree.clone(), tree)
    }

    /// The policy's files from elsewhere.
    pub(super) fn from(policy: Tree, of_cases: Tree, candidate: Tree) -> Self {
        let (read_by_checks, read_by_cases) = Default::default();
        Self { policy, of_cases, candidate, read_by_checks, read_by_cases }
    }

    /// A file that a check of the policy names.
    pub(in crate::app) fn of_check(&self, path: &str) -> Result<String, String> {
        self.read_by_checks.borrow_mut().insert(path.to_owned());
        self.policy.read_text(path).map_err(message)
    }

    /// A file that a check of a single case names: the policy's, and the candidate's where that is new.
    pub(in crate::app) fn of_case(&self, path: &str) -> Result<String, String> {
        self.read_by_cases.borrow_mut().insert(path.to_owned());
        let known = self.of_cases.find(path, FILE_LIMIT).map_err(message)?.is_some();
        let tree = if known { &self.of_cases } else { &self.candidate };
        tree.read_text(path).map_err(message)
    }

    /// Every file that checks have read, with the tree of the policy.
    pub(super) fn read(&self) -> Vec<(String, &Tree)> {
        let each = |paths: &RefCell<BTreeSet<String>>, tree| {
            paths.borrow().iter().map(|path| (path.clone(), tree)).collect::<Vec<_>>()
        };
        [each(&self.read_by_checks, &self.policy), each(&self.read_by_cases, &self.of_cases)].concat()
    }
}

fn message(diagnostic: Diagnostic) -> String {
    diagnostic.message
}
