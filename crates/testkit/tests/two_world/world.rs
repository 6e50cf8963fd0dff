//! A world with hidden rows, hidden fields and hidden relations, and its twin that
//! differs only there.

use backstay_engine::migration::Batch;
use backstay_policy::caller::{Caller, User as Account};
use backstay_query::named::{Input, Insert};
use backstay_schema::catalog::Catalog;
use backstay_schema::value::Value;
use backstay_testkit::store::{NOW_MICROS, Store};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Rules read `owner`, `public`, `team`, `doc` and `hidden`; every other column is payload.
pub const SCHEMA: &str = r#"
type User @user @access(read: "this == auth.user", update: "this == auth.user") { name: String  docs: [Doc!]! }
type Doc @table(strict: false)
  @access(read: "this.public || this.owner == auth.user", write: "this.owner == auth.user", delete: "this.owner == auth.user")
  @access(update: "this.public && auth.user != null", fields: ["score", "meta"])
  @deny(update: "this.folder.team == 'blue'", message: "blue folders are closed")
  @deny(delete: "this.folder.team == 'red'", message: "red folders are kept")
{
  id: Int!
  owner: User
  public: Boolean!
  title: String! @index(kind: FULLTEXT)
  score: Int
  secret: String @access(read: "auth.role == 'staff'")
  salary: Int @access(read: "this.owner == auth.user")
  marks: [String!] @access(read: "this.owner == auth.user")
  meta: JSON
  folder: Folder
  tags: [Tag!]!
  notes: [Note!]!
  stars: Float @computed(expr: "this.notes.map(n, n.stars).avg()")
  noted: BigInt @computed(expr: "this.notes.size()")
  raised: Int @computed(expr: "this.salary + 1")
}
type Folder @table(tenant: "team") @access(read: "true") {
  id: Int!
  name: String!
  team: String!
  docs: [Doc!]!
}
type Note @table(softDelete: true) @access(read: "this.doc.public", create: "this.doc.owner == auth.user", delete: "this.doc.owner == auth.user") {
  id: Int!
  doc: Doc! @relation(onDelete: CASCADE)
  stars: Int
  text: String
}
type Shelf @table(view: "shelf") @access(read: "this.folder.docs.exists(d, d.owner == auth.user)") {
  id: Int!
  folder: Folder
  docs: BigInt @access(read: "auth.role == 'staff'")
}
type Mirror @table(view: "mirror") @access(read: "this.public || this.owner == auth.user") {
  id: Int!
  owner: User
  public: Boolean!
  title: String!
  salary: Int @access(read: "this.owner == auth.user")
  folder: Folder
}
type Tag @access(read: "!this.hidden") {
  id: Int!
  label: String!
  hidden: Boolean!
  docs: [Doc!]!
}
"#;

/// The views of the schema.
const VIEWS: [&str; 2] = [
    "CREATE VIEW shelf AS SELECT id, id AS folder_id, (SELECT count(*) FROM doc WHERE folder_id = folder.id AND public) AS docs FROM folder",
    "CREATE VIEW mirror AS SELECT id, owner_id, public, title, salary, folder_id FROM doc",
];

/// The same, with audits of what documents and notes are changed to.
pub fn audited() -> String {
    SCHEMA
        .replace("type Doc @table(strict: false)\n", "type Doc @table(strict: false, audit: true)\n")
        .replace("type Note @table(softDelete: true)", "type Note @table(softDelete: true, audit: true)")
}

/// The highest id of documents and notes.
const LAST: i64 = 1000;
const TEAMS: &[&str] = &["red", "blue"];
const WORDS: &[&str] = &["alpha", "Beta", "gam%ma", "d_elta", "", "épsilon"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: Uuid,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    pub id: i64,
    pub owner: Option<usize>,
    pub public: bool,
    pub title: String,
    pub score: Option<i64>,
    pub secret: Option<String>,
    pub salary: Option<i64>,
    pub marks: Option<Vec<String>>,
    pub meta: Option<String>,
    /// It has no field.
    pub colour: Option<String>,
    pub folder: Option<i64>,
    pub tags: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub id: i64,
    pub name: String,
    pub team: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: i64,
    pub doc: i64,
    pub stars: Option<i64>,
    pub text: Option<String>,
    pub deleted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub id: i64,
    pub label: String,
    pub hidden: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    pub users: Vec<User>,
    pub docs: Vec<Doc>,
    pub folders: Vec<Folder>,
    pub notes: Vec<Note>,
    pub tags: Vec<Tag>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    user: Option<usize>,
    staff: bool,
    team: Option<&'static str>,
}

