use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, Expr, ExprLit, FnArg, ItemFn, Lit, Meta, Result, ReturnType, spanned::Spanned};

pub fn expand(arguments: &TokenStream, function: &ItemFn) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`#[endpoint]` takes no arguments"));
    }
    if function.sig.asyncness.is_none() {
        return Err(Error::new_spanned(&function.sig, "a handler is an `async fn`"));
    }
    if !function.sig.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &function.sig.generics,
            "a handler has no parameters of its own: each route has one",
        ));
    }
    // Hidden from the function, which may be called just so.
    let (request, body) = (Ident::new("request", Span::mixed_site()), Ident::new("body", Span::mixed_site()));
    let mut extract = Vec::new();
    let mut describe = Vec::new();
    let mut names = Vec::new();
    for (index, argument) in function.sig.inputs.iter().enumerate() {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new_spanned(argument, "a handler is a plain function, without `self`"));
        };
        let (name, ty) = (format_ident!("argument{index}", span = Span::mixed_site()), &argument.ty);
        extract.push(quote_spanned! {ty.span()=>
            let #name = <#ty as ::paravel::__private::poem::FromRequest>::from_request(&#request, &mut #body).await?;
        });
        describe.push(quote_spanned! {ty.span()=>
            (&::paravel::__private::Probe::<#ty>::new()).describe(&mut operation);
        });
        names.push(name);
    }
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let docs: Vec<_> = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
    let summary = summary(function);
    let (name, visibility) = (&function.sig.ident, &function.vis);
    Ok(quote! {
        #(#docs)*
        // A function, not a unit struct of the handler's name: such a name could be used for no variable around it.
        #visibility fn #name() -> impl ::paravel::http::Handler {
            struct Handler;

            impl ::paravel::__private::poem::Endpoint for Handler {
                type Output = ::paravel::__private::poem::Response;

                async fn call(
                    &self,
                    #request: ::paravel::__private::poem::Request,
                ) -> ::paravel::__private::poem::Result<Self::Output> {
                    #function
                    #[allow(unused_mut, clippy::allow_attributes)]
                    let (#request, mut #body) = #request.split();
                    #(#extract)*
                    ::paravel::__private::respond(#name(#(#names),*).await)
                }
            }

            impl ::paravel::http::Handler for Handler {
                fn operation(&self) -> ::paravel::http::Operation {
                    #[allow(unused_imports, clippy::allow_attributes)]
                    use ::paravel::__private::{DescribeExtractor as _, DescribeOther as _};
                    #[allow(unused_mut, clippy::allow_attributes)]
                    let mut operation = ::paravel::http::Operation::new(
                        concat!(module_path!(), "::", stringify!(#name)),
                        #summary,
                        ::core::any::type_name::<#output>(),
                    );
                    #(#describe)*
                    operation
                }
            }

            Handler
        }
    })
}

/// The first line of the documentation.
fn summary(function: &ItemFn) -> String {
    function
        .attrs
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .unwrap_or_default()
}
