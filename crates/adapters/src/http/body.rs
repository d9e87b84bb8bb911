//! The body of a response as its sender wrote it: without gzip, without a byte order mark.

use std::io::{self, Read as _};

use flate2::bufread::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// The first bytes of a member of a gzip stream (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The byte order mark in UTF-8, which JSON must not start with and some servers send (RFC 8259, section 8.1).
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A body that cannot be decoded, with its start.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// It is larger than the limit.
    TooLarge(Vec<u8>),
    /// The compressed stream ends too early or is damaged.
    Damaged(Vec<u8>, io::Error),
}

/// Decodes a body of at most `limit` bytes.
pub(super) fn decode(headers: &HeaderMap, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut body = if is_gzip(headers) { gunzip(&body, limit)? } else { body };
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(body)
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["gzip", "x-gzip"].iter().any(|name| encoding.trim().eq_ignore_ascii_case(name))
}

/// Decompresses all members of a stream. Bytes after the last one are ignored, as browsers do.
fn gunzip(mut compressed: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut body = Vec::new();
    while body.is_empty() || compressed.starts_with(&GZIP_MAGIC) {
        if compressed.is_empty() {
            break;
        }
        let mut member = GzDecoder::new(compressed);
        // One more byte than fits tells a full body from one that is too large.
        let room = (limit - body.len()) as u64 + 1;
        if let Err(error) = (&mut member).take(room).read_to_end(&mut body) {
            body.truncate(limit);
            return Err(DecodeError::Damaged(body, error));
        }
        if body.len() > limit {
            body.truncate(limit);
            return Err(DecodeError::TooLarge(body));
        }
        let before = compressed.len();
        compressed = member.into_inner();
        if compressed.len() == before {
            break;
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use reqwest::header::HeaderValue;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encoding: &'static str, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, DecodeError> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
        decode(&headers, body, limit)
    }

    #[test]
    fn every_member_of_a_gzip_stream_is_read() {
        let two = [gzip(b"{\"a\": "), gzip(b"1}")].concat();
        for encoding in ["gzip", "x-gzip", " GZIP "] {
            assert_eq!(decoded(encoding, two.clone(), 8).unwrap(), b"{\"a\": 1}", "{encoding}");
        }
        let empty_members = [gzip(b""), gzip(b"1"), gzip(b"")].concat();
        assert_eq!(decoded("gzip", empty_members, 8).unwrap(), b"1");
        let padded = [gzip(b"1"), vec![0; 9]].concat();
        assert_eq!(decoded("gzip", padded, 8).unwrap(), b"1");
        assert_eq!(decoded("gzip", Vec::new(), 8).unwrap(), b"");
        assert_eq!(decoded("identity", two.clone(), 100).unwrap(), two);
    }

    #[test]
    fn limit_is_that_of_the_decompressed_size_over_all_members() {
        let Err(DecodeError::TooLarge(start)) = decoded("gzip", gzip(&[b'a'; 100_000]), 50) else { panic!() };
        assert_eq!(start, [b'a'; 50]);
        let two = [gzip(b"aaaa"), gzip(b"bbbb")].concat();
        assert_eq!(decoded("gzip", two.clone(), 8).unwrap(), b"aaaabbbb");
        assert!(matches!(decoded("gzip", two, 7), Err(DecodeError::TooLarge(_))));
    }

    #[test]
    fn cut_or_damaged_stream_is_an_error_with_its_start() {
        let whole = gzip(b"{\"text\": \"a\"}");
        for end in 1..whole.len() {
            assert!(
                matches!(decoded("gzip", whole[..end].to_vec(), 99), Err(DecodeError::Damaged(..))),
                "{end}"
            );
        }
        assert!(matches!(decoded("gzip", b"{}".to_vec(), 99), Err(DecodeError::Damaged(..))));
        let second_is_cut = [whole.clone(), whole[..12].to_vec()].concat();
        assert!(matches!(decoded("gzip", second_is_cut, 99), Err(DecodeError::Damaged(..))));
    }

    #[test]
    fn byte_order_mark_is_removed_once_and_only_at_the_start() {
        let marked = |text: &str| decode(&HeaderMap::new(), text.as_bytes().to_vec(), 99).unwrap();
        assert_eq!(marked("\u{feff}{}"), b"{}");
        assert_eq!(marked("{\"a\": \"\u{feff}\"}"), "{\"a\": \"\u{feff}\"}".as_bytes());
        assert_eq!(decoded("gzip", gzip("\u{feff}[]".as_bytes()), 99).unwrap(), b"[]");
    }
}
