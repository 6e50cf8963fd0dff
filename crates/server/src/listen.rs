//! The accept loop: bounded connections, a time limit for request heads, a graceful end.

mod opening;

use self::opening::Opening;
use crate::app::App;
use crate::routes::serve;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Serves until `stop` resolves, then lets open requests finish for at most `drain_ms`.
pub async fn listen(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let limits = app.rest.limits.clone();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.head_ms))
        .max_buf_size(limits.target_bytes.max(8192) + 64 * 1024);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    let mut stop = std::pin::pin!(stop);
    loop {
        // a full house waits here; the kernel's backlog holds who comes next
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&connections).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("accept failed: {error}");
                // out of file descriptors: give connections a moment to close
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let app = Arc::clone(&app);
        let service = service_fn(move |request| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(serve(app, request, peer.ip()).await) }
        });
        let stream = Opening::new(stream, Duration::from_millis(limits.head_ms));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection ended: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(Duration::from_millis(limits.drain_ms), graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("open requests did not finish in time");
    }
}
