//! The description of the door at its root: Swagger 2.0 in PostgREST's form, of what the caller
//! may do and nothing else. A catalog and what is visible of it enter, a response leaves.

use crate::request::{Request, Response, Settings};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::visible::{Visible, VisibleColumn, VisibleTable};
use backstay_schema::catalog::{Catalog, Column, DefaultValue, Fill, Format, RelationKind, Table, Valid};
use backstay_schema::comment;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

const MEDIA: &str = "application/openapi+json; charset=utf-8";

/// Whether a request asks for the description.
#[must_use]
pub fn is_asked(request: &Request<'_>) -> bool {
    request.path.is_empty()
}

/// Whether the description may be given in answer to this request.
///
/// # Errors
/// PGRST126 where it is not served, PGRST117 for another method than GET and HEAD, PGRST107 for another form.
pub fn check(request: &Request<'_>, settings: &Settings) -> Result<(), Fault> {
    if !settings.openapi_served {
        return Err(Fault::new(code::NO_OPENAPI, "Accessing the schema via the REST root is disabled"));
    }
    if !matches!(request.method, "GET" | "HEAD") {
        return Err(Fault::new(code::METHOD, format!("Unsupported HTTP method: {}", request.method)));
    }
    let accepted: Vec<&str> =
        request.all_headers("accept").flat_map(|line| line.split(',')).map(str::trim).collect();
    let fits = |text: &&str| {
        let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(
            name.as_str(),
            "" | "*/*" | "application/*" | "application/json" | "application/openapi+json"
        )
    };
    if accepted.is_empty() || accepted.iter().any(fits) {
        return Ok(());
    }
    let names = accepted.join(", ");
    Err(Fault::new(code::MEDIA_TYPE, format!("None of these media types are available: {names}")))
}

/// Writes the response.
#[must_use]
pub fn render(request: &Request<'_>, catalog: &Catalog, visible: &Visible) -> Response {
    let body = document(catalog, visible).to_string();
    let body = if request.method == "HEAD" { Bytes::new() } else { Bytes::from(body) };
    Response { status: 200, headers: vec![("Content-Type", MEDIA.to_owned())], body }
}

/// The document.
fn document(catalog: &Catalog, visible: &Visible) -> Json {
    let forms = ["application/json", "application/vnd.pgrst.object+json", "text/csv"];
    let mut parameters = shared_parameters();
    let mut definitions = Map::new();
    let mut paths = Map::new();
    paths.insert("/".to_owned(), root());
    for shown in &visible.tables {
        let table = catalog.table(shown.table);
        let described = Described { catalog, visible, table, shown };
        definitions.insert(table.name.clone(), described.definition());
        described.parameters(&mut parameters);
        paths.insert(format!("/{}", table.name), described.path());
    }
    json!({
        "swagger": "2.0",
        "info": { "title": "REST API", "description": "What the caller may do, by the rules of the schema.",
            "version": env!("CARGO_PKG_VERSION") },
        "basePath": "/rest/v1",
        "consumes": forms,
        "produces": forms,
        "paths": paths,
        "definitions": definitions,
        "parameters": parameters,
        "securityDefinitions": {
            "apikey": { "type": "apiKey", "in": "header", "name": "apikey", "description": "the key of the project" },
            "JWT": { "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "the token of an account, after \"Bearer \"" },
        },
        "security": [{ "apikey": [] }, { "apikey": [], "JWT": [] }],
    })
}

fn root() -> Json {
    json!({ "get": {
        "tags": ["Introspection"], "summary": "OpenAPI description (this document)",
        "produces": ["application/openapi+json", "application/json"],
        "responses": { "200": { "description": "OK" } },
    } })
}

/// Parameters that every table has.
fn shared_parameters() -> Map<String, Json> {
    let text = |name: &str, place: &str, description: &str| json!({ "name": name, "in": place, "required": false, "type": "string", "description": description });
    let prefer = |words: &[&str]| {
        json!({ "name": "Prefer", "in": "header", "required": false, "type": "string", "enum": words,
            "description": "Preference" })
    };
    let returns = ["return=representation", "return=minimal", "return=none"];
    let inserts = [
        "return=representation",
        "return=minimal",
        "return=none",
        "resolution=ignore-duplicates",
        "resolution=merge-duplicates",
    ];
    let mut parameters = Map::new();
    parameters.insert("preferReturn".to_owned(), prefer(&returns));
    parameters.insert("preferCount".to_owned(), prefer(&["count=none", "count=exact"]));
    parameters.insert("preferPost".to_owned(), prefer(&inserts));
    for (name, place, description) in [
        ("select", "query", "Filtering Columns"),
        ("on_conflict", "query", "On Conflict"),
        ("order", "query", "Ordering"),
        ("offset", "query", "Limiting and Pagination"),
        ("limit", "query", "Limiting and Pagination"),
    ] {
        parameters.insert(name.to_owned(), text(name, place, description));
    }
    parameters.insert("range".to_owned(), text("Range", "header", "Limiting and Pagination"));
    let unit = json!({ "name": "Range-Unit", "in": "header", "required": false, "type": "string",
        "default": "items", "description": "Limiting and Pagination" });
    parameters.insert("rangeUnit".to_owned(), unit);
    parameters
}

