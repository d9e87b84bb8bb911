//! Server-sent events of a complete stream, as of the HTML standard, section 9.2.

/// The data of one event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its lines, joined.
    pub(super) data: String,
    /// The number of bytes of the stream up to its end.
    pub(super) end: usize,
}

/// Returns the events that have data. Comments, names and ids of events say nothing about an answer.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut data: Vec<String> = Vec::new();
    let mut end = 0;
    let body_length = body.len();
    for line in body.split_inclusive(|byte| *byte == b'\n').chain([&b""[..]]) {
        end += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            data.push(String::from_utf8_lossy(value).into_owned());
        } else if line.is_empty() && !data.is_empty() {
            events.push(Event { data: std::mem::take(&mut data).join("\n"), end: end.min(body_length) });
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_their_data_and_end() {
        let body = b"\xef\xbb\xbf: comment\n\nevent: a\ndata: {\"x\":1}\n\ndata:1\r\ndata: 2\r\n\r\nid: 7\n\ndata: cut";
        let found: Vec<(String, usize)> =
            events(body).into_iter().map(|event| (event.data, event.end)).collect();
        assert_eq!(
            found,
            [("{\"x\":1}".to_owned(), 38), ("1\n2".to_owned(), 57), ("cut".to_owned(), body.len())]
        );
        assert!(events(b"").is_empty());
    }
}
