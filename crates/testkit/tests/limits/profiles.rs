//! Rows of the `@user` type follow accounts that were there before them: a field or the whole type comes later, some
//! accounts at a time, without a word from the accounts.

use backstay_base::limit::Limits;
use backstay_engine::migration::Batch;
use backstay_migrate::diff::{Scope, diff};
use backstay_server::house::{Done, House};
use backstay_sql::dialect::Dialect;
use backstay_testkit::database::Database;
use backstay_testkit::served::{Ask, Served, Setup, Wanted, compiled};
use serde_json::{Value, json};
use std::sync::Arc;

const NOTE: &str = r#"type Note @access(read: "this.mail == auth.user.email || auth.user.role == 'staff'")
  { id: Int! mail: String }"#;
const DAY: i64 = 24 * 3_600 * 1_000_000;

fn setup(sdl: &str) -> Setup {
    Setup { sdl: sdl.to_owned(), roles: vec!["staff".into()], ..Setup::default() }
}

/// A server over a database whose dialect is kept, with accounts.
async fn served(sdl: &str, people: &[(&str, Value, Value)]) -> (Served, &'static Dialect) {
    let setup = setup(sdl);
    let database = Database::fresh(&setup.limits).await;
    let dialect = database.dialect;
    let catalog = compiled(&setup).unwrap().catalog;
    let statements = backstay_sql::ddl::create_all(&catalog, dialect);
    database.engine.migrate(&Batch::plain(statements)).await.unwrap();
    let mut served = Served::over(&setup, database).await;
    for (name, data, app) in people {
        let wanted = Wanted { name: (*name).into(), data: data.clone(), app: app.clone() };
        served.sign_up(&wanted).await;
    }
    (served, dialect)
}

/// Serves another schema, over a database that was brought there.
async fn become_another(served: &Served, dialect: &'static Dialect, sdl: &str) {
    let catalog = compiled(&setup(sdl)).unwrap_or_else(|mistakes| panic!("{mistakes}")).catalog;
    let engine = &*served.app.engine;
    let live = engine.introspect().await.unwrap();
    let plan = diff(engine, dialect, &catalog, &live, Scope::Project).await.unwrap();
    engine.migrate(&Batch::plain(plan.statements())).await.unwrap();
    served.app.load(Arc::new(catalog));
}

fn node(served: &Served, holder: &str) -> House {
    let limits = Limits { prune_rows: 2, ..Limits::default() };
    House { limits, ..House::of(&served.app, holder.to_owned()) }
}

/// How many rows of persons a round wrote; none where it did not look.
async fn round(served: &Served, node: &House) -> Option<u64> {
    let done: Vec<Done> = node.round(&served.app.catalog().unwrap()).await.unwrap().unwrap();
    assert!(done.iter().all(|one| one.fault.is_none()), "{done:?}");
    done.iter().find(|one| one.name == "person").map(|one| one.rows)
}

async fn ask(served: &Served, who: &str, request: &str, body: &Value) -> (u16, Value) {
    let (method, target) = request.split_once(' ').unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = served.ask(&Ask::new(who, method, target, &body)).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

async fn read(served: &Served, who: &str, target: &str) -> Value {
    let (status, body) = ask(served, who, &format!("GET /rest/v1/{target}"), &Value::Null).await;
    assert_eq!(status, 200, "{target}: {body}");
    body
}

fn five() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("ann", json!({ "name": "Ann" }), Value::Null),
        ("bob", json!({ "name": "Bob", "age": "old" }), json!({ "role": "staff" })),
        ("cem", json!({}), Value::Null),
        ("dan", json!({ "name": "Dan", "age": 7 }), Value::Null),
        ("eve", json!({ "name": "Eve" }), Value::Null),
    ]
}

