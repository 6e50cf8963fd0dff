//! What a new password must be.

use crate::refusal::Refusal;

/// Refuses passwords that are too long to hash or too short to hold.
///
/// # Errors
/// `validation_failed` past `most_bytes`, `weak_password` under `fewest_characters`.
pub fn check_new(password: &str, fewest_characters: usize, most_bytes: usize) -> Result<(), Refusal> {
    check_length(password, most_bytes)?;
    if password.chars().count() < fewest_characters {
        let message = format!("Password should be at least {fewest_characters} characters.");
        return Err(Refusal { weak: vec!["length"], ..Refusal::new(422, "weak_password", message) });
    }
    Ok(())
}

/// Refuses passwords that are too long to hash, before any hashing.
///
/// # Errors
/// `validation_failed` past `most_bytes`.
pub fn check_length(password: &str, most_bytes: usize) -> Result<(), Refusal> {
    if password.len() > most_bytes { Err(Refusal::password_too_long()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::check_new;

    #[test]
    fn length_is_bounded_on_both_sides() {
        assert!(check_new("secret", 6, 4096).is_ok());
        let short = check_new("säcre", 6, 4096).expect_err("is refused");
        assert_eq!((short.status, short.code, short.weak), (422, "weak_password", vec!["length"]));
        assert_eq!(short.message, "Password should be at least 6 characters.");
        let long = check_new(&"x".repeat(4097), 6, 4096).expect_err("is refused");
        assert_eq!((long.status, long.code), (400, "validation_failed"));
        assert!(check_new(&"x".repeat(4096), 6, 4096).is_ok());
    }
}
