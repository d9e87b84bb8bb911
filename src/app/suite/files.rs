//! Where the files of a suite are: those that the policy names, and those of the candidate.

use std::cell::RefCell;
use std::collections::BTreeSet;

use promptgate_adapters::load::{FILE_LIMIT, Tree};
use promptgate_core::model::Diagnostic;

/// The trees of a suite; all the same one unless the policy is from elsewhere.
pub(in crate::app) struct Files {
    /// Seen from the policy's configuration: schemas, planted answers, calibration, authorities.
    pub(in crate::app) policy: Tree,
    /// The policy's side of files that single cases name, seen from the candidate's configuration.
    pub(super) of_cases: Tree,
    /// Seen from the candidate's configuration: prompt and dataset.
    pub(in crate::app) candidate: Tree,
    /// What checks of the policy have read.
    read_by_checks: RefCell<BTreeSet<String>>,
    /// What checks of single cases have.
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
        self.policy.read_text(path).map_err(told)
    }

    /// A file that a check of a single case names: the policy's, and the candidate's where that is new.
    pub(in crate::app) fn of_case(&self, path: &str) -> Result<String, String> {
        self.read_by_cases.borrow_mut().insert(path.to_owned());
        let known = self.of_cases.find(path, FILE_LIMIT).map_err(told)?.is_some();
        let tree = if known { &self.of_cases } else { &self.candidate };
        tree.read_text(path).map_err(told)
    }

    /// Every file that checks have read, with the tree that is the policy's side of it.
    pub(super) fn read(&self) -> Vec<(String, &Tree)> {
        let each = |paths: &RefCell<BTreeSet<String>>, tree| {
            paths.borrow().iter().map(|path| (path.clone(), tree)).collect::<Vec<_>>()
        };
        [each(&self.read_by_checks, &self.policy), each(&self.read_by_cases, &self.of_cases)].concat()
    }
}

fn told(diagnostic: Diagnostic) -> String {
    diagnostic.message
}
