//! Reads: the read rule of every table, the mask of every field.

use super::Weaver;
use crate::compile::RowRef;
use backstay_base::fault::Fault;
use backstay_query::plan::{Output, OutputValue, Select};
use backstay_schema::catalog::Operation;

impl Weaver<'_> {
    pub(super) fn select(&mut self, mut select: Select) -> Result<Select, Fault> {
        let row = RowRef::Source(select.source, select.table);
        let rule = self.compiler(Operation::Read, &[]).may(select.table, Operation::Read, &row)?;
        self.trail.note(select.table, Operation::Read, &rule);
        let asked = self.pred(select.filter)?;
        select.filter = rule.and(asked);
        for key in &mut select.order {
            let by = std::mem::replace(
                &mut key.by,
                backstay_query::plan::Scalar::Null(backstay_schema::scalar::ScalarType::Boolean),
            );
            key.by = self.scalar(by)?;
        }
        let mut outputs = Vec::with_capacity(select.outputs.len());
        for output in select.outputs {
            if let Some(output) = self.output(output)? {
                outputs.push(output);
            }
        }
        select.outputs = outputs;
        Ok(select)
    }

    fn output(&mut self, output: Output) -> Result<Option<Output>, Fault> {
        let Output { name, starred, value } = output;
        let value = match value {
            OutputValue::Scalar(scalar, ty) if starred => match self.visible(scalar)? {
                Some(scalar) => OutputValue::Scalar(scalar, ty),
                None => return Ok(None),
            },
            OutputValue::Scalar(scalar, ty) => OutputValue::Scalar(self.scalar(scalar)?, ty),
            OutputValue::One(select) => OutputValue::One(Box::new(self.select(*select)?)),
            OutputValue::Many(select) => OutputValue::Many(Box::new(self.select(*select)?)),
            OutputValue::Spread(select) => OutputValue::Spread(Box::new(self.select(*select)?)),
            OutputValue::Count { select, name } => {
                OutputValue::Count { select: Box::new(self.select(*select)?), name }
            }
        };
        Ok(Some(Output { name, starred, value }))
    }
}
