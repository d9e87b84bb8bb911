//! Images of messages: addresses, and files that are read as data.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use promptgate_core::model::{Diagnostic, Image};

use super::Tree;

/// Maximum size of an image: 5 MiB.
pub const IMAGE_LIMIT: u64 = 5 << 20;

const TYPES: &str = "models take PNG, JPEG, GIF and WebP: convert it to one of them";

/// Images of files as `data:` URLs by their paths, or why there is none.
pub type Images = BTreeMap<String, Result<String, Diagnostic>>;

/// Reads the images at paths relative to the configuration. The type of each is found by its first bytes.
pub fn fetch_images(tree: &Tree, paths: impl IntoIterator<Item = String>) -> Images {
    let read = |path: &str| {
        let bytes = tree.read_limited(path, IMAGE_LIMIT).map_err(|mut diagnostic| {
            if diagnostic.message.starts_with("is larger than") {
                diagnostic.help = Some("reduce its size".to_owned());
            }
            let beside = "the path of an image is relative to the file that names it";
            let help =
                diagnostic.help.map(|help| help.replace("paths are relative to the configuration", beside));
            diagnostic.help = help;
            diagnostic
        })?;
        let media_type = media_type(&bytes).map_err(|found| {
            Diagnostic::new(format!("{found}, not an image that models take")).help(TYPES)
        })?;
        Ok(data_url(media_type, &bytes))
    };
    let fetched = paths.into_iter().map(|path| {
        let image = read(&path);
        (path, image)
    });
    fetched.collect()
}

/// Puts the fetched images in place of their paths.
///
/// # Errors
/// The first image that has none, named by its path.
pub fn resolve_images<'i>(
    images: impl Iterator<Item = &'i mut Image>,
    fetched: &Images,
) -> Result<(), Diagnostic> {
    for image in images {
        let Some(path) = image.path() else { continue };
        match fetched.get(path) {
            Some(Ok(url)) => image.url.clone_from(url),
            Some(Err(diagnostic)) => {
                let message = format!("the image `{path}`: {}", diagnostic.message);
                return Err(Diagnostic { message, place: None, ..diagnostic.clone() });
            }
            None => return Err(Diagnostic::new(format!("the image `{path}` was not fetched"))),
        }
    }
    Ok(())
}

/// The path of an image that a file names, relative to the configuration.
pub(super) fn path_beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

/// Accepts the path of a file.
///
/// # Errors
/// Message and help for any other text.
pub(super) fn path(path: &str) -> Result<String, (String, String)> {
    let is_address =
        path.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.contains('/'));
    if path.trim().is_empty() || path.starts_with('/') || is_address {
        let message = format!("`{path}` is not the path of an image, relative to this file");
        return Err((message, "write `image: shots/checkout.png`, or an address with https:".to_owned()));
    }
    if has_ending(path, ".svg") {
        return Err((format!("`{path}` is an SVG image"), TYPES.to_owned()));
    }
    Ok(path.to_owned())
}

/// Accepts an `https:` address, or a `data:` URL, whose type becomes that of its bytes.
///
/// # Errors
/// Message and help for any other text.
pub(super) fn address(url: &str) -> Result<String, (String, String)> {
    let invalid = |message: &str, help: &str| Err((message.to_owned(), help.to_owned()));
    if let Some(data) = url.strip_prefix("data:") {
        let Some((_, base64)) = data.split_once(',').filter(|(kind, _)| kind.ends_with(";base64")) else {
            return invalid("the data: URL of an image is not in base64", "write data:image/png;base64,…");
        };
        let Ok(bytes) = STANDARD.decode(base64) else {
            return invalid("the data: URL of an image is not valid base64", "write data:image/png;base64,…");
        };
        if bytes.len() as u64 > IMAGE_LIMIT {
            return invalid("the data: URL of an image is larger than 5 MiB", "reduce its size");
        }
        return match media_type(&bytes) {
            Ok(media_type) => Ok(data_url(media_type, &bytes)),
            Err(found) => invalid(&format!("the data: URL of an image {found}"), TYPES),
        };
    }
    let host = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_none_or(str::is_empty) || url.contains(char::is_whitespace) {
        let message = "the `url` of an image must be an https: address or a data: URL";
        return invalid(message, "a file is written {image: shots/checkout.png}, relative to this file");
    }
    if has_ending(url.split(['?', '#']).next().unwrap_or_default(), ".svg") {
        return invalid("the address is that of an SVG image", TYPES);
    }
    Ok(url.to_owned())
}

