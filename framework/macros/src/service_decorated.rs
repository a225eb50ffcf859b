use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Index, ItemTrait};

use super::{service_audited, service_cached, service_method::Method};

/// What makes a service decoratable: a type that goes around it, and what is known of its methods.
pub fn expand(item: &ItemTrait, methods: &[Method]) -> TokenStream {
    let service = &item.ident;
    let functions = methods.iter().enumerate().map(|(index, method)| function(index, method));
    let cached = service_cached::expand(item, methods);
    let audited = service_audited::expand(item, methods);
    let infos = methods.iter().map(|method| info(service, method));
    quote! {
        #[allow(unused_imports, clippy::all, reason = "the expansion of #[service]")]
        const _: () = {
            use ::paravel::__private::probe::*;

            struct Decorated {
                inner: ::std::sync::Arc<dyn #service>,
                decorator: ::std::sync::Arc<dyn ::paravel::service::Decorator>,
                service: &'static ::paravel::service::ServiceInfo,
            }

            #[::paravel::__private::async_trait::async_trait]
            impl #service for Decorated {
                #(#functions)*
            }

            impl ::paravel::service::Decoratable for dyn #service {
                fn service() -> &'static ::paravel::service::ServiceInfo {
                    static SERVICE: ::std::sync::LazyLock<::paravel::service::ServiceInfo> =
                        ::std::sync::LazyLock::new(|| ::paravel::service::ServiceInfo {
                            name: ::core::stringify!(#service),
                            methods: ::std::vec![#(#infos),*],
                        });
                    &SERVICE
                }

                fn decorate(
                    inner: ::std::sync::Arc<Self>,
                    decorator: ::std::sync::Arc<dyn ::paravel::service::Decorator>,
                ) -> ::std::sync::Arc<Self> {
                    let service = <Self as ::paravel::service::Decoratable>::service();
                    ::std::sync::Arc::new(Decorated { inner, decorator, service })
                }
            }

            #cached
            #audited
        };
    }
}

fn function(index: usize, method: &Method) -> TokenStream {
    let Method { signature, .. } = method;
    let (name, names) = (&signature.ident, method.names());
    if !method.is_async() {
        return quote!(#signature { self.inner.#name(#(#names),*) });
    }
    let returned = method.returned();
    let [arguments, f, refusal] = ["arguments", "f", "refusal"].map(|name| Ident::new(name, Span::mixed_site()));
    let moved = (0..method.arguments.len()).map(Index::from).map(|index| quote!(#arguments.#index));
    let shown = method.shown(&f, |index, _| {
        let index = Index::from(index);
        quote!(#arguments.#index)
    });
    let again = if method.idempotent {
        let copies = (0..method.arguments.len()).map(Index::from);
        quote!(::core::option::Option::Some((#(::core::clone::Clone::clone(&#arguments.#copies),)*)))
    } else {
        quote!(::core::option::Option::None)
    };
    quote! {
        #signature {
            let #refusal = (&Returned::<#returned>(::core::marker::PhantomData)).refusal();
            ::paravel::__private::decorated(
                &*self.decorator,
                &self.service.methods[#index],
                #refusal,
                (#(#names,)*),
                |#arguments| self.inner.#name(#(#moved),*),
                |#arguments, #f| {
                    #shown
                    ::core::result::Result::Ok(())
                },
                |#arguments| #again,
                |result| ::paravel::service::Outcome::of((&FailureOf(result)).error().map(|error| {
                    ((&Shown(error)).text(), (&Shown(error)).transient())
                })),
            )
            .await
        }
    }
}

fn info(service: &Ident, method: &Method) -> TokenStream {
    let Method { signature, idempotent, .. } = method;
    let (name, is_async, returned) = (&signature.ident, method.is_async(), method.returned());
    quote! {
        ::paravel::service::MethodInfo {
            service: ::core::stringify!(#service),
            name: ::core::stringify!(#name),
            is_async: #is_async,
            idempotent: #idempotent,
            refusable: (&Returned::<#returned>(::core::marker::PhantomData)).refusal().is_some(),
            classified: (&Returned::<#returned>(::core::marker::PhantomData)).classified(),
        }
    }
}
