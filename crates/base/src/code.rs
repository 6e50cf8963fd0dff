//! table: every stable error code that leaves the process at a data door:
//! SQLSTATEs as PostgreSQL uses them and PostgREST's own `PGRST…` codes.
//! A code is never reused for another meaning.

/// What a caller may do about a fault; doors map it to a status where the code
/// alone does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is wrong; repeating it cannot help.
    Invalid,
    /// The caller may not do this.
    Denied,
    /// The named thing does not exist for this caller.
    NotFound,
    /// The request contradicts what is stored.
    Conflict,
    /// A named limit was passed.
    Limit,
    /// The server cannot answer now; repeating later may help.
    Unavailable,
    /// The write may or may not have happened.
    OutcomeUnknown,
    /// A defect of the server.
    Internal,
}

/// A stable code with its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code as it stands on the wire, for example `23505`.
    pub text: &'static str,
    /// The class of the fault.
    pub kind: Kind,
    /// What it means, one line, for the reference page.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($name:ident = $text:literal, $kind:ident, $meaning:literal;)*) => {
        $(#[doc = $meaning]
        pub const $name: Code = Code { text: $text, kind: Kind::$kind, meaning: $meaning };)*
        /// Every code, in the order of the table.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // data
    INVALID_TEXT = "22P02", Invalid, "a value does not have the form of its type";
    OUT_OF_RANGE = "22003", Invalid, "a number does not fit its type";
    INVALID_DATETIME = "22007", Invalid, "a date or time does not have the form of its type";
    DIVISION_BY_ZERO = "22012", Invalid, "division by zero";
    INVALID_ENCODING = "22021", Invalid, "text is not valid UTF-8 or holds a NUL";
    INVALID_ESCAPE = "22025", Invalid, "a LIKE pattern ends in its escape character";
    INVALID_REGEX = "2201B", Invalid, "a regular expression is not valid";
    NULL_ELEMENT = "22004", Invalid, "an element of a list may not be null";
    NOT_NULL_VIOLATION = "23502", Invalid, "a required value is missing";
    FOREIGN_KEY_VIOLATION = "23503", Conflict, "a reference names a row that is not there, or a row is still referenced";
    UNIQUE_VIOLATION = "23505", Conflict, "a row with these key values exists";
    CHECK_VIOLATION = "23514", Invalid, "a value breaks a check, a validation or a transition";
    CARDINALITY = "21000", Invalid, "an update or delete without a filter, or one row named twice in an upsert";
    ALWAYS_GENERATED = "428C9", Invalid, "a value was given for a field that the server sets";
    // access
    DENIED = "42501", Denied, "a rule refuses this";
    // names
    UNDEFINED_COLUMN = "42703", Invalid, "no such column";
    UNDEFINED_TABLE = "42P01", NotFound, "no such table";
    UNDEFINED_OPERATOR = "42883", Invalid, "this operator does not apply to this type";
    GROUPING = "42803", Invalid, "beside an aggregate stands what is neither grouped nor aggregated";
    DATATYPE_MISMATCH = "42804", Invalid, "a value of another type is needed";
    NO_CONFLICT_TARGET = "42P10", Invalid, "no unique constraint matches the conflict target";
    CANNOT_CAST = "42846", Invalid, "no such cast";
    SYNTAX_ERROR = "42601", Invalid, "a statement of a migration does not run, or a search does not parse";
    UNDEFINED_OBJECT = "42704", Invalid, "no such type of a cast, or no such text search configuration";
    // engine
    COPY_DIFFERS = "55000", Conflict, "a copy is not equal to what it was made of";
    FILES_DIFFER = "F0000", Conflict, "the migration files are not those that the database was made by";
    LEASE_LOST = "55P03", Unavailable, "another node does this now, or took over";
    TRANSACTION_STATE = "25001", Invalid, "a statement begins or ends a transaction where it may not";
    SERIALIZATION_FAILURE = "40001", Unavailable, "other writes were in the way, again and again; nothing was written";
    DEADLOCK = "40P01", Unavailable, "two writes waited for each other, again and again; nothing was written";
    CONNECTION_LOST = "08006", Unavailable, "the connection to the database was lost; nothing was written";
    STATEMENT_TIMEOUT = "57014", Unavailable, "the statement took longer than its limit";
    INDEX_TOO_WIDE = "54000", Limit, "text in an index is longer than every engine's indexes hold";
    TOO_COMPLEX = "54001", Limit, "the request passes a limit of size, depth or cost";
    DISK_FULL = "53100", Unavailable, "no space is left; nothing was written";
    TOO_MANY_REQUESTS = "53400", Unavailable, "a queue of the server is full; nothing was done";
    RATE_LIMITED = "PT429", Limit, "a limit of the schema is used up; Retry-After says for how long";
    IO_ERROR = "58030", Unavailable, "the storage failed; nothing was written";
    DATA_CORRUPTED = "XX001", Internal, "the database file is damaged; nothing was written";
    OUTCOME_UNKNOWN = "08007", OutcomeUnknown, "the storage failed while a write was being made durable: it may or may not have happened";
    INTERNAL = "XX000", Internal, "a defect of the server";
    // PostgREST
    NO_DATABASE = "PGRST000", Unavailable, "the database cannot be reached";
    NOT_READY = "PGRST002", Unavailable, "the schema is not loaded yet";
    POOL_TIMEOUT = "PGRST003", Unavailable, "no connection became free in time";
    PARSE_QUERY = "PGRST100", Invalid, "the query string does not parse";
    RPC_VERB = "PGRST101", Invalid, "this verb does not apply to a function";
    BODY_INVALID = "PGRST102", Invalid, "the body does not parse";
    RANGE_INVALID = "PGRST103", Invalid, "the range does not exist";
    PUT_FILTERS = "PGRST105", Invalid, "PUT needs filters on all key columns with eq";
    SCHEMA_NOT_EXPOSED = "PGRST106", Invalid, "the schema is not exposed";
    MEDIA_TYPE = "PGRST107", Invalid, "none of the accepted media types can be made";
    NOT_EMBEDDED = "PGRST108", Invalid, "a filter names a resource that is not embedded";
    PUT_LIMIT = "PGRST114", Invalid, "PUT does not go with limit or offset";
    PUT_KEY = "PGRST115", Invalid, "the key in the body and in the filters differ";
    NOT_SINGULAR = "PGRST116", Invalid, "exactly one row was asked for, another number was found";
    METHOD = "PGRST117", Invalid, "this method does not apply";
    RELATED_ORDER = "PGRST118", Invalid, "rows can only be ordered by a to-one embed";
    EMBED_OPERATOR = "PGRST120", Invalid, "only is.null and not.is.null apply to an embed";
    PREFERENCE_INVALID = "PGRST122", Invalid, "a preference is not known";
    AGGREGATES_OFF = "PGRST123", Invalid, "aggregate functions are not allowed";
    MAX_AFFECTED = "PGRST124", Invalid, "the write touches more rows than allowed";
    PATH_INVALID = "PGRST125", NotFound, "no such path";
    NO_OPENAPI = "PGRST126", NotFound, "the root document is not served";
    NOT_IMPLEMENTED = "PGRST127", Invalid, "this part of the dialect is not available";
    NO_RELATIONSHIP = "PGRST200", Invalid, "no relationship between these tables";
    AMBIGUOUS_EMBED = "PGRST201", Invalid, "more than one relationship matches";
    NO_FUNCTION = "PGRST202", NotFound, "no such function";
    NO_COLUMN = "PGRST204", Invalid, "the body or `columns` names an unknown column";
    NO_TABLE = "PGRST205", NotFound, "no such table";
    JWT_INVALID = "PGRST301", Denied, "the token cannot be verified";
    ANON_DISABLED = "PGRST302", Denied, "a token is needed";
    JWT_CLAIMS = "PGRST303", Denied, "the claims of the token do not hold";
}
