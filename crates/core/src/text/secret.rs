//! Secrets: keys and header values from the environment, which must never be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A confidential value without `Display`, whose `Debug` hides it and whose memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Removes surrounding white space, such as the line break that shells and secret stores leave at the end of a key.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into().trim().to_owned()))
    }

    /// The value itself, for sending and redaction only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the value is empty.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
