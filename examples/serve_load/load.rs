//! The load: one thread, non-blocking sockets, no sleep.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Time for warming up, whose latencies do not count.
const WARM_UP: Duration = Duration::from_secs(1);
/// Time that late responses have after the last request.
const PATIENCE: Duration = Duration::from_secs(5);

/// A load.
pub(crate) struct Load {
    /// Requests a second.
    pub(crate) rate: u64,
    /// Length of the measurement.
    pub(crate) seconds: u64,
    /// Connections; a request waits for a free one.
    pub(crate) connections: usize,
}

/// Measured latencies.
pub(crate) struct Latencies {
    sorted: Vec<Duration>,
    /// Responses other than 200, and requests without a response.
    pub(crate) errors: u64,
}

impl Latencies {
    /// The number of responses.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The latency that a share of the requests does not exceed, in microseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        let latency = self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        latency.as_secs_f64() * 1e6
    }
}

/// A connection, with the time at which its request was due.
struct Connection {
    stream: TcpStream,
    due: Option<Instant>,
    received: Vec<u8>,
}

impl Load {
    /// Sends requests for a path, and measures from the time at which each was due to the last byte of its response.
    pub(crate) fn run(&self, address: &str, path: &str) -> io::Result<Latencies> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let mut connections = Vec::new();
        for _ in 0..self.connections {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            connections.push(Connection { stream, due: None, received: Vec::new() });
        }
        let mut free: VecDeque<usize> = (0..connections.len()).collect();
        let mut busy: Vec<usize> = Vec::new();
        let interval = Duration::from_secs_f64(1.0 / self.rate as f64);
        let start = Instant::now();
        let end = start + WARM_UP + Duration::from_secs(self.seconds);
        let mut due = start;
        let mut latencies = Vec::with_capacity((self.rate * self.seconds) as usize);
        let mut errors = 0;
        loop {
            let now = Instant::now();
            while due <= now && due < end {
                let Some(index) = free.pop_front() else { break };
                let connection = &mut connections[index];
                connection.stream.write_all(request.as_bytes())?;
                connection.due = Some(due);
                busy.push(index);
                due += interval;
            }
            if due >= end && (busy.is_empty() || now > end + PATIENCE) {
                break;
            }
            let mut at = 0;
            while at < busy.len() {
                let connection = &mut connections[busy[at]];
                let Some(is_ok) = connection.poll()? else {
                    at += 1;
                    continue;
                };
                let asked = connection.due.take().unwrap_or(start);
                if asked >= start + WARM_UP {
                    latencies.push(asked.elapsed());
                    errors += u64::from(!is_ok);
                }
                free.push_back(busy.swap_remove(at));
            }
        }
        latencies.sort_unstable();
        Ok(Latencies { sorted: latencies, errors: errors + busy.len() as u64 })
    }
}

impl Connection {
    /// Whether a complete response is a 200; `None` while it is incomplete.
    fn poll(&mut self) -> io::Result<Option<bool>> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.received.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let Some(head) = self.received.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&self.received[..head]);
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let is_ok = text.starts_with("HTTP/1.1 200 ");
        if self.received.len() < head + 4 + length.unwrap_or(0) {
            return Ok(None);
        }
        self.received.clear();
        Ok(Some(is_ok))
    }
}