#[tokio::test]
async fn a_field_that_comes_later_is_filled() {
    let of = |fields: &str| {
        format!("type Person @user @access(read: \"true\") {{ name: String {fields} }} {NOTE}")
    };
    let before = of("email: String role: String").replace("email: String role: String", "");
    let first = before.replace(NOTE, r#"type Note @access(read: "false") { id: Int! mail: String }"#);
    let (served, dialect) = served(&first, &five()).await;
    for (id, mail) in [(1, "ann@x.test"), (2, "x@x.test")] {
        served.row("note", &json!({ "id": id, "mail": mail })).await;
    }
    let keeper = node(&served, "a");
    assert_eq!(round(&served, &keeper).await, Some(0));
    become_another(&served, dialect, &of("email: String role: String")).await;
    assert_eq!(read(&served, "ann", "note").await, json!([]), "rules refuse until then");
    // another reload is noticed, what was written already is not written again
    assert_eq!(round(&served, &keeper).await, Some(5));
    assert_eq!(round(&served, &keeper).await, None);
    assert_eq!(round(&served, &node(&served, "b")).await, Some(0));
    assert_eq!(
        read(&served, "service", "person?select=email,role&order=email").await,
        json!([
            { "email": "ann@x.test", "role": null }, { "email": "bob@x.test", "role": "staff" },
            { "email": "cem@x.test", "role": null }, { "email": "dan@x.test", "role": null },
            { "email": "eve@x.test", "role": null },
        ])
    );
    assert_eq!(read(&served, "ann", "note?select=id").await, json!([{ "id": 1 }]));
    assert_eq!(read(&served, "bob", "note?select=id&order=id").await, json!([{ "id": 1 }, { "id": 2 }]));
    assert_eq!(read(&served, "cem", "note?select=id").await, json!([]));
    // what a node of before, or somebody by hand, wrote is found within a day
    served.sql(vec!["UPDATE person SET email = NULL, role = 'staff'".into()]).await;
    assert_eq!(round(&served, &keeper).await, None);
    served.clock.advance(DAY);
    assert_eq!(round(&served, &keeper).await, Some(5));
    assert_eq!(
        read(&served, "service", "person?select=email&role=eq.staff").await,
        json!([{ "email": "bob@x.test" }])
    );
}

#[tokio::test]
async fn accounts_of_before_the_type_get_their_rows() {
    let (served, dialect) = served("type Thing { id: Int! }", &five()).await;
    let person = r#"type Thing { id: Int! }
      type Person @user @access(read: "true") {
        name: String! @default(value: "nobody") age: Int email: String role: String
        secret: String @access(write: "auth.role == 'staff'") vip: Boolean! @default(value: false)
        logs: [Log!]!
      }
      type Log @access(read: "true", create: "auth.user != null") { id: Int! text: String by: Person! @set(create: "auth.user") }"#;
    // what somebody said of himself fills what sign-up would have filled
    let ann =
        json!({ "data": { "secret": "mine", "name": "Anna", "email": "boss@x.test", "role": "staff" } });
    assert_eq!(ask(&served, "ann", "PUT /auth/v1/user", &ann).await.0, 200);
    become_another(&served, dialect, person).await;
    let refused = ask(&served, "ann", "POST /rest/v1/log", &json!({ "text": "a" })).await;
    assert_ne!(refused.0, 201, "there is no row to refer to: {refused:?}");
    assert_eq!(round(&served, &node(&served, "a")).await, Some(5));
    assert_eq!(
        read(&served, "service", "person?select=name,age,email,role,secret,vip&order=email").await,
        json!([
            { "name": "Anna", "age": null, "email": "ann@x.test", "role": null, "secret": null, "vip": false },
            { "name": "Bob", "age": null, "email": "bob@x.test", "role": "staff", "secret": null, "vip": false },
            { "name": "nobody", "age": null, "email": "cem@x.test", "role": null, "secret": null, "vip": false },
            { "name": "Dan", "age": 7, "email": "dan@x.test", "role": null, "secret": null, "vip": false },
            { "name": "Eve", "age": null, "email": "eve@x.test", "role": null, "secret": null, "vip": false },
        ])
    );
    assert_eq!(ask(&served, "ann", "POST /rest/v1/log", &json!({ "text": "a" })).await.0, 201);
    // metadata stay as they were
    let (_, user) = ask(&served, "ann", "GET /auth/v1/user", &Value::Null).await;
    assert_eq!(user["user_metadata"]["name"], "Anna");
    assert_eq!(round(&served, &node(&served, "b")).await, Some(0));
}

#[tokio::test]
async fn what_a_row_refuses_keeps_no_other_from_its_own() {
    let (served, dialect) = served("type Thing { id: Int! }", &five()).await;
    let person = r#"type Thing { id: Int! }
      enum Role { BOSS }
      type Person @user @access(read: "true") @check(expr: "this.age < 5", message: "too old") { name: String! @unique role: Role age: Int }"#;
    let cem = json!({ "user_metadata": { "name": "Eve" } });
    let id = served.person("cem").id.clone();
    assert_eq!(ask(&served, "service", &format!("PUT /auth/v1/admin/users/{id}"), &cem).await.0, 200);
    become_another(&served, dialect, person).await;
    let (first, second) = (node(&served, "a"), node(&served, "b"));
    // bob's role is none of the field's, dan's age is refused and his name with it, cem or eve has the name
    assert_eq!(round(&served, &first).await, Some(2));
    let names = read(&served, "service", "person?select=name&order=name").await;
    assert_eq!(names, json!([{ "name": "Ann" }, { "name": "Eve" }]));
    // mended, they come
    for (name, change) in [
        ("bob", json!({ "app_metadata": { "role": null } })),
        ("dan", json!({ "user_metadata": { "age": 4 } })),
        ("cem", json!({ "user_metadata": { "name": "Cem" } })),
        ("eve", json!({ "user_metadata": { "name": "Eve!" } })),
    ] {
        let target = format!("PUT /auth/v1/admin/users/{}", served.person(name).id);
        let (status, answer) = ask(&served, "service", &target, &change).await;
        assert_eq!(status, 200, "{name}: {answer}");
    }
    assert_eq!(round(&served, &second).await, Some(3));
    let names = read(&served, "service", "person?select=name&order=name").await.to_string();
    for name in ["Ann", "Bob", "Cem", "Dan", "Eve"] {
        assert!(names.contains(name), "{names}");
    }
}

#[tokio::test]
async fn a_role_of_the_projects_own_is_left_alone() {
    let sdl = r#"type Person @user @access(read: "true", update: "auth.role == 'staff'")
      { role: String @access(write: "auth.role == 'staff'") }"#;
    let staff = json!({ "role": "staff" });
    let people = [("ann", json!({}), Value::Null), ("bob", json!({}), staff.clone())];
    let (served, _) = served(sdl, &people).await;
    let [ann, bob] = ["ann", "bob"].map(|name| served.person(name).id.clone());
    let patch = async |id: &str, role: Value| {
        ask(&served, "bob", &format!("PATCH /rest/v1/person?id=eq.{id}"), &json!({ "role": role })).await.0
    };
    assert_eq!(patch(&ann, json!("helper")).await, 204);
    assert_eq!(round(&served, &node(&served, "a")).await, Some(0));
    // [getting back what was taken away by changing one's own account]
    assert_eq!(ask(&served, "ann", "PUT /auth/v1/user", &json!({ "data": { "a": 1 } })).await.0, 200);
    assert_eq!(patch(&bob, Value::Null).await, 204);
    assert_eq!(ask(&served, "bob", "PUT /auth/v1/user", &json!({ "data": { "a": 1 } })).await.0, 200);
    assert_eq!(round(&served, &node(&served, "b")).await, Some(0));
    let target = format!("person?select=role&id=eq.{ann}");
    assert_eq!(read(&served, "service", &target).await, json!([{ "role": "helper" }]));
    let target = format!("person?select=role&id=eq.{bob}");
    assert_eq!(read(&served, "service", &target).await, json!([{ "role": null }]));
    // who gives an account a role gives it here as well
    let admin = format!("PUT /auth/v1/admin/users/{ann}");
    assert_eq!(ask(&served, "service", &admin, &json!({ "app_metadata": staff })).await.0, 200);
    let target = format!("person?select=role&id=eq.{ann}");
    assert_eq!(read(&served, "service", &target).await, json!([{ "role": "staff" }]));
}

/// [a walk that read an account before it lost its role writes the role afterwards]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_an_account_during_the_walk_is_not_overwritten() {
    let sdl = r#"type Person @user @access(read: "true") { role: String email: String }"#;
    let people: Vec<_> = (0..12).map(|n| (format!("p{n}"), json!({ "role": "staff" }))).collect();
    let people: Vec<_> = people.iter().map(|(name, app)| (name.as_str(), json!({}), app.clone())).collect();
    let (served, _) = served(sdl, &people).await;
    for _ in 0..4 {
        served.sql(vec!["UPDATE person SET email = NULL, role = NULL".into()]).await;
        let walk = async {
            let node = node(&served, "a");
            for _ in 0..3 {
                served.clock.advance(DAY);
                round(&served, &node).await;
            }
        };
        let change = async {
            for (number, person) in served.people.iter().enumerate() {
                let role = if number % 2 == 0 { Value::Null } else { json!("staff") };
                let target = format!("PUT /auth/v1/admin/users/{}", person.id);
                let changed =
                    ask(&served, "service", &target, &json!({ "app_metadata": { "role": role } })).await;
                assert_eq!(changed.0, 200, "{changed:?}");
            }
        };
        tokio::join!(walk, change);
        round(&served, &node(&served, "b")).await;
        let staff = read(&served, "service", "person?select=id&role=eq.staff").await;
        assert_eq!(staff.as_array().unwrap().len(), 6);
        assert_eq!(read(&served, "service", "person?select=id&email=is.null").await, json!([]));
    }
}
