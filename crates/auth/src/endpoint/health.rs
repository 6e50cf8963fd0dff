//! `GET /health`.

use crate::refusal::Refusal;
use crate::wire::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    version: &'static str,
    name: &'static str,
    description: &'static str,
}

pub(super) fn answer() -> Result<Response, Refusal> {
    let description = "Backstay accounts and sessions, in the dialect of Supabase Auth";
    Response::json(200, &Health { version: env!("CARGO_PKG_VERSION"), name: "Backstay", description })
}
