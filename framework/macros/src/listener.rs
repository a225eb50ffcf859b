use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, FnArg, Item, ItemFn, LitInt, LitStr, Result, Type, parse::Parser, spanned::Spanned};

use crate::{job, listener_impl};

const EVENT_FIRST: &str = "a listener takes its event by reference first: `event: &UserRegistered`";

pub fn expand(arguments: TokenStream, item: Item) -> Result<TokenStream> {
    match item {
        Item::Fn(function) => of_function(&options(arguments)?, &function),
        Item::Impl(item) => listener_impl::expand(arguments, item),
        other => Err(Error::new_spanned(
            other,
            "`#[listener]` stands on an `async fn`, an `impl Listener<Event> for Type` or an `impl Subscriber for Type`",
        )),
    }
}

/// The calls by which an entry is told what the attribute says.
pub fn options(arguments: TokenStream) -> Result<TokenStream> {
    let mut calls = TokenStream::new();
    // Whether it is queued, and where something is said that only then means anything.
    let mut queued = (false, None);
    syn::meta::parser(|meta| {
        if meta.path.is_ident("priority") {
            let value = meta.value()?;
            let minus = value.parse::<Option<syn::Token![-]>>()?;
            let number: LitInt = value.parse()?;
            calls.extend(quote!(.priority(#minus #number)));
            return Ok(());
        }
        if meta.path.is_ident("name") {
            let name: LitStr = meta.value()?.parse()?;
            if name.value().trim().is_empty() {
                return Err(Error::new_spanned(name, "a listener's name says something"));
            }
            calls.extend(quote!(.named(#name)));
            return Ok(());
        }
        if meta.path.is_ident("events") {
            let pattern: LitStr = meta.value()?.parse()?;
            calls.extend(quote!(.matching(#pattern)));
            return Ok(());
        }
        if meta.path.is_ident("queue") {
            // By itself it is the queue that all have.
            let queue = match meta.input.peek(syn::Token![=]) {
                true => meta.value()?.parse()?,
                false => LitStr::new("default", meta.path.span()),
            };
            calls.extend(quote!(.queued(#queue)));
            queued.0 = true;
            return Ok(());
        }
        queued.1.get_or_insert_with(|| meta.path.span());
        if meta.path.is_ident("tries") {
            let tries: LitInt = meta.value()?.parse()?;
            calls.extend(quote!(.tries(#tries)));
            return Ok(());
        }
        if meta.path.is_ident("backoff") {
            let backoff = job::backoff(&meta.value()?.parse()?)?;
            calls.extend(quote!(.backoff(#backoff)));
            return Ok(());
        }
        if meta.path.is_ident("delay") || meta.path.is_ident("timeout") {
            let (name, time) = (meta.path.clone(), job::time(&meta.value()?.parse()?)?);
            calls.extend(quote!(.#name(#time)));
            return Ok(());
        }
        if meta.path.is_ident("after_commit") {
            let waits: syn::LitBool = meta.value()?.parse()?;
            if !waits.value {
                calls.extend(quote!(.before_commit()));
            }
            return Ok(());
        }
        Err(meta.error(
            "`#[listener]` takes `name = \"..\"`, `priority = n`, of any event `events = \"User*\"`, and `queue`, with which go `tries`, `backoff`, \
             `delay`, `timeout` and `after_commit = false`",
        ))
    })
    .parse2(arguments)?;
    match queued {
        (false, Some(place)) => Err(Error::new(place, "only a listener that is queued has this: say `queue` too")),
        _ => Ok(calls),
    }
}

fn of_function(options: &TokenStream, function: &ItemFn) -> Result<TokenStream> {
    if function.sig.asyncness.is_none() {
        return Err(Error::new_spanned(&function.sig, "a listener is an `async fn`"));
    }
    if function.sig.generics.type_params().next().is_some() {
        let generics = &function.sig.generics;
        return Err(Error::new_spanned(generics, "a listener has no type parameters: one is registered for one event"));
    }
    let mut inputs = function.sig.inputs.iter();
    let event = match inputs.next() {
        Some(FnArg::Typed(argument)) => match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_none() => &*reference.elem,
            other => return Err(Error::new_spanned(other, EVENT_FIRST)),
        },
        _ => return Err(Error::new_spanned(&function.sig, EVENT_FIRST)),
    };
    // Hidden from the function, which may be called just so.
    let (given, container) = (Ident::new("event", Span::mixed_site()), Ident::new("container", Span::mixed_site()));
    let output = Ident::new("output", Span::mixed_site());
    let mut infos = Vec::new();
    let mut resolve = Vec::new();
    let mut names = Vec::new();
    for (index, argument) in inputs.enumerate() {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new_spanned(argument, "a listener is a plain function, without `self`"));
        };
        let (name, ty) = (format_ident!("argument{index}", span = Span::mixed_site()), &argument.ty);
        infos.push(quote_spanned!(ty.span()=> <#ty as ::paravel::container::Dependency>::info()));
        resolve.push(quote_spanned! {ty.span()=>
            let #name = <#ty as ::paravel::container::Dependency>::resolve(
                &::paravel::container::Resolver::new(#container),
            )?;
        });
        names.push(name);
    }
    let name = &function.sig.ident;
    // Where what it returns is wrong, that is said there.
    let returned = match &function.sig.output {
        syn::ReturnType::Type(_, ty) => ty.span(),
        syn::ReturnType::Default => Span::mixed_site(),
    };
    let into_result = quote_spanned!(returned=> ::paravel::events::ListenerOutput::into_result(#output));
    Ok(quote! {
        #function

        ::paravel::__private::inventory::submit! {
            ::paravel::events::ListenerSource::new(|| ::std::vec![
                ::paravel::events::ListenerEntry::new::<#event>(
                    concat!(module_path!(), "::", stringify!(#name)),
                    ::std::vec![#(#infos),*],
                    |#given, #container| ::std::boxed::Box::pin(async move {
                        #(#resolve)*
                        let #output = #name(#given, #(#names),*).await;
                        #into_result
                    }),
                )#options
            ])
        }
    })
}
