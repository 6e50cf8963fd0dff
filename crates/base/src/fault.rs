//! [`Fault`]: the one error that crosses crates. What the caller may read
//! (`message`, `details`, `hint`) and what only the log may (`source`) never mix.

use crate::code::{Code, INTERNAL, Kind};

/// A refusal or failure with its stable code.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.text)]
pub struct Fault {
    /// The stable code.
    pub code: Code,
    /// For the caller: names the thing, lower case where it is our own text.
    pub message: String,
    /// More for the caller, as PostgreSQL's `DETAIL`.
    pub details: Option<Details>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Ways to read the request, of which a caller hears those alone that [`Fault::narrowed`] leaves.
    pub choices: Option<Box<Choices>>,
    /// Seconds after which it may be tried again, where that is known.
    pub retry_after_s: Option<u32>,
    /// For the log only.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The `details` member of an error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// Plain text.
    Text(String),
    /// A JSON text copied as it is (PGRST201 lists candidates).
    Json(String),
}

/// Ways to read a request that can be read in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What the hint says before the words of the choices, and after them.
    pub hint: [String; 2],
    /// The choices.
    pub all: Vec<Choice>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// How to ask for it.
    pub word: String,
    /// What it is, a JSON text.
    pub text: String,
    /// The columns that it tells of, each with its table.
    pub names: Vec<(String, String)>,
}

impl Fault {
    /// A fault with a code and a message for the caller.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, details: None, hint: None, choices: None, retry_after_s: None, source: None }
    }

    /// A defect of the server: the text goes to the log, the caller sees only that it happened.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        let text: String = log.into();
        Self { source: Some(text.into()), ..Self::new(INTERNAL, "internal error; the log has the reason") }
    }

    /// Adds `details`.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(Details::Text(details.into()));
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same without a hint that names something of the schema.
    #[must_use]
    pub fn without_suggestion(mut self) -> Self {
        self.hint = self.hint.filter(|hint| !hint.starts_with(crate::suggest::OPENING));
        self
    }

    /// With those of its choices that name nothing but columns which somebody may read.
    #[must_use]
    pub fn narrowed(mut self, may_read: impl Fn(&str, &str) -> bool) -> Self {
        let Some(choices) = self.choices.take() else { return self };
        let may = |choice: &&Choice| choice.names.iter().all(|(table, column)| may_read(table, column));
        let told: Vec<&Choice> = choices.all.iter().filter(may).collect();
        if told.is_empty() {
            return self;
        }
        let texts: Vec<&str> = told.iter().map(|choice| choice.text.as_str()).collect();
        let words: Vec<&str> = told.iter().map(|choice| choice.word.as_str()).collect();
        let [before, after] = &choices.hint;
        self.hint = Some([before, &*words.join(", "), after].concat());
        self.details = Some(Details::Json(format!("[{}]", texts.join(","))));
        self
    }

    /// Says when it may be tried again.
    #[must_use]
    pub const fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same refusal in the words of the schema's author; the standard ones become `details`.
    #[must_use]
    pub fn saying(mut self, message: &str) -> Self {
        let standard = std::mem::replace(&mut self.message, message.to_owned());
        self.with_details(standard)
    }

    /// The class of the fault.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.code.kind
    }

    /// 42501 in the words that PostgreSQL's row security uses for a refused write.
    #[must_use]
    pub fn row_security(table: &str) -> Self {
        Self::new(
            crate::code::DENIED,
            format!("new row violates row-level security policy for table \"{table}\""),
        )
    }

    /// 42501 for a table or column that the caller may not use at all.
    #[must_use]
    pub fn permission(what: &str, name: &str) -> Self {
        Self::new(crate::code::DENIED, format!("permission denied for {what} {name}"))
    }
}
