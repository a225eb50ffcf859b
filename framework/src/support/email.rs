use garde::rules::email::Email;

/// The longest address that SMTP carries (RFC 5321, 4.5.3.1.3, less the brackets).
pub(crate) const LONGEST_ADDRESS: usize = 254;

/// Whether a text is an e-mail address that every server takes: HTML's rule, of ASCII alone, with dots where RFC 5321 has them.
pub(crate) fn is_email_address(text: &str) -> bool {
    let local = text.split('@').next().unwrap_or_default();
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    text.len() <= LONGEST_ADDRESS && dots && text.validate_email().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_every_server_takes() {
        let longest = format!("ada@{}.{}.{}.example", "a".repeat(63), "b".repeat(63), "c".repeat(63));
        let right =
            ["ada@example.com", "a.da+ships@mail.example.com", "ADA@EXAMPLE.COM", "o'hara@[127.0.0.1]", &longest];
        for right in right {
            assert!(is_email_address(right), "{right}");
        }
        let too_long = format!("ada@{}", vec!["a".repeat(60); 5].join("."));
        let wrong = [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\n",
            "ada @example.com",
            "Ada <ada@example.com>",
            "ada@example.com,eve@example.com",
            "船@example.com",
            "ada@船.example",
            "\"a\\\"da\"@example.com",
            &too_long,
        ];
        for wrong in wrong {
            assert!(!is_email_address(wrong), "{wrong:?}");
        }
    }
}
