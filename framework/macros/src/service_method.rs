use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, FnArg, GenericParam, Ident, Pat, Result, ReturnType, Signature, TraitItemFn, Type, parse_quote,
};

use super::{service_audited::Auditing, service_cached::Caching};

/// One method of a service trait, with what its attributes say.
pub struct Method {
    /// Its signature, in which each argument has a plain name.
    pub signature: Signature,
    pub docs: Vec<Attribute>,
    pub arguments: Vec<Argument>,
    pub idempotent: bool,
    pub caching: Option<Caching>,
    pub auditing: Option<Auditing>,
}

pub struct Argument {
    pub name: Ident,
    pub secret: bool,
    /// Whether it had a name of its own, by which others may speak of it.
    pub named: bool,
}

impl Method {
    /// Takes the attributes that are meant for `#[service]` off the method.
    pub fn take(method: &mut TraitItemFn) -> Result<Self> {
        let idempotent = take_flag(&mut method.attrs, "idempotent")?;
        if idempotent && method.sig.asyncness.is_none() {
            return Err(Error::new_spanned(
                &method.sig,
                "`#[idempotent]` is for `async` methods: decorators, `Retry` among them, go around those alone",
            ));
        }
        let mut arguments = Vec::new();
        for argument in &mut method.sig.inputs {
            let FnArg::Typed(argument) = argument else { continue };
            let secret = take_flag(&mut argument.attrs, "secret")?;
            let name = match &*argument.pat {
                Pat::Ident(pattern) => Some(pattern.ident.clone()),
                _ => None,
            };
            let named = name.is_some();
            let name = name.unwrap_or_else(|| format_ident!("argument{}", arguments.len()));
            if idempotent
                && let Type::Reference(reference) = &*argument.ty
                && reference.mutability.is_some()
            {
                return Err(Error::new_spanned(
                    &argument.ty,
                    "an `#[idempotent]` method may run again with the same arguments, so it takes no `&mut`",
                ));
            }
            arguments.push(Argument { name, secret, named });
        }
        let caching = Caching::take(&mut method.attrs, &method.sig, &arguments)?;
        let auditing = Auditing::take(&mut method.attrs, &method.sig, &arguments)?;
        let mut signature = method.sig.clone();
        let mut plain = arguments.iter();
        for argument in &mut signature.inputs {
            if let FnArg::Typed(argument) = argument
                && let Some(Argument { name, .. }) = plain.next()
            {
                argument.attrs.clear();
                *argument.pat = parse_quote!(#name);
            }
        }
        let docs = method.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect();
        Ok(Self { signature, docs, arguments, idempotent, caching, auditing })
    }

    pub fn names(&self) -> impl Iterator<Item = &Ident> {
        self.arguments.iter().map(|argument| &argument.name)
    }

    pub fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// Statements that write its arguments to `f`, each at its place and the secret ones hidden.
    pub fn shown(&self, f: &Ident, place: impl Fn(usize, &Ident) -> TokenStream) -> TokenStream {
        let shown = self.arguments.iter().enumerate().map(|(index, Argument { name, secret, .. })| {
            let begin = format!("{}{name}=", if index == 0 { "" } else { " " });
            let place = place(index, name);
            let value = if *secret { quote!(#f.write_str("[secret]")?;) } else { quote!((&Shown(&#place)).show(#f)?;) };
            quote!(#f.write_str(#begin)?; #value)
        });
        quote!(#(#shown)*)
    }

    /// The type that it returns, to be written in an expression: the method's own lifetimes are left to be inferred.
    pub fn returned(&self) -> TokenStream {
        let ReturnType::Type(_, returned) = &self.signature.output else { return quote!(()) };
        let own: Vec<_> = self.signature.generics.params.iter().filter_map(lifetime).collect();
        infer(quote!(#returned), &own)
    }
}

fn lifetime(parameter: &GenericParam) -> Option<String> {
    match parameter {
        GenericParam::Lifetime(parameter) => Some(parameter.lifetime.ident.to_string()),
        _ => None,
    }
}

fn infer(tokens: TokenStream, own: &[String]) -> TokenStream {
    let mut after_quote = false;
    let replaced = tokens.into_iter().map(|token| {
        let is_quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        let token = match token {
            TokenTree::Ident(name) if after_quote && own.contains(&name.to_string()) => {
                TokenTree::Ident(Ident::new("_", name.span()))
            }
            TokenTree::Group(group) => {
                let mut inferred = proc_macro2::Group::new(group.delimiter(), infer(group.stream(), own));
                inferred.set_span(group.span());
                TokenTree::Group(inferred)
            }
            other => other,
        };
        after_quote = is_quote;
        token
    });
    replaced.collect()
}

/// Whether an attribute without arguments is there; it is taken off.
fn take_flag(attributes: &mut Vec<Attribute>, name: &str) -> Result<bool> {
    let before = attributes.len();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        attribute.meta.require_path_only()?;
    }
    attributes.retain(|attribute| !attribute.path().is_ident(name));
    Ok(attributes.len() < before)
}
