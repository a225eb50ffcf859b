use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, GenericArgument, ImplItem, ItemImpl, PathArguments, Result, ReturnType, Type, parse_quote};

use crate::listener::options;

const WHICH: &str = "`#[listener]` stands on `impl Listener<Event> for Type` or `impl Subscriber for Type`";

pub fn expand(arguments: TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    let Some((_, path, _)) = &item.trait_ else { return Err(Error::new_spanned(&item.self_ty, WHICH)) };
    let Some(of) = path.segments.last() else { return Err(Error::new_spanned(path, WHICH)) };
    if !item.generics.params.is_empty() {
        let generics = &item.generics;
        return Err(Error::new_spanned(generics, "a listener has no parameters: one is registered for one event"));
    }
    let ty = &item.self_ty;
    let entries = match (of.ident.to_string().as_str(), event(&of.arguments)) {
        ("Listener", Some(event)) => {
            let options = options(arguments)?;
            quote!(::std::vec![::paravel::events::ListenerEntry::of::<#ty, #event>()#options])
        }
        ("Subscriber", None) => {
            if !arguments.is_empty() {
                return Err(Error::new_spanned(
                    arguments,
                    "a subscriber says this of each method: `events.listen(Self::registered).priority(5)`",
                ));
            }
            quote!(::paravel::events::subscriptions::<#ty>())
        }
        _ => return Err(Error::new_spanned(path, WHICH)),
    };
    if of.ident == "Listener" {
        fill_in_output(&mut item)?;
    }
    Ok(quote! {
        #item

        ::paravel::__private::inventory::submit! {
            ::paravel::events::ListenerSource::new(|| #entries)
        }
    })
}

/// The one type argument, where there is one.
fn event(arguments: &PathArguments) -> Option<&Type> {
    match arguments {
        PathArguments::AngleBracketed(given) if given.args.len() == 1 => match given.args.first()? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// Says `type Output` as `handle` does, unless it is said already.
fn fill_in_output(item: &mut ItemImpl) -> Result<()> {
    if item.items.iter().any(|item| matches!(item, ImplItem::Type(_))) {
        return Ok(());
    }
    let handle = item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "handle" => Some(&function.sig),
        _ => None,
    });
    // Where there is none, the compiler says so.
    let Some(handle) = handle else { return Ok(()) };
    if handle.asyncness.is_none() {
        return Err(Error::new_spanned(handle, "write `async fn handle`, or say `type Output = ..;` as well"));
    }
    let output: Type = match &handle.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    item.items.insert(0, parse_quote!(type Output = #output;));
    Ok(())
}
