//! How much a comment says of what models and the dataset say.

use std::fmt;
use std::str::FromStr;

/// How much of questions, answers and reasons may be seen where a comment is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disclose {
    /// Numbers, names and ids alone: no text of a model, of the dataset, or of a server, which may repeat either.
    Numbers,
    /// The question and the reason of a case, each cut to a line.
    #[default]
    Excerpts,
    /// The answers of the worst cases as well.
    Full,
}

impl Disclose {
    /// Every choice, in the order of the help text.
    pub const ALL: [Self; 3] = [Self::Numbers, Self::Excerpts, Self::Full];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Excerpts => "excerpts",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Disclose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown choice, expected one of numbers, excerpts, full")]
pub struct UnknownDisclosure;

impl FromStr for Disclose {
    type Err = UnknownDisclosure;

    fn from_str(name: &str) -> Result<Self, UnknownDisclosure> {
        Self::ALL.into_iter().find(|of| of.as_str() == name).ok_or(UnknownDisclosure)
    }
}
