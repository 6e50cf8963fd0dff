//! A small catalog, made by hand.

use backstay_schema::catalog::{
    Access, Catalog, Column, ColumnId, Computed, ComputedId, EnumId, EnumMember, EnumType, Fill, Member,
    OnDelete, Origin, Relation, RelationId, RelationKind, Span, Table, TableId, Unique,
};
use backstay_schema::expr::{Expr, ExprKind, Ty};
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::collections::HashMap;

const NAMES: [&str; 9] = [
    "user",
    "product",
    "order_item",
    "tag",
    "product_tag",
    "review",
    "profile",
    "_backstay_account",
    "empty",
];

fn id_of(name: &str) -> TableId {
    TableId(u16::try_from(NAMES.iter().position(|one| *one == name).unwrap()).unwrap())
}

struct Builder(Table);

impl Builder {
    fn new(name: &str, origin: Origin) -> Self {
        Self(Table {
            id: id_of(name),
            type_name: name.to_owned(),
            name: name.to_owned(),
            doc: None,
            origin,
            columns: Vec::new(),
            relations: Vec::new(),
            computed: Vec::new(),
            key: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            partials: Vec::new(),
            full_texts: Vec::new(),
            limits: Vec::new(),
            checks: Vec::new(),
            access: Access::default(),
            soft_delete: None,
            extras: None,
            is_view: false,
            audit: None,
            deletes_audited: false,
            tenant: None,
            was: None,
            span: Span::default(),
            members: HashMap::new(),
        })
    }

    fn column(mut self, name: &str, ty: ScalarType) -> Self {
        let id = ColumnId(u16::try_from(self.0.columns.len()).unwrap());
        self.0.members.insert(name.to_owned(), Member::Column(id));
        self.0.columns.push(Column {
            id,
            name: name.to_owned(),
            field: name.to_owned(),
            doc: None,
            deprecated: None,
            ty,
            shape: None,
            nullable: true,
            default: None,
            fill: Fill::None,
            set_create: None,
            set_update: None,
            valid: Vec::new(),
            valid_message: None,
            access: Access::default(),
            relation: None,
            was: None,
            span: Span::default(),
        });
        self
    }

    fn id(self) -> Self {
        let mut next = self.column("id", ScalarType::Uuid);
        next.0.key = vec![ColumnId(0)];
        next
    }

    fn relation(mut self, name: &str, target: &str, kind: RelationKind) -> Self {
        let id = RelationId(u16::try_from(self.0.relations.len()).unwrap());
        self.0.members.insert(name.to_owned(), Member::Relation(id));
        self.0.relations.push(Relation {
            id,
            name: name.to_owned(),
            doc: None,
            deprecated: None,
            target: id_of(target),
            kind,
            access: Access::default(),
            span: Span::default(),
        });
        self
    }

    fn reference(self, name: &str, target: &str) -> Self {
        let column = format!("{name}_id");
        let mut next = self.column(&column, ScalarType::Uuid);
        let id = next.0.columns.last().unwrap().id;
        next.0.columns.last_mut().unwrap().relation =
            Some(RelationId(u16::try_from(next.0.relations.len()).unwrap()));
        let constraint = format!("{}_{column}_fkey", next.0.name);
        let kind = RelationKind::ToOne {
            columns: vec![id],
            nullable: true,
            on_delete: OnDelete::SetNull,
            refer: None,
            constraint,
        };
        next.relation(name, target, kind)
    }

    fn many(self, name: &str, target: &str, column: u16, inverse: u16, single: bool) -> Self {
        let kind =
            RelationKind::ToMany { columns: vec![ColumnId(column)], inverse: RelationId(inverse), single };
        self.relation(name, target, kind)
    }

    fn unique(mut self, column: u16) -> Self {
        let name = format!("{}_{}_key", self.0.name, column);
        self.0.uniques.push(Unique { name, columns: vec![ColumnId(column)] });
        self
    }

    fn computed(mut self, name: &str, ty: ScalarType) -> Self {
        self.0.members.insert(name.to_owned(), Member::Computed(ComputedId(0)));
        let expr = Expr { kind: ExprKind::Const(Value::Null), ty: Ty::Null, span: Span::default() };
        self.0.computed.push(Computed {
            id: ComputedId(0),
            name: name.to_owned(),
            doc: None,
            deprecated: None,
            expr,
            ty,
            nullable: true,
            sees_all: false,
            access: Access::default(),
            span: Span::default(),
        });
        self
    }
}

fn product() -> Builder {
    Builder::new("product", Origin::Declared)
        .id()
        .column("title", ScalarType::String)
        .column("slug", ScalarType::String)
        .column("price", ScalarType::Decimal { digits: 18, scale: 4 })
        .column("stock", ScalarType::Int)
        .column("published", ScalarType::Boolean)
        .column("meta", ScalarType::Json)
        .column("status", ScalarType::Enum(EnumId(0)))
        .column("made_at", ScalarType::Timestamp)
        .reference("seller", "user")
        .reference("editor", "user")
        .many("items", "order_item", 1, 0, false)
        .many("reviews", "review", 1, 0, false)
        .relation(
            "tags",
            "tag",
            RelationKind::ManyToMany {
                junction: id_of("product_tag"),
                near: RelationId(0),
                far: RelationId(1),
            },
        )
        .unique(2)
        .computed("rating", ScalarType::Float)
}

pub(super) fn catalog() -> Catalog {
    let mut junction =
        Builder::new("product_tag", Origin::Junction).reference("product", "product").reference("tag", "tag");
    junction.0.key = vec![ColumnId(0), ColumnId(1)];
    let tables = vec![
        Builder::new("user", Origin::Declared)
            .id()
            .column("name", ScalarType::String)
            .column("email", ScalarType::String)
            .unique(2)
            .many("profile", "profile", 1, 0, true),
        product(),
        Builder::new("order_item", Origin::Declared)
            .id()
            .reference("product", "product")
            .column("quantity", ScalarType::Int),
        Builder::new("tag", Origin::Declared)
            .id()
            .column("name", ScalarType::String)
            .reference("parent", "tag")
            .many("children", "tag", 2, 0, false),
        junction,
        Builder::new("review", Origin::Declared)
            .id()
            .reference("product", "product")
            .column("stars", ScalarType::Int),
        Builder::new("profile", Origin::Declared).id().reference("user", "user").unique(1),
        Builder::new("_backstay_account", Origin::System).id().reference("user", "user"),
        Builder::new("empty", Origin::Declared).id(),
    ];
    let tables: Vec<Table> = tables.into_iter().map(|builder| builder.0).collect();
    let by_name = tables.iter().map(|table| (table.name.clone(), table.id)).collect();
    let members = ["DRAFT", "DONE"].map(|name| EnumMember {
        name: name.to_owned(),
        doc: None,
        deprecated: None,
        next: Vec::new(),
        was: None,
    });
    let status = EnumType {
        id: EnumId(0),
        name: "Status".to_owned(),
        doc: None,
        members: members.to_vec(),
        transitions: false,
        span: Span::default(),
    };
    Catalog { tables, enums: vec![status], by_name, ..Catalog::default() }
}
