//! Made-up rows: the application's factories, and the seeder of demonstration users.

use std::sync::Arc;

use app::{
    database::{
        Database,
        factories::{RoleFactory, UserFactory, UserRoleFactory},
    },
    models::{Role, UserRow},
};
use paravel::{
    auth::Hasher,
    database::{DbError, Seed, factories::Factory},
    support::Secret,
    testing::TestApp,
};
use serde_json::json;

use crate::support::{Binary, Ended, PASSWORD, admin, app, column, count, has_terminals, log_in, rows};

const USERS: &str = "/api/v1/users";

async fn users(app: &TestApp) -> anyhow::Result<UserFactory> {
    let hasher: Arc<dyn Hasher> = app.make()?;
    Ok(UserFactory::with_password(&*hasher, Secret::new(PASSWORD.to_owned())).await?)
}

#[tokio::test]
async fn users_that_are_made_up_log_in_and_have_their_roles() -> anyhow::Result<()> {
    let app = app().await?;
    let (db, seed): (Arc<Database>, Arc<Seed>) = (app.make()?, app.make()?);
    let roles = RoleFactory.count(2).create(&seed, &db).await?;
    let [first, second] = &roles[..] else { anyhow::bail!("two were asked for") };
    let users = users(&app).await?;
    let made =
        users.count(30).has(UserRoleFactory.for_(first)).has(UserRoleFactory.for_(second)).create(&seed, &db).await?;
    let admin = admin(&app).await?;
    for user in [&made[0].user, &made[29].user] {
        let person = log_in(&app, &user.email, PASSWORD).await?;
        assert_eq!(person.id, user.id.to_string());
        let shown = app.get(&format!("{USERS}/{}", user.id)).bearer(&admin.token).send().await.assert_status(200);
        let mut expected = [first.name.as_str(), second.name.as_str()];
        expected.sort_unstable();
        assert_eq!(shown.at("/data/roles"), json!(expected));
    }
    Ok(())
}

#[tokio::test]
async fn a_list_goes_through_all_pages_of_many() -> anyhow::Result<()> {
    let app = app().await?;
    let (db, seed): (Arc<Database>, Arc<Seed>) = (app.make()?, app.make()?);
    let names = ["Zoe", "Ada"];
    let named = |row: &mut UserRow, name: &&str| row.user.name = (*name).to_owned();
    users(&app).await?.count(45).state(UserFactory::edited).sequence(names, named).create(&seed, &db).await?;
    let admin = admin(&app).await?;
    let mut found = Vec::new();
    for page in 1..=3 {
        let path = format!("{USERS}?search=ada&sort=email&per_page=10&page={page}");
        found.extend(column(&app.get(&path).bearer(&admin.token).send().await.assert_status(200), "email"));
    }
    let of = |name| rows(&app, name);
    let expected = of("select email from users where lower(name) like '%ada%' or email like '%ada%' order by email");
    let expected = expected.await?.iter().map(|row| row.text("email").to_owned()).collect::<Vec<_>>();
    assert!(expected.len() >= 22 && found == expected, "{found:#?}");
    let untouched = of("select id from users where updated_at <= created_at and email <> 'admin@example.com'").await?;
    assert_eq!(untouched.len(), 0);
    Ok(())
}

#[tokio::test]
async fn each_user_has_one_of_the_roles_and_none_twice() -> anyhow::Result<()> {
    let app = app().await?;
    let (db, seed): (Arc<Database>, Arc<Seed>) = (app.make()?, app.make()?);
    let roles: Vec<Role> = RoleFactory.count(3).create(&seed, &db).await?;
    let before = count(&app, "user_roles").await?;
    let users = users(&app).await?;
    users.clone().count(60).has(UserRoleFactory.recycle(&roles)).insert(&seed, &db).await?;
    assert_eq!(count(&app, "user_roles").await? - before, 60);
    let used = "select role_id, count(*) as n from user_roles group by role_id having count(*) > 1";
    assert_eq!(rows(&app, used).await?.len(), 3, "each was picked");

    let twice = users.has(UserRoleFactory.count(2).for_(&roles[0])).create_one(&seed, &db).await;
    assert!(twice.is_err_and(|error: DbError| error.is_unique_violation()));
    assert_eq!((count(&app, "users").await?, count(&app, "user_roles").await? - before), (61, 60));
    Ok(())
}

