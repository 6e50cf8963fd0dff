//! PostgreSQL as an engine.
