//! A proxy on loopback that records the requests that pass through.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?} {}", self.method, self.path, self.headers, self.text())
    }
}

impl Request {
    /// Whether a header is there; its name is compared without case.
    pub(crate) fn has_header(&self, line: &str) -> bool {
        self.header(line.split_once(": ").expect("NAME: VALUE").0)
            == line.split_once(": ").map(|(_, value)| value)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text, decompressed; of a binary body, what is text.
    pub(crate) fn text(&self) -> String {
        let mut bytes = Vec::new();
        if self.header("content-encoding") == Some("gzip") {
            GzDecoder::new(self.body.as_slice()).read_to_end(&mut bytes).expect("a compressed body");
        } else {
            bytes.clone_from(&self.body);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The bytes of each connection.
type Recorded = Arc<Mutex<Vec<Vec<u8>>>>;

/// A running proxy.
pub(crate) struct Recorder {
    /// HOST:PORT.
    pub(crate) address: String,
    recorded: Recorded,
}

impl Recorder {
    /// Passes every connection on to `target`.
    pub(crate) fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let recorded = Recorded::default();
        let (target, list) = (target.to_owned(), Arc::clone(&recorded));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let server = TcpStream::connect(&target).expect("a connection");
                let index = {
                    let mut list = list.lock().expect("a list");
                    list.push(Vec::new());
                    list.len() - 1
                };
                let (from, to) =
                    (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                std::thread::spawn(move || copy(from, to, |_| {}));
                let list = Arc::clone(&list);
                std::thread::spawn(move || {
                    copy(client, server, |bytes| {
                        list.lock().expect("a list")[index].extend_from_slice(bytes)
                    });
                });
            }
        });
        Self { address, recorded }
    }

    /// The requests that were complete, in the order of their connections.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let recorded = self.recorded.lock().expect("a list");
        recorded.iter().flat_map(|bytes| parse(bytes)).collect()
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut record: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        record(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Splits the bytes of a connection into requests.
fn parse(mut bytes: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path)) = (first.next(), first.next()) else { break };
        let (method, path) = (method.to_owned(), path.to_owned());
        let mut request =
            Request { method, path, headers: lines.map(str::to_owned).collect(), body: Vec::new() };
        bytes = &bytes[end + 4..];
        if request.header("transfer-encoding") == Some("chunked") {
            while let Some(line) = bytes.windows(2).position(|window| window == b"\r\n") {
                let size = String::from_utf8_lossy(&bytes[..line]).into_owned();
                let Ok(size) = usize::from_str_radix(&size, 16) else { break };
                let Some(chunk) = bytes.get(line + 2..line + 2 + size) else { break };
                request.body.extend_from_slice(chunk);
                bytes = bytes.get(line + 4 + size..).unwrap_or_default();
                if size == 0 {
                    break;
                }
            }
        } else {
            let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let Some(body) = bytes.get(..length) else { break };
            request.body = body.to_vec();
            bytes = &bytes[length..];
        }
        requests.push(request);
    }
    requests
}
