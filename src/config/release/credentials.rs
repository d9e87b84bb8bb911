//! The environment variables with the credentials of servers, as `release.registry` and `release.sources` name them.

use crate::config::endpoint::variable;
use crate::config::load::Reader;

/// The variables of Langfuse's public and secret key at `at`, with those of its SDKs by default; `None` for a name that
/// was reported.
pub(super) fn langfuse(
    reader: &mut Reader<'_>,
    at: &str,
    public_key: Option<String>,
    secret_key: Option<String>,
) -> (Option<String>, Option<String>) {
    let mut env = |key: &str, written: Option<String>, default: &str| match written {
        Some(name) => variable(reader, &format!("{at}/{key}"), name).map(|variable| variable.value),
        None => Some(default.to_owned()),
    };
    (
        env("public_key_env", public_key, "LANGFUSE_PUBLIC_KEY"),
        env("secret_key_env", secret_key, "LANGFUSE_SECRET_KEY"),
    )
}

/// The variables of user name and password of Basic authentication at `at`: `Some(None)` where neither is written, `None`
/// for what was reported.
pub(super) fn basic(
    reader: &mut Reader<'_>,
    at: &str,
    user: Option<String>,
    password: Option<String>,
) -> Option<Option<(String, String)>> {
    match (user, password) {
        (Some(user), Some(password)) => {
            let user = variable(reader, &format!("{at}/user_env"), user);
            let password = variable(reader, &format!("{at}/password_env"), password);
            Some(Some((user?.value, password?.value)))
        }
        (None, None) => Some(None),
        _ => {
            let message = "user_env and password_env are only valid together";
            reader.report_key(at, message, "write both, or neither");
            None
        }
    }
}
