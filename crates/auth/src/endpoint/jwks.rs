//! `GET /.well-known/jwks.json`: the public keys that access tokens are signed with.

use crate::key_ring::{Jwk, KeyRing};
use crate::refusal::Refusal;
use crate::wire::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Body {
    keys: Vec<Jwk>,
}

pub(super) fn answer(ring: &KeyRing) -> Result<Response, Refusal> {
    let mut response = Response::json(200, &Body { keys: ring.jwks() })?;
    response.headers.push(("Cache-Control", "public, max-age=600".to_owned()));
    Ok(response)
}
