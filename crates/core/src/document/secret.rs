//! Detection of secrets in a text, so that messages do not quote it.
//!
//! False positives are acceptable: a missing excerpt costs a look into the file, a quoted key is lost.

/// Prefixes of the keys of common providers.
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

/// Names of secret values.
const NAMES: [&str; 8] =
    ["api_key", "api-key", "apikey", "password", "secret", "authorization", "access_token", "auth_token"];

/// Parts of the names of headers whose value is a secret.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "api-key", "apikey", "subscription-key", "cookie", "token"];

/// Whether the value of a header is a secret.
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_HEADERS.iter().any(|part| name.contains(part))
}

/// Whether a header carries the credentials of an endpoint.
pub fn is_auth_header(name: &str) -> bool {
    // That of a proxy does not authenticate the request to the endpoint behind it.
    is_secret_header(name) && !name.eq_ignore_ascii_case("proxy-authorization")
}

/// Whether a text may contain a key, a bearer token, a URL with a password, or a value for the name of a secret
/// (`api_key: …`, but not `api_key: {env: …}`).
pub fn looks_like_secret(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c| !word(c)).any(is_key)
        || text.to_ascii_lowercase().contains("bearer ")
        || has_password(text)
        || assigns_secret(text)
}

/// Names of values that are not secret, but are easily mistaken for secret ones.
const NEAR_SECRETS: [&str; 2] = ["api_key_env", "headers"];

/// Whether a token of a JSON pointer is the name of a secret, or is easily mistaken for one.
pub(super) fn names_secret(pointer: &str) -> bool {
    pointer
        .to_ascii_lowercase()
        .split('/')
        .any(|token| NAMES.contains(&token) || NEAR_SECRETS.contains(&token))
}

/// Whether a word consists of a known prefix and at least eight more characters.
fn is_key(word: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() >= 8 && rest.bytes().any(|b| b.is_ascii_alphanumeric()))
    })
}

/// Whether a URL has a user part: `scheme://user:password@host`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#', '"', '\'', ' ']).next().unwrap_or("");
        authority.contains('@')
    })
}

/// Whether a secret's name is followed by `:` or `=` and a value that is not a map.
fn assigns_secret(text: &str) -> bool {
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
