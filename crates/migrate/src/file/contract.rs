//! What the second file of an expansion says of itself: `-- contracts member: title < name, age, - legacy`.
//! `title` comes from `name`, `age` comes to require a value, `legacy` goes.

/// What a line begins with that says so.
const CONTRACTS: &str = "-- contracts ";

/// A table that loses what only the version before needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub table: String,
    /// What becomes of its columns; a table without any goes as a whole.
    pub columns: Vec<Contracted>,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contracted {
    /// It is what the schema says from now on.
    Comes {
        /// Its name.
        column: String,
        /// The column that it takes the place of.
        from: Option<String>,
    },
    /// It goes with its values.
    Goes(String),
}

impl Contract {
    /// The line that says so.
    #[must_use]
    pub fn remark(&self) -> String {
        let columns = self.columns.iter().map(|column| match column {
            Contracted::Comes { column, from: Some(from) } => format!("{column} < {from}"),
            Contracted::Comes { column, from: None } => column.clone(),
            Contracted::Goes(column) => format!("- {column}"),
        });
        format!("{CONTRACTS}{}: {}", self.table, columns.collect::<Vec<_>>().join(", ")).trim_end().to_owned()
    }

    /// What a line says; none for another line.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let (table, columns) = line.trim_end().strip_prefix(CONTRACTS)?.split_once(':')?;
        let columns = columns.split(',').map(str::trim).filter(|column| !column.is_empty());
        let columns = columns.map(|column| match (column.strip_prefix("- "), column.split_once(" < ")) {
            (Some(gone), _) => Contracted::Goes(gone.to_owned()),
            (None, Some((column, from))) => {
                Contracted::Comes { column: column.to_owned(), from: Some(from.to_owned()) }
            }
            (None, None) => Contracted::Comes { column: column.to_owned(), from: None },
        });
        Some(Self { table: table.to_owned(), columns: columns.collect() })
    }

    /// The columns whose values live on in others.
    pub fn moved(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter_map(|column| match column {
            Contracted::Comes { from, .. } => from.as_ref(),
            Contracted::Goes(_) => None,
        })
    }

    /// The columns that go, with their values or without.
    pub fn gone(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter_map(|column| match column {
            Contracted::Comes { from, .. } => from.as_ref(),
            Contracted::Goes(column) => Some(column),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Contract, Contracted};

    #[test]
    fn a_remark_is_read_as_it_was_written() {
        let comes = |column: &str, from: Option<&str>| Contracted::Comes {
            column: column.to_owned(),
            from: from.map(str::to_owned),
        };
        for (line, columns) in [
            ("-- contracts member: title < name", vec![comes("title", Some("name"))]),
            (
                "-- contracts member: age, - legacy",
                vec![comes("age", None), Contracted::Goes("legacy".into())],
            ),
            ("-- contracts member:", Vec::new()),
        ] {
            let contract = Contract { table: "member".to_owned(), columns };
            assert_eq!(contract.remark(), line);
            assert_eq!(Contract::read(line), Some(contract));
        }
        assert_eq!(Contract::read("-- contracts"), None);
        assert_eq!(Contract::read("-- loses a"), None);
    }
}
