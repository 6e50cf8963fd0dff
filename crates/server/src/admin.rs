//! The admin listener: whether the server lives, whether it is ready, what it counts. It has an
//! address of its own, for those who run the server; no door of it shows rows, names or secrets.

use crate::app::App;
use crate::metrics::CONTENT_TYPE;
use backstay_engine::reading::Reading;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE as TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Longest wait for the database before it counts as not answering.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Most connections at a time.
const CONNECTIONS: usize = 64;

/// Something beside the database that is watched.
pub struct Watched {
    /// Its name among the checks.
    pub name: &'static str,
    /// What is wrong with it, if anything. It does not make the server unready.
    pub trouble: Box<dyn Fn() -> Option<&'static str> + Send + Sync>,
    /// What it counts.
    pub readings: Box<dyn Fn() -> Vec<Reading> + Send + Sync>,
}

/// What the admin listener knows.
pub struct Admin {
    /// The server.
    pub app: Arc<App>,
    /// What else is watched.
    pub watched: Vec<Watched>,
}

/// Serves the admin doors until the future is dropped.
pub async fn administer(admin: Arc<Admin>, listener: TcpListener) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let head = Duration::from_millis(admin.app.rest.limits.head_ms);
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("accept failed: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let admin = Arc::clone(&admin);
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let admin = Arc::clone(&admin);
            async move { Ok::<_, Infallible>(admin.answer(request.method(), request.uri().path()).await) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(head);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("connection ended: {error}");
            }
            drop(permit);
        });
    }
}

impl Admin {
    /// Answers one request.
    pub async fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if !matches!(path, "/health/live" | "/health/ready" | "/metrics") {
            return whole(StatusCode::NOT_FOUND, "text/plain", "not found\n".into());
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = whole(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET or HEAD\n".into());
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match path {
            "/health/ready" => self.ready().await,
            "/metrics" => self.metrics(),
            _ => json_answer(StatusCode::OK, &json!({ "status": "live" })),
        }
    }

    async fn ready(&self) -> Response<Full<Bytes>> {
        let mut checks = Map::new();
        let loaded = self.app.catalog().is_ok();
        checks.insert("catalog".to_owned(), if loaded { "ok" } else { "not loaded" }.into());
        let database = match tokio::time::timeout(LONGEST_LOOK, self.app.engine.answers()).await {
            Ok(Ok(())) => Ok(self.app.engine.trouble()),
            Ok(Err(fault)) => Err(fault.code.text),
            Err(_) => Err("no answer in time"),
        };
        let answers = database.is_ok();
        let told: Value = match database {
            Ok(None) => "ok".into(),
            Ok(Some(trouble)) => trouble.into(),
            Err(code) => format!("does not answer: {code}").into(),
        };
        checks.insert("database".to_owned(), told);
        for watched in &self.watched {
            checks.insert(watched.name.to_owned(), (watched.trouble)().unwrap_or("ok").into());
        }
        let stopping = self.app.is_stopping();
        let status = match (loaded && answers && !stopping, checks.values().all(|check| check == "ok")) {
            (true, true) => "ready",
            (true, false) => "ready, with trouble",
            (false, _) if stopping => "stopping",
            (false, _) => "not ready",
        };
        let code =
            if loaded && answers && !stopping { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        json_answer(code, &json!({ "status": status, "checks": checks }))
    }

    fn metrics(&self) -> Response<Full<Bytes>> {
        let mut readings = self.app.engine.readings();
        readings.extend(self.app.auth.readings());
        readings.extend(self.watched.iter().flat_map(|watched| (watched.readings)()));
        match self.app.metrics.text(&readings) {
            Ok(text) => whole(StatusCode::OK, CONTENT_TYPE, text.into()),
            Err(error) => {
                tracing::error!("the metrics could not be written: {error}");
                whole(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "no metrics\n".into())
            }
        }
    }
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    whole(status, "application/json", format!("{value}\n").into())
}

fn whole(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
