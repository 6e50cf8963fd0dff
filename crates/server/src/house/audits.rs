//! What audits have kept for `audit_days` is forgotten.

use crate::house::forget::Forget;
use crate::house::{Chore, House};
use backstay_schema::audit::AT;
use backstay_schema::catalog::{Catalog, Origin};

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

pub(super) fn chores(house: &House, catalog: &Catalog) -> Vec<Box<dyn Chore>> {
    let days = i64::from(house.limits.audit_days);
    if days == 0 {
        return Vec::new();
    }
    let audits = catalog.tables.iter().filter(|table| table.origin == Origin::Audit);
    let chore = |name: &str| {
        let kept_micros = days.saturating_mul(DAY_MICROS);
        Box::new(Forget { table: name.to_owned(), ends: AT, kept_micros }) as Box<dyn Chore>
    };
    audits.map(|audit| chore(&audit.name)).collect()
}
