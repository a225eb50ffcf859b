//! Mail that is recorded in place of its being sent.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use paravel::{
    container::{Container, ContainerBuilder},
    facades,
    mail::{DefaultMailer, Mail, MailError, MailFake, Mailer},
};

use super::{Bag, LUCY, config, greeting};

fn app() -> (Arc<Bag>, Container) {
    let (bag, mut app) = (Arc::new(Bag::default()), ContainerBuilder::new());
    let mailer = Arc::new(DefaultMailer::new(Arc::clone(&bag) as _, &config(&[])));
    app.instance(Arc::clone(&mailer));
    app.instance::<dyn Mailer>(mailer);
    (bag, app.freeze().unwrap().scope())
}

async fn fake(app: &Container) -> MailFake {
    app.run(async { facades::Mail::fake() }).await.unwrap()
}

/// What an assertion that fails says.
fn failed(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    *panic.downcast::<String>().unwrap()
}

#[tokio::test]
async fn what_is_faked_is_recorded_and_not_sent() {
    let (bag, app) = app();
    let mails = fake(&app).await;
    mails.assert_nothing_sent();
    app.run(facades::Mail::send(greeting())).await.unwrap();
    // A service's own mailer is the same.
    app.make::<dyn Mailer>().unwrap().send(Mail::new("Ahoy").to("ed@example.com").text("")).await.unwrap();
    assert!(bag.0.lock().is_empty());
    assert_eq!(mails.sent()[0], greeting());
    mails.assert_sent(|mail| mail.is_to("LUCY@example.com") && mail.subject == "Land ho!");
    mails.assert_not_sent(|mail| mail.is_to(LUCY) && mail.subject == "Ahoy");
    mails.assert_sent_times(2);
}

#[tokio::test]
async fn an_assertion_that_fails_says_what_was_sent() {
    let (_, app) = app();
    let mails = fake(&app).await;
    assert_eq!(failed(|| mails.assert_sent(|_| true)), "no mail was sent for which that holds; nothing was sent");
    app.run(facades::Mail::send(greeting().to("ed@example.com"))).await.unwrap();
    let all = "; what was sent:\n  \"Land ho!\" to lucy@example.com, ed@example.com";
    let said = failed(|| mails.assert_sent(|mail| mail.subject.is_empty()));
    assert_eq!(said, format!("no mail was sent for which that holds{all}"));
    let said = failed(|| mails.assert_not_sent(|_| true));
    assert_eq!(said, format!("a mail was sent for which that holds{all}"));
    assert_eq!(failed(|| mails.assert_sent_times(2)), format!("1 mail(s) were sent, not 2{all}"));
    assert_eq!(failed(|| mails.assert_nothing_sent()), format!("a mail was sent{all}"));
}

#[tokio::test]
async fn what_could_not_be_sent_is_refused_by_the_fake_too() {
    let (_, app) = app();
    let mails = fake(&app).await;
    let error = app.run(facades::Mail::send(greeting().to("nobody"))).await.unwrap_err();
    assert!(matches!(error, MailError::Address { .. }), "{error:?}");
    mails.assert_nothing_sent();
}

#[tokio::test]
async fn two_applications_at_once_have_fakes_of_their_own() {
    let ((_, one), (bag, two)) = (app(), app());
    let mails = fake(&one).await;
    one.run(facades::Mail::send(greeting())).await.unwrap();
    two.run(facades::Mail::send(greeting())).await.unwrap();
    mails.assert_sent_times(1);
    assert_eq!(bag.0.lock().len(), 1);
}
