//! Collecting mistakes, and the error of loading a dataset.

use std::fmt;

use promptgate_core::model::{Mistake, Mistakes};

/// How many mistakes of one dataset are shown.
const SHOWN: usize = 20;

/// Why there is no dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Something in the files is wrong: all of it, up to the first twenty.
    Mistakes(Mistakes),
    /// The files are fine and hold no row: there is nothing to evaluate.
    Empty(Mistake),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistakes(mistakes) => write!(f, "{mistakes}"),
            Self::Empty(mistake) => write!(f, "{mistake}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<Mistakes> for LoadError {
    fn from(mistakes: Mistakes) -> Self {
        Self::Mistakes(mistakes)
    }
}

impl From<Mistake> for LoadError {
    fn from(mistake: Mistake) -> Self {
        Self::Mistakes(mistake.into())
    }
}

/// Takes mistakes, keeps the first twenty and counts the rest.
#[derive(Debug, Default)]
pub(super) struct Sink {
    kept: Vec<Mistake>,
    more: usize,
}

impl Sink {
    pub(super) fn push(&mut self, mistake: Mistake) {
        if self.kept.len() < SHOWN {
            self.kept.push(mistake);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn extend(&mut self, mistakes: Mistakes) {
        for mistake in mistakes.0 {
            self.push(mistake);
        }
    }

    /// The mistakes, if there are any; the last one says how many are left out.
    pub(super) fn into_result(mut self) -> Result<(), Mistakes> {
        if self.kept.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            let (more, plural) = (self.more, if self.more == 1 { "" } else { "s" });
            self.kept.push(Mistake::new(format!("and {more} more mistake{plural}")));
        }
        Err(Mistakes(self.kept))
    }
}
