use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Error, Expr, ExprLit, FnArg, ImplItem, ImplItemFn, ItemImpl, Lit, LitBool, LitInt, LitStr, Result, Type,
    meta::ParseNestedMeta, parse::Parser, spanned::Spanned,
};

use crate::service_cached::duration;

const WHICH: &str = "`#[job]` stands on `impl Type { async fn handle(self, ..) }` or `impl Job for Type`";
const OPTIONS: &str = "`#[job]` takes `name`, `queue`, `priority = \"high\"`, `tries`, `backoff = \"10s\"`, `timeout`, `retry_for`, \
                       `version`, `encrypted` and `after_commit = false`";

/// The methods of a job beside `handle`, which are the trait's own where the type has them.
const OTHERS: [&str; 5] = ["unique", "rate_limit", "concurrency", "middleware", "upcast"];

pub fn expand(arguments: TokenStream, item: &ItemImpl) -> Result<TokenStream> {
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a job has no parameters: one is registered for one kind"));
    }
    let ty = &item.self_ty;
    let implementation = match &item.trait_ {
        Some((_, path, _)) if path.segments.last().is_some_and(|last| last.ident == "Job") => {
            if !arguments.is_empty() {
                return Err(Error::new_spanned(
                    arguments,
                    "an `impl Job` says this by its constants: `const TRIES: u32 = 5;`",
                ));
            }
            TokenStream::new()
        }
        Some((_, path, _)) => return Err(Error::new_spanned(path, WHICH)),
        None => implementation(arguments, item)?,
    };
    Ok(quote! {
        #item

        #implementation

        ::paravel::__private::inventory::submit! {
            ::paravel::queue::JobEntry::of::<#ty>()
        }
    })
}

/// The `impl Job` that an `impl` of the type's own stands for.
fn implementation(arguments: TokenStream, item: &ItemImpl) -> Result<TokenStream> {
    let ty = &item.self_ty;
    let functions = item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    });
    let functions: Vec<_> = functions.collect();
    let handle = functions.iter().find(|function| function.sig.ident == "handle");
    let handle = handle.ok_or_else(|| Error::new_spanned(ty, WHICH))?;
    let (options, named) = options(arguments)?;
    let name = match named {
        true => TokenStream::new(),
        false => {
            let name = type_name(ty)?;
            quote!(const NAME: &'static str = #name;)
        }
    };
    let others = functions.iter().filter(|function| OTHERS.iter().any(|name| function.sig.ident == name));
    let others = others.map(|function| delegate(ty, function));
    let handle = handled(ty, handle)?;
    Ok(quote! {
        impl ::paravel::queue::Job for #ty {
            #name
            #options
            #handle
            #(#others)*
        }
    })
}

fn type_name(ty: &Type) -> Result<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
    .ok_or_else(|| Error::new_spanned(ty, WHICH))
}

/// The constants that the attribute says, and whether a name is among them.
fn options(arguments: TokenStream) -> Result<(TokenStream, bool)> {
    let (mut constants, mut named) = (TokenStream::new(), false);
    let parser = syn::meta::parser(|meta| {
        named |= meta.path.is_ident("name");
        constants.extend(option(&meta)?);
        Ok(())
    });
    parser.parse2(arguments)?;
    Ok((constants, named))
}

