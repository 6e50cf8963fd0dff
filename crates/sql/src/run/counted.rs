//! Keys that the database counts and a row gives all the same (an import): it counts on
//! from the highest, so that it gives none again.

use super::{Runner, unexpected};
use crate::ddl::column::is_counted;
use crate::session::Session;
use crate::statement::Bind;
use crate::writer::Writer;
use backstay_base::fault::Fault;
use backstay_query::plan::Insert;
use backstay_schema::catalog::Table;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;

/// Whether rows give a key that the database would count.
pub(super) fn is_given(insert: &Insert, table: &Table) -> bool {
    let counted = table.columns.iter().find(|column| is_counted(table, column));
    counted.is_some_and(|column| insert.columns.contains(&column.id))
}

impl<S: Session> Runner<'_, S> {
    /// Makes the database count on from these keys.
    pub(super) async fn count_on(
        &mut self,
        insert: &Insert,
        table: &Table,
        keys: &[Vec<Value>],
    ) -> Result<(), Fault> {
        let (Some(template), true) = (self.dialect.count_on, is_given(insert, table)) else { return Ok(()) };
        let highest = keys.iter().flatten().filter_map(|key| match key {
            Value::Int(number) => Some(*number),
            _ => None,
        });
        let (Some(highest), Some(column)) = (highest.max(), table.key.first()) else { return Ok(()) };
        let mut name = Writer::new(self.dialect);
        name.table(table);
        let quoted = name.finish().text;
        let mut writer = Writer::new(self.dialect);
        writer.template(template, &mut |writer, mark| {
            let (value, ty) = match mark {
                '1' => (Value::Text(quoted.clone()), ScalarType::String),
                '2' => (Value::Text(table.column(*column).name.clone()), ScalarType::String),
                _ => (Value::Int(highest), ScalarType::BigInt),
            };
            writer.bind(Bind::Value(value, ty));
        });
        self.values(&writer.finish(), &[], &[ScalarType::BigInt]).await.map_err(unexpected)?;
        Ok(())
    }
}
