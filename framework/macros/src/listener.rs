use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, FnArg, ItemFn, LitInt, Result, Type, parse::Parser, spanned::Spanned};

pub fn expand(arguments: TokenStream, function: &ItemFn) -> Result<TokenStream> {
    let mut priority = quote!(0);
    syn::meta::parser(|meta| {
        if meta.path.is_ident("priority") {
            let value = meta.value()?;
            let minus = value.parse::<Option<syn::Token![-]>>()?;
            let number: LitInt = value.parse()?;
            priority = quote!(#minus #number);
            return Ok(());
        }
        Err(meta.error("`#[listener]` takes `priority = n`"))
    })
    .parse2(arguments)?;
    if function.sig.asyncness.is_none() {
        return Err(Error::new_spanned(&function.sig, "a listener is an `async fn`"));
    }
    let mut inputs = function.sig.inputs.iter();
    let event = match inputs.next() {
        Some(FnArg::Typed(argument)) => match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_none() => &*reference.elem,
            other => {
                return Err(Error::new_spanned(
                    other,
                    "a listener takes its event by reference first: `event: &UserRegistered`",
                ));
            }
        },
        _ => {
            return Err(Error::new_spanned(
                &function.sig,
                "a listener takes its event by reference first: `event: &UserRegistered`",
            ));
        }
    };
    // Hidden from the function, which may be called just so.
    let (given, container) = (Ident::new("event", Span::mixed_site()), Ident::new("container", Span::mixed_site()));
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
                &::paravel::container::Resolver::new(&#container),
            )?;
        });
        names.push(name);
    }
    let name = &function.sig.ident;
    Ok(quote! {
        #function

        ::paravel::__private::inventory::submit! {
            ::paravel::events::ListenerEntry::new::<#event>(
                concat!(module_path!(), "::", stringify!(#name)),
                #priority,
                || ::std::vec![#(#infos),*],
                |#given, #container| ::std::boxed::Box::pin(async move {
                    let #given = ::paravel::__private::event::<#event>(#given)?;
                    #(#resolve)*
                    ::core::result::Result::map_err(
                        #name(#given, #(#names),*).await,
                        ::core::convert::Into::into,
                    )
                }),
            )
        }
    })
}
