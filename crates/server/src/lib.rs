//! The server: routes, the way of a request, limits at the edge, CORS, the listener.
//! It knows every door and no engine in particular.

pub mod admin;
pub mod app;
mod auth_door;
mod body;
mod caller;
pub mod client_address;
mod cors;
pub mod door;
pub mod house;
mod intake;
mod limiter;
pub mod listen;
mod mailbox_door;
pub mod metrics;
mod pipeline;
pub mod request_id;
pub mod request_log;
pub mod routes;
mod timing;
pub mod tls;
pub mod trace_parent;
