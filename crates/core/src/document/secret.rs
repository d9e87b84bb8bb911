//! Whether a piece of text seems to hold a secret, so that no excerpt of it is shown.
//!
//! Errs on the side of silence: an excerpt that is left out costs a look into the file, one too many a key.

/// Beginnings of keys that providers hand out.
const PREFIXES: [&str; 14] = [
    "sk-",
    "sk_",
    "pk-",
    "rk-",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "AKIA",
    "AIza",
    "hf_",
    "eyJ",
];

/// Names whose value is a secret.
const NAMES: [&str; 8] =
    ["api_key", "api-key", "apikey", "password", "secret", "authorization", "access_token", "auth_token"];

/// Whether a text seems to hold a key, a bearer token, or a URL with a password in it, or names a secret and
/// gives it a value (`api_key: …`; not `api_key: {env: …}`).
pub fn looks_like_secret(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c| !word(c)).any(is_key)
        || text.to_ascii_lowercase().contains("bearer ")
        || has_password(text)
        || gives_secret(text)
}

/// Names whose value is not a secret, but where one is easily written by mistake.
const TEMPTING: [&str; 2] = ["api_key_env", "headers"];

/// Whether a JSON pointer leads into something whose name is that of a secret, or invites one.
pub(super) fn names_secret(pointer: &str) -> bool {
    pointer.to_ascii_lowercase().split('/').any(|token| NAMES.contains(&token) || TEMPTING.contains(&token))
}

/// A known beginning with enough behind it.
fn is_key(word: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() >= 8 && rest.bytes().any(|b| b.is_ascii_alphanumeric()))
    })
}

/// `scheme://user:password@host`, or any user part.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', '"', '\'', ' ']).next().unwrap_or("");
        authority.contains('@')
    })
}

/// A name of a secret, then `:` or `=`, then a value that is not a map.
fn gives_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    NAMES.iter().any(|name| {
        lower.match_indices(name).any(|(index, _)| {
            let rest = lower.get(index + name.len()..).unwrap_or("");
            let rest = rest.trim_start_matches(['"', '\'', ' ']);
            let Some(value) = rest.strip_prefix([':', '=']) else { return false };
            let value = value.trim_start();
            !(value.is_empty() || value.starts_with(['{', '[', '#', ',', '}']))
        })
    })
}
