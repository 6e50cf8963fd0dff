//! table: every code of the schema compiler with its title and its page of
//! explanation. A code is never reused. E1 is the schema, E2 a rule, W3 a remark.

/// A stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code, for example `E1201`.
    pub text: &'static str,
    /// What it is about, a few words.
    pub title: &'static str,
    /// Why it is refused and what to do.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal, $explanation:literal;)*) => {
        $(#[doc = $title]
        pub const $name: Code = Code { text: $text, title: $title, explanation: $explanation };)*
        /// Every code, in the order of the table.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

/// The entry of a code.
#[must_use]
pub fn find(text: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.text.eq_ignore_ascii_case(text))
}

codes! {
    SYNTAX = "E1001", "the file is not GraphQL SDL",
        "A schema file is read as GraphQL's schema definition language. The parser stopped at this place; what it expected stands in the message. Common causes are a missing brace, a missing colon between a field and its type, and a quote that is not closed.";
    VALIDATION = "E1002", "the file breaks a rule of GraphQL",
        "The file parses, but the GraphQL specification forbids it, for example a type without fields. The message is that of the specification's validation.";
    UNAVAILABLE = "E1003", "this part of the language is not available yet",
        "The name is part of the schema language, but this version of Backstay does not serve it. It is refused and never ignored, because a schema must not promise what the server does not do. Remove it, or use a version that has it.";
    TOO_LARGE = "E1004", "the schema passes a limit",
        "Files, tables, columns and rules have limits, so that a schema of any origin compiles in bounded time and memory.";
    UNKNOWN_DIRECTIVE = "E1101", "no such directive",
        "Only the directives of the schema language may be used; their definitions stand in `.backstay/directives.graphql`.";
    UNSUPPORTED_BY_ENGINE = "E1900", "the database of the project cannot do this",
        "A schema means the same on every engine. What one cannot do is refused there when the schema is loaded; another engine, or the help of this message, mends it.";
    UNKNOWN_ARGUMENT = "E1102", "no such argument",
        "The directive has no argument of this name. Its definition stands in `.backstay/directives.graphql`.";
    ARGUMENT_VALUE = "E1103", "an argument has a value of the wrong kind",
        "Every argument of a directive has a kind: a CEL text, a name, a number, true or false, a list of names or one of a few words.";
    MISSING_ARGUMENT = "E1104", "an argument is missing",
        "The directive cannot work without this argument.";
    MISPLACED_DIRECTIVE = "E1105", "the directive does not belong here",
        "Every directive says where it may stand (type, field, enum value, schema) and whether it may be repeated there.";
    UNFIT_DIRECTIVE = "E1106", "the directive does not fit this field",
        "The directive exists and may stand on fields, but it does not apply to a field of this kind: for example `@valid(minLength:)` on a number or `@default` on a list.";
    UNKNOWN_TYPE = "E1201", "no such type",
        "A field's type is a scalar, an enum or a type of the schema. The scalars are ID, UUID, Int, BigInt, Float, Decimal, Boolean, String, Timestamp, Date and JSON.";
    DUPLICATE = "E1202", "a name is defined twice",
        "Types, enums and rules are unique across all schema files, fields within their type, members within their enum.";
    RESERVED_NAME = "E1203", "the name is reserved",
        "Names that begin with `_backstay` belong to Backstay's own tables, `sqlite_` and `pg_` to the databases, and the scalars keep their names.";
    COLLISION = "E1204", "two things get the same name",
        "A reference `seller` also has its column `seller_id`; a junction is named for both of its tables; names differ by more than case, because databases do not tell them apart. Rename one of the two, or map it with `@column(name:)` or `@table(name:)`.";
    UNSUPPORTED_DEFINITION = "E1205", "this kind of definition is not part of the schema language",
        "A schema consists of types, enums and `extend schema` with rules. Interfaces, unions, inputs, own scalars and own directives have no meaning here.";
    KEY = "E1206", "the key is not valid",
        "`@table(key:)` names required columns or references of the type, each once; references in keys may not lead back to the type itself.";
    ID = "E1207", "the id is not valid",
        "`id` is `ID!` or `UUID!` (made by the server), `Int!` or `BigInt!` (counted by the database) or `String!` (given by the client).";
    UNKNOWN_FIELD = "E1208", "no such field",
        "The directive names a field that the type does not have or that has no column of its own.";
    AMBIGUOUS_LIST = "E1301", "a list could be several relations",
        "A list of rows is the other side of a reference, or one half of an n-n relation. Here more than one field of the other type could be its counterpart; `@relation(field:)` says which.";
    ONE_SIDED_LIST = "E1302", "a list has no counterpart",
        "A list of rows needs a field on the other type that leads back: a reference for one-to-many, a list for n-n. `@relation(field:)` names it where it cannot be found.";
    RELATION = "E1303", "the relation is not valid",
        "`@relation` names a field or join type that does not fit, or asks for an action that the reference cannot take: `SET_NULL` needs a nullable reference.";
    TRANSITION = "E1401", "the transition is not valid",
        "`@next(to:)` names other members of the same enum. A field of an enum with transitions starts in its default.";
    DEFAULT = "E1402", "the default is not valid",
        "`@default` has exactly one of `value`, a literal of the field's type, and `expr`, a CEL expression over `auth`, `request` and `now`.";
    VALID = "E1403", "the validation is not valid",
        "`min` and `max` apply to numbers, dates and timestamps; `minLength`, `maxLength`, `pattern` and `format` to text. Limits must leave room for a value.";
    SET = "E1404", "the server-set value is not valid",
        "`@set` has `always`, or `create` and `update`, each a CEL expression of the field's type. A field that the server sets has no `@default`.";
    COMPUTED = "E1405", "the computed field is not valid",
        "A computed field has an expression of its declared type, no column, and does not read itself.";
    CHECK = "E1406", "a check leaves its row",
        "`@check` becomes a CHECK of the database: it reads columns of its own row and nothing else, neither related rows nor the caller nor the time.";
    SET_CHAIN = "E1407", "a server-set value reads another one that reads related rows",
        "Server-set values that read related rows are computed together; one of them cannot read another. Write the path out instead.";
    SET_THROUGH_UPDATABLE = "E1408", "a value set on create reads through a reference that may be changed later",
        "The value would stay that of the first row when the client later moves the reference, so a cheap row could be swapped for a dear one. Use `@set(always:)`, or forbid updating the reference with `@access(update: \"false\")`.";
    WAS = "E1409", "the earlier name is not valid",
        "`@was(name:)` names what the thing was called before; it differs from the present name, and no other thing has that name now.";
    PARTIAL = "E1410", "the condition of an index is not plain",
        "`where` of `@unique` and `@index` is kept by the database itself, for every row that is written: it compares columns of the row with literals and with each other, and reads neither related rows nor the caller nor the time.";
    TENANT = "E1504", "the tenant is not valid",
        "`@table(tenant:)` names a required field that holds the key of the row's tenant in one column: a reference, or a value. The server sets it to `auth.org`; it has neither `@set` nor `@default`.";
    VIEW = "E1505", "the view is not valid",
        "`@table(view:)` reads a view of the database that a migration makes by hand. Nothing is written to it, nothing refers to it, and it keeps neither indexes nor checks; its key tells its rows apart.";
    USER = "E1501", "the account type is not valid",
        "At most one type is marked `@user`; its id is that of the account.";
    SIGN_UP = "E1502", "sign-up cannot fill a required field",
        "A row of the `@user` type is made with its account. Sign-up data fills scalar fields whose create rule holds for the new account; a required field that cannot be filled so would make every sign-up fail. Make it nullable, give it a default, or let the server set it.";
    SELF_ELEVATION = "E1503", "a rule trusts a field that its owner may write",
        "The rule reads a field of the caller's own row, and the caller may write that field. Anyone could grant themselves what the rule protects. Give the field its own `@access(write:)`, or set it by the server.";
    LIMIT = "E1601", "a limit that cannot be counted",
        "A limit is a number of rows per second, minute, hour or day, and counts by one value that stands in the request: `@limit(rate: \"20/hour\", by: \"auth.uid\", on: [CREATE])`.";
    RULE_SYNTAX = "E2001", "the rule is not CEL",
        "Rules are written in the Common Expression Language. The message says what was expected at this place.";
    UNKNOWN_NAME = "E2002", "no such name in this rule",
        "A rule may use `this`, `old` and `new` (in update), `auth`, `request`, `now`, its own variables and the named rules of the schema.";
    UNKNOWN_MEMBER = "E2003", "no such member",
        "The type has no field of this name.";
    TYPES = "E2004", "the types do not fit",
        "Both sides of an operator have one type; numbers widen by themselves from Int to BigInt, Decimal and Float.";
    NOT_A_MEMBER = "E2005", "not a member of the enum",
        "In rules enum members are written as strings; they are checked when the schema is loaded.";
    UNDECLARED_ROLE = "E2006", "the role is not declared",
        "Roles are declared in `backstay.toml`, so that a misspelt role in a rule is found. `anon`, `authenticated` and `service` are always there.";
    UNSUPPORTED = "E2007", "this form is not part of the rule language",
        "The form is CEL or looks like it, but it has no meaning that is equal on every database. The message names what to write instead.";
    NOT_AN_UPDATE = "E2008", "`old` and `new` outside an update rule",
        "`old` is the stored row and `new` the row after an update; only update rules have both. Use `this`.";
    RULE_RECURSION = "E2009", "a named rule calls itself",
        "Named rules are put in place where they are called, so they cannot be recursive.";
    RULE_ARGUMENTS = "E2010", "the named rule takes other arguments",
        "A call of a named rule gives one argument per declared parameter.";
    TOO_DEEP = "E2011", "the rule follows too many relations or nests too deeply",
        "Each hop is a join for every row that is judged. Shorten the path, or store what the rule needs nearer.";
    TOO_LONG = "E2012", "the rule is too large",
        "A rule has a limited number of parts after its named rules are put in place.";
    USER_METADATA = "E2013", "a rule reads user_metadata",
        "Clients write `user_metadata` of their own account, so a rule must never trust it. Use `app_metadata`, a role, or a field of the `@user` type.";
    ALLOWED_CYCLE = "E2014", "rules delegate to each other in a circle",
        "`allowed(row, operation)` asks the rules of another type. These rules come back to themselves, so they have no answer.";
    NOT_HERE = "E2015", "the name is not available here",
        "A default has no row yet, and a check must not depend on who asks or when.";
    LITERAL = "E2016", "the literal is not valid",
        "The text of the literal does not have the form of its type.";
    REST_NAME = "W3001", "the field has the name of a query parameter",
        "`select`, `order`, `limit`, `offset`, `and`, `or`, `not`, `columns` and `on_conflict` are parameters of the REST dialect; a column of that name cannot be filtered there.";
    UNUSED_RULE = "W3002", "a named rule is never used",
        "Nothing calls this rule.";
    NO_ACCESS = "W3003", "a type without rules",
        "A type without `@access` is denied to everybody but the service key.";
    OPEN_WRITE = "W3004", "a write rule that is always true",
        "Anyone, signed in or not, may do this.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        for (index, code) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(index + 1).all(|other| other.text != code.text), "{}", code.text);
            assert!(code.explanation.len() > 20, "{}", code.text);
            assert_eq!(code.title, code.title.trim_end_matches('.'));
        }
        assert_eq!(find("e1003").map(|code| code.text), Some("E1003"));
        assert_eq!(find("E9999"), None);
    }
}
