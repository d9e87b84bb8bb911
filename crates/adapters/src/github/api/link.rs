//! The `Link` header (RFC 8288), as far as lists use it: the address of the next page.

/// The target of the first link whose relation is `next`.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        let (own, more) = until(parameters, ',');
        if has_next(own) {
            return Some(target);
        }
        rest = more;
    }
    None
}

/// Both sides of the first such character that is not inside of quotes; all and nothing without one.
fn until(text: &str, wanted: char) -> (&str, &str) {
    let mut quoted = false;
    let found = text.find(|c: char| {
        quoted ^= c == '"';
        c == wanted && !quoted
    });
    let end = found.unwrap_or(text.len());
    let after = text.get(end..).unwrap_or_default();
    (text.get(..end).unwrap_or_default(), after.strip_prefix(wanted).unwrap_or_default())
}

/// Whether there is `rel="next"` among the parameters, alone or among other relations.
fn has_next(parameters: &str) -> bool {
    let mut rest = parameters;
    while !rest.is_empty() {
        let (parameter, more) = until(rest, ';');
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
    fn the_next_page_is_found_among_others() {
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