fn word(rng: &mut StdRng) -> String {
    WORDS[rng.random_range(0..WORDS.len())].to_owned()
}

fn words(rng: &mut StdRng) -> Vec<String> {
    (0..rng.random_range(0..3)).map(|_| word(rng)).collect()
}

fn maybe<T>(rng: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    if rng.random_bool(0.25) { None } else { Some(make(rng)) }
}

fn number(rng: &mut StdRng) -> i64 {
    rng.random_range(0..6)
}

fn meta(rng: &mut StdRng) -> String {
    json!({ "a": number(rng), "b": { "c": word(rng) } }).to_string()
}

impl Asker {
    pub fn random(rng: &mut StdRng) -> Self {
        if rng.random_bool(0.2) {
            return Self { user: None, staff: false, team: None };
        }
        Self {
            user: Some(rng.random_range(0..3)),
            staff: rng.random_bool(0.15),
            team: maybe(rng, |rng| TEAMS[rng.random_range(0..2)]),
        }
    }

    pub fn caller(&self, world: &World) -> Caller {
        let Some(user) = self.user else { return Caller::Anon };
        let mut claims = serde_json::Map::new();
        if let Some(team) = self.team {
            claims.insert("team".into(), json!(team));
        }
        Caller::User(Arc::new(Account {
            uid: world.users[user].id,
            role: if self.staff { "staff" } else { "authenticated" }.to_owned(),
            email: None,
            org: self.team.map(str::to_owned),
            aal: "aal1".to_owned(),
            claims: Arc::new(claims),
        }))
    }

    fn owns(&self, doc: &Doc) -> bool {
        self.user.is_some() && doc.owner == self.user
    }

    fn sees_doc(&self, doc: &Doc) -> bool {
        doc.public || self.owns(doc)
    }

    fn sees_folder(&self, folder: &Folder) -> bool {
        self.team.is_some() && folder.team == self.team
    }
}

impl World {
    pub fn random(rng: &mut StdRng) -> Self {
        let users = (0..3_u128).map(|n| User { id: Uuid::from_u128(0x2000 + n), name: word(rng) }).collect();
        let folders = (1..=5)
            .map(|id| Folder { id, name: word(rng), team: maybe(rng, |rng| TEAMS[rng.random_range(0..2)]) })
            .collect();
        let tags = (1..=5).map(|id| Tag { id, label: word(rng), hidden: rng.random_bool(0.4) }).collect();
        let mut docs: Vec<Doc> = (1..=14).map(|id| Self::doc(id, rng)).collect();
        // counted ids tell how many rows were made (a declared disclosure): both twins count from here
        docs.push(Doc { owner: None, public: false, ..Self::doc(LAST, rng) });
        let notes = (1..=20)
            .chain([LAST])
            .map(|id| Note {
                id,
                doc: if id == LAST { LAST } else { rng.random_range(1..=14) },
                stars: maybe(rng, number),
                text: maybe(rng, word),
                deleted: id != LAST && rng.random_bool(0.25),
            })
            .collect();
        Self { users, docs, folders, notes, tags }
    }

    fn doc(id: i64, rng: &mut StdRng) -> Doc {
        let mut tags: Vec<i64> = (0..rng.random_range(0..3)).map(|_| rng.random_range(1..=5)).collect();
        tags.sort_unstable();
        tags.dedup();
        Doc {
            id,
            owner: maybe(rng, |rng| rng.random_range(0..3)),
            public: rng.random_bool(0.5),
            title: word(rng),
            score: maybe(rng, number),
            secret: maybe(rng, word),
            salary: maybe(rng, number),
            marks: maybe(rng, words),
            meta: maybe(rng, meta),
            colour: maybe(rng, word),
            folder: maybe(rng, |rng| rng.random_range(1..=5)),
            tags,
        }
    }

