//! Whether the model that an answer names is the one that was asked for.

/// Whether two names are those of one model: equal but for case, the vendor in front (`openai/gpt-4o`) and a tag behind
/// (`llama3:latest`), or one a dated version of the other (`gpt-4o-2024-08-06`). Two different dates are two models.
pub fn is_same_model(asked: &str, answered: &str) -> bool {
    let (asked, answered) = (plain(asked), plain(answered));
    asked == answered
        || undated(&answered) == asked
        || undated(&asked) == answered
        || (asked.ends_with("-latest") && undated(&asked) == undated(&answered))
}

/// The name in lower case without vendor, file ending and default tag.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.strip_suffix(".gguf").unwrap_or(name);
    name.strip_suffix(":latest").or_else(|| name.strip_suffix(":free")).unwrap_or(name).to_owned()
}

/// The name without the date or version at its end.
fn undated(name: &str) -> &str {
    let mut rest = name;
    while let Some((start, last)) = rest.rsplit_once(['-', '@', ':']) {
        let is_digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        // Two digits are the month or day of a date, unless nothing longer is before them: `model-70`.
        let is_part_of_date = is_digits && last.len() == 2 && date_starts(start);
        if (is_digits && last.len() >= 3) || is_part_of_date || matches!(last, "latest" | "preview" | "exp") {
            rest = start;
        } else {
            break;
        }
    }
    rest
}

/// Whether a name ends with the start of a date: `-2024`, `-2024-08`, `-preview-05`.
fn date_starts(name: &str) -> bool {
    match name.rsplit_once('-') {
        Some((_, "preview" | "exp")) => true,
        Some((_, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) && last.len() == 4 => true,
        Some((start, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) && last.len() == 2 => {
            date_starts(start)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_model;

    #[test]
    fn dated_version_is_the_same_model() {
        for (asked, answered) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o", "gpt-4o-2024-08-06"),
            ("gpt-3.5-turbo", "gpt-3.5-turbo-0125"),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
            ("claude-sonnet-4", "claude-sonnet-4@20250514"),
            ("gemini-2.5-flash", "models/gemini-2.5-flash-preview-05-20"),
            ("gemini-1.5-pro", "gemini-1.5-pro-002"),
            ("openai/gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
            ("Llama3", "llama3:latest"),
            ("tiny", "/models/tiny.gguf"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
        ] {
            assert!(is_same_model(asked, answered), "{asked} {answered}");
        }
    }

    #[test]
    fn fallback_is_another_model() {
        for (asked, answered) in [
            ("gpt-4o", "cheap-fallback-1b"),
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-4o", "gpt-4o-mini-2024-07-18"),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13"),
            ("llama-70", "llama"),
            ("llama3:8b", "llama3:70b"),
            ("gpt-4", "gpt-4.1"),
        ] {
            assert!(!is_same_model(asked, answered), "{asked} {answered}");
        }
    }
}
