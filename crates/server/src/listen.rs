//! The accept loop: bounded connections, limits of time for all that is waited for, a graceful end.

mod patient;

use self::patient::{Patience, Patient, Requests};
use crate::app::App;
use crate::routes::serve;
use crate::tls::Tls;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 128;

/// Most bytes of the headers of one HTTP/2 request.
const HEADERS: u32 = 128 * 1024;

/// Serves until `stop` resolves. Then lingers: connections that a proxy keeps open are used
/// once more and closed by their answer, which tells it so; one that were closed while a request
/// is on its way would fail it. At last open requests may finish for at most `drain_ms`.
pub async fn listen(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    serve_until(Door::new(app, None), listener, stop).await;
}

/// As [`listen`], over TLS.
pub async fn listen_encrypted(
    app: Arc<App>,
    listener: TcpListener,
    tls: Tls,
    stop: impl Future<Output = ()>,
) {
    serve_until(Door::new(app, Some(tls)), listener, stop).await;
}

async fn serve_until(door: Door, listener: TcpListener, stop: impl Future<Output = ()>) {
    let limits = door.app.rest.limits.clone();
    tokio::select! {
        () = stop => {}
        () = door.admit(&listener) => {}
    }
    door.app.stop();
    if door.is_occupied() {
        let linger = Duration::from_millis(limits.linger_ms);
        let _ = tokio::time::timeout(linger, door.admit(&listener)).await;
    }
    drop(listener);
    let drain = Duration::from_millis(limits.drain_ms);
    if tokio::time::timeout(drain, door.graceful.shutdown()).await.is_err() {
        tracing::warn!("open requests did not finish in time");
    }
}

/// What lets connections in.
struct Door {
    app: Arc<App>,
    builder: Builder<TokioExecutor>,
    connections: Arc<Semaphore>,
    tls: Option<Tls>,
    graceful: GracefulShutdown,
}

impl Door {
    fn new(app: Arc<App>, tls: Option<Tls>) -> Self {
        let limits = &app.rest.limits;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            // heads, pauses and answers are timed by the stream, for every version
            .header_read_timeout(None)
            .max_buf_size(limits.target_bytes.max(8192) + 64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADERS);
        let connections = Arc::new(Semaphore::new(limits.connections));
        Self { app, builder, connections, tls, graceful: GracefulShutdown::new() }
    }

    fn is_occupied(&self) -> bool {
        self.connections.available_permits() < self.app.rest.limits.connections
    }

    /// Accepts connections, without end.
    async fn admit(&self, listener: &TcpListener) {
        loop {
            // a full house waits here; the kernel's backlog holds who comes next
            let Ok(permit) = Arc::clone(&self.connections).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => self.serve(stream, peer.ip(), permit),
                Err(error) => {
                    tracing::warn!("accept failed: {error}");
                    // out of file descriptors: give connections a moment to close
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: IpAddr, permit: OwnedSemaphorePermit) {
        let _ = stream.set_nodelay(true);
        let present = self.app.metrics.connection();
        let talk = Talk {
            app: Arc::clone(&self.app),
            builder: self.builder.clone(),
            watcher: self.graceful.watcher(),
            peer,
        };
        match self.tls.clone() {
            None => tokio::spawn(async move {
                talk.over(stream).await;
                drop((permit, present));
            }),
            Some(tls) => tokio::spawn(async move {
                let within = Duration::from_millis(talk.app.rest.limits.head_ms);
                match tokio::time::timeout(within, tls.accept(stream)).await {
                    Ok(Ok(stream)) => talk.over(stream).await,
                    Ok(Err(error)) => tracing::debug!("handshake failed: {error}"),
                    Err(_) => tracing::debug!("the handshake took too long"),
                }
                drop((permit, present));
            }),
        };
    }
}

/// One connection.
struct Talk {
    app: Arc<App>,
    builder: Builder<TokioExecutor>,
    watcher: Watcher,
    peer: IpAddr,
}

impl Talk {
    /// Answers its requests until it ends.
    async fn over(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { app, builder, watcher, peer } = self;
        let requests = Arc::<Requests>::default();
        let stream = Patient::new(stream, Patience::of(&app.rest.limits), Arc::clone(&requests));
        let service = service_fn(move |request: Request<Incoming>| {
            let app = Arc::clone(&app);
            let at_work = requests.begin();
            async move {
                let _at_work = at_work;
                let keeps = request.version() >= Version::HTTP_2;
                let mut answer = serve(Arc::clone(&app), request, peer).await;
                if !keeps && app.is_stopping() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!("connection ended: {error}");
        }
    }
}
