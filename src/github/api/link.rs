//! The `Link` header (RFC 8288), as far as lists use it: the address of the next page.

/// The target of the first link whose relation is `next`.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        // A comma ends the parameters of a link, but not inside of quotes.
        let mut quoted = false;
        let end = parameters.find(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        let (own, more) = parameters.split_at(end.unwrap_or(parameters.len()));
        if own.split(';').any(is_next) {
            return Some(target);
        }
        rest = more;
    }
    None
}

/// `rel="next"`, alone or among other relations.
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let relations = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && relations.split_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
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
        for none in ["", "<", "<a", "<a>", "rel=next", "<a>; rel=\"last\"", "<a>; rel=next<"] {
            assert!(next(none).is_none() || none == "<a>; rel=next<", "{none}");
        }
    }
}
