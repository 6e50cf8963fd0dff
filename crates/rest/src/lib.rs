//! The REST codec in the PostgREST dialect: request bytes → [`parse::parse`] → a
//! [`backstay_query::named::Query`] and an [`answer::Answer`]; a reply → [`render::render`]
//! → response bytes. Pure: no async, no rules, no clock, no engine.

pub mod answer;
mod body;
mod budget;
mod condition;
mod csv_rows;
mod cursor;
mod field;
mod json;
mod lines;
mod media;
pub mod openapi;
mod order;
mod page;
mod parameter;
pub mod parse;
mod prefer;
mod read;
pub mod render;
pub mod request;
mod select;
pub mod wire_error;
mod write;
