use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Field, Fields, Result, Type, spanned::Spanned};

pub fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &item.data else {
        return Err(Error::new_spanned(&item.ident, "`Inject` is for structs, whose fields are their dependencies"));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "`Inject` does not take generic structs: a key is one type"));
    }
    let fields: Vec<&Field> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => {
            return Err(Error::new_spanned(&data.fields, "`Inject` needs named fields, or none"));
        }
    };
    let key = key(item)?;
    let resolver = Ident::new("_resolver", Span::mixed_site());
    let mut arguments = Vec::new();
    let mut values = Vec::new();
    let mut infos = Vec::new();
    let mut resolved = Vec::new();
    for field in fields {
        let (name, ty) = (&field.ident, &field.ty);
        if is_default(field)? {
            values.push(quote!(#name: ::core::default::Default::default()));
            resolved.push(quote!(#name: ::core::default::Default::default()));
        } else {
            arguments.push(quote!(#name: #ty));
            values.push(quote!(#name));
            infos.push(quote_spanned!(ty.span()=> <#ty as ::paravel::container::Dependency>::info()));
            resolved.push(quote_spanned! {ty.span()=>
                #name: <#ty as ::paravel::container::Dependency>::resolve(#resolver)?
            });
        }
    }
    let (name, visibility) = (&item.ident, &item.vis);
    Ok(quote! {
        impl #name {
            /// Makes one of its dependencies: a factory for `bind`, `singleton` and `scoped`.
            #[allow(clippy::too_many_arguments)]
            #visibility fn inject(#(#arguments),*) -> ::std::sync::Arc<#key> {
                ::std::sync::Arc::new(Self { #(#values),* })
            }
        }

        impl ::paravel::container::Injectable for #name {
            fn dependencies() -> ::std::vec::Vec<::paravel::container::DependencyInfo> {
                ::std::vec![#(#infos),*]
            }

            fn make(
                #resolver: &::paravel::container::Resolver<'_>,
            ) -> ::core::result::Result<Self, ::paravel::container::ContainerError> {
                ::core::result::Result::Ok(Self { #(#resolved),* })
            }
        }
    })
}

fn key(item: &DeriveInput) -> Result<TokenStream> {
    let mut key = quote!(Self);
    for attribute in item.attrs.iter().filter(|attribute| attribute.path().is_ident("inject")) {
        attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
            let as_it = input.parse::<syn::Token![as]>();
            as_it.map_err(|error| Error::new(error.span(), "a struct takes `#[inject(as = dyn Trait)]`"))?;
            input.parse::<syn::Token![=]>()?;
            let ty: Type = input.parse()?;
            key = quote!(#ty);
            Ok(())
        })?;
    }
    Ok(key)
}

fn is_default(field: &Field) -> Result<bool> {
    let mut default = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("inject")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                default = true;
                return Ok(());
            }
            Err(meta.error("a field takes `#[inject(default)]`"))
        })?;
    }
    Ok(default)
}
