//! The `Prefer` header, in one line or many, and `Preference-Applied`.

use crate::request::{Request, Settings};
use backstay_base::code;
use backstay_base::fault::Fault;
use backstay_query::named::ConflictAction;

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Representation {
    /// The written rows.
    Full,
    /// `Location`.
    HeadersOnly,
    /// Nothing.
    Minimal,
}

/// The preferences of a request; none where it states none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) resolution: Option<ConflictAction>,
    pub(crate) missing_default: Option<bool>,
    pub(crate) representation: Option<Representation>,
    pub(crate) count: Option<&'static str>,
    pub(crate) rollback: Option<bool>,
    pub(crate) strict: Option<bool>,
    pub(crate) timezone_utc: bool,
    pub(crate) max_affected: Option<u64>,
}

/// Which preferences matter to what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Read,
    Insert,
    Update,
    Delete,
}

/// Reads all `Prefer` headers. The first statement of a preference counts.
///
/// Unknown ones are PGRST122 with `handling=strict`, else passed over.
pub(crate) fn preferences(request: &Request<'_>, settings: &Settings) -> Result<Preferences, Fault> {
    let mut preferences = Preferences::default();
    let mut invalid = Vec::new();
    let stated = request.all_headers("prefer").flat_map(|line| line.split(',')).map(str::trim);
    for text in stated.filter(|text| !text.is_empty()) {
        if !preferences.take(text) {
            invalid.push(text);
        }
    }
    if !settings.tx_rollback_allowed {
        preferences.rollback = None;
    }
    if preferences.strict == Some(true) && !invalid.is_empty() {
        return Err(Fault::new(code::PREFERENCE_INVALID, "Invalid preferences given with handling=strict")
            .with_details(format!("Invalid preferences: {}", invalid.join(", "))));
    }
    if preferences.strict != Some(true) {
        preferences.max_affected = None;
    }
    Ok(preferences)
}

impl Preferences {
    /// Takes one preference; false when it is not known.
    fn take(&mut self, text: &str) -> bool {
        let Some((name, value)) = text.split_once('=') else { return false };
        match (name.trim(), value.trim()) {
            ("resolution", "merge-duplicates") => set(&mut self.resolution, ConflictAction::Merge),
            ("resolution", "ignore-duplicates") => set(&mut self.resolution, ConflictAction::Ignore),
            ("missing", "default") => set(&mut self.missing_default, true),
            ("missing", "null") => set(&mut self.missing_default, false),
            ("return", "representation") => set(&mut self.representation, Representation::Full),
            ("return", "headers-only") => set(&mut self.representation, Representation::HeadersOnly),
            ("return", "minimal") => set(&mut self.representation, Representation::Minimal),
            ("count", "exact") => set(&mut self.count, "exact"),
            ("count", "planned") => set(&mut self.count, "planned"),
            ("count", "estimated") => set(&mut self.count, "estimated"),
            ("tx", "commit") => set(&mut self.rollback, false),
            ("tx", "rollback") => set(&mut self.rollback, true),
            ("handling", "strict") => set(&mut self.strict, true),
            ("handling", "lenient") => set(&mut self.strict, false),
            ("timezone", "UTC") => self.timezone_utc = true,
            ("max-affected", number) => match number.parse() {
                Ok(number) => set(&mut self.max_affected, number),
                Err(_) => return false,
            },
            _ => return false,
        }
        true
    }

    /// The value of `Preference-Applied`, in PostgREST's order.
    pub(crate) fn applied(&self, purpose: Use) -> Option<String> {
        let writes = purpose != Use::Read;
        let inserts = purpose == Use::Insert;
        let changes = matches!(purpose, Use::Update | Use::Delete);
        let mut applied = Vec::new();
        if let Some(action) = self.resolution.filter(|_| inserts) {
            applied.push(match action {
                // a PUT asks for what no preference does
                ConflictAction::Merge | ConflictAction::Replace => "resolution=merge-duplicates".to_owned(),
                ConflictAction::Ignore => "resolution=ignore-duplicates".to_owned(),
            });
        }
        if let Some(default) = self.missing_default.filter(|_| writes && purpose != Use::Delete) {
            applied.push(if default { "missing=default" } else { "missing=null" }.to_owned());
        }
        if let Some(representation) = self.representation.filter(|_| writes) {
            let name = match representation {
                Representation::Full => "representation",
                Representation::HeadersOnly => "headers-only",
                Representation::Minimal => "minimal",
            };
            applied.push(format!("return={name}"));
        }
        applied.extend(self.count.map(|count| format!("count={count}")));
        applied.extend(self.rollback.map(|undo| if undo { "tx=rollback" } else { "tx=commit" }.to_owned()));
        applied
            .extend(self.strict.map(|s| if s { "handling=strict" } else { "handling=lenient" }.to_owned()));
        applied.extend(self.timezone_utc.then(|| "timezone=UTC".to_owned()));
        applied.extend(self.max_affected.filter(|_| changes).map(|most| format!("max-affected={most}")));
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

fn set<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}
