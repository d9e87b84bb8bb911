//! An HTTP proxy that records requests and closes every connection without a response.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// A running proxy; its threads end with the test process.
pub(crate) struct RecordingProxy {
    /// `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    request_lines: Receiver<String>,
}

impl RecordingProxy {
    /// Listens on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a local address"));
        let (sender, request_lines) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                // One thread per connection: an idle connection must not hide the requests after it.
                std::thread::spawn(move || {
                    let mut line = String::new();
                    let _ = BufReader::new(&stream).read_line(&mut line);
                    // A connection that closes without a request asked for nothing.
                    if !line.is_empty() {
                        let _ = sender.send(line.trim_end().to_owned());
                    }
                });
            }
        });
        Self { address, request_lines }
    }

    /// Returns the first line of every request since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        self.request_lines.try_iter().collect()
    }
}
