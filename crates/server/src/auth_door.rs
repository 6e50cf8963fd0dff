//! The auth door: HTTP to [`backstay_auth`] and back.

use crate::app::App;
use crate::door::Head;
use backstay_auth::endpoint::{self, Request};
use backstay_base::fault::Fault;
use backstay_rest::request::Response;
use bytes::Bytes;

/// Answers one auth request.
pub(crate) async fn answer(app: &App, head: &Head<'_>, body: &[u8]) -> Response {
    let headers = head.pairs();
    let request = Request {
        method: head.method,
        path: head.path.strip_prefix("/auth/v1").unwrap_or_default(),
        query: head.query,
        headers: &headers,
        body,
        ip: head.ip,
        id: head.id,
    };
    let answer = endpoint::answer(&app.auth, &request).await;
    Response { status: answer.status, headers: answer.headers, body: Bytes::from(answer.body) }
}

/// A refusal before the request reached its endpoint.
pub(crate) fn refusal(head: &Head<'_>, fault: &Fault) -> Response {
    let headers = head.pairs();
    let answer = endpoint::refusal(&headers, fault);
    Response { status: answer.status, headers: answer.headers, body: Bytes::from(answer.body) }
}
