use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, Result, Type};

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
    let mut arguments = Vec::new();
    let mut values = Vec::new();
    for field in fields {
        let (name, ty) = (&field.ident, &field.ty);
        if is_default(field)? {
            values.push(quote!(#name: ::core::default::Default::default()));
        } else {
            arguments.push(quote!(#name: #ty));
            values.push(quote!(#name));
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
