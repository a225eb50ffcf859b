use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, Error, Expr, Ident, ItemTrait, LitStr, Result, ReturnType, Signature, Token, Type,
    meta::ParseNestedMeta, parenthesized, punctuated::Punctuated, spanned::Spanned,
};

use super::{
    service_key::{placeholders, text},
    service_method::{Argument, Method},
};

/// What `#[cached(..)]` or `#[invalidates(..)]` on a method says.
pub enum Caching {
    Cached { key: LitStr, milliseconds: u64, tags: Vec<LitStr>, keep_none: bool, when: Option<Box<Expr>> },
    Invalidates { tags: Vec<LitStr> },
}

impl Caching {
    /// Takes the attribute off, where there is one.
    pub fn take(
        attributes: &mut Vec<Attribute>,
        signature: &Signature,
        arguments: &[Argument],
    ) -> Result<Option<Self>> {
        let is_ours =
            |attribute: &Attribute| attribute.path().is_ident("cached") || attribute.path().is_ident("invalidates");
        let ours: Vec<_> = attributes.iter().filter(|attribute| is_ours(attribute)).cloned().collect();
        attributes.retain(|attribute| !is_ours(attribute));
        let [attribute] = ours.as_slice() else {
            return match ours.get(1) {
                Some(second) => Err(Error::new_spanned(second, "one `#[cached]` or `#[invalidates]` a method")),
                None => Ok(None),
            };
        };
        let caching = if attribute.path().is_ident("cached") { cached(attribute)? } else { invalidates(attribute)? };
        caching.check(attribute, signature, arguments)?;
        Ok(Some(caching))
    }

    fn check(&self, attribute: &Attribute, signature: &Signature, arguments: &[Argument]) -> Result<()> {
        if signature.asyncness.is_none() {
            return Err(Error::new_spanned(signature, "what is cached, or invalidates, is an `async` method"));
        }
        let (Self::Cached { tags, .. } | Self::Invalidates { tags }) = self;
        for tag in tags {
            placeholders(tag, arguments)?;
        }
        let Self::Cached { key, .. } = self else { return Ok(()) };
        if let Some(secret) = arguments.iter().find(|argument| argument.secret) {
            return Err(Error::new_spanned(
                &secret.name,
                "a method with a `#[secret]` argument is never cached: the answer to a password must not be kept",
            ));
        }
        if !returns_result(&signature.output) {
            return Err(Error::new_spanned(signature, "a cached method returns a `Result`: its errors are not kept"));
        }
        let spoken_of = placeholders(key, arguments)?;
        if let Some(missing) = arguments.iter().find(|argument| !spoken_of.contains(&argument.name.to_string())) {
            let name = &missing.name;
            let message = if missing.named {
                format!("the key does not have `{{{name}}}`: calls that differ in it would get each other's values")
            } else {
                "give this argument a name, and put it into the key".to_owned()
            };
            return Err(Error::new_spanned(attribute, message));
        }
        Ok(())
    }
}

fn cached(attribute: &Attribute) -> Result<Caching> {
    let (mut key, mut milliseconds, mut tags, mut keep_none, mut when) = (None, None, Vec::new(), false, None);
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("key") {
            key = Some(meta.value()?.parse::<LitStr>()?);
        } else if meta.path.is_ident("ttl") {
            milliseconds = Some(duration(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("tags") {
            tags.extend(list(&meta)?);
        } else if meta.path.is_ident("keep_none") {
            keep_none = true;
        } else if meta.path.is_ident("when") {
            when = Some(Box::new(meta.value()?.parse()?));
        } else {
            return Err(meta.error(
                "`#[cached]` takes `key = \"..\"`, `ttl = \"30m\"`, `tags(\"..\")`, `keep_none` and `when = <condition>`",
            ));
        }
        Ok(())
    })?;
    match (key, milliseconds) {
        (Some(key), Some(milliseconds)) => Ok(Caching::Cached { key, milliseconds, tags, keep_none, when }),
        _ => Err(Error::new_spanned(attribute, "`#[cached]` needs a `key = \"..\"` and a `ttl = \"..\"`")),
    }
}

fn invalidates(attribute: &Attribute) -> Result<Caching> {
    let mut tags = Vec::new();
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("tags") {
            tags.extend(list(&meta)?);
            return Ok(());
        }
        Err(meta.error("`#[invalidates]` takes `tags(\"..\")`"))
    })?;
    if tags.is_empty() {
        return Err(Error::new_spanned(attribute, "`#[invalidates]` needs `tags(\"..\")`"));
    }
    Ok(Caching::Invalidates { tags })
}

