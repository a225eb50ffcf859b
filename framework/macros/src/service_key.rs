use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

use super::service_method::Argument;

/// A piece of a key or a tag.
enum Piece {
    Text(String),
    /// `{name:format}`, and the name.
    Argument(String, String),
}

/// A text with arguments in it. In what an argument says, `:` and `%` are percent-encoded, and between two arguments there is a
/// `:`: so no two calls with other arguments have one key.
pub fn text(text: &LitStr) -> TokenStream {
    let mut format = String::new();
    let mut arguments = Vec::new();
    for piece in pieces(&text.value()) {
        match piece {
            Piece::Text(text) => format.push_str(&text),
            Piece::Argument(whole, _) => {
                format.push_str("{}");
                // With the span of the whole, so that its names are the arguments'.
                arguments.push(LitStr::new(&whole, text.span()));
            }
        }
    }
    let format = LitStr::new(&format, text.span());
    quote!(::std::format!(#format #(, ::paravel::__private::KeyPart(::core::format_args!(#arguments)))*))
}

/// The arguments that a key or a tag speaks of.
pub fn placeholders(text: &LitStr, arguments: &[Argument]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut between = String::new();
    for piece in pieces(&text.value()) {
        let name = match piece {
            Piece::Text(text) => {
                between = text;
                continue;
            }
            Piece::Argument(_, name) => name,
        };
        if let Some(before) = names.last().filter(|_| !between.contains(':')) {
            let message = format!("put a `:` between `{{{before}}}` and `{{{name}}}`, so that they can be told apart");
            return Err(Error::new_spanned(text, message));
        }
        between.clear();
        match arguments.iter().find(|argument| argument.named && argument.name == name) {
            Some(argument) if argument.secret => {
                let message = format!("`{name}` is `#[secret]`, and a tag is not");
                return Err(Error::new_spanned(text, message));
            }
            Some(_) => names.push(name),
            None => {
                let known: Vec<_> = arguments.iter().filter(|argument| argument.named).collect();
                let known: Vec<_> = known.iter().map(|argument| format!("`{{{}}}`", argument.name)).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message = format!("`{{{name}}}` is no argument of this method; there are: {known}");
                return Err(Error::new_spanned(text, message));
            }
        }
    }
    Ok(names)
}

/// Text as `format!` takes it, taken apart.
fn pieces(text: &str) -> Vec<Piece> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("{{") || rest.starts_with("}}") {
            plain.push_str(&rest[..2]);
            rest = &rest[2..];
        } else if letter == '{' {
            let (inside, after) = rest[1..].split_once('}').unwrap_or((&rest[1..], ""));
            let name = inside.split(':').next().unwrap_or_default().trim().to_owned();
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Argument(format!("{{{inside}}}"), name));
            rest = after;
        } else {
            plain.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}
