//! References to environment variables in values, which are never expanded.

use std::sync::LazyLock;

use regex::Regex;

/// `${NAME}` with or without a default, `$NAME` alone, `${{ … }}` and `{{ env.NAME }}`.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let name = "[A-Za-z_][A-Za-z0-9_]*";
    let forms = [
        format!(r"\$\{{(?<a>{name})(?::?[-+?=][^}}]*)?\}}"),
        format!(r"^\$(?<b>{name})$"),
        format!(r"\$\{{\{{\s*(?:env|vars|secrets|inputs)\.(?<c>{name})\s*\}}\}}"),
        format!(r"\{{\{{\s*env\.(?<d>{name})\s*\}}\}}"),
    ];
    Regex::new(&forms.join("|")).expect("a valid pattern")
});

/// Returns a reference to an environment variable as written, and the name of the variable.
pub fn unexpanded(text: &str) -> Option<(&str, &str)> {
    let captures = REFERENCE.captures(text)?;
    let name = ["a", "b", "c", "d"].iter().find_map(|group| captures.name(group))?;
    Some((captures.get(0)?.as_str(), name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_variables_are_recognized() {
        for (text, written, name) in [
            ("${MODEL}", "${MODEL}", "MODEL"),
            ("https://${HOST}/v1", "${HOST}", "HOST"),
            ("${MODEL:-gpt}", "${MODEL:-gpt}", "MODEL"),
            ("$MODEL", "$MODEL", "MODEL"),
            ("${{ secrets.KEY }}", "${{ secrets.KEY }}", "KEY"),
            ("{{ env.MODEL }}", "{{ env.MODEL }}", "MODEL"),
        ] {
            assert_eq!(unexpanded(text), Some((written, name)), "{text}");
        }
        for text in ["$5", "costs $5", "a $MODEL b", "{{query}}", "${", "${}", "{{envoy}}", "gpt-4o"] {
            assert_eq!(unexpanded(text), None, "{text}");
        }
    }
}
