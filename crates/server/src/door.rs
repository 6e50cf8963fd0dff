//! The doors: which paths exist, what each is for. `cases` and the door test are
//! held against [`DOORS`]; a route that is not in it does not answer.

use crate::mailbox_door;
use backstay_auth::endpoint;
use http::header::AsHeaderName;
use std::net::IpAddr;

/// A door of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// PostgREST's dialect.
    Rest,
    /// `GoTrue`'s dialect.
    Auth,
    /// The mailbox of `dev`.
    Mailbox,
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path with `{…}` for what varies.
    pub path: &'static str,
    /// Which door.
    pub door: Door,
}

const fn root(method: &'static str) -> Route {
    Route { method, path: "/rest/v1/", door: Door::Rest }
}

const fn rest(method: &'static str) -> Route {
    Route { method, path: "/rest/v1/{table}", door: Door::Rest }
}

/// Every route of the data doors; those of the auth door are [`backstay_auth::endpoint::ENDPOINTS`].
pub const DOORS: &[Route] = &[
    root("GET"),
    root("HEAD"),
    rest("GET"),
    rest("HEAD"),
    rest("POST"),
    rest("PATCH"),
    rest("PUT"),
    rest("DELETE"),
    Route { method: "GET", path: mailbox_door::PATH, door: Door::Mailbox },
];

/// The head of a request, borrowed.
pub(crate) struct Head<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a http::HeaderMap,
    /// What the request is called, in the log too.
    pub id: &'a str,
    pub ip: IpAddr,
}

impl<'a> Head<'a> {
    /// The route that the path takes: a word of this program, never one of the request.
    pub(crate) fn route(&self) -> &'static str {
        if let Some(path) = self.path.strip_prefix("/auth/v1") {
            return endpoint::route(path).unwrap_or("/auth/v1/");
        }
        match self.path.strip_prefix("/rest/v1/") {
            Some("") => "/rest/v1/",
            Some(_) => "/rest/v1/{table}",
            None if self.path == mailbox_door::PATH => mailbox_door::PATH,
            None => "none",
        }
    }

    /// A header that is valid text.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers that are valid text.
    pub(crate) fn pairs(&self) -> Vec<(&'a str, &'a str)> {
        let mut pairs = Vec::with_capacity(self.headers.len());
        pairs.extend(
            self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))),
        );
        pairs
    }

    /// What follows `/rest/v1/`.
    pub(crate) fn rest_path(&self) -> &'a str {
        self.path.strip_prefix("/rest/v1/").unwrap_or_default()
    }
}
