//! [`Caller`]: who asks. Absence is never a caller.

use std::sync::Arc;
use uuid::Uuid;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody signed in; came with a publishable key.
    Anon,
    /// A signed-in account.
    User(Arc<User>),
    /// Came with a secret key: passes access rules, bound by checks and keys.
    Service,
    /// Backstay itself; no door makes it.
    System,
}

/// A signed-in account, as its verified token and the account row say.
#[derive(Debug, Clone)]
pub struct User {
    /// Account id.
    pub uid: Uuid,
    /// `app_metadata.role`, else `authenticated`.
    pub role: String,
    /// E-mail address, once verified.
    pub email: Option<String>,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// Claims of the token without `user_metadata`.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// What rules may know about the request besides its query.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// Now, in microseconds since the epoch; one value for the whole request.
    pub now_micros: i64,
    /// HTTP method.
    pub method: String,
    /// Client address.
    pub ip: String,
    /// Header names in lower case with their values.
    pub headers: Vec<(String, String)>,
}
