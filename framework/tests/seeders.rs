//! Seeders: in order, alone by name, and with what they need.

use std::sync::Arc;

use paravel::{
    console::Console,
    container::{Container, ContainerBuilder},
    database::{Seeder, Seeders},
    support::BoxError,
};

struct Roles;

impl Seeder for Roles {
    const NAME: &'static str = "RoleSeeder";
    type Dependencies = (Arc<String>,);

    async fn run(&self, (prefix,): Self::Dependencies, console: &mut Console) -> Result<(), BoxError> {
        console.line(format!("{prefix} roles"));
        Ok(())
    }
}

struct Users;

impl Seeder for Users {
    const NAME: &'static str = "UserSeeder";
    type Dependencies = ();

    async fn run(&self, (): (), console: &mut Console) -> Result<(), BoxError> {
        console.line("users");
        Ok(())
    }
}

struct Broken;

impl Seeder for Broken {
    const NAME: &'static str = "BrokenSeeder";
    type Dependencies = ();

    async fn run(&self, (): (), _: &mut Console) -> Result<(), BoxError> {
        Err("no soil".into())
    }
}

fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new("all".to_owned()));
    app.freeze().unwrap()
}

#[tokio::test]
async fn seeders_run_in_the_order_in_which_they_were_added() {
    let seeders = Seeders::new().with(Roles).with(Users);
    let (mut console, written) = Console::memory(false);
    assert_eq!(seeders.run(&[], &app(), &mut console).await.unwrap(), 2);
    assert_eq!(written.text(), "all roles\nusers\n");
    assert_eq!(seeders.names(), ["RoleSeeder", "UserSeeder"]);
}

#[tokio::test]
async fn seeders_can_run_alone_and_keep_their_order() {
    let seeders = Seeders::new().with(Roles).with(Users).optional(Broken);
    let (mut console, written) = Console::memory(false);
    assert_eq!(seeders.run(&["UserSeeder"], &app(), &mut console).await.unwrap(), 1);
    assert_eq!(written.text(), "users\n");
    assert_eq!(seeders.run(&["UserSeeder", "RoleSeeder", "UserSeeder"], &app(), &mut console).await.unwrap(), 2);
    assert_eq!(written.text(), "users\nall roles\nusers\n");
}

#[tokio::test]
async fn an_optional_seeder_runs_only_where_it_is_asked_for() {
    let seeders = Seeders::new().optional(Broken).with(Users);
    let (mut console, _) = Console::memory(false);
    assert_eq!(seeders.run(&[], &app(), &mut console).await.unwrap(), 1);
    assert_eq!(seeders.run(&["BrokenSeeder"], &app(), &mut console).await.unwrap_err().to_string(), "no soil");
    let optional = seeders.list().iter().map(|seeder| (seeder.name, seeder.optional)).collect::<Vec<_>>();
    assert_eq!(optional, [("BrokenSeeder", true), ("UserSeeder", false)]);
}

#[tokio::test]
async fn an_unknown_seeder_is_refused_before_any_runs() {
    let seeders = Seeders::new().with(Roles).with(Users);
    let (mut console, written) = Console::memory(false);
    for (name, expected) in [
        ("RolSeeder", "did you mean `RoleSeeder`? There are: RoleSeeder, UserSeeder"),
        ("Nothing", "there are: RoleSeeder, UserSeeder"),
    ] {
        let said = seeders.run(&["UserSeeder", name], &app(), &mut console).await.unwrap_err().to_string();
        assert_eq!(said, format!("no seeder is called `{name}`; {expected}"));
    }
    let none = Seeders::new().run(&["x"], &app(), &mut console).await.unwrap_err();
    assert_eq!(none.to_string(), "no seeder is called `x`; there are none");
    assert_eq!(written.text(), "");
}

#[tokio::test]
async fn the_first_error_ends_the_run() {
    let seeders = Seeders::new().with(Users).with(Broken).with(Roles);
    let (mut console, written) = Console::memory(false);
    assert_eq!(seeders.run(&[], &app(), &mut console).await.unwrap_err().to_string(), "no soil");
    assert_eq!(written.text(), "users\n");
}

#[test]
fn what_a_seeder_needs_is_verified_before_it_runs() {
    let mut app = ContainerBuilder::new();
    for root in Seeders::new().with(Roles).with(Users).roots() {
        app.root(root);
    }
    let faults = app.verify().unwrap_err().to_string();
    assert!(faults.ends_with("missing: nothing is bound to `String`, needed by seeder RoleSeeder"), "{faults}");
}
