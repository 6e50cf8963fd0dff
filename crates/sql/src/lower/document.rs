//! Tests of documents. Where a database has no test that agrees with `@>` of `jsonb`, the document of the
//! request is written out: a test per value, each of which says yes or no, also of what is missing.

use super::Lower;
use crate::dialect::{Documents, ValueTests};
use crate::document::{self, Document, pattern};
use crate::statement::Bind;
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::{JsonKey, JsonStep, SetTest};
use backstay_query::plan::Scalar;
use backstay_schema::scalar::ScalarType;
use backstay_schema::value::Value;
use std::collections::BTreeMap;

/// A stored value.
#[derive(Clone)]
struct Place<'s> {
    root: Root<'s>,
    /// Members from there on.
    path: Vec<JsonStep>,
}

#[derive(Clone, Copy)]
enum Root<'s> {
    /// What is held against the document.
    Whole(&'s Scalar),
    /// The element of a row of elements.
    Element(u64),
}

impl<'s> Place<'s> {
    const fn new(root: Root<'s>) -> Self {
        Self { root, path: Vec::new() }
    }

    fn member(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push(JsonStep { key: JsonKey::Member(name.to_owned()), as_text: false });
        Self { root: self.root, path }
    }
}

/// The writing of one document.
struct Writing {
    tests: &'static ValueTests,
    /// Rows of elements named so far.
    rows: u64,
}

impl Lower<'_> {
    /// Whether the document `a` passes a test of the document `b`; unknown where there is no `a`.
    pub(crate) fn document_test(&mut self, test: SetTest, a: &Scalar, b: &Scalar) -> Result<(), Fault> {
        let given = match b {
            Scalar::Bind(Value::Json(text), _) => Some(text),
            _ => None,
        };
        match (self.dialect.documents, given) {
            (Documents::Pattern { test: template, pattern }, Some(text)) => {
                let pattern = pattern(test, text).ok_or_else(too_large)?;
                let pattern = Scalar::Bind(Value::Text(pattern), ScalarType::String);
                self.typed_template(template, &[a, &pattern], ScalarType::String)
            }
            (Documents::WrittenOut(tests), Some(text)) => {
                let asked =
                    document::parse(text).ok_or_else(|| Fault::internal("a document that is none"))?;
                self.writer.push("CASE WHEN ");
                self.scalar(a)?;
                self.writer.push(" IS NOT NULL THEN ");
                let place = Place::new(Root::Whole(a));
                let mut writing = Writing { tests, rows: 0 };
                match test {
                    SetTest::Contains => writing.containing(self, &place, &asked)?,
                    SetTest::Contained | SetTest::Overlaps => writing.contained(self, &place, &asked)?,
                }
                self.writer.push(" END");
                Ok(())
            }
            (Documents::Whole(template), _) => {
                let argument = |marker| if marker == '1' { a } else { b };
                self.template(template(test), &mut |lower, marker| lower.scalar(argument(marker)))
            }
            // whatever is held against NULL
            (Documents::Pattern { .. } | Documents::WrittenOut(_), None) => self.scalar(b),
        }
    }
}

impl Writing {
    fn containing(&mut self, lower: &mut Lower<'_>, place: &Place<'_>, part: &Document) -> Result<(), Fault> {
        // an array contains a single value, at the top alone
        if let Document::List(_) | Document::Object(_) = part {
            return self.holds(lower, place, part);
        }
        lower.writer.push("(");
        self.holds(lower, place, part)?;
        lower.writer.push(" OR ");
        self.holds(lower, place, &Document::List(vec![part.clone()]))?;
        lower.writer.push(")");
        Ok(())
    }

    fn contained(&mut self, lower: &mut Lower<'_>, place: &Place<'_>, whole: &Document) -> Result<(), Fault> {
        lower.writer.push("(");
        self.held(lower, place, whole)?;
        if let Document::List(items) = whole {
            for item in items.iter().filter(|item| matches!(item, Document::Plain(_) | Document::Text(_))) {
                lower.writer.push(" OR ");
                self.held(lower, place, item)?;
            }
        }
        lower.writer.push(")");
        Ok(())
    }

    /// The value here contains this one.
    fn holds(&mut self, lower: &mut Lower<'_>, place: &Place<'_>, part: &Document) -> Result<(), Fault> {
        match part {
            Document::Plain(text) => self.plain(lower, place, text),
            Document::Text(text) => self.string(lower, place, text),
            Document::List(items) => {
                lower.writer.push("(");
                self.test(lower, self.tests.array, place)?;
                for item in items {
                    lower.writer.push(" AND EXISTS (");
                    let row = self.elements(lower, place)?;
                    self.holds(lower, &row, item)?;
                    lower.writer.push(")");
                }
                lower.writer.push(")");
                Ok(())
            }
            Document::Object(members) => {
                lower.writer.push("(");
                self.test(lower, self.tests.object, place)?;
                for (name, part) in members {
                    lower.writer.push(" AND ");
                    self.holds(lower, &place.member(name), part)?;
                }
                lower.writer.push(")");
                Ok(())
            }
        }
    }