/// A table as the caller sees it.
struct Described<'a> {
    catalog: &'a Catalog,
    visible: &'a Visible,
    table: &'a Table,
    shown: &'a VisibleTable,
}

impl Described<'_> {
    fn definition(&self) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for shown in self.shown.columns.iter().filter(|shown| Some(shown.column) != self.table.extras) {
            let column = self.table.column(shown.column);
            properties.insert(column.name.clone(), self.column(column, shown));
            if must_be_given(column) && shown.may.create {
                required.push(column.name.as_str());
            }
        }
        for id in &self.shown.computed {
            let computed = self.table.computed_field(*id);
            let mut property = self.typed(computed.ty);
            document_of(&mut property, (computed.doc.as_deref(), computed.deprecated.as_deref()), "");
            property.insert("readOnly".to_owned(), json!(true));
            properties.insert(computed.name.clone(), property.into());
        }
        let mut definition = Map::new();
        definition.insert("type".to_owned(), json!("object"));
        describe(&mut definition, self.table.doc.as_deref(), "");
        if !required.is_empty() {
            definition.insert("required".to_owned(), json!(required));
        }
        definition.insert("properties".to_owned(), properties.into());
        if self.table.extras.is_some() {
            definition.insert("additionalProperties".to_owned(), json!(true));
        }
        definition.into()
    }

    fn column(&self, column: &Column, shown: &VisibleColumn) -> Json {
        let mut property = self.typed(column.ty);
        document_of(&mut property, (column.doc.as_deref(), column.deprecated.as_deref()), &self.note(column));
        if let Some(DefaultValue::Value(value)) = &column.default
            && let Some(value) = plain(value)
        {
            property.insert("default".to_owned(), value);
        }
        for valid in &column.valid {
            keyword(&mut property, valid);
        }
        if !shown.may.create && !shown.may.update {
            property.insert("readOnly".to_owned(), json!(true));
        }
        property.into()
    }

    /// Keys, in the words that tools read.
    fn note(&self, column: &Column) -> String {
        let mut note = String::new();
        if self.table.key.contains(&column.id) {
            note.push_str("This is a Primary Key.<pk/>");
        }
        let relation = column.relation.map(|id| self.table.relation(id));
        let Some((relation, RelationKind::ToOne { columns, .. })) = relation.map(|one| (one, &one.kind))
        else {
            return note;
        };
        // a table that is not there for the caller has no name
        if self.visible.tables.iter().all(|shown| shown.table != relation.target) {
            return note;
        }
        let target = self.catalog.table(relation.target);
        let place = columns.iter().position(|id| *id == column.id);
        let key = place.and_then(|place| target.key.get(place)).map(|id| target.column(*id).name.as_str());
        if let Some(key) = key {
            let newline = if note.is_empty() { "" } else { "\n" };
            let target = &target.name;
            note.push_str(newline);
            note.push_str(&format!(
                "This is a Foreign Key to `{target}.{key}`.<fk table='{target}' column='{key}'/>"
            ));
        }
        note
    }

    fn typed(&self, ty: ScalarType) -> Map<String, Json> {
        let mut property = Map::new();
        let kind = match ty {
            ScalarType::Int | ScalarType::BigInt => Some("integer"),
            ScalarType::Float | ScalarType::Decimal { .. } => Some("number"),
            ScalarType::Boolean => Some("boolean"),
            ScalarType::Json => None,
            ScalarType::List(_) => Some("array"),
            ScalarType::String
            | ScalarType::Uuid
            | ScalarType::Timestamp
            | ScalarType::Date
            | ScalarType::Time
            | ScalarType::Duration
            | ScalarType::Bytes
            | ScalarType::Enum(_) => Some("string"),
        };
        if let Some(kind) = kind {
            property.insert("type".to_owned(), json!(kind));
        }
        property.insert("format".to_owned(), json!(ty.sql_name()));
        if let ScalarType::List(list) = ty {
            property.insert("items".to_owned(), self.typed(list.element.scalar()).into());
        }
        if let ScalarType::Enum(id) = ty {
            let members: Vec<&str> =
                self.catalog.enum_type(id).members.iter().map(|member| member.name.as_str()).collect();
            property.insert("enum".to_owned(), json!(members));
        }
        property
    }

    /// One per column that may be filtered by, and the body.
    fn parameters(&self, parameters: &mut Map<String, Json>) {
        let name = &self.table.name;
        if self.writes() {
            let body = json!({ "name": name, "in": "body", "required": false, "description": name,
                "schema": { "$ref": format!("#/definitions/{name}") } });
            parameters.insert(format!("body.{name}"), body);
        }
        for column in self.readable() {
            let filter = json!({ "name": column.name, "in": "query", "required": false, "type": "string" });
            parameters.insert(format!("rowFilter.{name}.{}", column.name), filter);
        }
    }

    fn path(&self) -> Json {
        let name = &self.table.name;
        let may = self.shown.may;
        let refer = |names: &[&str]| -> Vec<Json> {
            names.iter().map(|name| json!({ "$ref": format!("#/parameters/{name}") })).collect()
        };
        let filters = || -> Vec<Json> {
            let filter = |column: &Column| format!("rowFilter.{name}.{}", column.name);
            self.readable().flat_map(|column| refer(&[filter(column).as_str()])).collect()
        };
        let body = format!("body.{name}");
        let rows = json!({ "type": "array", "items": { "$ref": format!("#/definitions/{name}") } });
        let mut path = Map::new();
        let mut operation = |verb: &str, parameters: Vec<Json>, responses: Json| {
            let mut operation = Map::new();
            operation.insert("tags".to_owned(), json!([name]));
            if let Some(doc) = &self.table.doc {
                operation.insert("summary".to_owned(), json!(doc.lines().next().unwrap_or_default()));
            }
            operation.insert("parameters".to_owned(), parameters.into());
            operation.insert("responses".to_owned(), responses);
            path.insert(verb.to_owned(), operation.into());
        };
        if may.read {
            let mut parameters = filters();
            let shared = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"];
            parameters.extend(refer(&shared));
            let responses = json!({ "200": { "description": "OK", "schema": rows },
                "206": { "description": "Partial Content" } });
            operation("get", parameters, responses);
        }
        if may.create {
            let parameters = refer(&[&body, "select", "on_conflict", "preferPost"]);
            operation("post", parameters, json!({ "201": { "description": "Created" } }));
        }
        let none = || json!({ "204": { "description": "No Content" } });
        if may.delete {
            let mut parameters = filters();
            parameters.extend(refer(&["preferReturn"]));
            operation("delete", parameters, none());
        }
        if may.update {
            let mut parameters = filters();
            parameters.extend(refer(&[&body, "preferReturn"]));
            operation("patch", parameters, none());
        }
        path.into()
    }

    const fn writes(&self) -> bool {
        self.shown.may.create || self.shown.may.update
    }

    fn readable(&self) -> impl Iterator<Item = &Column> {
        let columns = self.shown.columns.iter().filter(|shown| shown.may.read);
        let columns = columns.filter(|shown| Some(shown.column) != self.table.extras);
        columns.map(|shown| self.table.column(shown.column))
    }
}