/// What two runs must have in common: all but the hashes, whose salt is random.
const DEMO: &str = "select u.id, u.name, u.email, u.created_at, r.name as role from users u \
                    join user_roles ur on ur.user_id = u.id join roles r on r.id = ur.role_id order by u.email, r.name";

#[tokio::test]
async fn the_demo_users_are_the_same_wherever_they_are_made() -> anyhow::Result<()> {
    let made = |number| async move {
        let binary = Binary::new("testing")?.env("DEMO_USERS", "40");
        binary.done(&["migrate"]).await?;
        let said = binary.done(&["db:seed", "--class", "demo", "--seed", number]).await?;
        let demo = binary.rows(DEMO).await?;
        anyhow::Ok((binary, said, demo))
    };
    let (binary, said, one) = made("7").await?;
    let (_, _, two) = made("7").await?;
    let (_, _, other) = made("8").await?;
    assert_eq!(one, two);
    assert_ne!(one, other);
    assert_eq!((binary.count("users").await?, one.len()), (40, 44), "every tenth is an editor too");
    assert_eq!(said.err, "", "a bar is drawn on a terminal alone");
    let email = one.iter().find_map(|row| said.out.contains(row.text("email")).then(|| row.text("email")));
    assert!(email.is_some_and(|email| email.ends_with("@example.com")), "{said:?}");

    let again = binary.done(&["db:seed", "--class", "demo", "--seed", "7"]).await?;
    assert_eq!(again.out, "1 seeder(s) have run.\n", "they are there already");
    assert_eq!(binary.count("users").await?, 40);
    binary.done(&["db:seed", "--class", "demo"]).await?;
    assert_eq!(binary.count("users").await?, 80, "another seed's are others");
    Ok(())
}

#[tokio::test]
async fn demo_users_have_the_password_that_is_shown() -> anyhow::Result<()> {
    let app = app().await?;
    let said = app.seed("demo").await?;
    let (email, password) = said
        .lines()
        .find_map(|line| line.strip_prefix("The demo users, such as ")?.split_once(", have the password "))
        .ok_or_else(|| anyhow::anyhow!("no password: {said}"))?;
    log_in(&app, email, password).await?;
    assert_eq!(count(&app, "users").await?, 101);
    let (db, seed): (Arc<Database>, Arc<Seed>) = (app.make()?, app.make()?);
    users(&app).await?.count(100).create(&seed, &db).await?;
    assert_eq!(count(&app, "users").await?, 201, "a test's own rows are others");
    assert!(app.seed("dmo").await.is_err_and(|error| error.to_string().contains("did you mean `demo`")));
    Ok(())
}

#[tokio::test]
async fn more_demo_users_than_anybody_looks_at_are_refused() -> anyhow::Result<()> {
    let binary = Binary::new("testing")?.env("DEMO_USERS", "1000001");
    let said = binary.refused(1, &["about"]).await?;
    assert!(said.contains("DEMO_USERS is \"1000001\", but must be a whole number from 0 to 1000000"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_terminal_sees_how_far_it_has_come() -> anyhow::Result<()> {
    if !has_terminals().await? {
        return Ok(());
    }
    let binary = Binary::new("testing")?.env("DEMO_USERS", "40");
    binary.done(&["migrate"]).await?;
    let artisan = env!("CARGO_BIN_EXE_artisan");
    for (flag, seen) in [("--json", false), ("--no-interaction", true)] {
        // It runs a command on a terminal of its own.
        let mut script = binary.command("script");
        script.args(["-qec", &format!("{artisan} db:seed --class demo {flag} --seed {}", u8::from(seen)), "/dev/null"]);
        let ended = Ended::of(&mut script).await?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let bars = ["] 0/40", "] 36/40", "] 40/40"].map(|bar| ended.out.contains(bar));
        assert_eq!(bars, [seen; 3], "{ended:?}");
    }
    Ok(())
}
