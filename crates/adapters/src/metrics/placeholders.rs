//! Placeholders of queries: `$version`, `$registry_version`, `$window`, `$name` and `$metric`.

use promptgate_release::Name;
use promptgate_release::ports::{TaggedVersion, Window};

/// A name that stands for a value in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The semantic version.
    Version,
    /// The version as the registry numbers it.
    RegistryVersion,
    /// The length of the window in seconds, such as `3600s`.
    Window,
    /// The name of the prompt.
    Name,
    /// The name of the metric.
    Metric,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Version, Self::RegistryVersion, Self::Window, Self::Name, Self::Metric];

    /// As written, with the `$`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Version => "$version",
            Self::RegistryVersion => "$registry_version",
            Self::Window => "$window",
            Self::Name => "$name",
            Self::Metric => "$metric",
        }
    }

    /// Whether a query has this placeholder.
    pub fn is_in(self, query: &str) -> bool {
        parts(query).any(|part| part == Part::Name(self.as_str()))
    }
}

/// The first name after a `$` in a query that is not a placeholder.
pub fn unknown_placeholder(query: &str) -> Option<&str> {
    parts(query).find_map(|part| match part {
        Part::Name(name) if Placeholder::ALL.iter().all(|known| known.as_str() != name) => Some(name),
        _ => None,
    })
}

/// The values of placeholders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'v> {
    pub(super) name: &'v Name,
    pub(super) version: &'v TaggedVersion,
    pub(super) window: &'v Window,
    pub(super) metric: &'v str,
}

impl Values<'_> {
    /// Inserts the values. They are put into quoted texts of the query's language, so a value that could end one is
    /// refused.
    ///
    /// # Errors
    /// Why a value cannot be inserted.
    pub(super) fn insert(&self, query: &str) -> Result<String, String> {
        let mut text = String::new();
        for part in parts(query) {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Name(name) => text.push_str(&self.value(name)?),
            }
        }
        Ok(text)
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let placeholder = Placeholder::ALL.into_iter().find(|placeholder| placeholder.as_str() == name);
        let value = match placeholder.ok_or_else(|| format!("unknown placeholder {name}"))? {
            Placeholder::Version => self.version.version.to_string(),
            Placeholder::RegistryVersion => {
                let missing = || format!("the registry has no version {}", self.version.version);
                self.version.registry_id.clone().ok_or_else(missing)?
            }
            Placeholder::Window => format!("{}s", window_seconds(self.window)?),
            Placeholder::Name => self.name.to_string(),
            Placeholder::Metric => self.metric.to_owned(),
        };
        let is_safe = |letter: char| letter.is_alphanumeric() || "._-/=+:@ ".contains(letter);
        match value.chars().all(is_safe) {
            true => Ok(value),
            false => Err(format!("the value of {name} has characters that would change the query")),
        }
    }
}

/// Whole seconds of a window.
///
/// # Errors
/// A window without one.
pub(super) fn window_seconds(window: &Window) -> Result<u64, String> {
    let seconds = window.to.as_second() - window.from.as_second();
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or_else(|| "the window is empty".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'q> {
    Text(&'q str),
    /// A name with its `$`.
    Name(&'q str),
}

/// Splits a query at names: a `$` and a letter or `_`, then letters, digits and `_`. Any other `$` is text, such as the
/// end of a regular expression.
fn parts(query: &str) -> impl Iterator<Item = Part<'_>> {
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let mut rest = query;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let starts_name = |at: usize| bytes[at] == b'$' && bytes.get(at + 1).copied().is_some_and(is_start);
        let (part, length) = if rest.is_empty() {
            return None;
        } else if starts_name(0) {
            let is_end = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
            let length = bytes[1..].iter().position(is_end).map_or(rest.len(), |end| end + 1);
            (Part::Name(&rest[..length]), length)
        } else {
            let length = (1..bytes.len()).find(|at| starts_name(*at)).unwrap_or(rest.len());
            (Part::Text(&rest[..length]), length)
        };
        rest = &rest[length..];
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inserted(query: &str, registry_id: Option<&str>) -> Result<String, String> {
        let values = Values {
            name: &"support/reply".parse().unwrap(),
            version: &TaggedVersion {
                version: "2.4.0".parse().unwrap(),
                registry_id: registry_id.map(str::to_owned),
            },
            window: &Window {
                from: "2026-11-30T12:00:00Z".parse().unwrap(),
                to: "2026-11-30T13:00:00.5Z".parse().unwrap(),
            },
            metric: "error_rate",
        };
        values.insert(query)
    }

    #[test]
    fn values_replace_whole_names() {
        let query =
            r#"increase(x{n="$name",v="$version",r="$registry_version",m="$metric",p=~"a$"}[$window])"#;
        let expected = r#"increase(x{n="support/reply",v="2.4.0",r="7",m="error_rate",p=~"a$"}[3600s])"#;
        assert_eq!(inserted(query, Some("7")).as_deref(), Ok(expected));
        assert_eq!(inserted("ü$ $1 $version", None).as_deref(), Ok("ü$ $1 2.4.0"));
    }

    #[test]
    fn names_that_are_not_placeholders_are_found() {
        assert_eq!(unknown_placeholder("rate(x[$__rate_interval])"), Some("$__rate_interval"));
        assert_eq!(unknown_placeholder("$versions"), Some("$versions"));
        assert_eq!(unknown_placeholder(r#"x{a=~"b$",v="$version"}[$window]"#), None);
        assert!(Placeholder::RegistryVersion.is_in("$registry_version"));
        assert!(!Placeholder::Version.is_in("$registry_version"));
    }

    #[test]
    fn values_that_cannot_be_inserted_are_refused() {
        assert!(inserted("$registry_version", None).unwrap_err().contains("no version 2.4.0"));
        let hostile = inserted("x{v=\"$registry_version\"}", Some("7\"} or vector(1) #"));
        assert!(hostile.unwrap_err().contains("would change the query"));
        let same = "2026-11-30T12:00:00Z".parse().unwrap();
        assert!(window_seconds(&Window { from: same, to: same }).is_err());
    }
}