    /// The value here is contained in this one.
    fn held(&mut self, lower: &mut Lower<'_>, place: &Place<'_>, whole: &Document) -> Result<(), Fault> {
        match whole {
            Document::Plain(text) => self.plain(lower, place, text),
            Document::Text(text) => self.string(lower, place, text),
            Document::List(items) => self.held_list(lower, place, items),
            Document::Object(members) => self.held_object(lower, place, members),
        }
    }

    /// There is no element that none of the items contains.
    fn held_list(
        &mut self,
        lower: &mut Lower<'_>,
        place: &Place<'_>,
        items: &[Document],
    ) -> Result<(), Fault> {
        lower.writer.push("(");
        self.test(lower, self.tests.array, place)?;
        lower.writer.push(" AND NOT EXISTS (");
        let row = self.elements(lower, place)?;
        lower.writer.push("NOT (FALSE");
        for item in items {
            lower.writer.push(" OR ");
            self.held(lower, &row, item)?;
        }
        lower.writer.push(")))");
        Ok(())
    }

    /// There are no more members than those that are contained.
    fn held_object(
        &mut self,
        lower: &mut Lower<'_>,
        place: &Place<'_>,
        members: &BTreeMap<String, Document>,
    ) -> Result<(), Fault> {
        lower.writer.push("(");
        self.test(lower, self.tests.object, place)?;
        lower.writer.push(" AND ");
        self.test(lower, self.tests.members, place)?;
        lower.writer.push(" = 0");
        for (name, whole) in members {
            lower.writer.push(" + ");
            self.held(lower, &place.member(name), whole)?;
        }
        lower.writer.push(")");
        Ok(())
    }

    /// `SELECT 1 FROM elements WHERE `, and the element.
    fn elements(&mut self, lower: &mut Lower<'_>, place: &Place<'_>) -> Result<Place<'static>, Fault> {
        self.rows += 1;
        let row = self.rows;
        lower.writer.push("SELECT 1 FROM ");
        lower.template(self.tests.elements, &mut |lower, marker| {
            if marker == '1' {
                return self.value(lower, place);
            }
            name_row(lower, row);
            Ok(())
        })?;
        lower.writer.push(" WHERE ");
        Ok(Place::new(Root::Element(row)))
    }

    fn value(&self, lower: &mut Lower<'_>, place: &Place<'_>) -> Result<(), Fault> {
        if place.path.is_empty() {
            return self.root(lower, place.root);
        }
        lower.template(self.tests.member, &mut |lower, marker| {
            if marker == '1' {
                return self.root(lower, place.root);
            }
            lower.writer.bind(Bind::Path(place.path.clone()));
            Ok(())
        })
    }

    fn root(&self, lower: &mut Lower<'_>, root: Root<'_>) -> Result<(), Fault> {
        match root {
            Root::Whole(scalar) => lower.scalar(scalar),
            Root::Element(row) => lower.template(self.tests.element, &mut |lower, _| {
                name_row(lower, row);
                Ok(())
            }),
        }
    }

    fn test(&self, lower: &mut Lower<'_>, template: &'static str, place: &Place<'_>) -> Result<(), Fault> {
        lower.template(template, &mut |lower, _| self.value(lower, place))
    }

    fn plain(&self, lower: &mut Lower<'_>, place: &Place<'_>, text: &str) -> Result<(), Fault> {
        let element = place.path.is_empty() && matches!(place.root, Root::Element(_));
        let template = if element { self.tests.plain_element } else { self.tests.plain };
        self.with_text(lower, template, place, pattern::plain(text).ok_or_else(too_large)?)
    }

    fn string(&self, lower: &mut Lower<'_>, place: &Place<'_>, text: &str) -> Result<(), Fault> {
        self.with_text(lower, self.tests.string, place, text.to_owned())
    }

    fn with_text(
        &self,
        lower: &mut Lower<'_>,
        template: &'static str,
        place: &Place<'_>,
        text: String,
    ) -> Result<(), Fault> {
        lower.template(template, &mut |lower, marker| {
            if marker == '1' {
                return self.value(lower, place);
            }
            lower.writer.bind(Bind::Value(Value::Text(text.clone()), ScalarType::String));
            Ok(())
        })
    }
}

/// `e3`
fn name_row(lower: &mut Lower<'_>, row: u64) {
    lower.writer.push("e").number(row);
}

fn too_large() -> Fault {
    let message = "the document to compare with is too large for this database";
    Fault::new(code::TOO_COMPLEX, message).with_hint("look for a part of it")
}
