//! `POST /logout?scope=global|local|others`.

use crate::endpoint::Request;
use crate::refusal::Refusal;
use crate::schema::SESSION;
use crate::service::Auth;
use crate::statement::{delete, eq, not};
use crate::wire::Response;
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value as Cell;
use std::sync::Arc;

impl Auth {
    pub(super) async fn logout(
        &self,
        catalog: &Arc<Catalog>,
        request: &Request<'_>,
    ) -> Result<Response, Refusal> {
        let caller = self.signed_in(catalog, request).await?;
        let session = Cell::Uuid(caller.verified.claims.session_id);
        let own = eq("account_id", Cell::Uuid(caller.state.account));
        let filters = match request.parameter("scope") {
            None | Some("global") => vec![own],
            Some("local") => vec![own, eq("id", session)],
            Some("others") => vec![own, not("id", session)],
            Some(_) => return Err(Refusal::validation("scope is one of global, local and others")),
        };
        self.run_one(catalog, delete(SESSION, filters)).await?;
        self.states.forget();
        Ok(Response::empty())
    }
}
