//! table: the lints, one entry each. Codes are stable and never taken again; those that are
//! missing between them speak of what no file can say.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing fails over it.
    Note,
    /// Look before it runs: rows, clients or those who wait may suffer.
    Warning,
    /// It fails, or does nothing of what it says.
    Error,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a file may be found to do.
#[derive(Debug)]
pub struct Rule {
    /// `BM103`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Engines that it holds for.
    pub engines: &'static [&'static str],
    /// What it finds, in a few words.
    pub title: &'static str,
    /// Why that is a matter.
    pub why: &'static str,
    /// What to do instead.
    pub recipe: &'static str,
}

const ALL: &[&str] = &["sqlite", "postgres", "mysql"];
const POSTGRES: &[&str] = &["postgres"];
const MYSQL: &[&str] = &["mysql"];
const SQLITE: &[&str] = &["sqlite"];
/// MySQL makes the index of a reference itself.
const UNINDEXED: &[&str] = &["sqlite", "postgres"];
const SERVERS: &[&str] = &["postgres", "mysql"];

macro_rules! rules {
    ($($name:ident $severity:ident $engines:ident $title:literal, $why:literal, $recipe:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            code: stringify!($name),
            severity: Severity::$severity,
            engines: $engines,
            title: $title,
            why: $why,
            recipe: $recipe,
        };)*
        /// All of them.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    BM100 Note ALL "a statement that cannot be read", "no lint looks into it",
        "read it yourself";
    BM101 Warning ALL "a table is dropped or emptied", "its rows are gone, and nodes that still serve the schema before fail",
        "take the type out of the schema first, deploy, and drop the table in a later release";
    BM102 Warning ALL "a column is dropped", "its values are gone, and nodes that still serve the schema before fail",
        "take the field out of the schema first, deploy, and drop the column in a later release";
    BM103 Warning ALL "a table, a column or a member of an enum gets another name", "clients and nodes that know the name before fail until they are replaced",
        "keep the name in the database with @table(name:) or @column(name:), or add the new one, fill it, and drop the old one in a later release";
    BM104 Warning ALL "a column changes its type or its collation", "the table is written anew while nobody may use it, and values may not fit",
        "add a column of the new type, fill it in batches, and drop the old one in a later release";
    BM105 Warning ALL "a required column without a default", "it is refused where rows are, or they get an empty value that nobody chose",
        "give it a @default, or allow null first, fill the rows, and require it in a later file";
    BM106 Warning ALL "a column that allowed null requires a value", "one null fails it, and servers read all rows while nobody may write",
        "on PostgreSQL: ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT, then SET NOT NULL reads no row; fill the rows first on any engine";
    BM107 Warning SERVERS "a column that each row computes", "the table is written anew while nobody may use it",
        "add it without the default, set the default for later rows, and fill those that are there in batches";
    BM108 Warning ALL "a value becomes unique in a table that has rows", "it fails where two rows have the same, and writers wait while it is built",
        "look first: SELECT … GROUP BY … HAVING count(*) > 1; on PostgreSQL then CREATE UNIQUE INDEX CONCURRENTLY and ADD CONSTRAINT … UNIQUE USING INDEX";
    BM109 Warning POSTGRES "an index is built, dropped or built anew, or a partition detached, while writers wait", "it locks the table against writes until it is done",
        "CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY, REINDEX … CONCURRENTLY, DETACH PARTITION … CONCURRENTLY: backstay runs them outside the transaction";
    BM110 Note POSTGRES "CONCURRENTLY behind other statements", "no transaction holds it: what stands before it stays done when it fails, and the next run goes on there",
        "put it into a file of its own, or COMMIT before it: the file then says that it has parts";
    BM111 Warning POSTGRES "a reference or check is added and all rows are read at once", "both tables of a reference are locked against writes until all rows are read",
        "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT as a statement of its own";
    BM112 Warning UNINDEXED "a reference without an index", "deleting the row that is referred to, and embedding, read the whole table",
        "CREATE INDEX on the columns of the reference";
    BM114 Warning ALL "many rows change in one statement", "their locks are held until the file ends, and writers wait",
        "change them in batches from a program or job, in a file apart from the definitions, with a WHERE";
    BM115 Warning SERVERS "a key of 32 bits or less", "it runs out after two thousand million rows",
        "BigInt, or an id of the server's (UUIDv7)";
    BM116 Warning POSTGRES "a type that is not what it seems", "char(n) gives back spaces that nobody stored, a timestamp without time zone has no moment",
        "text with a check, timestamp with time zone";
    BM117 Warning SERVERS "the primary key of a table changes", "the table is locked, or written anew, until it is done",
        "on PostgreSQL: CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … PRIMARY KEY USING INDEX";
    BM118 Warning ALL "an index that another one makes needless, or of many columns", "each write pays for it",
        "drop it, or leave out the columns at its end";
    BM119 Error ALL "a name that is too long, differs in capitals alone, or is a word of SQL that nobody quotes", "the database cuts or refuses it, or takes the two for one",
        "a shorter name, another, or quotes around it";
    BM120 Warning POSTGRES "a statement that cannot run twice", "outside a transaction a run that died may have done it already, and the next one fails",
        "DROP INDEX CONCURRENTLY IF EXISTS";
    BM121 Warning MYSQL "a change that copies the table, or does nothing", "writers wait while a table is copied; REFERENCES behind a column is not heard by MySQL",
        "FOREIGN KEY as a constraint of the table, drop and add a key in one statement, gh-ost or pt-online-schema-change for big tables";
    BM122 Note SQLITE "a table is made anew", "writers wait while its rows are copied",
        "nothing, for tables that are copied within seconds";
    BM123 Warning SERVERS "an enum of the database", "its members cannot be taken away, or the table is written anew for each",
        "text with a CHECK, as an enum of the schema is";
    BM124 Warning POSTGRES "a policy goes or changes in a file that changes rows", "whoever reads the file for the one does not see the other, and rows are open that were not",
        "two files, so that each is looked at for itself";
    BM125 Error ALL "a table or column goes that the schema still names", "every request for it fails once the file has run",
        "take it out of the schema in the same change; @was renames it";
    BM130 Error ALL "a remark that allows nothing", "it names no lint, gives no reason, or silences nothing",
        "-- backstay:allow BM103 the old clients are gone, above the statement";
}