fn list(meta: &ParseNestedMeta<'_>) -> Result<Vec<LitStr>> {
    let content;
    parenthesized!(content in meta.input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// A duration as the configuration takes it, in milliseconds.
pub fn duration(text: &LitStr) -> Result<u64> {
    let value = text.value();
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number
        .filter(|milliseconds| *milliseconds > 0)
        .ok_or_else(|| Error::new_spanned(text, "expected a duration such as 500ms, 30s, 15m, 12h or 7d"))
}

/// By its name, which may be that of an alias.
fn returns_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) => {
                path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
            }
            _ => false,
        },
        ReturnType::Default => false,
    }
}

/// What makes a service cacheable; nothing where no method says so.
pub fn expand(item: &ItemTrait, methods: &[Method]) -> TokenStream {
    if methods.iter().all(|method| method.caching.is_none()) {
        return TokenStream::new();
    }
    let service = &item.ident;
    let functions = methods.iter().map(|method| function(item, method));
    let slots = methods.iter().filter_map(|method| slot(item, method));
    quote! {
        struct Cached {
            inner: ::std::sync::Arc<dyn #service>,
            cache: ::paravel::cache::Cache,
        }

        #[::paravel::__private::async_trait::async_trait]
        impl #service for Cached {
            #(#functions)*
        }

        impl dyn #service {
            #(#slots)*
        }

        impl ::paravel::service::Cacheable for dyn #service {
            fn cached(
                inner: ::std::sync::Arc<Self>,
                cache: &::paravel::cache::Cache,
            ) -> ::std::sync::Arc<Self> {
                ::std::sync::Arc::new(Cached { inner, cache: ::core::clone::Clone::clone(cache) })
            }
        }
    }
}

/// The name of the function that says where a method keeps what it returns.
fn slot_name(method: &Method) -> Ident {
    format_ident!("cached_{}", method.signature.ident)
}

/// That function, where the method is cached.
fn slot(item: &ItemTrait, method: &Method) -> Option<TokenStream> {
    let Some(Caching::Cached { key, milliseconds, tags, keep_none, when }) = &method.caching else { return None };
    let (visibility, inputs) = (&item.vis, method.signature.inputs.iter().skip(1));
    let (name, generics) = (slot_name(method), &method.signature.generics);
    let ReturnType::Type(_, returned) = &method.signature.output else { return None };
    let docs = format!(" Where [`{}`]({}::{0}) is kept.", method.signature.ident, item.ident);
    let (key, tags) = (text(key), tags.iter().map(text));
    let when = when.as_ref().map_or_else(|| quote!(true), |when| quote!(#when));
    Some(quote! {
        #[doc = #docs]
        #[allow(dead_code, clippy::ptr_arg, reason = "for whoever prefetches")]
        #visibility fn #name #generics(
            #(#inputs),*
        ) -> ::paravel::service::CacheSlot<<#returned as ::paravel::__private::Answer>::Value> {
            ::paravel::service::CacheSlot {
                key: #key,
                tags: ::std::vec![#(#tags),*],
                ttl: ::core::time::Duration::from_millis(#milliseconds),
                when: #when,
                keep: |value| #keep_none || !(&Shown(value)).is_none(),
            }
        }
    })
}

fn function(item: &ItemTrait, method: &Method) -> TokenStream {
    let Method { signature, caching, .. } = method;
    let service = &item.ident;
    let (name, names): (_, Vec<&Ident>) = (&signature.ident, method.names().collect());
    let wait = signature.asyncness.map(|_| quote!(.await));
    let body = match caching {
        None => quote!(self.inner.#name(#(#names),*)#wait),
        Some(Caching::Invalidates { tags }) => {
            let tags = tags.iter().map(text);
            quote! {
                ::paravel::__private::Invalidation::of(&self.cache, ::std::vec![#(#tags),*])
                    .around(self.inner.#name(#(#names),*))
                    .await
            }
        }
        Some(Caching::Cached { key, when, .. }) => {
            let (key, slot, returned) = (text(key), slot_name(method), method.returned());
            // Spanned at the return type, so that one that cannot be kept is pointed at.
            let typed = quote_spanned! {returned.span()=>
                ::paravel::__private::kept::<#returned>()
            };
            let straight = when.as_ref().map(|when| {
                quote! {
                    if !(#when) {
                        return self.inner.#name(#(#names),*).await;
                    }
                }
            });
            quote! {
                #straight
                ::paravel::__private::cached(
                    #typed,
                    &self.cache,
                    #key,
                    || <dyn #service>::#slot(#(::core::clone::Clone::clone(&#names)),*),
                    || self.inner.#name(#(::core::clone::Clone::clone(&#names)),*),
                )
                .await
            }
        }
    };
    quote!(#signature { #body })
}
