//! Bodies that are no JSON: comma-separated values, a line per row, and the `name=value` pairs of
//! a form, one row. Every value is text, read by the type of its column; the word `NULL` alone,
//! as PostgREST has it, is null in a line of values.

use crate::body::{Rows, Rules};
use crate::budget::within;
use crate::parameter;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::Input;

/// Reads comma-separated values; the first line names the columns.
///
/// # Errors
/// PGRST102 for lines of different lengths or text that is no UTF-8, 54001 past a limit, 22021 for NUL.
pub(crate) fn rows(body: &[u8], rules: Rules<'_>) -> Result<Rows, Fault> {
    within(body.len(), rules.limits.body_bytes, "bytes of body")?;
    let mut reader = csv::ReaderBuilder::new().from_reader(body);
    let names: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(invalid("Empty or invalid csv"));
    }
    let picked = Picked::new(names, rules)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        within(rows.len() + 1, rules.limits.write_rows, "rows of one write")?;
        rows.push(picked.row(|index| record.get(index).map(cell))?);
    }
    Ok(Rows { columns: picked.columns, rows, list: true })
}

/// Reads the pairs of a form; the last of a name counts.
///
/// # Errors
/// 22021 for text that no row can hold, 54001 past a limit.
pub(crate) fn row(body: &[u8], rules: Rules<'_>) -> Result<Rows, Fault> {
    within(body.len(), rules.limits.body_bytes, "bytes of body")?;
    let text = std::str::from_utf8(body).map_err(|_| invalid("invalid UTF-8 in the body"))?;
    let mut names: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for (name, value) in parameter::pairs(text)? {
        within(names.len() + 1, rules.limits.nodes, "columns of one write")?;
        match names.iter().position(|known| *known == name).and_then(|index| values.get_mut(index)) {
            Some(known) => *known = value.into_owned(),
            None => {
                names.push(name.into_owned());
                values.push(value.into_owned());
            }
        }
    }
    let picked = Picked::new(names, rules)?;
    let row = picked.row(|index| values.get(index).map(|value| Input::Text(value.clone())))?;
    Ok(Rows { columns: picked.columns, rows: vec![row], list: false })
}

/// Which of the names given are columns of the write.
struct Picked {
    columns: Vec<String>,
    /// Where each column stands in a line; none where it is absent.
    places: Vec<Option<usize>>,
    absent: Input,
}

impl Picked {
    fn new(names: Vec<String>, rules: Rules<'_>) -> Result<Self, Fault> {
        within(names.len(), rules.limits.nodes, "columns of one write")?;
        let twice =
            names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|one| one == *name));
        if let Some((_, name)) = twice {
            return Err(invalid(&format!("column \"{name}\" is named twice")));
        }
        let absent = if rules.missing_default { Input::Default } else { Input::Null };
        let Some(asked) = rules.columns else {
            let places = (0..names.len()).map(Some).collect();
            return Ok(Self { columns: names, places, absent });
        };
        let mut columns: Vec<String> = Vec::with_capacity(asked.len());
        for name in asked {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let places = columns.iter().map(|name| names.iter().position(|given| given == name)).collect();
        Ok(Self { columns, places, absent })
    }

    fn row(&self, value: impl Fn(usize) -> Option<Input>) -> Result<Vec<Input>, Fault> {
        let cells = self.places.iter().map(|place| {
            let cell = place.and_then(&value).unwrap_or_else(|| self.absent.clone());
            match &cell {
                Input::Text(text) if text.contains('\0') => Err(no_row_holds()),
                _ => Ok(cell),
            }
        });
        cells.collect()
    }
}

fn cell(text: &str) -> Input {
    if text == "NULL" { Input::Null } else { Input::Text(text.to_owned()) }
}

fn unreadable(error: csv::Error) -> Fault {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { .. } => invalid("All lines must have same number of fields"),
        csv::ErrorKind::Utf8 { .. } => invalid("invalid UTF-8 in the body"),
        _ => invalid("Empty or invalid csv").with_source(error),
    }
}

fn invalid(message: &str) -> Fault {
    Fault::new(code::BODY_INVALID, message)
}

fn no_row_holds() -> Fault {
    Fault::new(code::INVALID_ENCODING, "invalid byte sequence for encoding \"UTF8\": 0x00")
}

#[cfg(test)]
mod tests {
    use super::{row, rows};
    use crate::body::Rules;
    use backstay_base::limit::Limits;
    use backstay_query::named::Input;

    fn read(body: &str, columns: Option<&[String]>) -> Result<Vec<Vec<Input>>, String> {
        let limits = Limits { write_rows: 3, ..Limits::default() };
        let rules = Rules { columns, missing_default: true, limits: &limits };
        rows(body.as_bytes(), rules).map(|rows| rows.rows).map_err(|fault| fault.message)
    }

    fn text(text: &str) -> Input {
        Input::Text(text.to_owned())
    }

    #[test]
    fn lines_become_rows() {
        assert_eq!(
            read("a,b\n1,\"x, \"\"y\"\"\nz\"\r\nNULL,\n", None),
            Ok(vec![vec![text("1"), text("x, \"y\"\nz")], vec![Input::Null, text("")],])
        );
        assert_eq!(read("a,b\n", None), Ok(vec![]));
        let picked = ["b".to_owned(), "c".to_owned(), "b".to_owned()];
        assert_eq!(read("a,b\n1,2", Some(&picked)), Ok(vec![vec![text("2"), Input::Default]]));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (body, message) in [
            ("", "Empty or invalid csv"),
            ("a,b\n1", "All lines must have same number of fields"),
            ("a\n1,2", "All lines must have same number of fields"),
            ("a,a\n1,2", "column \"a\" is named twice"),
            ("a\n1\n2\n3\n4", "request passes the limit of 3 rows of one write"),
            ("a\nx\0", "invalid byte sequence for encoding \"UTF8\": 0x00"),
        ] {
            assert_eq!(read(body, None), Err(message.to_owned()), "{body:?}");
        }
    }

    #[test]
    fn a_form_is_one_row() {
        let limits = Limits::default();
        let rules = Rules { columns: None, missing_default: false, limits: &limits };
        let read = row(b"a=1&b=x+y%26&a=2&c", rules).unwrap();
        assert_eq!(read.columns, ["a", "b", "c"]);
        assert_eq!(read.rows, [vec![text("2"), text("x y&"), text("")]]);
        assert!(!read.list);
        assert_eq!(row(b"a=%00", rules).unwrap_err().code.text, "22021");
        assert_eq!(row(b"a=%ff", rules).unwrap_err().code.text, "22021");
    }
}
