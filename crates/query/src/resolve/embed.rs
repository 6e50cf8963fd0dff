//! Which relation an embed means (SEMANTICS 19), and the joins that it stands for.
//! Every hop, junctions included, is a source of its own, so that rules reach it.

use super::{Resolver, Scope};
use crate::named::{Embed, Item, Select};
use crate::plan::{ColumnRef, Exists, Pred, PredOp, Scalar, SourceId};
use backstay_base::code;
use backstay_base::fault::{Choice, Choices, Fault};
use backstay_base::suggest::{self, OPENING};
use backstay_schema::catalog::{ColumnId, Relation, RelationId, RelationKind, Table};

/// A way from one table to another.
#[derive(Clone)]
pub(super) struct Link<'c> {
    /// The other table.
    pub(super) target: &'c Table,
    hop: Hop<'c>,
}

#[derive(Clone)]
enum Hop<'c> {
    /// This row holds the key of the target.
    Forward(&'c Relation),
    /// The target holds the key of this row, by this relation of the target.
    Reverse(&'c Relation),
    /// A table between holds both keys.
    Through { junction: &'c Table, near: &'c Relation, far: &'c Relation },
}

impl Link<'_> {
    /// Whether it leads to at most one row.
    pub(super) fn single(&self) -> bool {
        match &self.hop {
            Hop::Forward(_) => true,
            Hop::Reverse(relation) => is_unique(self.target, foreign_key(relation)),
            Hop::Through { .. } => false,
        }
    }

    fn same(&self, other: &Self) -> bool {
        let id = |relation: &Relation| relation.id;
        self.target.id == other.target.id
            && match (&self.hop, &other.hop) {
                (Hop::Forward(a), Hop::Forward(b)) | (Hop::Reverse(a), Hop::Reverse(b)) => id(a) == id(b),
                (
                    Hop::Through { junction, near, far },
                    Hop::Through { junction: other, near: other_near, far: other_far },
                ) => junction.id == other.id && id(near) == id(other_near) && id(far) == id(other_far),
                _ => false,
            }
    }

    /// Whether `hint` names this link: a column, constraint, relation field or junction.
    fn hinted(&self, from: &Table, hint: &str) -> bool {
        match &self.hop {
            Hop::Forward(relation) => named_so(from, relation, hint),
            // In a table that refers to itself, column and field name the way forward.
            Hop::Reverse(relation) if self.target.id == from.id => {
                constraint(relation) == hint || declared(from, self).is_some_and(|name| name == hint)
            }
            Hop::Reverse(relation) => {
                named_so(self.target, relation, hint) || declared(from, self).is_some_and(|name| name == hint)
            }
            Hop::Through { junction, near, far } => {
                junction.name == hint
                    || constraint(near) == hint
                    || constraint(far) == hint
                    || declared(from, self).is_some_and(|name| name == hint)
            }
        }
    }

    /// What tells it apart from others in PGRST201.
    fn hint<'s>(&'s self, from: &'s Table) -> &'s str {
        match &self.hop {
            Hop::Forward(relation) if self.target.id == from.id => &relation.name,
            Hop::Reverse(relation) if self.target.id == from.id => {
                declared(from, self).unwrap_or_else(|| constraint(relation))
            }
            Hop::Forward(relation) | Hop::Reverse(relation) => constraint(relation),
            Hop::Through { junction, .. } => &junction.name,
        }
    }

    /// The columns that tie the two tables, each with its table.
    fn names(&self, from: &Table) -> Vec<(String, String)> {
        let of = |table: &Table, columns: &[ColumnId]| -> Vec<(String, String)> {
            let name = |column: &ColumnId| (table.name.clone(), table.column(*column).name.clone());
            columns.iter().map(name).collect()
        };
        let (here, there) = (of(from, &from.key), of(self.target, &self.target.key));
        match &self.hop {
            Hop::Forward(relation) => [of(from, foreign_key(relation)), there].concat(),
            Hop::Reverse(relation) => [here, of(self.target, foreign_key(relation))].concat(),
            Hop::Through { junction, near, far } => {
                let ties = [of(junction, foreign_key(near)), of(junction, foreign_key(far))];
                [here, ties.concat(), there].concat()
            }
        }
    }

    /// Cardinality and relationship in PostgREST's words.
    fn described(&self, from: &Table) -> (&'static str, String) {
        let (to, single) = (self.target, self.single());
        match &self.hop {
            Hop::Forward(relation) => {
                let cardinality =
                    if is_unique(from, foreign_key(relation)) { "one-to-one" } else { "many-to-one" };
                (cardinality, using(relation, from, foreign_key(relation), to, &to.key))
            }
            Hop::Reverse(relation) => {
                let cardinality = if single { "one-to-one" } else { "one-to-many" };
                (cardinality, using(relation, from, &from.key, to, foreign_key(relation)))
            }
            Hop::Through { junction, near, far } => {
                let side = |relation: &Relation| {
                    format!("{}({})", constraint(relation), list(junction, foreign_key(relation)))
                };
                ("many-to-many", format!("{} using {} and {}", junction.name, side(near), side(far)))
            }
        }
    }
}

impl<'c> Resolver<'c> {
    /// The relation that an embed of `from` means.
    pub(super) fn link(&self, from: &'c Table, embed: &Embed) -> Result<Link<'c>, Fault> {
        let hint = embed.hint.as_deref();
        for class in [Self::by_field, Self::by_column, Self::by_constraint, Self::by_table] {
            let mut found: Vec<Link<'c>> = Vec::new();
            for link in class(self, from, &embed.target) {
                let fits = hint.is_none_or(|hint| link.hinted(from, hint));
                if fits && self.visible(&link) && !found.iter().any(|other| other.same(&link)) {
                    found.push(link);
                }
            }
            match found.as_slice() {
                [] => {}
                [one] => return Ok(one.clone()),
                many => return Err(ambiguous(from, &embed.target, many)),
            }
        }
        Err(self.no_relationship(from, embed))
    }

    fn visible(&self, link: &Link<'c>) -> bool {
        let junction = match &link.hop {
            Hop::Through { junction, .. } => self.reaches(junction),
            Hop::Forward(_) | Hop::Reverse(_) => true,
        };
        junction && self.reaches(link.target)
    }

    fn by_field(&self, from: &'c Table, name: &str) -> Vec<Link<'c>> {
        from.relations.iter().filter(|relation| relation.name == name).map(|one| self.of(one)).collect()
    }

    fn by_column(&self, from: &'c Table, name: &str) -> Vec<Link<'c>> {
        let relation = from.column_named(name).and_then(|column| column.relation);
        relation.map(|id| self.of(from.relation(id))).into_iter().collect()
    }

    fn by_constraint(&self, from: &'c Table, name: &str) -> Vec<Link<'c>> {
        self.neighbours(from).into_iter().filter(|link| link.foreign_key_named(name)).collect()
    }

    fn by_table(&self, from: &'c Table, name: &str) -> Vec<Link<'c>> {
        let Some(to) = self.catalog.any_table(name) else { return Vec::new() };
        let mut links: Vec<Link<'c>> =
            self.neighbours(from).into_iter().filter(|link| link.target.id == to.id).collect();
        links.extend(self.junctions(from, to));
        links
    }

    /// The link of a declared relation.
    fn of(&self, relation: &'c Relation) -> Link<'c> {
        let target = self.catalog.table(relation.target);
        let hop = match &relation.kind {
            RelationKind::ToOne { .. } => Hop::Forward(relation),
            RelationKind::ToMany { inverse, .. } => Hop::Reverse(target.relation(*inverse)),
            RelationKind::ManyToMany { junction, near, far } => {
                let junction = self.catalog.table(*junction);
                Hop::Through { junction, near: junction.relation(*near), far: junction.relation(*far) }
            }
        };
        Link { target, hop }
    }

    /// Every foreign key from or to a table, declared as a field or not.
    fn neighbours(&self, from: &'c Table) -> Vec<Link<'c>> {
        let forward = from.relations.iter().filter(|one| is_to_one(one)).map(|one| self.of(one));
        let reverse = self.catalog.tables.iter().flat_map(|target| {
            let back = target.relations.iter().filter(|one| is_to_one(one) && one.target == from.id);
            back.map(move |relation| Link { target, hop: Hop::Reverse(relation) })
        });
        forward.chain(reverse).collect()
    }

    /// Tables whose primary key holds the keys of both.
    fn junctions(&self, from: &Table, to: &'c Table) -> Vec<Link<'c>> {
        let mut links = Vec::new();
        for junction in &self.catalog.tables {
            let in_key = |one: &&Relation| {
                is_to_one(one) && foreign_key(one).iter().all(|column| junction.key.contains(column))
            };
            for near in junction.relations.iter().filter(in_key).filter(|near| near.target == from.id) {
                let other = |far: &&Relation| far.target == to.id && far.id != near.id;
                let fars = junction.relations.iter().filter(in_key).filter(other);
                links.extend(fars.map(|far| Link { target: to, hop: Hop::Through { junction, near, far } }));
            }
        }
        links
    }

    /// The condition that ties `target` to the row of `scope`.
    pub(super) fn join(&mut self, scope: Scope<'c, '_>, link: &Link<'c>, target: Scope<'c, '_>) -> Pred {
        match &link.hop {
            Hop::Forward(relation) => {
                tied(side(target, &target.table.key), side(scope, foreign_key(relation)))
            }
            Hop::Reverse(relation) => {
                tied(side(target, foreign_key(relation)), side(scope, &scope.table.key))
            }
            Hop::Through { junction, near, far } => {
                let source = self.sources.next_id();
                let middle = |relation| Side { source, table: junction, columns: foreign_key(relation) };
                let near = tied(middle(near), side(scope, &scope.table.key));
                let filter = near.and(tied(middle(far), side(target, &target.table.key)));
                Pred::Exists(Box::new(Exists { source, table: junction.id, filter }))
            }
        }
    }

    /// The semi-join of an embed: some row there that passes the filters of the embed.
    pub(super) fn exists(&mut self, scope: Scope<'c, '_>, embed: &Embed) -> Result<Exists, Fault> {
        self.node()?;
        self.hop()?;
        self.deep(scope.depth + 1)?;
        let link = self.link(scope.table, embed)?;
        let target = self.target(scope, &link, embed);
        let Hop::Through { junction, near, far } = &link.hop else {
            let filter = self.join(scope, &link, target).and(self.conditions(target, &embed.select)?);
            return Ok(Exists { source: target.source, table: target.table.id, filter });
        };
        let source = self.sources.next_id();
        let middle = |relation| Side { source, table: junction, columns: foreign_key(relation) };
        let far = tied(side(target, &target.table.key), middle(far));
        let filter = far.and(self.conditions(target, &embed.select)?);
        let inner = Exists { source: target.source, table: target.table.id, filter };
        let near = tied(middle(near), side(scope, &scope.table.key));
        Ok(Exists { source, table: junction.id, filter: near.and(Pred::Exists(Box::new(inner))) })
    }

    /// The filters of a select, and the semi-joins of its `!inner` embeds.
    pub(super) fn conditions(&mut self, scope: Scope<'c, '_>, select: &Select) -> Result<Pred, Fault> {
        let mut all = self.filters(scope, &select.filters)?;
        for item in &select.items {
            let Item::Embed(embed) = item else { continue };
            if embed.inner {
                all = all.and(Pred::Exists(Box::new(self.exists(scope, embed)?)));
            } else if embed.select.items.is_empty() && !embed.select.filters.is_empty() {
                // `rel()` answers nothing and keeps every parent, but what its filters name must be
                // readable all the same: weaving looks at both sides before it folds them
                let unanswered = Pred::Exists(Box::new(self.exists(scope, embed)?));
                all = all.and(Pred::Or(vec![Pred::TRUE, unanswered]));
            }
        }
        Ok(all)
    }

    fn no_relationship(&self, from: &'c Table, embed: &Embed) -> Fault {
        let (from_name, name) = (&from.name, &embed.target);
        let hint = embed.hint.as_ref().map(|hint| format!(" using the hint '{hint}'")).unwrap_or_default();
        let fault = Fault::new(
            code::NO_RELATIONSHIP,
            format!("Could not find a relationship between '{from_name}' and '{name}' in the schema cache"),
        )
        .with_details(format!(
            "Searched for a foreign key relationship between '{from_name}' and '{name}'{hint} in the schema 'public', but no matches were found."
        ));
        let links: Vec<Link<'c>> =
            self.neighbours(from).into_iter().filter(|one| self.visible(one)).collect();
        let fields =
            from.relations.iter().filter(|one| self.visible(&self.of(one))).map(|one| one.name.as_str());
        let names = fields.chain(links.iter().map(|link| link.target.name.as_str()));
        match suggest::nearest(name, names) {
            Some(near) => fault.with_hint(format!("{OPENING} '{near}' instead of '{name}'.")),
            None => fault,
        }
    }
}

impl Link<'_> {
    fn foreign_key_named(&self, name: &str) -> bool {
        match &self.hop {
            Hop::Forward(relation) | Hop::Reverse(relation) => constraint(relation) == name,
            Hop::Through { .. } => false,
        }
    }
}

/// Columns of one source that take part in a join.
#[derive(Clone, Copy)]
struct Side<'a> {
    source: SourceId,
    table: &'a Table,
    columns: &'a [ColumnId],
}

const fn side<'a>(scope: Scope<'a, '_>, columns: &'a [ColumnId]) -> Side<'a> {
    Side { source: scope.source, table: scope.table, columns }
}

/// Equality of two lists of columns.
fn tied(left: Side<'_>, right: Side<'_>) -> Pred {
    let scalars = |side: Side<'_>| -> Vec<Scalar> {
        let of = |column: &ColumnId| ColumnRef { source: side.source, table: side.table.id, column: *column };
        side.columns.iter().map(|column| Scalar::Column(of(column))).collect()
    };
    scalars(left)
        .into_iter()
        .zip(scalars(right))
        .fold(Pred::TRUE, |all, (a, b)| all.and(Pred::Compare(PredOp::Eq, a, b)))
}

const fn is_to_one(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::ToOne { .. })
}

/// Columns of a to-one relation; others have none of their own.
fn foreign_key(relation: &Relation) -> &[ColumnId] {
    match &relation.kind {
        RelationKind::ToOne { columns, .. } => columns,
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => &[],
    }
}

fn constraint(relation: &Relation) -> &str {
    match &relation.kind {
        RelationKind::ToOne { constraint, .. } => constraint,
        RelationKind::ToMany { .. } | RelationKind::ManyToMany { .. } => &relation.name,
    }
}

fn named_so(table: &Table, relation: &Relation, hint: &str) -> bool {
    relation.name == hint
        || constraint(relation) == hint
        || foreign_key(relation).iter().any(|column| table.column(*column).name == hint)
}

/// The field of `from` that declares this link, if there is one.
fn declared<'t>(from: &'t Table, link: &Link<'_>) -> Option<&'t str> {
    let fits = |relation: &&Relation| match (&relation.kind, &link.hop) {
        (RelationKind::ToOne { .. }, Hop::Forward(one)) => relation.id == one.id,
        (RelationKind::ToMany { inverse, .. }, Hop::Reverse(one)) => *inverse == one.id,
        (
            RelationKind::ManyToMany { junction, near, far },
            Hop::Through { junction: table, near: n, far: f },
        ) => {
            let ids: [RelationId; 2] = [*near, *far];
            *junction == table.id && ids == [n.id, f.id]
        }
        _ => false,
    };
    from.relations
        .iter()
        .find(|relation| relation.target == link.target.id && fits(relation))
        .map(|relation| relation.name.as_str())
}

fn is_unique(table: &Table, columns: &[ColumnId]) -> bool {
    let same =
        |key: &[ColumnId]| key.len() == columns.len() && key.iter().all(|column| columns.contains(column));
    // nothing keeps the key of a view unique
    !table.is_view && (same(&table.key) || table.uniques.iter().any(|unique| same(&unique.columns)))
}

fn list(table: &Table, columns: &[ColumnId]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| table.column(*column).name.as_str()).collect();
    names.join(", ")
}

fn using(relation: &Relation, from: &Table, here: &[ColumnId], to: &Table, there: &[ColumnId]) -> String {
    format!(
        "{} using {}({}) and {}({})",
        constraint(relation),
        from.name,
        list(from, here),
        to.name,
        list(to, there)
    )
}

fn ambiguous(from: &Table, name: &str, links: &[Link<'_>]) -> Fault {
    let choice = |link: &Link<'_>| {
        let (cardinality, relationship) = link.described(from);
        let embedding = format!("{} with {}", from.name, link.target.name);
        let text = serde_json::json!({
            "cardinality": cardinality, "embedding": embedding, "relationship": relationship,
        });
        let word = format!("'{name}!{}'", link.hint(from));
        Choice { word, text: text.to_string(), names: link.names(from) }
    };
    let choices = Choices {
        hint: [
            format!("Try changing '{name}' to one of the following: "),
            ". Find the desired relationship in the 'details' key.".to_owned(),
        ],
        all: links.iter().map(choice).collect(),
    };
    let message = format!(
        "Could not embed because more than one relationship was found for '{}' and '{name}'",
        from.name
    );
    Fault { choices: Some(Box::new(choices)), ..Fault::new(code::AMBIGUOUS_EMBED, message) }
}
