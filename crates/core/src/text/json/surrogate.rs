//! Halves of characters: UTF-16 surrogates in escapes of JSON, without their partner.

/// Returns the first escape of a text in JSON that is half a character, such as `\ud83d`.
pub fn half_character(json: &[u8]) -> Option<&str> {
    let mut at = 0;
    while let Some(found) = json.get(at..)?.iter().position(|byte| *byte == b'\\') {
        let start = at + found;
        match unit(json, start) {
            Some(0xd800..=0xdbff) if matches!(unit(json, start + 6), Some(0xdc00..=0xdfff)) => {
                at = start + 12
            }
            Some(0xd800..=0xdfff) => return std::str::from_utf8(json.get(start..start + 6)?).ok(),
            // An escape has at least two bytes; the second may be a backslash.
            _ => at = start + 2,
        }
    }
    None
}

/// The code unit of the escape `\uXXXX` at a place.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at.checked_add(6)?)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::half_character;

    #[test]
    fn half_of_a_character_is_found() {
        for (json, half) in [
            (r#""\ud83d broken""#, Some(r"\ud83d")),
            (r#""\ud83d\ud83d\ude00""#, Some(r"\ud83d")),
            (r#""a\uDE00""#, Some(r"\uDE00")),
            (r#""\ud83d\u0041""#, Some(r"\ud83d")),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\u00e9 \n""#, None),
            (r#""\ud8"#, None),
            (r#""\"#, None),
        ] {
            assert_eq!(half_character(json.as_bytes()), half, "{json}");
        }
    }
}