    /// The same world for `asker`: other values where it may not look, other hidden rows.
    pub fn hidden_changed(&self, asker: &Asker, rng: &mut StdRng) -> Self {
        let mut twin = self.clone();
        for (index, user) in twin.users.iter_mut().enumerate() {
            if asker.user != Some(index) {
                user.name = word(rng);
            }
        }
        for doc in &mut twin.docs {
            if !asker.staff {
                doc.secret = maybe(rng, word);
            }
            if !asker.owns(doc) {
                doc.salary = maybe(rng, number);
                doc.marks = maybe(rng, words);
            }
            if !asker.sees_doc(doc) {
                let Doc { id, owner, public, .. } = doc.clone();
                *doc = Doc { id, owner, public, ..Self::doc(id, rng) };
            }
        }
        for folder in twin.folders.iter_mut().filter(|folder| !asker.sees_folder(folder)) {
            folder.name = word(rng);
        }
        for tag in twin.tags.iter_mut().filter(|tag| tag.hidden) {
            tag.label = word(rng);
        }
        for note in &mut twin.notes {
            let on_public = twin.docs.iter().any(|doc| doc.id == note.doc && doc.public);
            if !on_public || note.deleted {
                note.stars = maybe(rng, number);
                note.text = maybe(rng, word);
            }
        }
        twin.hidden_rows(asker, rng);
        twin
    }

    /// More rows that the asker may not see, with keys that nobody has named yet.
    fn hidden_rows(&mut self, asker: &Asker, rng: &mut StdRng) {
        for id in 100..100 + rng.random_range(1..4) {
            let mut doc = Self::doc(id, rng);
            doc.public = false;
            doc.owner = doc.owner.filter(|owner| asker.user != Some(*owner));
            self.docs.push(doc);
            let (stars, text) = (maybe(rng, number), maybe(rng, word));
            self.notes.push(Note { id, doc: id, stars, text, deleted: false });
            let (doc, stars, text) = (rng.random_range(1..=14), maybe(rng, number), maybe(rng, word));
            self.notes.push(Note { id: id + 100, doc, stars, text, deleted: true });
        }
    }

    pub async fn store(&self, model: &Arc<Catalog>) -> Store {
        let store = Store::new(model).await;
        let views = VIEWS.iter().map(|&view| view.to_owned()).collect();
        store.engine.migrate(&Batch::plain(views)).await.unwrap();
        let text = |text: &Option<String>| text.clone().map_or(Input::Null, Input::Text);
        let int = |value: Option<i64>| value.map_or(Input::Null, |n| Input::Number(n.to_string()));
        let owner = |owner: Option<usize>| {
            owner.map_or(Input::Null, |at| Input::Value(Value::Uuid(self.users[at].id)))
        };
        let users = self
            .users
            .iter()
            .map(|user| vec![Input::Value(Value::Uuid(user.id)), Input::Text(user.name.clone())]);
        fill(&store, model, "user", "id name", users.collect()).await;
        let folders = self.folders.iter().map(|folder| {
            let team = Input::Text(folder.team.unwrap_or("of nobody").to_owned());
            vec![int(Some(folder.id)), Input::Text(folder.name.clone()), team]
        });
        fill(&store, model, "folder", "id name team", folders.collect()).await;
        let tags = self
            .tags
            .iter()
            .map(|tag| vec![int(Some(tag.id)), Input::Text(tag.label.clone()), Input::Bool(tag.hidden)]);
        fill(&store, model, "tag", "id label hidden", tags.collect()).await;
        let docs = self.docs.iter().map(|doc| {
            vec![
                int(Some(doc.id)),
                owner(doc.owner),
                Input::Bool(doc.public),
                Input::Text(doc.title.clone()),
                int(doc.score),
                text(&doc.secret),
                int(doc.salary),
                doc.marks.as_ref().map_or(Input::Null, |marks| Input::Json(json!(marks).to_string())),
                doc.meta.clone().map_or(Input::Null, Input::Json),
                text(&doc.colour),
                int(doc.folder),
            ]
        });
        let columns = "id owner_id public title score secret salary marks meta colour folder_id";
        fill(&store, model, "doc", columns, docs.collect()).await;
        let notes = self.notes.iter().map(|note| {
            let deleted = if note.deleted { Input::Value(Value::Timestamp(NOW_MICROS)) } else { Input::Null };
            vec![int(Some(note.id)), int(Some(note.doc)), int(note.stars), text(&note.text), deleted]
        });
        fill(&store, model, "note", "id doc_id stars text deleted_at", notes.collect()).await;
        let links = self
            .docs
            .iter()
            .flat_map(|doc| doc.tags.iter().map(move |tag| vec![int(Some(doc.id)), int(Some(*tag))]));
        fill(&store, model, "doc_tag", "doc_id tag_id", links.collect()).await;
        store
    }
}

async fn fill(store: &Store, model: &Arc<Catalog>, table: &str, columns: &str, rows: Vec<Vec<Input>>) {
    if rows.is_empty() {
        return;
    }
    let columns = columns.split(' ').map(str::to_owned).collect();
    store.fill(model, Insert { table: table.to_owned(), columns, rows, ..Insert::default() }).await;
}
