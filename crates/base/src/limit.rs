//! table: every named limit with its default. The unit stands in the name.

/// The limits of one server; `backstay.toml` may change each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Longest request target (path and query), in bytes.
    pub target_bytes: usize,
    /// Most rows that one read answers with.
    pub rows: u64,
    /// Most rows that one write may carry.
    pub write_rows: usize,
    /// Deepest nesting of logic or embeds.
    pub depth: usize,
    /// Most nodes (filters, columns, embeds) of one request.
    pub nodes: usize,
    /// Most relations that one request follows, in embeds and in filters by them.
    pub hops: usize,
    /// Most elements of one `in.(…)` list.
    pub list: usize,
    /// Most values of a document that `cs` or `cd` look for.
    pub document_values: usize,
    /// Longest pattern of a `match` filter, in bytes.
    pub pattern_bytes: usize,
    /// Most characters, ranges and boundaries of a pattern with its repetitions written out.
    pub pattern_steps: usize,
    /// Most values without a field that a row keeps, where its type has `strict: false`.
    pub extras_keys: usize,
    /// Most bytes of the values without a field that a row keeps, as JSON.
    pub extras_bytes: usize,
    /// Deepest nesting of a value without a field.
    pub extras_depth: usize,
    /// Longest time a statement may take, in milliseconds.
    pub statement_ms: u64,
    /// Most requests whose scripts are kept for the next time that they come.
    pub recurring_requests: usize,
    /// Most writes that wait for the writer.
    pub write_queue: usize,
    /// Most reads that wait for the blocking pool.
    pub read_queue: usize,
    /// Most open connections.
    pub connections: usize,
    /// Most requests that are answered at a time; one more is refused before its body is read.
    pub in_flight: usize,
    /// Most requests whose bodies are waited for.
    pub slow_bodies: usize,
    /// Most bytes that the bodies of all requests may take together.
    pub bodies_bytes: usize,
    /// Longest wait for the head of a request, from its first byte, in milliseconds.
    pub head_ms: u64,
    /// Longest wait for the next request of a connection that is kept open, in milliseconds.
    pub idle_ms: u64,
    /// Longest wait for a client that takes less than a kilobyte of its answer per second, in milliseconds.
    pub stall_ms: u64,
    /// Longest wait for the whole body, in milliseconds.
    pub body_ms: u64,
    /// Most password hashes that wait for the hashing pool.
    pub hash_queue: usize,
    /// Most letters that wait to be sent.
    pub mail_queue: usize,
    /// Most letters that the mailbox of `dev` keeps.
    pub mailbox: usize,
    /// Largest answer of a service that is asked over HTTP, in bytes.
    pub egress_bytes: usize,
    /// Longest wait for the whole answer of a service that is asked over HTTP, in milliseconds.
    pub egress_ms: u64,
    /// Longest password, in bytes.
    pub password_bytes: usize,
    /// Most rows that one statement of the housekeeping deletes or looks at.
    pub prune_rows: u64,
    /// How long used refresh tokens are kept, so that their reuse ends the session, in days.
    pub used_token_days: u32,
    /// How long audits keep what they tell, in days; 0 keeps it for ever.
    pub audit_days: u32,
    /// How long connections that are kept open may be used once more at shutdown, in milliseconds.
    pub linger_ms: u64,
    /// Longest wait for open requests at shutdown, in milliseconds.
    pub drain_ms: u64,
    /// Longest wait for another node that migrates, in milliseconds.
    pub migration_wait_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 * 1024 * 1024,
            target_bytes: 64 * 1024,
            rows: 1000,
            write_rows: 20_000,
            depth: 16,
            nodes: 2_000,
            hops: 64,
            list: 1_000,
            document_values: 256,
            pattern_bytes: 256,
            pattern_steps: 8_000,
            extras_keys: 64,
            extras_bytes: 16 * 1024,
            extras_depth: 16,
            statement_ms: 30_000,
            recurring_requests: 2_048,
            write_queue: 4_096,
            read_queue: 1_024,
            connections: 10_000,
            in_flight: 2_048,
            slow_bodies: 1_024,
            bodies_bytes: 256 * 1024 * 1024,
            head_ms: 10_000,
            idle_ms: 75_000,
            stall_ms: 30_000,
            body_ms: 30_000,
            hash_queue: 32,
            mail_queue: 256,
            mailbox: 100,
            egress_bytes: 1024 * 1024,
            egress_ms: 10_000,
            password_bytes: 4_096,
            prune_rows: 1_000,
            used_token_days: 30,
            audit_days: 365,
            linger_ms: 2_000,
            drain_ms: 20_000,
            migration_wait_ms: 60_000,
        }
    }
}
