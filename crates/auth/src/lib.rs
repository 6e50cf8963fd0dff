//! Accounts, sessions, tokens and API keys, in the dialect of Supabase Auth (GoTrue).
//! Requests below `/auth/v1` enter at [`endpoint::answer`]; every other door asks
//! [`service::Auth::identify`] who calls. Rows are read and written as System, through
//! the same query IR as everybody's. Knows no sockets and no SQL.

pub mod account;
pub mod api_key;
pub mod bucket;
pub mod email;
pub mod endpoint;
pub mod hasher;
pub mod identify;
pub mod key_ring;
pub mod letters;
pub mod mirror;
pub mod oauth;
mod one_time;
pub mod operate;
pub mod password;
pub mod pkce;
pub mod profile;
pub mod prune;
pub mod rates;
mod reading;
mod record;
pub mod redirect;
pub mod refresh;
pub mod refusal;
pub mod schema;
pub mod service;
pub mod session;
pub mod settings;
pub mod state;
mod statement;
pub mod token;
pub mod verified;
pub mod wire;
