//! The container: what can be bound, what a factory may take and return, and what wraps what.

use std::{io, sync::Arc};

use paravel::container::{Container, ContainerBuilder, ContainerError, DependencyInfo, Inject, Key, Resolver};

trait Greeter: Send + Sync {
    fn greet(&self) -> String;
}

struct Named(String);

impl Greeter for Named {
    fn greet(&self) -> String {
        self.0.clone()
    }
}

fn greeter(text: impl Into<String>) -> Arc<dyn Greeter> {
    Arc::new(Named(text.into()))
}

fn build(fill: impl FnOnce(&mut ContainerBuilder)) -> Container {
    let mut app = ContainerBuilder::new();
    fill(&mut app);
    app.freeze().unwrap()
}

#[test]
fn bind_makes_anew_and_singleton_makes_once() {
    let app = build(|app| {
        app.bind(|| Arc::new(String::new()));
        app.singleton(|| Arc::new(Vec::<u8>::new()));
    });
    assert!(!Arc::ptr_eq(&app.make::<String>().unwrap(), &app.make::<String>().unwrap()));
    assert!(Arc::ptr_eq(&app.make::<Vec<u8>>().unwrap(), &app.make::<Vec<u8>>().unwrap()));
}

#[test]
fn an_instance_is_given_as_it_is_and_clones_share_it() {
    let instance = Arc::new("ready".to_owned());
    let app = build(|app| {
        app.instance(Arc::clone(&instance));
    });
    let clone = app.clone();
    assert!(Arc::ptr_eq(&app.make::<String>().unwrap(), &instance));
    assert!(Arc::ptr_eq(&clone.make::<String>().unwrap(), &instance));
}

#[test]
fn a_trait_object_is_a_key_of_its_own() {
    let app = build(|app| {
        app.instance(Arc::new(Named("concrete".to_owned())));
        app.singleton(|named: Arc<Named>| greeter(format!("dyn of {}", named.0)));
    });
    assert_eq!(app.make::<dyn Greeter>().unwrap().greet(), "dyn of concrete");
    assert_eq!(app.make::<Named>().unwrap().0, "concrete");
    assert!(app.bound::<dyn Greeter>() && !app.bound::<u8>());
}

#[test]
fn what_is_not_bound_is_an_error_that_names_the_key() {
    let app = build(|_| {});
    let error = app.make::<dyn Greeter>().err().unwrap();
    assert!(matches!(&error, ContainerError::NotBound { key } if *key == Key::of::<dyn Greeter>()));
    assert_eq!(error.to_string(), "nothing is bound to `dyn Greeter`: bind it in a provider's `register`");
}

#[test]
fn an_option_is_some_where_bound_and_none_where_not() {
    let app = build(|app| {
        app.instance(Arc::new(7_u8));
        app.bind(|there: Option<Arc<u8>>, missing: Option<Arc<u16>>| Arc::new((there.map(|n| *n), missing.is_some())));
    });
    assert_eq!(*app.make::<(Option<u8>, bool)>().unwrap(), (Some(7), false));
}

#[test]
fn an_option_does_not_hide_why_a_bound_dependency_failed() {
    let app = build(|app| {
        app.bind(|| -> Result<Arc<u8>, io::Error> { Err(io::Error::other("no disk")) });
        app.bind(|number: Option<Arc<u8>>| Arc::new(number.is_some()));
    });
    let error = app.make::<bool>().unwrap_err();
    assert_eq!(error.to_string(), "the factory of `u8` failed: no disk");
}

#[test]
fn a_factory_that_returns_a_result_binds_the_type_inside() {
    let app = build(|app| {
        app.singleton(|| -> Result<Arc<u8>, io::Error> { Ok(Arc::new(5)) });
    });
    assert_eq!(*app.make::<u8>().unwrap(), 5);
}