fn has_ending(path: &str, ending: &str) -> bool {
    path.to_ascii_lowercase().ends_with(ending)
}

fn data_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// The media type of an image by its first bytes; `Err` with the type that it has instead.
fn media_type(bytes: &[u8]) -> Result<&'static str, &'static str> {
    let brand = bytes.get(8..12).unwrap_or_default();
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok("image/jpeg");
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Ok("image/gif");
    }
    if bytes.starts_with(b"RIFF") && brand == b"WEBP" {
        return Ok("image/webp");
    }
    let start = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes)).to_ascii_lowercase();
    Err(match () {
        () if start.contains("<svg") => "is an SVG image",
        () if bytes.starts_with(b"%PDF") => "is a PDF document",
        () if bytes.starts_with(b"BM") => "is a BMP image",
        () if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") => "is a TIFF image",
        () if bytes.get(4..8) == Some(b"ftyp") && brand.starts_with(b"avi") => "is an AVIF image",
        () if bytes.get(4..8) == Some(b"ftyp") => "is a HEIC image or a video",
        () if bytes.is_empty() => "is an empty file",
        () => "is a file of an unknown type",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_of_an_image_is_found_by_its_bytes() {
        for (bytes, media_type) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Ok("image/png")),
            (b"\xff\xd8\xff\xe0", Ok("image/jpeg")),
            (b"GIF89a", Ok("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Ok("image/webp")),
            (b"<?xml version='1.0'?><svg/>", Err("is an SVG image")),
            (b"%PDF-1.7", Err("is a PDF document")),
            (b"\0\0\0\x20ftypavif", Err("is an AVIF image")),
            (b"", Err("is an empty file")),
            (b"hello", Err("is a file of an unknown type")),
        ] {
            assert_eq!(super::media_type(bytes), media_type, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn addresses_are_https_or_data() {
        let gif = format!("data:image/png;base64,{}", STANDARD.encode(b"GIF89a"));
        assert_eq!(address(&gif).unwrap(), format!("data:image/gif;base64,{}", STANDARD.encode(b"GIF89a")));
        assert!(address("https://a.example/x.png?size=2").is_ok());
        let large = format!("data:image/png;base64,{}", STANDARD.encode(vec![0; IMAGE_LIMIT as usize + 1]));
        for (url, part) in [
            ("http://a.example/x.png", "must be an https: address"),
            ("https://", "must be an https: address"),
            ("shots/a.png", "must be an https: address"),
            ("https://a.example/x.SVG#a", "SVG"),
            ("data:image/svg+xml,<svg/>", "not in base64"),
            ("data:image/png;base64,?", "not valid base64"),
            ("data:image/png;base64,aGVsbG8=", "unknown type"),
            (&large, "larger than 5 MiB"),
        ] {
            assert!(address(url).unwrap_err().0.contains(part), "{part}");
        }
    }

    #[test]
    fn paths_are_relative() {
        assert_eq!(path("shots/a:b.png").unwrap(), "shots/a:b.png");
        assert_eq!(path_beside("data/cases.jsonl", "../a.png"), "data/../a.png");
        assert_eq!(path_beside("cases.jsonl", "a.png"), "a.png");
        for text in ["", "/etc/a.png", "http://a.example/x.png", "a.svg"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
