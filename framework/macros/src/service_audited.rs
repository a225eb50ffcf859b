use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, Error, Expr, Ident, ItemTrait, LitStr, Member, Result, Signature, Token, parse::ParseStream,
    spanned::Spanned,
};

use super::service_method::{Argument, Method};

/// As long as the column of the audit log is.
const LONGEST: usize = 100;

/// What `#[audited("user.updated", before = find(id), after = find(id))]` on a method says.
pub struct Auditing {
    action: LitStr,
    before: Option<Asked>,
    after: Option<Asked>,
}

/// Another method of the trait, which is asked for the state, with what of the audited method's arguments.
struct Asked {
    method: Ident,
    with: Vec<Passed>,
}

/// `id`, `&email` or `change.name`.
struct Passed {
    borrowed: bool,
    name: Ident,
    fields: Vec<Member>,
}

impl Auditing {
    /// Takes the attribute off, where there is one.
    pub fn take(
        attributes: &mut Vec<Attribute>,
        signature: &Signature,
        arguments: &[Argument],
    ) -> Result<Option<Self>> {
        let is_ours = |attribute: &Attribute| attribute.path().is_ident("audited");
        let ours: Vec<_> = attributes.iter().filter(|attribute| is_ours(attribute)).cloned().collect();
        attributes.retain(|attribute| !is_ours(attribute));
        let [attribute] = ours.as_slice() else {
            return match ours.get(1) {
                Some(second) => Err(Error::new_spanned(second, "one `#[audited]` a method")),
                None => Ok(None),
            };
        };
        if signature.asyncness.is_none() {
            return Err(Error::new_spanned(signature, "what is audited is an `async` method: it is written to a log"));
        }
        let auditing = attribute.parse_args_with(Self::parse).map_err(|error| match attribute.meta.require_list() {
            Ok(_) => error,
            Err(_) => Error::new_spanned(attribute, "`#[audited(\"user.updated\")]` needs a name for what is done"),
        })?;
        for asked in auditing.asked() {
            asked.check_arguments(arguments)?;
        }
        Ok(Some(auditing))
    }

    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let action: LitStr = input.parse()?;
        if action.value().trim().is_empty() || action.value().len() > LONGEST {
            let message = format!("name what is done, such as \"user.updated\", in up to {LONGEST} bytes");
            return Err(Error::new_spanned(action, message));
        }
        let mut auditing = Self { action, before: None, after: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            let asked = match &*name.to_string() {
                "before" => &mut auditing.before,
                "after" => &mut auditing.after,
                _ => {
                    let message = "`#[audited]` takes a name, `before = method(..)` and `after = method(..)`";
                    return Err(Error::new_spanned(name, message));
                }
            };
            input.parse::<Token![=]>()?;
            if asked.replace(Asked::of(&input.parse()?)?).is_some() {
                return Err(Error::new_spanned(&name, format!("`{name}` is there twice")));
            }
        }
        Ok(auditing)
    }

    fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.before.iter().chain(&self.after)
    }
}

impl Asked {
    fn of(call: &Expr) -> Result<Self> {
        let form = |spanned: &Expr| {
            Error::new_spanned(spanned, "name a method of this trait with arguments of this one: `find(id)`")
        };
        let Expr::Call(call) = call else { return Err(form(call)) };
        let Expr::Path(path) = &*call.func else { return Err(form(&call.func)) };
        let method = path.path.get_ident().ok_or_else(|| form(&call.func))?.clone();
        let with = call.args.iter().map(Passed::of).collect::<Result<_>>()?;
        Ok(Self { method, with })
    }

    fn check_arguments(&self, arguments: &[Argument]) -> Result<()> {
        for Passed { name, .. } in &self.with {
            match arguments.iter().find(|argument| argument.named && argument.name == *name) {
                Some(argument) if argument.secret => {
                    return Err(Error::new_spanned(name, format!("`{name}` is `#[secret]`, and the audit log is not")));
                }
                Some(_) => {}
                None => return Err(Error::new_spanned(name, format!("`{name}` is no argument of this method"))),
            }
        }
        Ok(())
    }

    /// That there is such a method, and it is called as it has to be.
    fn check(&self, methods: &[Method]) -> Result<()> {
        let Some(method) = methods.iter().find(|method| method.signature.ident == self.method) else {
            return Err(Error::new_spanned(&self.method, format!("this trait has no method `{}`", self.method)));
        };
        if !method.is_async() {
            return Err(Error::new_spanned(
                &self.method,
                "name an `async` method, as those are that find something out",
            ));
        }
        if method.arguments.len() != self.with.len() {
            let takes = method.arguments.len();
            return Err(Error::new_spanned(&self.method, format!("`{}` takes {takes} argument(s)", self.method)));
        }
        Ok(())
    }