#[test]
fn tagged_members_come_in_the_order_of_registration() {
    let app = build(|app| {
        app.instance(Arc::new("of a dependency".to_owned()));
        app.tag(|| greeter("first"));
        app.tag(|text: Arc<String>| greeter(text.as_str()));
        app.tag(|| greeter("last"));
        app.bind(|all: Vec<Arc<dyn Greeter>>| Arc::new(all.iter().map(|one| one.greet()).collect::<Vec<_>>()));
    });
    assert_eq!(*app.make::<Vec<String>>().unwrap(), ["first", "of a dependency", "last"]);
    assert_eq!(app.tagged::<dyn Greeter>().unwrap().len(), 3);
    assert!(app.tagged::<u8>().unwrap().is_empty());
    assert!(!app.bound::<dyn Greeter>(), "a tag is not a binding");
}

struct Report(String);
struct Letter(String);

#[test]
fn a_contextual_binding_is_for_its_consumer_alone() {
    let app = build(|app| {
        app.instance(Arc::new("everybody's".to_owned()));
        app.bind(|text: Arc<String>| Arc::new(Report(text.to_string())));
        app.bind(|text: Arc<String>| Arc::new(Letter(text.to_string())));
        app.when::<Report>().needs::<String>().give(|everybodys: Arc<String>| Arc::new(format!("not {everybodys}")));
    });
    assert_eq!(app.make::<Report>().unwrap().0, "not everybody's");
    assert_eq!(app.make::<Letter>().unwrap().0, "everybody's");
    assert_eq!(*app.make::<String>().unwrap(), "everybody's");
}

#[test]
fn a_contextual_binding_needs_no_general_one() {
    let app = build(|app| {
        app.bind(|text: Arc<String>| Arc::new(Report(text.to_string())));
        app.when::<Report>().needs::<String>().give(|| Arc::new("its own".to_owned()));
        app.extend(|inner: Arc<String>| Arc::new(format!("{inner}, extended")));
    });
    assert_eq!(app.make::<Report>().unwrap().0, "its own, extended");
    assert!(matches!(app.make::<String>(), Err(ContainerError::NotBound { .. })));
}

#[test]
fn a_contextual_binding_reaches_the_members_of_a_tag() {
    let app = build(|app| {
        app.instance(Arc::new("everybody's".to_owned()));
        app.tag(|text: Arc<String>| greeter(text.as_str()));
        app.when::<dyn Greeter>().needs::<String>().give(|| Arc::new("the greeters'".to_owned()));
    });
    assert_eq!(app.tagged::<dyn Greeter>().unwrap()[0].greet(), "the greeters'");
}

#[test]
fn extenders_wrap_in_the_order_of_registration_whenever_the_key_is_bound() {
    let app = build(|app| {
        app.extend(|inner: Arc<dyn Greeter>| greeter(format!("a({})", inner.greet())));
        app.instance(Arc::new("b".to_owned()));
        app.singleton(|| greeter("core"));
        app.extend(|inner: Arc<dyn Greeter>, name: Arc<String>| greeter(format!("{name}({})", inner.greet())));
    });
    assert_eq!(app.make::<dyn Greeter>().unwrap().greet(), "b(a(core))");
}

#[test]
fn extenders_wrap_instances_and_contextual_bindings_too() {
    let app = build(|app| {
        app.instance(Arc::new("everybody's".to_owned()));
        app.bind(|text: Arc<String>| Arc::new(Report(text.to_string())));
        app.when::<Report>().needs::<String>().give(|| Arc::new("the report's".to_owned()));
        app.extend(|inner: Arc<String>| Arc::new(format!("({inner})")));
    });
    assert_eq!(*app.make::<String>().unwrap(), "(everybody's)");
    assert_eq!(app.make::<Report>().unwrap().0, "(the report's)");
}

#[test]
fn an_extender_may_fail() {
    let app = build(|app| {
        app.singleton(|| Arc::new(1_u8));
        app.extend(|_: Arc<u8>| -> Result<Arc<u8>, io::Error> { Err(io::Error::other("will not wrap")) });
    });
    assert_eq!(app.make::<u8>().unwrap_err().to_string(), "the factory of `u8` failed: will not wrap");
}

