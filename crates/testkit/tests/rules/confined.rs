//! The same rules where rows are marked as deleted, belong to tenants, and may be denied: a marked row is
//! there for nobody, in no list and behind no hop, a row of another tenant is read by rules and seen by nobody,
//! and a denial takes away what is allowed. The reference knows none of this: it judges the world without
//! the marked rows, and the test takes the rest away.

use crate::{caller, checked, key, memory, negated, number, parent_table, rows, stored, visible};
use backstay_policy::caller::{Caller, User};
use backstay_query::named::Input;
use backstay_schema::catalog::{Arm, Catalog, Span};
use backstay_schema::expr::Expr;
use backstay_schema::value::Value;
use backstay_testkit::rule::judge::Judge;
use backstay_testkit::rule::random::Maker;
use backstay_testkit::rule::text::cel;
use backstay_testkit::rule::world::{Asker, SCHEMA, WORDS, World};
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::store::{NOW_MICROS, Store, catalog};
use rand::Rng;
use rand::rngs::StdRng;
use std::sync::Arc;

/// Rules per run unless told otherwise.
const RULES: u64 = 1_500;
/// Rules that share a world.
const PER_WORLD: u64 = 100;
/// Marked rows of a world.
const MARKED: usize = 12;
const ORGS: [&str; 2] = ["red", "blue"];

fn model() -> Arc<Catalog> {
    let soft = SCHEMA
        .replace("type Parent @access", "type Parent @table(softDelete: true, tenant: \"org\") @access")
        .replace("type Kid @access", "type Kid @table(softDelete: true) @access")
        .replace("  b: Int!\n", "  b: Int!\n  org: String!\n");
    catalog(&soft, &["staff"])
}

/// The rows of the world, each parent with its tenant, and marked ones among them.
async fn confined(model: &Arc<Catalog>, world: &World, orgs: &[&str], rng: &mut StdRng) -> Store {
    let store = stored(model, world, Some(orgs)).await;
    let (parents, kids) = (world.parents.len(), world.kids.len());
    let now = || Input::Value(Value::Timestamp(NOW_MICROS));
    let marked = (0..MARKED).map(|index| {
        let owner = &world.accounts[rng.random_range(0..world.accounts.len())];
        vec![
            key(parents + index),
            number(Some(rng.random_range(-3..4))),
            number(Some(rng.random_range(-3..4))),
            Input::Text(WORDS[rng.random_range(0..WORDS.len())].to_owned()),
            Input::Bool(rng.random_bool(0.5)),
            Input::Value(Value::Uuid(owner.id)),
            key(rng.random_range(0..parents)),
            Input::Text(ORGS[rng.random_range(0..2)].to_owned()),
            now(),
        ]
    });
    let columns = ["id", "a", "b", "d", "f", "owner_id", "up_id", "org", "deleted_at"];
    let marked: Vec<Vec<Input>> = marked.collect();
    store.fill(model, rows("parent", &columns, marked)).await;
    let marked = (0..MARKED * 2).map(|index| {
        let parent = rng.random_range(0..parents + MARKED);
        let x = number(Some(rng.random_range(-3..4)));
        vec![key(kids + index), key(parent), x, Input::Bool(rng.random_bool(0.5)), now()]
    });
    let marked: Vec<Vec<Input>> = marked.collect();
    store.fill(model, rows("kid", &["id", "parent_id", "x", "g", "deleted_at"], marked)).await;
    let (junction, near, far) = memory::friends(model);
    let links = (0..MARKED).map(|index| {
        let (a, b) = (key(parents + index), key(rng.random_range(0..parents)));
        if rng.random_bool(0.5) { vec![a, b] } else { vec![b, a] }
    });
    let links: Vec<Vec<Input>> = links.collect();
    store.fill(model, rows(&junction, &[&near, &far], links)).await;
    store
}

/// The caller, acting for a tenant.
fn acting(caller: Caller, org: Option<&str>) -> Caller {
    match caller {
        Caller::User(user) => Caller::User(Arc::new(User { org: org.map(str::to_owned), ..(*user).clone() })),
        other => other,
    }
}

/// A catalog in which `parent` is readable where the first holds and the second does not.
fn with_rules(catalog: &Catalog, allow: (Expr, &str), deny: (Expr, &str)) -> Arc<Catalog> {
    let mut catalog = catalog.clone();
    let table = usize::from(parent_table(&catalog).0);
    let arm = |(expr, text): (Expr, &str), message: Option<&str>| Arm {
        id: "Parent.read#1".into(),
        expr,
        text: text.to_owned(),
        fields: None,
        message: message.map(str::to_owned),
        span: Span::default(),
    };
    let permit = &mut catalog.tables[table].access.read;
    permit.allow = vec![arm(allow, None)];
    permit.deny = vec![arm(deny, Some("closed"))];
    Arc::new(catalog)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marked_rows_tenants_and_denials_agree_with_the_reference() {
    let mut rng = seeded("confined", 41);
    let total = cases(RULES);
    let model = model();
    let (mut done, mut seen) = (0, 0);
    while done < total {
        let world = World::random(&mut rng);
        let orgs: Vec<&str> = world.parents.iter().map(|_| ORGS[rng.random_range(0..2)]).collect();
        let store = confined(&model, &world, &orgs, &mut rng).await;
        for _ in 0..PER_WORLD.min(total - done) {
            done += 1;
            let depth = rng.random_range(1..5);
            let rule = Maker::new(&mut rng).rule(depth);
            let against = Maker::new(&mut rng).rule(2);
            let asker = Asker::random(&mut rng);
            let org = [None, Some("red"), Some("blue"), Some("green")][rng.random_range(0..4)];
            let caller = acting(caller(&world, &asker), org);
            let (text, deny) = (cel(&rule), cel(&against));
            let judge = Judge { world: &world, asker: &asker };
            for wanted in [true, false] {
                let expr = checked(&model, &text);
                let expr = if wanted { expr } else { negated(&expr) };
                let ruled = with_rules(&model, (expr, &text), (checked(&model, &deny), &deny));
                let found = visible(&store, &ruled, &caller, Vec::new()).await;
                let may = |parent: usize| {
                    let is_own = asker.account.is_some() && org == Some(orgs[parent]);
                    let denied = judge.judge(&against, parent);
                    is_own && judge.judge(&rule, parent) == Some(wanted) && denied == Some(false)
                };
                let expected: Vec<usize> = (0..world.parents.len()).filter(|parent| may(*parent)).collect();
                assert_eq!(
                    found, expected,
                    "rule {done} wanted {wanted}: {text}\nbut {deny}\n{asker:?} of {org:?}"
                );
                seen += found.len();
            }
        }
    }
    assert!(seen as u64 > total, "only {seen} rows were seen by {total} rules");
}
