//! The `cel` crate as a third opinion: where it has an answer and the evaluator has
//! one, they are the same. It knows no relations, so rows are maps nested as deep as
//! rules go.

use backstay_testkit::rule::world::{Asker, World};
use cel::{Context, Program, Value};
use serde_json::{Value as Json, json};

/// How many relations a rule of the generator follows.
const DEPTH: u32 = 4;

fn account(world: &World, index: usize) -> Json {
    let account = &world.accounts[index];
    json!({ "id": account.id.to_string(), "team": account.team })
}

fn parent(world: &World, index: usize, depth: u32) -> Json {
    let parent = &world.parents[index];
    let mut row = json!({
        "id": index, "a": parent.a, "b": parent.b, "c": parent.c, "d": parent.d, "f": parent.f, "tags": parent.tags,
        "owner": parent.owner.map(|owner| account(world, owner)),
    });
    if depth > 0 {
        let members = row.as_object_mut().unwrap();
        members.insert("up".into(), parent.up.map_or(Json::Null, |up| self::parent(world, up, depth - 1)));
        let below = (0..world.parents.len()).filter(|at| world.parents[*at].up == Some(index));
        members.insert("downs".into(), below.map(|at| self::parent(world, at, depth - 1)).collect());
        let friends = parent.friends.iter().map(|at| self::parent(world, *at, depth - 1));
        members.insert("friends".into(), friends.collect());
        members.insert("kids".into(), world.kids_of(index).map(|at| kid(world, at)).collect());
    }
    row
}

fn kid(world: &World, index: usize) -> Json {
    let kid = &world.kids[index];
    json!({ "x": kid.x, "y": kid.y, "g": kid.g, "parent": { "b": world.parents[kid.parent].b } })
}

/// What the `cel` crate says of a rule; none where it has no answer or does not know the form.
pub fn judge(text: &str, world: &World, asker: &Asker, index: usize) -> Option<bool> {
    let program = Program::compile(text).ok()?;
    let mut auth = json!({ "role": asker.role, "claims": {} });
    if let Some(at) = asker.account {
        auth["user"] = account(world, at);
    }
    let claims = auth["claims"].as_object_mut().unwrap();
    for (name, value) in
        [("team", json!(asker.team)), ("level", json!(asker.level)), ("groups", json!(asker.groups))]
    {
        if !value.is_null() {
            claims.insert(name.into(), value);
        }
    }
    let mut context = Context::default();
    context.add_variable("this", cel::to_value(parent(world, index, DEPTH)).unwrap()).unwrap();
    context.add_variable("auth", cel::to_value(auth).unwrap()).unwrap();
    match program.execute(&context) {
        Ok(Value::Bool(known)) => Some(known),
        _ => None,
    }
}
