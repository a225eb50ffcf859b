//! What is raised of users, and what listens to it.

use std::{future::Future, sync::Arc, task::Poll, time::Duration};

use anyhow::Context;
use app::{
    application,
    events::{RoleAssigned, UserDeleted, UserField, UserRegistered, UserUpdated},
    models::UserId,
};
use paravel::{
    support::{Level, LogSink},
    testing::{MemoryLog, TestApp},
};
use serde_json::json;

use crate::support::{ADMIN, PASSWORD, Person, admin, count, is_embedded, member, seeded};

async fn logged_app() -> anyhow::Result<(TestApp, Arc<MemoryLog>)> {
    let log = Arc::new(MemoryLog::default());
    let sink: Arc<dyn LogSink> = Arc::<MemoryLog>::clone(&log);
    let app = seeded(application().replace(|app| {
        app.instance::<dyn LogSink>(sink);
    }))
    .await?;
    Ok((app, log))
}

/// Who was welcomed, the administrator first.
fn welcomed(log: &MemoryLog) -> Vec<(String, String)> {
    let entries = log.entries().into_iter().filter(|entry| entry.message == "welcome");
    let field = |entry: &paravel::testing::LogEntry, name| entry.field(name).unwrap_or_default().to_owned();
    entries.map(|entry| (field(&entry, "user"), field(&entry, "name"))).collect()
}

#[tokio::test]
async fn somebody_who_registers_is_welcomed_in_the_log() -> anyhow::Result<()> {
    let (app, log) = logged_app().await?;
    let ada = member(&app, "Ada").await?;
    let welcomed = welcomed(&log);
    assert_eq!(welcomed.len(), 2, "{welcomed:?}");
    assert_eq!(welcomed[0].1, "Administrator");
    assert_eq!(welcomed[1], (ada.id, "Ada".to_owned()));
    assert!(log.entries().iter().all(|entry| entry.level == Level::Info));
    Ok(())
}

#[tokio::test]
async fn somebody_whom_another_creates_is_welcomed_too() -> anyhow::Result<()> {
    let (app, log) = logged_app().await?;
    let admin = admin(&app).await?;
    let body = json!({"name": "Grace", "email": "grace@example.com", "password": PASSWORD});
    app.post("/api/v1/users").bearer(&admin.token).json(&body).send().await.assert_status(201);
    app.artisan(&["user:create", "hedy@example.com", "--name", "Hedy"]).await?;
    let names: Vec<_> = welcomed(&log).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["Administrator", "Grace", "Hedy"]);
    Ok(())
}

#[tokio::test]
async fn nobody_is_welcomed_where_the_registration_fails() -> anyhow::Result<()> {
    let (app, log) = logged_app().await?;
    for body in [
        json!({"name": "Ada", "email": "ADMIN@example.com", "password": PASSWORD}),
        json!({"name": "Ada", "email": "ada@example.com", "password": "short"}),
        json!({"name": "Ada", "email": "ada@example.com"}),
    ] {
        let status = app.post("/api/v1/auth/register").json(&body).send().await.status();
        assert!((400..500).contains(&status), "{body}: {status}");
    }
    assert_eq!(welcomed(&log).len(), 1);
    Ok(())
}

