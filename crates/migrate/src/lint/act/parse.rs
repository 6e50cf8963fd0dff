//! What the statements that lints know say of tables: the parser's tree in, acts out.

use super::define::{column, constraint, defined, index};
use super::{Act, last, plain};
use crate::lint::moved::moved;
use sqlparser::ast::{
    AlterColumnOperation as Alter, AlterIndexOperation, AlterTableOperation as Operation, AlterType,
    AlterTypeOperation, CreateTable, FromTable, ObjectName, ObjectType, RenameTableNameKind, Statement,
    TableFactor, TableWithJoins, TruncateTableTarget, UserDefinedTypeRepresentation,
};

pub(super) fn of(statement: Statement) -> Vec<Act> {
    match statement {
        Statement::CreateTable(CreateTable { name, columns, constraints, .. }) => vec![Act::CreateTable {
            table: last(&name),
            columns: columns.into_iter().map(column).collect(),
            constraints: constraints.into_iter().map(|each| constraint(each, false)).collect(),
        }],
        Statement::AlterTable(alter) => {
            let table = last(&alter.name);
            alter.operations.into_iter().flat_map(|operation| altered(&table, operation)).collect()
        }
        Statement::DropPolicy(drop) => vec![Act::OpenWall { table: last(&drop.table_name) }],
        Statement::AlterPolicy(alter) => vec![Act::OpenWall { table: last(&alter.table_name) }],
        Statement::CreateIndex(create) => vec![index(create)],
        Statement::Commit { .. } => vec![Act::Commit],
        Statement::AlterIndex { name, operation: AlterIndexOperation::RenameIndex { index_name } } => {
            vec![Act::RenameIndex { from: last(&name), to: last(&index_name) }]
        }
        Statement::Drop { object_type, if_exists, names, .. } => {
            let one = |name: &ObjectName| match object_type {
                ObjectType::Table => Some(Act::DropTable { table: last(name) }),
                ObjectType::Schema | ObjectType::Database => Some(Act::DropSchema { schema: last(name) }),
                ObjectType::Index => {
                    Some(Act::DropIndex { name: last(name), concurrently: false, if_exists })
                }
                _ => None,
            };
            names.iter().filter_map(one).collect()
        }
        Statement::RenameTable(renames) => renames
            .iter()
            .map(|rename| Act::RenameTable { from: last(&rename.old_name), to: last(&rename.new_name) })
            .collect(),
        Statement::Truncate(truncate) => {
            let table = |target: &TruncateTableTarget| Act::Empty { table: last(&target.name) };
            truncate.table_names.iter().map(table).collect()
        }
        Statement::Update(update) => changed(&update.table, update.selection.is_none()).into_iter().collect(),
        Statement::Insert(insert) => moved(&insert).into_iter().collect(),
        Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            from.iter().filter_map(|from| changed(from, delete.selection.is_none())).collect()
        }
        Statement::CreateType { name, representation: Some(UserDefinedTypeRepresentation::Enum { .. }) } => {
            vec![Act::CreateEnum { name: last(&name) }]
        }
        Statement::AlterType(AlterType { name, operation }) => match operation {
            AlterTypeOperation::AddValue(_) => vec![Act::AddMember { name: last(&name) }],
            AlterTypeOperation::RenameValue(_) => vec![Act::RenameMember { name: last(&name) }],
            AlterTypeOperation::Rename(_) => Vec::new(),
        },
        // what else there is makes, changes and drops no table
        _ => Vec::new(),
    }
}

fn altered(table: &str, operation: Operation) -> Option<Act> {
    let table = table.to_owned();
    Some(match operation {
        Operation::DisableRowLevelSecurity | Operation::NoForceRowLevelSecurity => Act::OpenWall { table },
        Operation::AddConstraint { constraint: added, not_valid } => {
            Act::AddConstraint { table, constraint: constraint(added, not_valid) }
        }
        Operation::AddColumn { column_def, .. } => Act::AddColumn { table, column: column(column_def) },
        Operation::DropColumn { column_names, .. } => {
            Act::DropColumn { table, column: column_names.first().map(plain)? }
        }
        Operation::RenameColumn { old_column_name, new_column_name } => {
            Act::RenameColumn { table, from: plain(&old_column_name), to: plain(&new_column_name) }
        }
        Operation::RenameTable { table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to) } => {
            Act::RenameTable { from: table, to: last(&to) }
        }
        Operation::ChangeColumn { new_name, old_name, .. } if plain(&new_name) != plain(&old_name) => {
            Act::RenameColumn { table, from: plain(&old_name), to: plain(&new_name) }
        }
        Operation::ChangeColumn { new_name: name, data_type, options, .. }
        | Operation::ModifyColumn { col_name: name, data_type, options, .. } => {
            Act::ChangeType { table, column: defined(&name, data_type, &options), whole: true }
        }
        Operation::AlterColumn { column_name, op } => match op {
            Alter::SetNotNull => Act::SetNotNull { table, column: plain(&column_name) },
            Alter::SetDataType { data_type, .. } => {
                Act::ChangeType { table, column: defined(&column_name, data_type, &[]), whole: false }
            }
            _ => return None,
        },
        Operation::DropConstraint { name, .. } | Operation::DropForeignKey { name, .. } => {
            Act::DropConstraint { table, name: plain(&name) }
        }
        Operation::DropPrimaryKey { .. } => Act::DropKey { table },
        Operation::DropIndex { name } => {
            Act::DropIndex { name: plain(&name), concurrently: false, if_exists: false }
        }
        Operation::ValidateConstraint { name } => Act::Validate { table, name: plain(&name) },
        // neither rows nor what holds them change
        _ => return None,
    })
}

fn changed(from: &TableWithJoins, all: bool) -> Option<Act> {
    match &from.relation {
        TableFactor::Table { name, .. } => Some(Act::ChangeRows { table: last(name), all }),
        _ => None,
    }
}
