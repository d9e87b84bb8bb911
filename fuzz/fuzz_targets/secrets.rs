//! Redaction removes a secret in each of its encodings, within any text.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use promptgate_core::text::{Redactor, Secret};

fuzz_target!(|input: (&str, &str, &str, u8)| {
    let (secret, before, after, encoding) = input;
    if secret.trim() != secret || secret.chars().count() < 8 || secret.len() > 200 {
        return;
    }
    let encoded = match encoding % 7 {
        0 => secret.to_owned(),
        1 => STANDARD.encode(secret),
        2 => STANDARD_NO_PAD.encode(secret),
        3 => URL_SAFE.encode(secret),
        4 => URL_SAFE_NO_PAD.encode(secret),
        5 => utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        _ => {
            let json = format!("{secret:?}");
            // Only secrets that JSON and Rust escape in the same way.
            if json.trim_matches('"') != secret { return } else { secret.to_owned() }
        }
    };
    let redactor = Redactor::new(&[Secret::new(secret.to_owned())]);
    let redacted = redactor.redact(&format!("{before}{encoded}{after}")).into_owned();
    assert!(!redacted.contains(&encoded), "{encoded:?} in {redacted:?}");
});