#[test]
fn replace_puts_a_fake_in_the_place_of_what_was_bound() {
    let app = build(|app| {
        app.singleton(|| greeter("real"));
        app.bind(|text: Arc<String>| Arc::new(Report(text.to_string())));
        app.when::<Report>().needs::<String>().give(|| Arc::new("real".to_owned()));
        app.extend(|inner: Arc<dyn Greeter>| greeter(format!("extended {}", inner.greet())));
        app.replace(|app| {
            app.instance(greeter("fake"));
            app.instance(Arc::new(3_u8));
            app.when::<Report>().needs::<String>().give(|| Arc::new("fake".to_owned()));
        });
    });
    assert_eq!(app.make::<dyn Greeter>().unwrap().greet(), "extended fake");
    assert_eq!(*app.make::<u8>().unwrap(), 3, "what was not bound before is bound all the same");
    assert_eq!(app.make::<Report>().unwrap().0, "fake");
}

#[derive(paravel::Inject)]
#[inject(as = dyn Greeter)]
struct Wired {
    name: Arc<String>,
    title: Option<Arc<u16>>,
    others: Vec<Arc<u8>>,
    own: Inject<u32>,
    #[inject(default)]
    greeted: Vec<&'static str>,
}

impl Greeter for Wired {
    fn greet(&self) -> String {
        let (title, others, greeted) = (self.title.is_some(), self.others.len(), self.greeted.len());
        format!("{} {title} {others} {} {greeted}", self.name, *self.own.0)
    }
}

#[derive(paravel::Inject)]
struct Nothing;

#[test]
fn a_derived_constructor_is_a_factory_of_the_trait_it_names() {
    let app = build(|app| {
        app.instance(Arc::new("Ada".to_owned()));
        app.instance(Arc::new(9_u32));
        app.tag(|| Arc::new(1_u8));
        app.tag(|| Arc::new(2_u8));
        app.singleton(Wired::inject);
        app.scoped(Nothing::inject);
    });
    assert_eq!(app.make::<dyn Greeter>().unwrap().greet(), "Ada false 2 9 0");
    assert!(app.scope().make::<Nothing>().is_ok());
    assert!(!app.bound::<Wired>());
}

#[test]
fn a_factory_takes_up_to_twelve_dependencies() {
    type One = Arc<u8>;
    let app = build(|app| {
        app.instance(Arc::new(1_u8));
        app.bind(|a: One, b: One, c: One, d: One, e: One, f: One, g: One, h: One, i: One, j: One, k: One, l: One| {
            Arc::new([a, b, c, d, e, f, g, h, i, j, k, l].iter().map(|one| u32::from(**one)).sum::<u32>())
        });
    });
    assert_eq!(*app.make::<u32>().unwrap(), 12);
}

#[test]
fn the_list_of_bindings_says_what_each_needs() {
    let app = build(|app| {
        app.instance(Arc::new(1_u8));
        app.singleton(|_: Arc<u8>| greeter("x"));
        app.extend(|inner: Arc<dyn Greeter>, _: Option<Arc<u16>>| inner);
    });
    let list = app.bindings();
    let (first, second) = (&list[0], &list[1]);
    assert_eq!((first.key.as_str(), first.lifetime.as_str(), first.extenders), ("dyn Greeter", "singleton", 1));
    assert_eq!(first.needs, ["u8", "u16"]);
    assert!(first.registered.contains("container.rs:"), "{}", first.registered);
    assert_eq!((second.key.as_str(), second.lifetime.as_str()), ("u8", "instance"));
}

#[test]
fn a_dependency_can_be_resolved_for_something_outside() {
    use paravel::container::Dependencies;
    let app = build(|app| {
        app.instance(Arc::new(1_u8));
    });
    type Needs = (Arc<u8>, Inject<u8>, Option<Arc<u16>>);
    let (one, same, none) = Needs::resolve(&Resolver::new(&app)).unwrap();
    assert!(Arc::ptr_eq(&one, &same.0) && none.is_none());
    assert_eq!(Needs::infos().iter().map(|info| info.key.to_string()).collect::<Vec<_>>(), ["u8", "u8", "u16"]);
    assert_eq!(DependencyInfo::of::<Arc<u8>>().key, DependencyInfo::one::<u8>().key);
}