fn option(meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let is = |name: &str| meta.path.is_ident(name);
    if is("name") {
        let name: LitStr = meta.value()?.parse()?;
        return Ok(quote!(const NAME: &'static str = #name;));
    }
    if is("queue") {
        let queue: LitStr = meta.value()?.parse()?;
        return Ok(quote!(const QUEUE: &'static str = #queue;));
    }
    if is("priority") {
        let text: LitStr = meta.value()?.parse()?;
        let priority = match text.value().as_str() {
            "high" => quote!(High),
            "normal" => quote!(Normal),
            "low" => quote!(Low),
            _ => return Err(Error::new_spanned(text, "expected high, normal or low")),
        };
        return Ok(quote!(const PRIORITY: ::paravel::queue::Priority = ::paravel::queue::Priority::#priority;));
    }
    if is("tries") {
        let tries: LitInt = meta.value()?.parse()?;
        return Ok(quote!(const TRIES: u32 = #tries;));
    }
    if is("version") {
        let version: LitInt = meta.value()?.parse()?;
        return Ok(quote!(const VERSION: u16 = #version;));
    }
    if is("backoff") {
        let backoff = backoff(&meta.value()?.parse()?)?;
        return Ok(quote!(const BACKOFF: ::paravel::queue::Backoff = #backoff;));
    }
    if is("timeout") {
        let timeout = time(&meta.value()?.parse()?)?;
        return Ok(quote!(const TIMEOUT: ::core::time::Duration = #timeout;));
    }
    if is("retry_for") {
        let lasts = time(&meta.value()?.parse()?)?;
        return Ok(quote! {
            const RETRY_FOR: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(#lasts);
        });
    }
    if is("encrypted") {
        // By itself it says yes.
        let encrypted = match meta.input.peek(syn::Token![=]) {
            true => meta.value()?.parse::<LitBool>()?.value,
            false => true,
        };
        return Ok(quote!(const ENCRYPTED: bool = #encrypted;));
    }
    if is("after_commit") {
        let waits: LitBool = meta.value()?.parse()?;
        return Ok(quote!(const AFTER_COMMIT: bool = #waits;));
    }
    Err(meta.error(OPTIONS))
}

/// A duration, as an expression.
pub fn time(text: &LitStr) -> Result<TokenStream> {
    let milliseconds = duration(text)?;
    Ok(quote!(::core::time::Duration::from_millis(#milliseconds)))
}

/// A back-off: one pause, or a list of them.
pub fn backoff(value: &Expr) -> Result<TokenStream> {
    let pause = |value: &Expr| match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => time(text),
        other => Err(Error::new_spanned(other, "expected a duration such as \"10s\", or a list as [\"10s\", \"1m\"]")),
    };
    match value {
        Expr::Array(pauses) => {
            let pauses: Vec<_> = pauses.elems.iter().map(pause).collect::<Result<_>>()?;
            Ok(quote!(::paravel::queue::Backoff::List(::std::borrow::Cow::Borrowed(const { &[#(#pauses),*] }))))
        }
        one => {
            let pause = pause(one)?;
            Ok(quote!(::paravel::queue::Backoff::Fixed(#pause)))
        }
    }
}

/// The trait's `handle`, which calls the type's own with what it asks for.
fn handled(ty: &Type, function: &ImplItemFn) -> Result<TokenStream> {
    if function.sig.asyncness.is_none() {
        return Err(Error::new_spanned(&function.sig, "a job's `handle` is an `async fn`"));
    }
    let mut inputs = function.sig.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver)) if receiver.reference.is_none() => {}
        _ => return Err(Error::new_spanned(&function.sig, "a job's `handle` takes `self`, which is the job")),
    }
    let (mut types, mut names, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for (index, argument) in inputs.enumerate() {
        let FnArg::Typed(argument) = argument else { continue };
        match &*argument.ty {
            // What the attempt is given is there already.
            Type::Reference(_) => given.push(quote!(run)),
            wanted => {
                let name = format_ident!("argument{index}");
                types.push(wanted.clone());
                given.push(quote!(#name));
                names.push(name);
            }
        }
    }
    let call = quote_spanned!(function.sig.output.span()=> <#ty>::handle(self, #(#given),*).await);
    Ok(quote! {
        type Dependencies = (#(#types,)*);

        async fn handle(
            self,
            (#(#names,)*): (#(#types,)*),
            #[allow(unused_variables, reason = "the type's own may not ask for it")] run: &::paravel::queue::JobRun,
        ) -> ::core::result::Result<(), ::paravel::support::BoxError> {
            ::core::result::Result::map_err(#call, ::core::convert::Into::into)
        }
    })
}

/// A method of the trait that is the type's own of that name.
fn delegate(ty: &Type, function: &ImplItemFn) -> TokenStream {
    let (signature, name) = (&function.sig, &function.sig.ident);
    let arguments = signature.inputs.iter().map(|argument| match argument {
        FnArg::Receiver(_) => quote!(self),
        FnArg::Typed(argument) => {
            let pattern = &argument.pat;
            quote!(#pattern)
        }
    });
    quote!(#signature { <#ty>::#name(#(#arguments),*) })
}
