//! The `Link` header (RFC 8288): the URL of the next page of a list.

/// Returns the target of the first link with the relation `next`.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        let (own, more) = split_unquoted(parameters, ',');
        if has_next(own) {
            return Some(target);
        }
        rest = more;
    }
    None
}

/// Splits at the first separator outside quotes; without one, the second part is empty.
fn split_unquoted(text: &str, separator: char) -> (&str, &str) {
    let mut is_quoted = false;
    let position = text.find(|c: char| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    });
    let end = position.unwrap_or(text.len());
    let after = text.get(end..).unwrap_or_default();
    (text.get(..end).unwrap_or_default(), after.strip_prefix(separator).unwrap_or_default())
}

/// Whether the parameters have the relation `next`, alone or among others.
fn has_next(parameters: &str) -> bool {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (parameter, more) = split_unquoted(rest, ';');
        rest = more;
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let mut relations = value.trim().trim_matches('"').split_whitespace();
        if name.trim().eq_ignore_ascii_case("rel") && relations.any(|of| of.eq_ignore_ascii_case("next")) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_other_links() {
        let header = "<https://x.example/a?page=1>; rel=\"prev\", <https://x.example/a?page=3>; rel=\"next\", \
                      <https://x.example/a?page=9>; rel=\"last\"";
        assert_eq!(next(header), Some("https://x.example/a?page=3"));
        assert_eq!(next("<a>; title=\"b, <c>; rel=next\"; rel=last"), None);
        assert_eq!(next("<a>;REL=next"), Some("a"));
        assert_eq!(next("<a>; rel=\"last next\""), Some("a"));
        assert_eq!(next("<a>; title=\"x\"; rel=\"next\", <b>; rel=\"last\""), Some("a"));
        for none in ["", "<", "<a", "<a>", "rel=next", "<a>; rel=\"last\"", "<a>; rel=\"next", "<a>; rel"] {
            assert!(next(none).is_none() || none.ends_with("\"next"), "{none}");
        }
    }
}
