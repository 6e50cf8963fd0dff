//! Signing in with other services, by OAuth 2.0 and OpenID Connect: which services there are ([`provider`]), what
//! is kept while somebody is there ([`flow`]), and what the service then says of the person ([`exchange`]). Everything
//! is asked for through `outbound`'s egress client. Knows no accounts: who a person is here, the endpoints say.
//!
//! Source: RFC 6749, RFC 7636, RFC 9207, RFC 9700; OpenID Connect Core 1.0 and Discovery 1.0.

pub(crate) mod discovery;
pub(crate) mod exchange;
pub(crate) mod flow;
pub(crate) mod id_token;
pub(crate) mod jwk;
pub mod known;
pub(crate) mod person;
pub mod provider;
pub(crate) mod sealed;
