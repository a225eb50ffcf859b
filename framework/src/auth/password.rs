/// The passwords that attackers try first, of those that are long enough to pass otherwise.
const COMMON: &str = include_str!("common_passwords.txt");

/// A validation rule for new passwords: 8 to 128 characters, and none of the most common ones.
///
/// ```
/// #[derive(garde::Validate)]
/// struct Register {
///     #[garde(custom(paravel::auth::acceptable_password))]
///     password: String,
/// }
/// # use paravel::garde;
/// # use garde::Validate;
/// assert!(Register { password: "password123".to_owned() }.validate().is_err());
/// assert!(Register { password: "correct horse".to_owned() }.validate().is_ok());
/// ```
///
/// # Errors
/// The sentence to show.
pub fn acceptable_password<C>(password: &str, _context: &C) -> garde::Result {
    let length = password.chars().count();
    if !(8..=128).contains(&length) {
        return Err(garde::Error::new("must have 8 to 128 characters"));
    }
    let lower = password.to_lowercase();
    if COMMON.lines().any(|common| common == lower) {
        return Err(garde::Error::new("is one of the most common passwords"));
    }
    Ok(())
}
