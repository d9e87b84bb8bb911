//! The endpoint: `promptgate mock-server` as its own process, and a proxy that records requests.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::Fallible;
use crate::process::{Binary, processor_time};

/// A mock server, killed on drop.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT/v1`.
    pub(crate) base_url: String,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start(binary: &Binary, flags: &[&str]) -> Fallible<Self> {
        let mut command = binary.command(&["mock-server", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let base_url = line.trim().to_owned();
        if base_url.starts_with("http://") {
            Ok(Self { child, base_url })
        } else {
            let _ = child.kill();
            Err(format!("unexpected output of the mock server: {line:?}").into())
        }
    }

    /// Processor time so far, in seconds.
    pub(crate) fn processor(&self) -> f64 {
        processor_time(self.child.id()).unwrap_or(0.0)
    }

    /// Stops the server and returns the number of requests that it served.
    pub(crate) fn stop(mut self) -> Fallible<u64> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let mut output = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut output)?;
        }
        self.child.wait()?;
        let served = output.split_once("served ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        served.ok_or_else(|| format!("unexpected output of the mock server: {output:?}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes sent on one connection.
type Stream = Arc<Mutex<Vec<u8>>>;
/// The streams of all connections.
type Streams = Arc<Mutex<Vec<Stream>>>;

/// A proxy that records what clients send.
pub(crate) struct Recorder {
    /// `http://127.0.0.1:PORT/v1`.
    pub(crate) base_url: String,
    streams: Streams,
}

impl Recorder {
    /// Starts a proxy in front of a server.
    pub(crate) fn in_front_of(server: &Server) -> Fallible<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let upstream = server.base_url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
        let streams = Streams::default();
        let recorded = Arc::clone(&streams);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&upstream) else { return };
                let stream = Stream::default();
                recorded.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&stream));
                let _ = forward(client, server, stream);
            }
        });
        Ok(Self { base_url, streams })
    }

    /// The bodies of all requests so far, ordered by connection.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams
            .iter()
            .flat_map(|stream| bodies(&stream.lock().unwrap_or_else(PoisonError::into_inner)))
            .collect()
    }
}

fn forward(client: TcpStream, server: TcpStream, stream: Stream) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_server, to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || copy(from_server, to_client, |_| {}));
    thread::spawn(move || {
        copy(client, server, |bytes| {
            stream.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        });
    });
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut record: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        record(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The request bodies in a stream of requests with `Content-Length`.
fn bodies(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while let Some(head) = stream.windows(4).position(|four| four == b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&stream[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let Some(body) = stream.get(head + 4..head + 4 + length) else { break };
        bodies.push(body.to_vec());
        stream = &stream[head + 4 + length..];
    }
    bodies
}
