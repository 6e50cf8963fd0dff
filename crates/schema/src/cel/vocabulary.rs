//! table: every name that the rule language has, for the reference page. A test holds it
//! against what the checker takes.

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A value that a rule begins with.
    Root,
    /// A member of `auth`.
    Auth,
    /// A member of `request`.
    Request,
    /// A function without receiver.
    Function,
    /// A function on a value.
    Method,
    /// A macro over the rows of a relation or the elements of a list.
    Macro,
    /// What ends a chain over rows.
    Aggregate,
}

/// One name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// What it is.
    pub group: Group,
    /// How it is written.
    pub form: &'static str,
    /// Type of the result, as the schema names it.
    pub result: &'static str,
    /// What it says.
    pub doc: &'static str,
}

const fn entry(
    group: Group,
    name: &'static str,
    form: &'static str,
    result: &'static str,
    doc: &'static str,
) -> Entry {
    Entry { name, group, form, result, doc }
}

/// Every name.
pub const VOCABULARY: &[Entry] = &[
    entry(
        Group::Root,
        "this",
        "this",
        "row",
        "the row at hand; in an update rule the stored and the new one must both hold",
    ),
    entry(Group::Root, "old", "old", "row", "the stored row, in update rules"),
    entry(Group::Root, "new", "new", "row", "the row as it would become, in update rules"),
    entry(Group::Root, "auth", "auth", "", "the caller"),
    entry(Group::Root, "request", "request", "", "the request"),
    entry(Group::Root, "now", "now", "Timestamp", "one value per request"),
    entry(
        Group::Auth,
        "user",
        "auth.user",
        "row",
        "the caller's row of the @user type; null when nobody is signed in",
    ),
    entry(Group::Auth, "uid", "auth.uid", "ID", "the account's id"),
    entry(
        Group::Auth,
        "role",
        "auth.role",
        "String",
        "the account's role, else anon, authenticated or service",
    ),
    entry(Group::Auth, "email", "auth.email", "String", "absent until it is confirmed"),
    entry(Group::Auth, "aal", "auth.aal", "String", "aal1 or aal2"),
    entry(
        Group::Auth,
        "claims",
        "auth.claims.a.b",
        "any",
        "a claim of the token; never user_metadata, which clients write",
    ),
    entry(Group::Request, "time", "request.time", "Timestamp", "the same as now"),
    entry(Group::Request, "op", "request.op", "String", "read, create, update or delete"),
    entry(Group::Request, "method", "request.method", "String", "the HTTP method"),
    entry(Group::Request, "ip", "request.ip", "String", "the client's address"),
    entry(Group::Request, "changed", "'price' in request.changed", "[String]", "fields that the body names"),
    entry(
        Group::Request,
        "headers",
        "request.headers['x-tenant']",
        "String",
        "a header, by its lower-case name; apikey, authorization and cookie are absent",
    ),
    entry(Group::Function, "size", "size(list), size(text)", "Int", "rows, elements or characters"),
    entry(Group::Function, "has", "has(this.meta.plan)", "Boolean", "whether a JSON column has the member"),
    entry(
        Group::Function,
        "allowed",
        "allowed(this.order, 'read')",
        "Boolean",
        "asks the rules of another row",
    ),
    entry(Group::Function, "timestamp", "timestamp('2026-01-31T09:00:00Z')", "Timestamp", "an instant"),
    entry(Group::Function, "duration", "now - duration('24h')", "duration", "a length of time"),
    entry(Group::Method, "startsWith", "text.startsWith(part)", "Boolean", "begins with it"),
    entry(Group::Method, "endsWith", "text.endsWith(part)", "Boolean", "ends with it"),
    entry(Group::Method, "contains", "text.contains(part)", "Boolean", "has it somewhere"),
    entry(
        Group::Method,
        "matches",
        "text.matches('^[a-z]+$')",
        "Boolean",
        "matches a regular expression, which is a literal",
    ),
    entry(Group::Method, "lowerAscii", "text.lowerAscii()", "String", "A to Z in lower case"),
    entry(Group::Method, "upperAscii", "text.upperAscii()", "String", "a to z in upper case"),
    entry(Group::Method, "getFullYear", "time.getFullYear()", "Int", "the year, in UTC"),
    entry(Group::Method, "getMonth", "time.getMonth()", "Int", "the month, January is 0"),
    entry(Group::Method, "getDayOfMonth", "time.getDayOfMonth()", "Int", "the day, the first is 0"),
    entry(Group::Method, "getDayOfWeek", "time.getDayOfWeek()", "Int", "the weekday, Sunday is 0"),
    entry(Group::Method, "getHours", "time.getHours()", "Int", "0 to 23"),
    entry(Group::Method, "getMinutes", "time.getMinutes()", "Int", "0 to 59"),
    entry(Group::Method, "getSeconds", "time.getSeconds()", "Int", "0 to 59"),
    entry(Group::Macro, "exists", "list.exists(x, …)", "Boolean", "it holds for at least one"),
    entry(Group::Macro, "all", "list.all(x, …)", "Boolean", "it holds for every one"),
    entry(Group::Macro, "exists_one", "list.exists_one(x, …)", "Boolean", "it holds for exactly one"),
    entry(Group::Macro, "filter", "list.filter(x, …)", "rows", "those for which it holds"),
    entry(Group::Macro, "map", "list.map(x, …)", "values", "a value of each, before an aggregate"),
    entry(Group::Aggregate, "size", "list.filter(x, …).size()", "Int", "how many"),
    entry(Group::Aggregate, "count", "list.filter(x, …).count()", "Int", "how many"),
    entry(Group::Aggregate, "sum", "list.map(x, …).sum()", "number", "0 of nothing"),
    entry(Group::Aggregate, "min", "list.map(x, …).min()", "value", "null of nothing"),
    entry(Group::Aggregate, "max", "list.map(x, …).max()", "value", "null of nothing"),
    entry(Group::Aggregate, "avg", "list.map(x, …).avg()", "number", "null of nothing"),
];

/// The names of a group, in the order of the table.
pub fn names(group: Group) -> impl Iterator<Item = &'static str> {
    VOCABULARY.iter().filter(move |entry| entry.group == group).map(|entry| entry.name)
}
