//! Authentication by one token, compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use promptgate_core::text::Secret;

/// The digest of the token: a comparison of digests takes the same time for tokens of any length.
pub(super) struct Token([u8; 32]);

impl Token {
    pub(super) fn new(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose().as_bytes()).into())
    }

    /// Whether a request carries the token, as `Bearer TOKEN` or as the password of `Basic`. Langfuse's SDKs send the
    /// public key as the user, which is not compared, and the secret key as the password.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(AUTHORIZATION) else { return false };
        let Some((scheme, credentials)) = split_scheme(value.as_bytes()) else { return false };
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return self.matches(credentials);
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return false;
        }
        let Ok(decoded) = STANDARD.decode(credentials) else { return false };
        let colon = decoded.iter().position(|byte| *byte == b':');
        colon.is_some_and(|colon| self.matches(&decoded[colon + 1..]))
    }

    fn matches(&self, token: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        digest.ct_eq(&self.0).into()
    }
}

fn split_scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    Some((&value[..space], value[space..].trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().expect("a header value"));
        Token::new(&Secret::new("s3cret:with:colons")).is_in(&headers)
    }

    #[test]
    fn bearer_token_and_basic_password_are_accepted() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for accepted in [
            "Bearer s3cret:with:colons",
            "bearer  s3cret:with:colons",
            &basic("pk-lf-local:s3cret:with:colons"),
            &basic(":s3cret:with:colons"),
        ] {
            assert!(is_accepted(accepted), "{accepted}");
        }
        for refused in [
            "s3cret:with:colons",
            "Bearer",
            "Bearer ",
            "Bearer s3cret:with:colon",
            "Bearer s3cret:with:colonss",
            "Token s3cret:with:colons",
            "Basic s3cret:with:colons",
            "Basic !!!",
            &basic("s3cret:with:colons"), // the user is `s3cret`
            &basic("s3cret"),
            &basic("s3cret:with:colons:"),
        ] {
            assert!(!is_accepted(refused), "{refused}");
        }
    }

    #[test]
    fn request_without_authorization_is_refused() {
        assert!(!Token::new(&Secret::new("token")).is_in(&HeaderMap::new()));
    }
}
