//! Reads: the read rule of every table, the mask of every field.

use super::Weaver;
use crate::compile::RowRef;
use backstay_base::fault::Fault;
use backstay_query::plan::{Output, OutputValue, Pred, Scalar, Select};
use backstay_schema::catalog::Operation;
use backstay_schema::scalar::ScalarType;

impl Weaver<'_> {
    /// Plans are large: what no rule touches stays where it is.
    pub(super) fn select(&mut self, select: &mut Select) -> Result<(), Fault> {
        let row = RowRef::Source(select.source, select.table);
        let rule = self.compiler(Operation::Read, &[]).may(select.table, Operation::Read, &row)?;
        self.trail.note(select.table, Operation::Read, &rule);
        let asked = self.pred(std::mem::replace(&mut select.filter, Pred::TRUE))?;
        select.filter = rule.and(asked);
        for joined in select.group.iter_mut().flat_map(|group| &mut group.joined) {
            self.select(joined)?;
        }
        for key in &mut select.order {
            key.by = self.scalar(taken(&mut key.by))?;
        }
        let mut refused = None;
        select.outputs.retain_mut(|output| {
            self.output(output).unwrap_or_else(|fault| {
                refused.get_or_insert(fault);
                false
            })
        });
        refused.map_or(Ok(()), Err)
    }

    /// Whether the caller may see the output at all.
    fn output(&mut self, output: &mut Output) -> Result<bool, Fault> {
        match &mut output.value {
            OutputValue::Scalar(scalar, _) if output.starred => return self.see(scalar),
            OutputValue::Scalar(scalar, _) => *scalar = self.scalar(taken(scalar))?,
            OutputValue::Aggregate(folded) => {
                folded.value = folded.value.take().map(|value| self.scalar(value)).transpose()?;
            }
            OutputValue::One(select)
            | OutputValue::Many(select)
            | OutputValue::SpreadMany(select)
            | OutputValue::Spread(select)
            | OutputValue::Count { select, .. } => self.select(select)?,
        }
        Ok(true)
    }
}

fn taken(scalar: &mut Scalar) -> Scalar {
    std::mem::replace(scalar, Scalar::Null(ScalarType::Boolean))
}
