//! Percent-encoding of paths and queries.

use percent_encoding::percent_decode;

/// Decodes percent-encoding; `None` if it is malformed or not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_complete = |(at, _): (usize, &u8)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(is_complete) {
        return None;
    }
    percent_decode(bytes).decode_utf8().ok().map(Into::into)
}

/// The parameters of a query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses `name=value` pairs joined by `&`.
    ///
    /// # Errors
    /// Malformed percent-encoding, or a name that occurs twice.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, String> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| {
                let invalid = "invalid percent-encoding in the query: expected UTF-8 as %XX";
                decode(&text.replace('+', " ")).ok_or_else(|| invalid.to_owned())
            };
            let (name, value) = (decoded(name)?, decoded(value)?);
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(format!("duplicate query parameter `{name}`"));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; `None` if it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first name that is not one of `known`.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_or_refused() {
        for (text, decoded) in [
            ("support%2Freply", Some("support/reply")),
            ("a%2fb", Some("a/b")),
            ("%C3%A4", Some("ä")),
            ("plain", Some("plain")),
            ("100%", None),
            ("%2", None),
            ("%zz", None),
            ("%+1", None),
            ("%C3", None),
            ("%", None),
        ] {
            assert_eq!(decode(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn query_parameters_are_read_once_each() {
        let query = Query::parse(Some("label=a%20b&unit=x+y&&empty=&flag")).expect("a query");
        assert_eq!(query.get("label"), Some("a b"));
        assert_eq!(query.get("unit"), Some("x y"));
        assert_eq!(query.get("empty"), None);
        assert_eq!(query.get("flag"), None);
        assert_eq!(query.unknown(&["label", "unit", "empty"]), Some("flag"));
        assert!(Query::parse(Some("label=a&label=b")).is_err());
        assert!(Query::parse(Some("label=%")).is_err());
        assert!(Query::parse(Some("%ff=1")).is_err());
        assert_eq!(Query::parse(None), Ok(Query::default()));
    }
}
