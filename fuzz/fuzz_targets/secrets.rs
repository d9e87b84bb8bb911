//! A secret survives in none of its forms, whatever stands around it.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use promptgate_core::text::{Redactor, Secret};

fuzz_target!(|parts: (&str, &str, &str, u8)| {
    let (secret, before, after, form) = parts;
    if secret.trim() != secret || secret.chars().count() < 8 || secret.len() > 200 {
        return;
    }
    let planted = match form % 7 {
        0 => secret.to_owned(),
        1 => STANDARD.encode(secret),
        2 => STANDARD_NO_PAD.encode(secret),
        3 => URL_SAFE.encode(secret),
        4 => URL_SAFE_NO_PAD.encode(secret),
        5 => utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        _ => {
            let json = format!("{secret:?}");
            // Only what JSON and Rust write alike.
            if json.trim_matches('"') != secret { return } else { secret.to_owned() }
        }
    };
    let redactor = Redactor::new(&[Secret::new(secret.to_owned())]);
    let out = redactor.redact(&format!("{before}{planted}{after}")).into_owned();
    assert!(!out.contains(&planted), "{planted:?} in {out:?}");
});
