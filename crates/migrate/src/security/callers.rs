//! The kinds of caller that policies tell apart: nobody, each role that the project declares, and all others, each
//! signed in surely or more surely.

use backstay_policy::caller::{Caller, User};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use backstay_sql::ddl::security::Stand;
use std::sync::Arc;
use uuid::Uuid;

/// The role of accounts whose role no rule names.
const OTHER: &str = "\u{1}some other role";

/// Every kind of caller of a catalog.
pub(super) fn kinds(catalog: &Catalog) -> Vec<Kind<'_>> {
    let mut roles: Vec<&str> = catalog.roles.iter().map(String::as_str).collect();
    roles.retain(|role| !matches!(*role, "anon" | "service"));
    roles.push(OTHER);
    let levels = roles.into_iter().flat_map(|role| ["aal1", "aal2"].map(|aal| Some((role, aal))));
    std::iter::once(None).chain(levels).collect()
}

/// Who stands for others: an account, and a moment.
pub(super) fn stand((uid, now_micros): (u128, i64)) -> Stand {
    Stand { uid: Value::Uuid(Uuid::from_u128(uid)), role: Value::Text(OTHER.to_owned()), now_micros }
}

/// Nobody, or a role with how surely its account signed in.
pub(super) type Kind<'r> = Option<(&'r str, &'r str)>;

pub(super) fn caller(kind: Kind<'_>, stand: &Stand) -> Caller {
    let (Some((role, aal)), Value::Uuid(uid)) = (kind, &stand.uid) else { return Caller::Anon };
    Caller::User(Arc::new(User {
        uid: *uid,
        role: role.to_owned(),
        email: None,
        org: None,
        aal: aal.to_owned(),
        claims: Arc::default(),
    }))
}

/// `CASE` over the kinds of caller: nobody, each role that differs from those that no rule names, and these.
pub(super) fn case(cases: &[(Kind<'_>, String)]) -> String {
    let of = |kind: Kind<'_>| {
        let found = cases.iter().find(|(other, _)| *other == kind);
        found.map_or("FALSE", |(_, text)| text.as_str())
    };
    let pair = |role| [of(Some((role, "aal1"))), of(Some((role, "aal2")))];
    let by_level = |[first, second]: [&str; 2]| {
        if first == second {
            return format!("({first})");
        }
        format!("CASE WHEN backstay_rls.aal() = 'aal2' THEN ({second}) ELSE ({first}) END")
    };
    let first = of(None);
    if cases.iter().all(|(_, text)| text == first) {
        return first.to_owned();
    }
    let mut arms = vec![format!("WHEN backstay_rls.uid() IS NULL THEN ({first})")];
    let named = cases.iter().filter_map(|(kind, _)| kind.filter(|(_, aal)| *aal == "aal1"));
    for (role, _) in named.filter(|(role, _)| *role != OTHER && pair(role) != pair(OTHER)) {
        let name = role.replace('\'', "''");
        arms.push(format!("WHEN backstay_rls.role() = '{name}' THEN {}", by_level(pair(role))));
    }
    format!("CASE {} ELSE {} END", arms.join(" "), by_level(pair(OTHER)))
}
