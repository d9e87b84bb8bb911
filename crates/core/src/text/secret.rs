//! A value that must never be printed: keys and header values read from the environment.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A key or another confidential value. It has no `Display`, its `Debug` shows nothing of it, and its memory is
/// wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value over. White space at both ends, such as the line break that shells and secret caches
    /// leave behind, is not part of a key and is removed.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into().trim().to_owned()))
    }

    /// The value itself; for sending it and for looking for it, never for printing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
