//! Images of messages in the forms that protocols take.

use promptgate_core::model::Image;

/// The source of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// The bytes in base64.
    Data { media_type: &'a str, base64: &'a str },
    /// An address.
    Url(&'a str),
}

/// Returns the source of an image. A `data:` URL that is not in base64 is left to the server as an address.
pub(super) fn source(image: &Image) -> Source<'_> {
    let data = image.url.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    match data.and_then(|(kind, base64)| Some((kind.strip_suffix(";base64")?, base64))) {
        Some((kind, base64)) => {
            let media_type = kind.split(';').next().filter(|kind| !kind.is_empty()).unwrap_or("image/png");
            Source::Data { media_type, base64 }
        }
        None => Source::Url(&image.url),
    }
}

/// Returns the media type of an image at an address, by the ending of its path.
pub(super) fn media_type(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    match path.rsplit('.').next() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("heic") => "image/heic",
        _ => "image/png",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_split_and_others_are_addresses() {
        let image = |url: &str| Image { url: url.to_owned() };
        for (url, media_type, base64) in [
            ("data:image/jpeg;base64,QUI=", "image/jpeg", "QUI="),
            ("data:image/png;charset=x;base64,QUI=", "image/png", "QUI="),
            ("data:;base64,QUI=", "image/png", "QUI="),
        ] {
            assert_eq!(source(&image(url)), Source::Data { media_type, base64 }, "{url}");
        }
        for url in ["https://a.example/x.png", "data:image/svg+xml,%3Csvg%3E", "data:"] {
            assert_eq!(source(&image(url)), Source::Url(url));
        }
    }

    #[test]
    fn media_type_of_an_address_is_that_of_its_ending() {
        assert_eq!(media_type("https://a.example/x.JPG?size=2"), "image/jpeg");
        assert_eq!(media_type("https://a.example/x.webp#a"), "image/webp");
        assert_eq!(media_type("https://a.example/x"), "image/png");
    }
}
