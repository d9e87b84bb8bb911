//! The comparison for throughput: a bare `reqwest` loop that sends the same requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use crate::Fallible;
use crate::process::processor_time;

/// Measurements of the loop.
pub(crate) struct LoopMetrics {
    /// From the first request to the last response.
    pub(crate) wall: Duration,
    /// Processor time of this process, in seconds.
    pub(crate) processor: f64,
}

/// Sends the bodies in turn, `calls` requests in all, with `in_flight` in flight, and reads every response completely.
pub(crate) fn run(base_url: &str, bodies: &[Vec<u8>], calls: usize, in_flight: u32) -> Fallible<LoopMetrics> {
    // `Bytes` share a body instead of copying it for each call, as promptgate does.
    let bodies: Arc<Vec<Bytes>> = Arc::new(bodies.iter().map(|body| Bytes::from(body.clone())).collect());
    let url = format!("{base_url}/chat/completions");
    let runtime = tokio::runtime::Runtime::new()?;
    let before = processor_time(std::process::id()).unwrap_or(0.0);
    let started = Instant::now();
    runtime.block_on(async {
        // The same settings as promptgate's client.
        let client = Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .tls_certs_only([])
            .pool_max_idle_per_host(in_flight as usize)
            .build()?;
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..in_flight {
            let (client, next, bodies, url) =
                (client.clone(), Arc::clone(&next), Arc::clone(&bodies), url.clone());
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= calls {
                        return Ok(());
                    }
                    let body = bodies[number % bodies.len()].clone();
                    let request = client.post(&url).header(CONTENT_TYPE, "application/json").body(body);
                    let response = request.send().await?.error_for_status()?;
                    std::hint::black_box(response.bytes().await?);
                }
            });
        }
        while let Some(joined) = workers.join_next().await {
            let result: Result<(), reqwest::Error> = joined?;
            result?;
        }
        Fallible::Ok(())
    })?;
    let wall = started.elapsed();
    let processor = processor_time(std::process::id()).unwrap_or(0.0) - before;
    Ok(LoopMetrics { wall, processor })
}
