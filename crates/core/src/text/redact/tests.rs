use proptest::prelude::*;
use url::Url;

use super::*;

const KEY: &str = "sk-proj-Ab9/+=\"x y\\é_~Z";

fn redactor(values: &[&str]) -> Redactor {
    Redactor::new(&values.iter().map(|value| Secret::new(*value)).collect::<Vec<_>>())
}

/// Base64 by the bit, independent of the code under test.
fn reference_base64(bytes: &[u8], padding: bool, url_safe: bool) -> String {
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let mut text: String = bits
        .chunks(6)
        .map(|chunk| {
            let index = (0..6).fold(0, |index, at| index * 2 + chunk.get(at).copied().unwrap_or(0));
            match index {
                0..26 => char::from(b'A' + index),
                26..52 => char::from(b'a' + index - 26),
                52..62 => char::from(b'0' + index - 52),
                62 => {
                    if url_safe {
                        '-'
                    } else {
                        '+'
                    }
                }
                _ => {
                    if url_safe {
                        '_'
                    } else {
                        '/'
                    }
                }
            }
        })
        .collect();
    while padding && !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[test]
fn reference_matches_the_vectors_of_rfc_4648() {
    for (plain, encoded) in
        [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(reference_base64(plain.as_bytes(), false, false), encoded);
    }
    assert_eq!(reference_base64(&[0xfb, 0xff], false, true), "-_8");
}

#[test]
fn text_without_a_secret_is_borrowed() {
    assert!(matches!(redactor(&[KEY]).redact("all is well"), Cow::Borrowed("all is well")));
    assert!(matches!(redactor(&[]).redact(KEY), Cow::Borrowed(_)));
}

#[test]
fn text_around_secrets_is_kept() {
    assert_eq!(
        redactor(&["secret-key-1"]).redact("a secret-key-1, b secret-key-1."),
        "a [redacted], b [redacted]."
    );
}

#[test]
fn values_under_eight_characters_are_not_redacted() {
    assert_eq!(redactor(&["ollama"]).redact("ollama:11434"), "ollama:11434");
    assert_eq!(redactor(&["seven77"]).redact("seven77"), "seven77");
    assert_eq!(redactor(&["eight888"]).redact("eight888"), "[redacted]");
    assert_eq!(redactor(&[""]).redact("x"), "x");
}

#[test]
fn overlapping_secrets_are_redacted_completely() {
    let redactor = redactor(&["abcdefgh", "efghijkl", "abcdefghij"]);
    assert_eq!(redactor.redact("-abcdefghijkl-"), "-[redacted]-");
    assert_eq!(Redactor::new(&[Secret::new("aaaaaaaa")]).redact("aaaaaaaaaaab"), "[redacted]b");
}

#[test]
fn keys_with_surrounding_white_space_are_redacted() {
    assert_eq!(redactor(&["\tlong-enough-key\r\n"]).redact("key long-enough-key!"), "key [redacted]!");
}

#[test]
fn replacement_does_not_contain_or_form_a_secret() {
    assert!(!redactor(&["redacted"]).redact("it is redacted here").contains("redacted"));
    // The end of `[redacted]` and the following text would form the secret again.
    let secret = "ted]vA==)";
    assert!(!redactor(&[secret]).redact(&format!("{secret}vA==)")).contains(secret));
    let two = ["ab[redacted]cd", "longsecret"];
    assert!(!redactor(&two).redact("ablongsecretcd").contains(two[0]));
}

#[test]
fn debug_output_hides_the_secret() {
    let secret = Secret::new(KEY);
    let shown = format!("{secret:?} {:?}", Redactor::new(std::slice::from_ref(&secret)));
    assert_eq!(shown, "Secret Redactor");
}

#[test]
fn keys_in_basic_authentication_are_redacted() {
    let key = "sk-abcdefghijklmnop";
    for user in ["", "u", "us", "use", "user"] {
        let encoded = reference_base64(format!("{user}:{key}").as_bytes(), true, false);
        let redacted = redactor(&[key]).redact(&encoded).into_owned();
        assert!(redacted.contains(MARKS[0]), "{encoded}: {redacted}");
        // The rest decodes to less than a character at either end.
        assert!(redacted.replace(MARKS[0], "").len() <= 8 + 4, "{redacted}");
    }
}

proptest! {
    #[test]
    fn all_forms_of_a_canary_are_redacted(
        key in "[ -~éß€]{8,40}".prop_filter("trimmed", |key| key.trim() == key),
        before in "[a-z .]{0,12}",
        after in "[a-z .]{0,12}",
    ) {
        let redactor = Redactor::new(&[Secret::new(key.clone())]);
        let mut url = Url::parse("https://x.example/").unwrap();
        url.query_pairs_mut().append_pair("k", &key);
        let form = url.query().unwrap().strip_prefix("k=").unwrap().to_owned();
        let json = serde_json::to_string(&key).unwrap();
        let mut forms = vec![key.clone(), form, json[1..json.len() - 1].to_owned()];
        for padding in [false, true] {
            for url_safe in [false, true] {
                forms.push(reference_base64(key.as_bytes(), padding, url_safe));
            }
        }
        for keep in [&b"-._~"[..], b""] {
            let encoded: String = key.bytes().map(|byte| if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }).collect();
            forms.push(encoded.replace("%20", "+"));
            forms.push(encoded);
        }
        for form in forms {
            let text = format!("{before}{form}{after}");
            let redacted = redactor.redact(&text).into_owned();
            prop_assert!(MARKS.iter().any(|mark| redacted.contains(mark)));
            prop_assert!(!redacted.contains(&form), "{form} in {redacted}");
            prop_assert!(redacted.len() <= before.len() + after.len() + MARKS[0].len(), "{redacted}");
        }
    }

    #[test]
    fn canaries_inside_encoded_text_are_redacted(key in "[!-~]{12,40}", before in "[ -~]{0,7}", after in "[ -~]{0,7}") {
        let redactor = Redactor::new(&[Secret::new(key.clone())]);
        let encoded = reference_base64(format!("{before}{key}{after}").as_bytes(), true, false);
        let redacted = redactor.redact(&encoded).into_owned();
        prop_assert!(MARKS.iter().any(|mark| redacted.contains(mark)), "{redacted}");
    }

    #[test]
    fn redact_never_panics(secret in any::<String>(), text in any::<String>()) {
        let redactor = Redactor::new(&[Secret::new(secret)]);
        let _ = redactor.redact(&text);
    }
}
