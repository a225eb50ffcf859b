//! What follows a registration, as jobs of the queue.

use std::sync::Arc;

use app::{
    application,
    events::{RoleAssigned, UserField, UserRegistered, UserUpdated},
    models::UserId,
};
use paravel::{
    async_trait,
    container::ContainerBuilder,
    facades::Event,
    mail::{Mail, MailError, Transport},
    queue::Queue,
};

use crate::support::{app, member, seeded};

#[tokio::test]
async fn whoever_registers_is_welcomed_by_mail() -> anyhow::Result<()> {
    let app = app().await?;
    let (mails, queue) = (app.fake_mail()?, app.make::<Queue>()?);
    // The administrator, from the seeds.
    app.work().await?;
    mails.assert_sent_times(1);
    member(&app, "Lucy").await?;
    mails.assert_sent_times(1);
    assert_eq!(queue.depth("mail").await?.total(), 1, "the request does not wait for it");
    app.work().await?;
    mails.assert_sent(|mail| {
        mail.subject.starts_with("Welcome to ") && mail.text.as_ref().is_some_and(|text| text.contains("Lucy"))
    });
    mails.assert_sent_times(2);
    assert!(queue.failed().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn whoever_is_gone_by_then_is_not() -> anyhow::Result<()> {
    let app = app().await?;
    let mails = app.fake_mail()?;
    app.work().await?;
    let event = UserRegistered { user: UserId::new(), name: "Nobody".to_owned(), by: None };
    app.run(Event::dispatch(event)).await?;
    assert_eq!(app.work().await?.done, 2, "the other is the audit log's");
    mails.assert_sent_times(1);
    assert!(app.make::<Queue>()?.failed().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn whoever_is_gone_by_then_is_not_warmed_either() -> anyhow::Result<()> {
    let app = app().await?;
    let _mails = app.fake_mail()?;
    app.work().await?;
    app.run(Event::dispatch(UserUpdated { user: UserId::new(), fields: vec![UserField::Name] })).await?;
    app.run(Event::dispatch(RoleAssigned { user: UserId::new(), roles: Vec::new() })).await?;
    assert_eq!(app.work().await?.done, 2);
    assert!(app.make::<Queue>()?.failed().await?.is_empty());
    Ok(())
}

/// Takes no mail.
struct Refuses {
    transient: bool,
}

#[async_trait]
impl Transport for Refuses {
    async fn deliver(&self, _: &Mail) -> Result<(), MailError> {
        Err(MailError::Failed { reason: "nobody is there".to_owned(), transient: self.transient })
    }
}

#[tokio::test]
async fn a_welcome_is_tried_again_only_where_that_may_help() -> anyhow::Result<()> {
    for transient in [true, false] {
        let refuses = move |app: &mut ContainerBuilder| {
            app.instance::<dyn Transport>(Arc::new(Refuses { transient }));
        };
        let app = seeded(application().replace(refuses)).await?;
        // The administrator's.
        let report = app.work().await?;
        assert_eq!((report.retried, report.failed), if transient { (1, 0) } else { (0, 1) });
        let failed = app.make::<Queue>()?.failed().await?;
        assert!(
            failed.iter().all(|failed| failed.attempts == 1 && failed.error.contains("nobody is there")),
            "{failed:?}"
        );
    }
    Ok(())
}
