//! Tests: the endpoints on a real database, and who may call them.

mod admin;
mod callers;
mod kit;
mod sessions;
mod sign_up;
