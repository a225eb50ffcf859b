use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Error, FnArg, GenericParam, Ident, Item, ItemTrait, Result, ReturnType, TraitItem, TraitItemFn, parse::Parser,
    parse_quote, spanned::Spanned,
};

use super::{service_audited, service_decorated, service_method::Method};

pub fn expand(arguments: TokenStream, item: Item) -> Result<TokenStream> {
    match item {
        Item::Trait(item) => {
            let facade = facade_name(arguments)?;
            expand_trait(facade, item)
        }
        Item::Impl(item) => {
            if !arguments.is_empty() {
                return Err(Error::new_spanned(arguments, "on an `impl`, `#[service]` stands alone"));
            }
            if item.trait_.is_none() {
                return Err(Error::new_spanned(&item.self_ty, "`#[service]` is for the `impl` of a service trait"));
            }
            Ok(quote! {
                #[::paravel::__private::async_trait::async_trait]
                #item
            })
        }
        other => Err(Error::new_spanned(other, "`#[service]` is for a trait, and for the `impl` of one")),
    }
}

fn facade_name(arguments: TokenStream) -> Result<Option<Ident>> {
    let mut facade = None;
    syn::meta::parser(|meta| {
        if meta.path.is_ident("facade") {
            facade = Some(meta.value()?.parse()?);
            return Ok(());
        }
        Err(meta.error("`#[service]` takes `facade = Name`"))
    })
    .parse2(arguments)?;
    Ok(facade)
}

fn expand_trait(facade: Option<Ident>, mut item: ItemTrait) -> Result<TokenStream> {
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a service trait has no parameters: its `dyn` type is a key"));
    }
    let mut errors = Vec::new();
    let mut known = Vec::new();
    for member in &mut item.items {
        match member {
            TraitItem::Fn(method) => match check(method).and_then(|()| Method::take(method)) {
                Ok(method) => known.push(method),
                Err(error) => errors.push(error),
            },
            other => {
                errors.push(Error::new_spanned(other, "a service trait has methods only: others are not object-safe"))
            }
        }
    }
    if let Some(error) = errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    }) {
        return Err(error);
    }
    service_audited::check(&known)?;
    let decorated = service_decorated::expand(&item, &known);
    let facade = match facade {
        Some(name) => {
            let facade = expand_facade(&name, &item, &known)?;
            let docs =
                format!(" The facade of [`{}`]: its methods on the service bound in the application.", item.ident);
            let visibility = &item.vis;
            quote! {
                #[doc = #docs]
                #[derive(Debug, Clone, Copy)]
                #visibility struct #name;
                #facade
            }
        }
        None => TokenStream::new(),
    };
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    Ok(quote! {
        #[::paravel::__private::async_trait::async_trait]
        #item
        #facade
        #decorated
    })
}

fn check(method: &TraitItemFn) -> Result<()> {
    let signature = &method.sig;
    match signature.receiver() {
        Some(receiver) if receiver.reference.is_some() && receiver.mutability.is_none() => {}
        _ => return Err(Error::new_spanned(signature, "a service method takes `&self`: the service is shared")),
    }
    let generic = signature.generics.params.iter().find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        return Err(Error::new_spanned(
            generic,
            "a service method has no type parameters: it is called through `dyn`, so take a concrete type or a `Box<dyn ..>`",
        ));
    }
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let syn::Type::ImplTrait(ty) = &*argument.ty
        {
            return Err(Error::new_spanned(ty, "a service method takes no `impl Trait`: it is called through `dyn`"));
        }
    }
    Ok(())
}

fn expand_facade(name: &Ident, item: &ItemTrait, methods: &[Method]) -> Result<TokenStream> {
    let service = &item.ident;
    let mut functions = Vec::new();
    for method in methods {
        let ReturnType::Type(_, returned) = &method.signature.output else {
            return Err(Error::new_spanned(
                &method.signature,
                "a method behind a facade returns a `Result`: there may be no application to ask",
            ));
        };
        let mut signature = method.signature.clone();
        signature.inputs = signature.inputs.into_iter().skip(1).collect();
        let (names, docs) = (method.names(), &method.docs);
        let (visibility, function) = (&item.vis, &signature.ident);
        let wait = signature.asyncness.map(|_| quote!(.await));
        // Hidden from the arguments, which may be called just so.
        let (asked, error) = (Ident::new("service", Span::mixed_site()), Ident::new("error", Span::mixed_site()));
        // Spanned at the return type, so that an error type that is not `From<ContainerError>` is pointed at.
        let refuse = quote_spanned!(returned.span()=> ::paravel::__private::refuse::<#returned>(#error));
        functions.push(quote! {
            #(#docs)*
            #visibility #signature {
                match ::paravel::__private::facade::<dyn #service>() {
                    ::core::result::Result::Ok(#asked) => #asked.#function(#(#names),*)#wait,
                    ::core::result::Result::Err(#error) => #refuse,
                }
            }
        });
    }
    Ok(quote! {
        impl #name {
            #(#functions)*
        }
    })
}