    /// The call, whose arguments are copies.
    fn call(&self, copies: impl Fn(usize, &Passed) -> TokenStream) -> TokenStream {
        let method = &self.method;
        let with = self.with.iter().enumerate().map(|(index, passed)| copies(index, passed));
        // Spanned at the name, so that a method whose result cannot be kept is pointed at.
        let state = quote_spanned!(method.span()=> ::paravel::__private::state_of);
        quote!(#state(&self.inner.#method(#(#with),*).await))
    }
}

impl Passed {
    fn of(expression: &Expr) -> Result<Self> {
        let (borrowed, mut inner) = match expression {
            Expr::Reference(reference) if reference.mutability.is_none() => (true, &*reference.expr),
            other => (false, other),
        };
        let mut fields = Vec::new();
        while let Expr::Field(field) = inner {
            fields.insert(0, field.member.clone());
            inner = &field.base;
        }
        match inner {
            Expr::Path(path) if path.path.get_ident().is_some() => {
                let name = path.path.require_ident()?.clone();
                Ok(Self { borrowed, name, fields })
            }
            _ => Err(Error::new(
                expression.span(),
                "pass an argument of this method, its field, or a reference to one: `id`, `change.id`, `&email`",
            )),
        }
    }

    fn place(&self) -> TokenStream {
        let Self { name, fields, .. } = self;
        quote!(#name #(.#fields)*)
    }
}

/// Whether what `#[audited]` names is there.
pub fn check(methods: &[Method]) -> Result<()> {
    let mut asked = methods.iter().filter_map(|method| method.auditing.as_ref()).flat_map(Auditing::asked);
    asked.try_for_each(|asked| asked.check(methods))
}

/// What makes a service auditable; nothing where no method says so.
pub fn expand(item: &ItemTrait, methods: &[Method]) -> TokenStream {
    if methods.iter().all(|method| method.auditing.is_none()) {
        return TokenStream::new();
    }
    let service = &item.ident;
    let functions = methods.iter().enumerate().map(|(index, method)| function(service, index, method));
    quote! {
        struct Audited {
            inner: ::std::sync::Arc<dyn #service>,
            auditor: ::paravel::service::Auditor,
        }

        #[::paravel::__private::async_trait::async_trait]
        impl #service for Audited {
            #(#functions)*
        }

        impl ::paravel::service::Auditable for dyn #service {
            fn audited(
                inner: ::std::sync::Arc<Self>,
                auditor: &::paravel::service::Auditor,
            ) -> ::std::sync::Arc<Self> {
                ::std::sync::Arc::new(Audited { inner, auditor: ::core::clone::Clone::clone(auditor) })
            }
        }
    }
}

fn function(service: &Ident, index: usize, method: &Method) -> TokenStream {
    let Method { signature, auditing, .. } = method;
    let (name, names): (_, Vec<&Ident>) = (&signature.ident, method.names().collect());
    let Some(Auditing { action, before, after }) = auditing else {
        let wait = signature.asyncness.map(|_| quote!(.await));
        return quote!(#signature { self.inner.#name(#(#names),*)#wait });
    };
    // Hidden from the arguments, which may be called just so.
    let [audit, result, error, state, f] =
        ["audit", "result", "error", "state", "f"].map(|name| Ident::new(name, Span::mixed_site()));
    let shown = method.shown(&f, |_, name| quote!(#name));
    let before = before.as_ref().map(|asked| {
        let call = asked.call(|_, passed| {
            let place = passed.place();
            if passed.borrowed { quote!(&#place) } else { quote!(::core::clone::Clone::clone(&#place)) }
        });
        quote!(#audit.before(#call);)
    });
    let copy = |index| format_ident!("copy{index}", span = Span::mixed_site());
    // The call itself takes the arguments along.
    let copies = after.iter().flat_map(|asked| asked.with.iter().enumerate()).map(|(index, passed)| {
        let (copy, place) = (copy(index), passed.place());
        quote!(let #copy = ::core::clone::Clone::clone(&#place);)
    });
    let after = match after {
        Some(asked) => asked.call(|index, passed| {
            let copy = copy(index);
            if passed.borrowed { quote!(&#copy) } else { quote!(#copy) }
        }),
        None => quote!((&&Shown(&#result)).state()),
    };
    let copies: Vec<_> = copies.collect();
    quote! {
        #signature {
            let mut #audit = ::paravel::__private::Audit::begin(
                &self.auditor,
                &<dyn #service as ::paravel::service::Decoratable>::service().methods[#index],
                #action,
                |#f| {
                    #shown
                    ::core::result::Result::Ok(())
                },
            );
            #before
            #(#copies)*
            let #result = self.inner.#name(#(#names),*).await;
            let #error = (&FailureOf(&#result)).error().map(|error| (&Shown(error)).text());
            let #state = #after;
            #audit.end(#error, #state).await;
            #result
        }
    }
}
