//! The schema compiler as its users see it: schema text in, catalog or diagnostics out.

#[cfg(test)]
mod schema {
    pub mod accepted;
    pub mod dialect;
    pub mod hostile;
    pub mod refused;
    pub mod refused_rules;
    pub mod rules;
    pub mod shape;
    pub mod shop;
    pub mod shown;
}
