//! References to a prompt in a registry: `NAME@VERSION` or `NAME@LABEL`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most characters of a name.
const MAX_NAME: usize = 200;

/// A reference that cannot be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum InvalidReference {
    /// The name has characters or parts that no registry and no file system takes.
    #[error(
        "invalid prompt name `{0}`: expected parts of a-z, 0-9, `.`, `_` and `-` joined by `/`, at most {MAX_NAME} characters"
    )]
    Name(String),
    /// Not a version.
    #[error("invalid version `{0}`: expected three numbers like 2.4.0")]
    Version(String),
    /// Neither a version nor a label.
    #[error("invalid version or label `{0}`: expected a version like 2.4.0 or a label like production")]
    Selector(String),
    /// Not a level.
    #[error("invalid level `{0}`: expected patch, minor or major")]
    Level(String),
    /// Not a digest.
    #[error("invalid digest `{0}`: expected sha256: and 64 hexadecimal digits")]
    Digest(String),
}

/// The name of a prompt in a registry: parts of `[a-z0-9._-]+` joined by `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl FromStr for Name {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        if text.len() <= MAX_NAME && text.split('/').all(is_part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidReference::Name(text.to_owned()))
        }
    }
}

impl Name {
    /// Returns the valid name that is nearest to an invalid one: lower case, with `-` for every other character.
    pub fn suggest(text: &str) -> Option<Self> {
        let part = |part: &str| {
            let is_kept = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
            let words = part.split(|letter| !is_kept(letter)).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
        };
        text.split('/').map(part).collect::<Vec<_>>().join("/").parse().ok()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A semantic version of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// Breaking changes.
    pub major: u32,
    /// Changes of behavior.
    pub minor: u32,
    /// Changes of wording.
    pub patch: u32,
}

impl FromStr for Version {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidReference::Version(text.to_owned());
        let number = |part: &str| {
            let canonical = part == "0" || !part.starts_with('0');
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            if canonical && digits { part.parse::<u32>().ok() } else { None }
        };
        let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
        match parts.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A movable name of a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Label {
    /// The version that most users get.
    Production,
    /// Where a version is held before it is rolled out.
    Staging,
    /// The treatment of a rollout.
    Canary,
    /// The newest version.
    Latest,
    /// A label that the lifecycle does not manage.
    Other(String),
}

impl FromStr for Label {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "production" => Self::Production,
            "staging" => Self::Staging,
            "canary" => Self::Canary,
            "latest" => Self::Latest,
            _ => {
                let mut bytes = text.bytes();
                let is_label = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
                    && bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
                if !is_label {
                    return Err(InvalidReference::Selector(text.to_owned()));
                }
                Self::Other(text.to_owned())
            }
        })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Canary => "canary",
            Self::Latest => "latest",
            Self::Other(label) => label,
        })
    }
}

/// Which version of a prompt is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// A published version.
    Version(Version),
    /// Whatever version a label points at.
    Label(Label),
}

/// A prompt in a registry, at a version or at a label: `support/reply@2.4.0`, `support/reply@production`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptReference {
    /// The prompt.
    pub name: Name,
    /// The version; `latest` where none is written.
    pub selector: Selector,
}

impl FromStr for PromptReference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, selector) = text.split_once('@').unwrap_or((text, "latest"));
        let starts_like_version = selector.starts_with(|first: char| first.is_ascii_digit());
        Ok(Self {
            name: name.parse()?,
            selector: if starts_like_version {
                Selector::Version(
                    selector.parse().map_err(|_| InvalidReference::Selector(selector.to_owned()))?,
                )
            } else {
                Selector::Label(selector.parse()?)
            },
        })
    }
}

impl fmt::Display for PromptReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Selector::Version(version) => write!(f, "{}@{version}", self.name),
            Selector::Label(label) => write!(f, "{}@{label}", self.name),
        }
    }
}

/// Serializes a type as its text.
macro_rules! text_in_json {
    ($($type:ty),+) => {
        $(
            impl TryFrom<String> for $type {
                type Error = InvalidReference;

                fn try_from(text: String) -> Result<Self, Self::Error> {
                    text.parse()
                }
            }

            impl From<$type> for String {
                fn from(value: $type) -> Self {
                    value.to_string()
                }
            }
        )+
    };
}

text_in_json!(Name, Version, Label);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written_back() {
        for text in [
            "support/reply@2.4.0",
            "reply@production",
            "a.b/c_d@canary",
            "x@0.0.1",
            "reply@v2-4-0",
            "r@latest",
        ] {
            assert_eq!(text.parse::<PromptReference>().unwrap().to_string(), text);
        }
        assert_eq!("reply".parse::<PromptReference>().unwrap().to_string(), "reply@latest");
    }

    #[test]
    fn invalid_references_name_the_invalid_part() {
        for text in ["", "/a", "a/", "a//b", "A", "a b", "../a", "a/./b", "ä", &"a".repeat(201)] {
            assert_eq!(
                text.parse::<PromptReference>(),
                Err(InvalidReference::Name(text.to_owned())),
                "{text}"
            );
        }
        for selector in
            ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.-2.3", "1.2.x", "Production", "4294967296.0.0", "+1.0.0"]
        {
            let text = format!("a@{selector}");
            assert_eq!(
                text.parse::<PromptReference>(),
                Err(InvalidReference::Selector(selector.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_versions_and_names_say_what_is_expected() {
        assert_eq!("v1.2.0".parse::<Version>(), Err(InvalidReference::Version("v1.2.0".to_owned())));
        for (text, suggested) in [
            ("Customer Support", "customer-support"),
            ("Team/Reply", "team/reply"),
            ("support  reply!", "support-reply"),
            ("é/reply", ""),
            ("", ""),
            ("//", ""),
        ] {
            let found = Name::suggest(text).map(|name| name.to_string());
            assert_eq!(found.as_deref(), Some(suggested).filter(|it| !it.is_empty()), "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.10.0") > version("2.9.9"));
        assert!(version("10.0.0") > version("9.99.99"));
    }
}
