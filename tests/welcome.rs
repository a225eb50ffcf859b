//! What follows a registration, as jobs of the queue.

use app::{events::UserRegistered, models::UserId};
use paravel::{facades::Event, queue::Queue};

use crate::support::{app, member};

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