/// Whether an insert without a value for the column is refused.
const fn must_be_given(column: &Column) -> bool {
    !column.nullable
        && column.default.is_none()
        && column.set_create.is_none()
        && matches!(column.fill, Fill::None | Fill::Client)
}

/// What is said of a column, and whether clients should stop using it.
fn document_of(of: &mut Map<String, Json>, (doc, deprecated): (Option<&str>, Option<&str>), note: &str) {
    describe(of, comment::written(doc, deprecated).as_deref(), note);
    if deprecated.is_some() {
        of.insert("deprecated".to_owned(), json!(true));
    }
}

fn describe(of: &mut Map<String, Json>, doc: Option<&str>, note: &str) {
    let text = match (doc, note) {
        (None, "") => return,
        (Some(doc), "") => doc.to_owned(),
        (None, note) => format!("Note:\n{note}"),
        (Some(doc), note) => format!("{doc}\n\nNote:\n{note}"),
    };
    of.insert("description".to_owned(), json!(text));
}

fn keyword(property: &mut Map<String, Json>, valid: &Valid) {
    let (name, value) = match valid {
        Valid::Min(value) => ("minimum", number(value)),
        Valid::Max(value) => ("maximum", number(value)),
        Valid::MinLength(length) => ("minLength", Some(json!(length))),
        Valid::MaxLength(length) => ("maxLength", Some(json!(length))),
        Valid::Pattern(pattern) => ("pattern", Some(json!(pattern))),
        Valid::Format(Format::Email) => ("format", Some(json!("email"))),
        Valid::Format(Format::Url) => ("format", Some(json!("uri"))),
        Valid::Format(Format::Uuid) => ("format", Some(json!("uuid"))),
        Valid::Format(Format::Slug) => ("pattern", Some(json!("^[a-z0-9]+(-[a-z0-9]+)*$"))),
        Valid::Format(Format::Phone) => ("pattern", Some(json!("^\\+[1-9][0-9]{1,14}$"))),
    };
    if let Some(value) = value {
        property.insert(name.to_owned(), value);
    }
}

/// A bound of numbers; those of times have no keyword.
fn number(value: &Value) -> Option<Json> {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Decimal(_) => plain(value),
        _ => None,
    }
}

fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::Null => None,
        Value::Bool(truth) => Some(json!(truth)),
        Value::Int(number) => Some(json!(number)),
        Value::Float(number) => Some(json!(number)),
        Value::Decimal(_) | Value::Json(_) => serde_json::from_str(&value.to_text()).ok(),
        _ => Some(json!(value.to_text())),
    }
}
