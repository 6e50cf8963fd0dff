//! The property that promise 1 rests on: for random rules over rows with NULLs the
//! T/F-compiled SQL, the in-memory evaluator and a reference judge agree on where a
//! rule is true and where it is false.

#![cfg(test)]

mod confined;
mod memory;
mod oracle;

use backstay_policy::caller::{Caller, User};
use backstay_policy::evaluate::{Evaluator, Subject, Tri};
use backstay_query::named::{Field, Filter, Input, Insert, Item, Query, Search, SearchForm, Select, Test};
use backstay_query::plan::End;
use backstay_query::reply::Cell;
use backstay_schema::catalog::{Arm, Catalog, Operation, Span, TableId};
use backstay_schema::cel::check::{Environment, NamedRules, This, check_rule};
use backstay_schema::compile::literal::Literal;
use backstay_schema::diagnostic::Diagnostics;
use backstay_schema::expr::{Expr, ExprKind, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use backstay_testkit::rule::judge::Judge;
use backstay_testkit::rule::random::Maker;
use backstay_testkit::rule::text::cel;
use backstay_testkit::rule::world::{Asker, SCHEMA, World};
use backstay_testkit::seed::{cases, seeded};
use backstay_testkit::store::{Store, catalog, info};
use rand::Rng;
use serde_json::json;
use std::sync::Arc;

/// Rules per run unless told otherwise.
const RULES: u64 = 4_000;
/// Rules that share a world.
const PER_WORLD: u64 = 200;
/// Searches by an index of words, beside the rule, and the texts that have the word.
const SEARCHES: &[(&str, &[&str])] =
    &[("a", &["a", "A", "ä"]), ("zz", &["Zz"]), ("ab", &["ab"]), ("staff", &["staff"]), ("none", &[])];

fn input(value: Option<&str>) -> Input {
    value.map_or(Input::Null, |text| Input::Text(text.to_owned()))
}

fn number(value: Option<i64>) -> Input {
    value.map_or(Input::Null, |n| Input::Number(n.to_string()))
}

fn boolean(value: Option<bool>) -> Input {
    value.map_or(Input::Null, Input::Bool)
}

fn key(index: usize) -> Input {
    Input::Number((index + 1).to_string())
}

fn rows(table: &str, columns: &[&str], rows: Vec<Vec<Input>>) -> Insert {
    Insert {
        table: table.to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        rows,
        ..Insert::default()
    }
}

/// With `orgs`, each parent belongs to a tenant.
async fn stored(catalog: &Arc<Catalog>, world: &World, orgs: Option<&[&str]>) -> Store {
    let store = Store::new(catalog).await;
    let accounts =
        world.accounts.iter().map(|account| vec![Input::Value(Value::Uuid(account.id)), input(account.team)]);
    store.fill(catalog, rows("user", &["id", "team"], accounts.collect())).await;
    let parents = world.parents.iter().enumerate().map(|(index, parent)| {
        let owner =
            parent.owner.map_or(Input::Null, |owner| Input::Value(Value::Uuid(world.accounts[owner].id)));
        vec![
            key(index),
            number(parent.a),
            number(Some(parent.b)),
            input(parent.c),
            input(Some(parent.d)),
            boolean(parent.f),
            memory::tags(parent.tags.as_deref()).map_or(Input::Null, Input::Value),
            owner,
            parent.up.map_or(Input::Null, key),
        ]
        .into_iter()
        .chain(orgs.map(|orgs| Input::Text(orgs[index].to_owned())))
        .collect()
    });
    let mut columns = vec!["id", "a", "b", "c", "d", "f", "tags", "owner_id", "up_id"];
    columns.extend(orgs.map(|_| "org"));
    store.fill(catalog, rows("parent", &columns, parents.collect())).await;
    let kids =
        world.kids.iter().enumerate().map(|(index, kid)| {
            vec![key(index), key(kid.parent), number(kid.x), input(kid.y), boolean(kid.g)]
        });
    store.fill(catalog, rows("kid", &["id", "parent_id", "x", "y", "g"], kids.collect())).await;
    let (junction, near, far) = memory::friends(catalog);
    let links =
        world.parents.iter().enumerate().flat_map(|(index, parent)| {
            parent.friends.iter().map(move |friend| vec![key(index), key(*friend)])
        });
    let links: Vec<Vec<Input>> = links.collect();
    if !links.is_empty() {
        store.fill(catalog, rows(&junction, &[&near, &far], links)).await;
    }
    store
}

fn caller(world: &World, asker: &Asker) -> Caller {
    let Some(account) = asker.account else { return Caller::Anon };
    let mut claims = serde_json::Map::new();
    if let Some(team) = asker.team {
        claims.insert("team".into(), json!(team));
    }
    if let Some(level) = asker.level {
        claims.insert("level".into(), json!(level));
    }
    if let Some(groups) = &asker.groups {
        claims.insert("groups".into(), json!(groups));
    }
    Caller::User(Arc::new(User {
        uid: world.accounts[account].id,
        role: asker.role.to_owned(),
        email: None,
        org: None,
        aal: "aal1".to_owned(),
        claims: Arc::new(claims),
    }))
}

fn parent_table(catalog: &Catalog) -> TableId {
    catalog.public_table("parent").unwrap().id
}

fn checked(catalog: &Catalog, text: &str) -> Expr {
    let source = format!("{text:?}");
    let span = Span { file: 0, start: 0, end: u32::try_from(source.len()).unwrap() };
    let literal = Literal::new(&source, span, text);
    let rules = NamedRules::new();
    let environment = Environment {
        catalog,
        rules: &rules,
        this: Some(This { table: parent_table(catalog), hops: Vec::new() }),
        update: false,
        caller: true,
        place: "@access(read:)",
    };
    let mut diagnostics = Diagnostics::default();
    match check_rule(&environment, &literal, &mut diagnostics) {
        Ok(expr) => expr,
        Err(_) => panic!("{text}\n{diagnostics:#?}"),
    }
}

/// A catalog in which `parent` is readable where `expr` holds.
fn with_rule(catalog: &Catalog, expr: Expr, text: &str) -> Arc<Catalog> {
    let mut catalog = catalog.clone();
    let table = usize::from(parent_table(&catalog).0);
    let arm = Arm {
        id: "Parent.read#1".into(),
        expr,
        text: text.to_owned(),
        fields: None,
        message: None,
        span: Span::default(),
    };
    catalog.tables[table].access.read.allow = vec![arm];
    Arc::new(catalog)
}

fn searched(word: &str) -> Filter {
    let search = Search { form: SearchForm::Plain, query: word.to_owned(), config: None };
    Filter::Field(Field { name: "c".into(), path: Vec::new() }, Test::Search(search))
}

async fn visible(store: &Store, catalog: &Arc<Catalog>, caller: &Caller, filters: Vec<Filter>) -> Vec<usize> {
    let select = Select {
        table: "parent".into(),
        items: vec![Item::Field {
            field: Field { name: "id".into(), path: Vec::new() },
            alias: None,
            cast: None,
            aggregate: None,
        }],
        filters,
        ..Select::default()
    };
    let part = store.ask(catalog, caller, Query::Select(select), End::Commit).await.unwrap();
    part.rows
        .cells
        .iter()
        .map(|cell| match cell {
            Cell::Int(id) => usize::try_from(*id).unwrap() - 1,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn negated(expr: &Expr) -> Expr {
    Expr { kind: ExprKind::Not(Box::new(expr.clone())), ty: Ty::Scalar(ScalarType::Boolean), span: expr.span }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiled_rules_and_the_evaluator_agree_with_the_reference() {
    let mut rng = seeded("rules", 7);
    let total = cases(RULES);
    let model = catalog(SCHEMA, &["staff"]);
    let mut done = 0;
    while done < total {
        let world = World::random(&mut rng);
        let store = stored(&model, &world, None).await;
        let memory = memory::Memory { catalog: &model, world: &world };
        for _ in 0..PER_WORLD.min(total - done) {
            done += 1;
            let depth = rng.random_range(1..5);
            let rule = Maker::new(&mut rng).rule(depth);
            let asker = Asker::random(&mut rng);
            let caller = caller(&world, &asker);
            let text = cel(&rule);
            let expr = checked(&model, &text);
            let judge = Judge { world: &world, asker: &asker };
            let expected: Vec<Option<bool>> =
                (0..world.parents.len()).map(|parent| judge.judge(&rule, parent)).collect();
            let info = info();
            let evaluator = Evaluator {
                catalog: &model,
                caller: &caller,
                info: &info,
                operation: Operation::Read,
                changed: &[],
                rows: &memory,
            };
            for (parent, expected) in expected.iter().enumerate() {
                let row = memory::Row::Parent(parent);
                let subject = Subject { this: Some(row), old: Some(row), new: Some(row) };
                let found = match evaluator.judge(&expr, &subject) {
                    Tri::True => Some(true),
                    Tri::False => Some(false),
                    Tri::Unknown => None,
                };
                assert_eq!(
                    found, *expected,
                    "evaluator, rule {done}: {text}\nparent {parent}: {:?}\n{asker:?}",
                    world.parents[parent]
                );
            }
            for (want, expr) in [(true, expr.clone()), (false, negated(&expr))] {
                let ruled = with_rule(&model, expr, &text);
                let found = visible(&store, &ruled, &caller, Vec::new()).await;
                let wanted: Vec<usize> =
                    (0..world.parents.len()).filter(|parent| expected[*parent] == Some(want)).collect();
                assert_eq!(found, wanted, "SQL, rule {done} wanted {want}: {text}\n{asker:?}");
                let (word, texts) = SEARCHES[rng.random_range(0..SEARCHES.len())];
                let found = visible(&store, &ruled, &caller, vec![searched(word)]).await;
                let has = |parent: &&usize| world.parents[**parent].c.is_some_and(|c| texts.contains(&c));
                let wanted: Vec<usize> = wanted.iter().filter(has).copied().collect();
                assert_eq!(found, wanted, "searching {word}, rule {done} wanted {want}: {text}\n{asker:?}");
            }
        }
    }
}

/// Rules that the `cel` crate is asked about, per run unless told otherwise.
const ORACLE_RULES: u64 = 600;

#[test]
fn the_cel_crate_agrees_where_both_have_an_answer() {
    let mut rng = seeded("oracle", 23);
    let total = cases(ORACLE_RULES);
    let mut compared = 0;
    for done in 0..total {
        let world = World::random(&mut rng);
        let rule = Maker::new(&mut rng).rule(3);
        let asker = Asker::random(&mut rng);
        let text = cel(&rule);
        let judge = Judge { world: &world, asker: &asker };
        for parent in 0..4 {
            let (ours, theirs) = (judge.judge(&rule, parent), oracle::judge(&text, &world, &asker, parent));
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                compared += 1;
                assert_eq!(
                    ours, theirs,
                    "rule {done}: {text}\nparent {parent}: {:?}\n{asker:?}",
                    world.parents[parent]
                );
            }
        }
    }
    assert!(compared > total, "only {compared} comparisons of {total} rules");
}
