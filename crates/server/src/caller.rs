//! Who asks: keys and tokens of a request → a [`Caller`].

use crate::app::App;
use crate::door::Head;
use backstay_auth::identify::Credentials;
use backstay_base::fault::Fault;
use backstay_policy::caller::Caller;
use http::HeaderName;
use http::header::{AUTHORIZATION, USER_AGENT};

/// The header of API keys.
const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// A caller with a short name for the request line.
#[derive(Clone)]
pub(crate) struct Identified {
    pub caller: Caller,
}

impl Identified {
    /// `anon`, `service` or the role of the account.
    pub(crate) fn role(&self) -> &str {
        match &self.caller {
            Caller::Anon => "anon",
            Caller::Service => "service",
            Caller::System => "system",
            Caller::User(user) => &user.role,
        }
    }

    /// `anon`, `service`, or the first part of the account id: never an e-mail address.
    pub(crate) fn name(&self) -> String {
        match &self.caller {
            Caller::Anon | Caller::Service | Caller::System => self.role().to_owned(),
            Caller::User(user) => {
                let uid = user.uid.to_string();
                format!("{} {}", user.role, uid.get(..8).unwrap_or(&uid))
            }
        }
    }
}

/// Identifies the caller of a data door.
pub(crate) async fn identify(app: &App, head: &Head<'_>) -> Result<Identified, Fault> {
    let credentials = Credentials {
        apikey: head.header(APIKEY),
        authorization: head.header(AUTHORIZATION),
        user_agent: head.header(USER_AGENT),
    };
    let caller = app.auth.identify(&credentials).await?;
    Ok(Identified { caller })
}
