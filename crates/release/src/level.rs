//! The levels of a semantic version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidReference, Version};

/// How much a change of a prompt may affect those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Wording: spelling, punctuation, white space.
    Patch,
    /// Behavior, and every doubtful change.
    Minor,
    /// The contract with applications: variables, answer schema, tools, roles, model.
    Major,
}

impl Level {
    /// All levels, the least first.
    pub const ALL: [Self; 3] = [Self::Patch, Self::Minor, Self::Major];

    /// The name in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// The level by which `to` exceeds `from`; `None` unless `to` is a successor.
    pub fn between(from: Version, to: Version) -> Option<Self> {
        if to <= from {
            None
        } else if to.major != from.major {
            Some(Self::Major)
        } else if to.minor != from.minor {
            Some(Self::Minor)
        } else {
            Some(Self::Patch)
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = Self::ALL.into_iter().find(|level| level.as_str() == text);
        level.ok_or_else(|| InvalidReference::Level(text.to_owned()))
    }
}

impl Version {
    /// The version of the first publication.
    pub const FIRST: Self = Self { major: 1, minor: 0, patch: 0 };

    /// The next version of a level, or `None` after the largest number.
    pub fn next(self, level: Level) -> Option<Self> {
        let Self { major, minor, patch } = self;
        Some(match level {
            Level::Patch => Self { major, minor, patch: patch.checked_add(1)? },
            Level::Minor => Self { major, minor: minor.checked_add(1)?, patch: 0 },
            Level::Major => Self { major: major.checked_add(1)?, minor: 0, patch: 0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn next_versions_reset_the_lower_numbers() {
        for (level, next) in [(Level::Patch, "2.3.5"), (Level::Minor, "2.4.0"), (Level::Major, "3.0.0")] {
            assert_eq!(version("2.3.4").next(level), Some(version(next)));
            assert_eq!(Level::between(version("2.3.4"), version(next)), Some(level));
        }
        assert_eq!(Version { major: u32::MAX, minor: 0, patch: 0 }.next(Level::Major), None);
        assert_eq!(Level::between(version("2.0.0"), version("1.9.9")), None);
        assert_eq!(Level::between(version("2.0.0"), version("2.0.0")), None);
    }
}
