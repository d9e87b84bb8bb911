//! The most that this machine can do with this client library: the same requests in a loop, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use crate::Fallible;
use crate::process::processor_time;

/// What the loop took.
pub(crate) struct Looped {
    /// From the first request to the last answer.
    pub(crate) wall: Duration,
    /// Processor time of this process, in seconds.
    pub(crate) processor: f64,
}

/// Sends the bodies over and over, `calls` times in all, with so many in flight; reads every answer whole.
pub(crate) fn run(base_url: &str, bodies: &[Vec<u8>], calls: usize, in_flight: u32) -> Fallible<Looped> {
    // Bytes, so that a body is shared and not copied with each call, as promptgate does it.
    let bodies: Arc<Vec<Bytes>> = Arc::new(bodies.iter().map(|body| Bytes::from(body.clone())).collect());
    let url = format!("{base_url}/chat/completions");
    let runtime = tokio::runtime::Runtime::new()?;
    let before = processor_time(std::process::id()).unwrap_or(0.0);
    let started = Instant::now();
    runtime.block_on(async {
        // As the library does it, which has made the process ready to build clients.
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
                    let answer = request.send().await?.error_for_status()?;
                    std::hint::black_box(answer.bytes().await?);
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            let ended: Result<(), reqwest::Error> = ended?;
            ended?;
        }
        Fallible::Ok(())
    })?;
    let wall = started.elapsed();
    let processor = processor_time(std::process::id()).unwrap_or(0.0) - before;
    Ok(Looped { wall, processor })
}
