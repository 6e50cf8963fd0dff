//! [`Flavour`]: which of the servers that speak this protocol it is, and what they are
//! told in different words. Versions that were never asked for are refused by name.

use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_sql::dialect::{self, Dialect};

/// A family of servers.
#[derive(Debug)]
pub struct Flavour {
    /// Its name, for people.
    pub name: &'static str,
    /// What its statements look like.
    pub dialect: &'static Dialect,
    /// Settings of a session that have different names; the argument is the statement limit in milliseconds.
    pub settings: fn(u64) -> Vec<String>,
    /// Lifts the limit of statements, for migrations.
    pub unlimited: &'static str,
    /// Makes a database that compares text as we do.
    pub make_database: fn(&str) -> String,
    /// Where the text of CHECK constraints stands.
    pub checks: &'static str,
}

/// MariaDB 10.11 and later.
pub static MARIADB: Flavour = Flavour {
    name: "MariaDB",
    dialect: &dialect::mysql::MARIADB,
    settings: mariadb_settings,
    unlimited: "SET SESSION max_statement_time = 0, innodb_lock_wait_timeout = 60",
    make_database: |name| make_database(name, "utf8mb4_nopad_bin"),
    checks: "SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = database() ORDER BY table_name, constraint_name",
};

/// MySQL 8.0.19 and later.
pub static MYSQL: Flavour = Flavour {
    name: "MySQL",
    dialect: &dialect::mysql::MYSQL,
    settings: mysql_settings,
    unlimited: "SET SESSION max_execution_time = 0, innodb_lock_wait_timeout = 60",
    make_database: |name| make_database(name, "utf8mb4_0900_bin"),
    checks: "SELECT t.table_name, c.constraint_name, c.check_clause FROM information_schema.check_constraints AS c JOIN information_schema.table_constraints AS t ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name WHERE c.constraint_schema = database() ORDER BY t.table_name, c.constraint_name",
};

impl Flavour {
    /// Tells from the words of `version()`.
    ///
    /// # Errors
    /// PGRST000, for a server that is too old.
    pub fn of(version: &str) -> Result<&'static Self, Fault> {
        let mut numbers =
            version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
        let numbers = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let (flavour, least) =
            if version.contains("MariaDB") { (&MARIADB, (10, 11, 0)) } else { (&MYSQL, (8, 0, 19)) };
        if numbers < least {
            let message = format!(
                "{} {}.{}.{} is too old; {}.{}.{} or later is needed",
                flavour.name, numbers.0, numbers.1, numbers.2, least.0, least.1, least.2
            );
            return Err(Fault::new(code::NO_DATABASE, message));
        }
        Ok(flavour)
    }
}

fn make_database(name: &str, collation: &str) -> String {
    ["CREATE DATABASE `", &name.replace('`', "``"), "` CHARACTER SET utf8mb4 COLLATE ", collation].concat()
}

/// Lock waits and waits for definitions end with the statement.
fn seconds(statement_ms: u64) -> String {
    statement_ms.div_ceil(1000).max(1).to_string()
}

fn mariadb_settings(statement_ms: u64) -> Vec<String> {
    let seconds = seconds(statement_ms);
    let limit = format!("{}.{:03}", statement_ms / 1000, statement_ms % 1000);
    vec![
        "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin".to_owned(),
        ["SET SESSION max_statement_time = ", &limit].concat(),
        ["SET SESSION innodb_lock_wait_timeout = ", &seconds, ", lock_wait_timeout = ", &seconds].concat(),
    ]
}

fn mysql_settings(statement_ms: u64) -> Vec<String> {
    let seconds = seconds(statement_ms);
    vec![
        "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin".to_owned(),
        ["SET SESSION max_execution_time = ", &statement_ms.to_string()].concat(),
        ["SET SESSION innodb_lock_wait_timeout = ", &seconds, ", lock_wait_timeout = ", &seconds].concat(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart() {
        let name = |version: &str| Flavour::of(version).map(|flavour| flavour.name);
        assert_eq!(name("10.11.19-MariaDB-deb12").unwrap(), "MariaDB");
        assert_eq!(name("8.0.36").unwrap(), "MySQL");
        assert_eq!(name("9.1.0-commercial").unwrap(), "MySQL");
        let refused = |version: &str| name(version).unwrap_err().message;
        assert_eq!(refused("10.6.9-MariaDB"), "MariaDB 10.6.9 is too old; 10.11.0 or later is needed");
        assert_eq!(refused("5.7.44-log"), "MySQL 5.7.44 is too old; 8.0.19 or later is needed");
    }
}