/// A future that is dropped after it has been polled so often.
async fn cut_short<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn whoever_is_stored_is_welcomed_however_early_their_client_goes_away() -> anyhow::Result<()> {
    let (app, log) = logged_app().await?;
    let mut ended = None;
    for polls in 1..100 {
        let body = json!({"name": "Ada", "email": format!("ada{polls}@example.com"), "password": PASSWORD});
        ended = cut_short(app.post("/api/v1/auth/register").json(&body).send(), polls).await;
        if ended.is_some() {
            break;
        }
    }
    ended.context("a registration takes fewer polls")?.assert_status(201);
    // A file's writer has some of them already; a server's task is given up where it has not begun. What was cut off may
    // still be on its way; what hangs is found by the deadline.
    let least = if is_embedded() { 3 } else { 2 };
    let settled = async {
        loop {
            let welcomed = welcomed(&log).len();
            if welcomed >= least && count(&app, "users").await? == i64::try_from(welcomed)? {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(30), settled).await;
    settled.with_context(|| format!("some of those who were cut off are stored; welcomed: {:?}", welcomed(&log)))??;
    Ok(())
}

#[tokio::test]
async fn two_applications_at_once_have_logs_of_their_own() -> anyhow::Result<()> {
    let ((one, log_of_one), (two, log_of_two)) = tokio::try_join!(logged_app(), logged_app())?;
    tokio::try_join!(member(&one, "Ada"), member(&two, "Grace"))?;
    let names = |log| welcomed(log).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names(&log_of_one), ["Administrator", "Ada"]);
    assert_eq!(names(&log_of_two), ["Administrator", "Grace"]);
    Ok(())
}

#[tokio::test]
async fn no_password_or_token_is_logged() -> anyhow::Result<()> {
    let (app, log) = logged_app().await?;
    let ada = member(&app, "Ada").await?;
    let all = format!("{:?}", log.entries());
    assert!(!all.contains(PASSWORD) && !all.contains(&ada.token) && !all.contains("$argon2"), "{all}");
    Ok(())
}

async fn admin_and_member() -> anyhow::Result<(TestApp, Person, Person)> {
    let app = seeded(application()).await?;
    let (admin, ada) = (admin(&app).await?, member(&app, "Ada").await?);
    Ok((app, admin, ada))
}

#[tokio::test]
async fn somebody_who_registers_is_an_event() -> anyhow::Result<()> {
    let app = seeded(application()).await?;
    let events = app.fake_events()?;
    let ada: UserId = member(&app, "Ada").await?.id.parse()?;
    assert_eq!(events.dispatched::<UserRegistered>(), [UserRegistered { user: ada, name: "Ada".to_owned(), by: None }]);
    let again = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
    app.post("/api/v1/auth/register").json(&again).send().await.assert_status(409);
    events.assert_dispatched_times::<UserRegistered>(1);
    Ok(())
}

#[tokio::test]
async fn a_user_who_is_changed_is_an_event_that_says_what_was() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let events = app.fake_events()?;
    let change = |id: &str, body| app.patch(&format!("/api/v1/users/{id}")).bearer(&admin.token).json(&body).send();
    change(&ada.id, json!({"name": "Ada L.", "password": "another horse"})).await.assert_status(200);
    change(&ada.id, json!({"email": "ada@example.org"})).await.assert_status(200);
    let user: UserId = ada.id.parse()?;
    let expected = [vec![UserField::Name, UserField::Password], vec![UserField::Email]];
    assert_eq!(events.dispatched::<UserUpdated>(), expected.map(|fields| UserUpdated { user, fields }));
    change(&ada.id, json!({"email": ADMIN})).await.assert_status(409);
    change(&ada.id, json!({})).await.assert_status(200);
    change(&UserId::new().to_string(), json!({"name": "Nobody"})).await.assert_status(404);
    events.assert_dispatched_times::<UserUpdated>(2);
    Ok(())
}

#[tokio::test]
async fn a_user_who_is_deleted_is_an_event_and_one_who_must_not_be_is_none() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let events = app.fake_events()?;
    let delete = |id: &str| app.delete(&format!("/api/v1/users/{id}")).bearer(&admin.token).send();
    delete(&ada.id).await.assert_status(204);
    delete(&ada.id).await.assert_status(404);
    let last = delete(&admin.id).await.status();
    assert!((400..500).contains(&last), "the last manager stays: {last}");
    assert_eq!(events.dispatched::<UserDeleted>(), [UserDeleted { user: ada.id.parse()? }]);
    Ok(())
}

#[tokio::test]
async fn roles_that_are_assigned_are_an_event_and_those_that_cannot_be_are_none() -> anyhow::Result<()> {
    let (app, admin, ada) = admin_and_member().await?;
    let events = app.fake_events()?;
    let assign = |id: &str, roles: &[&str]| {
        let body = json!({"roles": roles});
        app.put(&format!("/api/v1/users/{id}/roles")).bearer(&admin.token).json(&body).send()
    };
    assign(&ada.id, &["editor"]).await.assert_status(200);
    assign(&ada.id, &["captain"]).await.assert_status(422);
    let last = assign(&admin.id, &["member"]).await.status();
    assert!((400..500).contains(&last), "the last manager stays: {last}");
    let roles = vec!["editor".to_owned()];
    assert_eq!(events.dispatched::<RoleAssigned>(), [RoleAssigned { user: ada.id.parse()?, roles }]);
    app.artisan(&["role:assign", "ada@example.com", "member", "editor"]).await?;
    events.assert_dispatched::<RoleAssigned>(|event| event.roles == ["editor", "member"]);
    Ok(())
}
