use crate::support::{LONGEST_ADDRESS, is_email_address};

/// A validation rule for e-mail addresses: those that a mail can be sent to, by the rule that a [`Mailbox`](super::Mailbox) goes by.
/// The rule `email` takes some that are refused then.
///
/// ```
/// #[derive(garde::Validate)]
/// struct Register {
///     #[garde(custom(paravel::mail::acceptable_address))]
///     email: String,
/// }
/// # use paravel::garde;
/// # use garde::Validate;
/// assert!(Register { email: "ada..l@example.com".to_owned() }.validate().is_err());
/// assert!(Register { email: "ada.l@example.com".to_owned() }.validate().is_ok());
/// ```
///
/// # Errors
/// The sentence to show.
pub fn acceptable_address<C>(address: &str, _context: &C) -> garde::Result {
    if address.len() > LONGEST_ADDRESS {
        return Err(garde::Error::new(format!("must have {LONGEST_ADDRESS} characters at most")));
    }
    if !is_email_address(address) {
        return Err(garde::Error::new("is not a valid e-mail address"));
    }
    Ok(())
}
