//! The schema compiler as its users see it: schema text in, catalog or diagnostics out.

mod schema {
    pub mod shape;
}
