//! [`Caller`]: who asks. Absence is never a caller.

use std::net::IpAddr;
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
    /// `app_metadata.org`: the tenant that the account acts for.
    pub org: Option<String>,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// Claims of the token without `user_metadata`.
    pub claims: Arc<serde_json::Map<String, serde_json::Value>>,
}

/// What rules may know about the request besides its query; borrowed, as few rules read it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestInfo<'r> {
    /// Now, in microseconds since the epoch; one value for the whole request.
    pub now_micros: i64,
    /// HTTP method.
    pub method: &'r str,
    /// Client address; none where no client asks.
    pub ip: Option<IpAddr>,
    /// Whether deleted rows count, for those who may delete them.
    pub deleted: bool,
    /// The tenant that a call with a secret key is for; such a call is confined to it.
    pub tenant: Option<&'r str>,
    /// Header names in lower case with their values; see [`RequestInfo::header`].
    pub headers: &'r [(&'r str, &'r str)],
}

impl RequestInfo<'_> {
    /// A header that rules may read: none that carries a credential.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| *header == name)?;
        (!matches!(name, "authorization" | "apikey" | "cookie")).then_some(found.1)
    }

    /// The client address as text; empty where no client asks.
    #[must_use]
    pub fn ip_text(&self) -> String {
        self.ip.map_or_else(String::new, |ip| ip.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::RequestInfo;

    #[test]
    fn rules_read_no_credentials() {
        let headers = [("x-team", "a"), ("authorization", "Bearer t"), ("apikey", "k"), ("cookie", "c")];
        let info = RequestInfo { headers: &headers, ..RequestInfo::default() };
        assert_eq!(info.header("x-team"), Some("a"));
        for name in ["authorization", "apikey", "cookie", "X-Team", ""] {
            assert_eq!(info.header(name), None, "{name}");
        }
    }
}
