//! `@unique`, `@index` and the indexes that references get by themselves.

use crate::catalog::{ColumnId, FullText, Index, PartialIndex, Span, Unique};
use crate::compile::build::{Builder, Placed};
use crate::compile::draft::{Application, TypeDraft, every};
use crate::diagnostic::codes;
use crate::expr::{Expr, ExprKind, Ty};
use crate::name::object_name;
use crate::scalar::ScalarType;
use crate::value::Value;
use backstay_base::suggest;

impl Builder<'_> {
    pub fn constraints(&mut self) {
        for (index, ty) in self.draft.types.iter().enumerate() {
            if self.tables.get(index).copied().flatten().is_none() {
                continue;
            }
            for (position, field) in ty.fields.iter().enumerate() {
                let columns = self.stored(index, position);
                for directive in &field.directives {
                    if matches!(directive.name.as_str(), "unique" | "index") && !columns.is_empty() {
                        if directive.names("fields").is_some() {
                            let message = format!("`@{}` on a field takes no `fields`", directive.name);
                            self.error(codes::UNFIT_DIRECTIVE, directive.span, message);
                        }
                        self.add_constraint(index, directive, columns.clone());
                    }
                }
            }
            for directive in every(&ty.directives, "unique").chain(every(&ty.directives, "index")) {
                let columns = self.named_columns(index, ty, directive);
                if !columns.is_empty() {
                    self.add_constraint(index, directive, columns);
                }
            }
            self.reference_indexes(index);
        }
    }

    /// The columns that a field is stored in.
    fn stored(&self, ty: usize, position: usize) -> Vec<ColumnId> {
        match self.placed.get(ty).and_then(|placed| placed.get(position)) {
            Some(Placed::Column(id) | Placed::Stored(id, _)) => vec![*id],
            Some(Placed::Reference(_, columns)) => columns.clone(),
            Some(Placed::Far(_) | Placed::Computed(_) | Placed::Dropped) | None => Vec::new(),
        }
    }

    fn named_columns(&mut self, index: usize, ty: &TypeDraft, directive: &Application) -> Vec<ColumnId> {
        let names: &[(String, Span)] = directive.names("fields").unwrap_or_default();
        if names.is_empty() && !directive.arguments.iter().any(|argument| argument.name == "fields") {
            let message = format!("`@{}` on a type needs `fields`", directive.name);
            self.error(codes::MISSING_ARGUMENT, directive.span, message);
        } else if names.is_empty() {
            self.error(
                codes::ARGUMENT_VALUE,
                directive.span,
                format!("`@{}` names no fields", directive.name),
            );
        }
        let mut columns = Vec::new();
        for (name, span) in names {
            let position = ty.fields.iter().position(|field| &field.name == name);
            let stored = position.map(|position| self.stored(index, position)).unwrap_or_default();
            let dropped = position.is_some_and(|position| {
                self.placed.get(index).and_then(|placed| placed.get(position)) == Some(&Placed::Dropped)
            });
            if stored.is_empty() && !dropped {
                let near = suggest::nearest(name, ty.fields.iter().map(|field| field.name.as_str()));
                let message = match position {
                    Some(_) => format!("\"{name}\" is not stored in \"{}\"", ty.name),
                    None => format!("type \"{}\" has no field \"{name}\"", ty.name),
                };
                let help = near.map_or_else(
                    || "name columns or references of the type".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                self.error_with_help(codes::UNKNOWN_FIELD, *span, message, help);
            }
            if stored.iter().any(|id| columns.contains(id)) {
                self.error(codes::DUPLICATE, *span, format!("\"{name}\" is named twice"));
                continue;
            }
            columns.extend(stored);
        }
        columns
    }

    fn add_constraint(&mut self, index: usize, directive: &Application, columns: Vec<ColumnId>) {
        if directive.word("kind") == Some("FULLTEXT") {
            self.add_full_text(index, directive, columns);
            return;
        }
        let unique = directive.name == "unique";
        let Some(table) = self.table_of(index) else { return };
        let unfit = columns.iter().map(|id| table.column(*id)).find_map(|column| match column.ty {
            ScalarType::List(_) => Some((column, "a list")),
            ScalarType::Json => Some((column, "a JSON document")),
            _ => None,
        });
        if let Some((column, what)) = unfit {
            let message =
                format!("\"{}\" is {what}, which `@{}` does not take", column.field, directive.name);
            let help = "keep what is looked up in a type of its own, and refer to its rows";
            self.error_with_help(codes::UNFIT_DIRECTIVE, directive.span, message, help);
            return;
        }
        if directive.text("where").is_some() {
            self.add_partial(index, directive, columns);
            return;
        }
        let Some(table) = self.table_of(index) else { return };
        let repeated = if unique {
            table.key == columns || table.uniques.iter().any(|other| other.columns == columns)
        } else {
            table.indexes.iter().any(|other| other.columns == columns)
        };
        if repeated {
            let message = format!("`@{}` repeats a constraint of the type", directive.name);
            self.error(codes::DUPLICATE, directive.span, message);
            return;
        }
        let name = self.free_name(index, &columns, if unique { "key" } else { "idx" });
        let Some(table) = self.table_of(index) else { return };
        if unique {
            table.uniques.push(Unique { name, columns });
        } else {
            table.indexes.push(Index { name, columns });
        }
    }

    /// The condition is filled in with the rules, when every name has its meaning.
    fn add_partial(&mut self, index: usize, directive: &Application, columns: Vec<ColumnId>) {
        let unique = directive.name == "unique";
        let condition = Expr {
            kind: ExprKind::Const(Value::Bool(false)),
            ty: Ty::Scalar(ScalarType::Boolean),
            span: directive.span,
        };
        let Some(table) = self.table_of(index) else { return };
        table.partials.push(PartialIndex {
            name: String::new(),
            columns,
            unique,
            condition,
            span: directive.span,
        });
    }

    /// The columns stand in the order of their names: of words in several texts there is no first.
    fn add_full_text(&mut self, index: usize, directive: &Application, mut columns: Vec<ColumnId>) {
        let Some(table) = self.table_of(index) else { return };
        columns.sort_by(|a, b| table.column(*a).name.cmp(&table.column(*b).name));
        let other = columns
            .iter()
            .map(|id| table.column(*id))
            .find(|column| column.ty != ScalarType::String || column.relation.is_some());
        if let Some(field) = other.map(|column| column.field.clone()) {
            let message = format!("\"{field}\" is no text, and a full-text index holds words of texts");
            let help = "name fields of the type String";
            self.error_with_help(codes::UNFIT_DIRECTIVE, directive.span, message, help);
            return;
        }
        if directive.text("where").is_some() {
            let message = "a full-text index has the words of every row: it takes no `where`";
            self.error(codes::UNFIT_DIRECTIVE, directive.span, message.to_owned());
            return;
        }
        if table.full_texts.iter().any(|other| other.columns == columns) {
            let message = "`@index` repeats a full-text index of the type";
            self.error(codes::DUPLICATE, directive.span, message.to_owned());
            return;
        }
        let name = self.free_name(index, &columns, "fts");
        let Some(table) = self.table_of(index) else { return };
        table.full_texts.push(FullText { name, columns, span: directive.span });
    }

    /// Every reference can be followed backwards: an index begins with its columns.
    fn reference_indexes(&mut self, index: usize) {
        let count = self.table_of(index).map_or(0, |table| table.relations.len());
        for relation in 0..count {
            let Some(table) = self.table_of(index) else { return };
            let columns: Vec<ColumnId> = table
                .columns
                .iter()
                .filter(|column| column.relation.is_some_and(|id| usize::from(id.0) == relation))
                .map(|column| column.id)
                .collect();
            let covered = |existing: &[ColumnId]| existing.starts_with(&columns);
            let has = covered(&table.key)
                || table.uniques.iter().any(|unique| covered(&unique.columns))
                || table.indexes.iter().any(|index| covered(&index.columns));
            if columns.is_empty() || has {
                continue;
            }
            let name = self.free_name(index, &columns, "idx");
            if let Some(table) = self.table_of(index) {
                table.indexes.push(Index { name, columns });
            }
        }
    }

    /// A name that no table, key or index has yet: a number is appended as PostgreSQL does.
    fn free_name(&mut self, index: usize, columns: &[ColumnId], label: &str) -> String {
        let Some(table) = self.table_of(index) else { return String::new() };
        let joined = columns.iter().map(|id| table.column(*id).name.as_str()).collect::<Vec<_>>().join("_");
        let table = table.name.clone();
        self.unused_name(&table, &joined, label)
    }

    /// `table_columns_label`, or the same with a number.
    pub fn unused_name(&mut self, table: &str, columns: &str, label: &str) -> String {
        let mut name = object_name(table, columns, label);
        for number in 1_u32.. {
            if self.index_names.insert(name.to_ascii_lowercase()) {
                break;
            }
            name = object_name(table, columns, &format!("{label}{number}"));
        }
        name
    }
}
