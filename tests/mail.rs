//! What is written to people.

#[cfg(feature = "smtp")]
use app::application;
use app::{
    mail::welcome,
    models::{User, UserId},
};
use paravel::{config::AppConfig, facades::Mail, support::Timestamp};

use crate::support::{Binary, app};
#[cfg(feature = "smtp")]
use crate::support::{MailServer, member, seeded};

fn user(name: &str) -> User {
    let now = Timestamp::now();
    User {
        id: UserId::new(),
        name: name.to_owned(),
        email: "ada@example.com".to_owned(),
        created_at: now,
        updated_at: now,
    }
}

#[tokio::test]
async fn a_new_user_is_welcomed_by_name() -> anyhow::Result<()> {
    let app = app().await?;
    let mails = app.fake_mail()?;
    let mail = welcome(&user("Ada"), &*app.make::<AppConfig>()?);
    app.run(Mail::send(mail)).await?;
    mails.assert_sent(|mail| {
        let said = mail.text.as_deref().unwrap_or_default();
        mail.to[0].to_string() == "Ada <ada@example.com>"
            && mail.subject == "Welcome to Paravel"
            && said.starts_with("Hello Ada,\n")
            && said.contains("http://127.0.0.1:8000")
            // Somebody else may have chosen it.
            && !said.contains("you chose")
    });
    mails.assert_sent_times(1);
    Ok(())
}

#[tokio::test]
async fn a_name_of_several_lines_adds_no_header_and_keeps_nobody_from_the_mail() -> anyhow::Result<()> {
    let app = app().await?;
    let mail = welcome(&user("Ada\r\nBcc: eve@example.com"), &*app.make::<AppConfig>()?);
    mail.check()?;
    assert_eq!(mail.to[0].name.as_deref(), Some("Ada  Bcc: eve@example.com"));
    Ok(())
}

#[tokio::test]
async fn a_server_needs_the_feature_that_speaks_to_one() -> anyhow::Result<()> {
    let smtp = [("MAIL_MAILER", "smtp"), ("MAIL_FROM_ADDRESS", "hello@example.com")];
    let binary = smtp.iter().fold(Binary::new("testing")?, |binary, (name, value)| binary.env(name, value));
    if cfg!(feature = "smtp") {
        binary.done(&["about"]).await?;
        return Ok(());
    }
    let said = binary.refused(1, &["about"]).await?;
    assert!(said.contains("MAIL_MAILER is smtp, but must be log") && said.contains("feature `smtp`"), "{said}");
    Ok(())
}

#[cfg(feature = "smtp")]
#[tokio::test]
async fn somebody_who_registers_is_sent_a_welcome_by_a_worker() -> anyhow::Result<()> {
    let server = MailServer::new().await?;
    let mut builder = application();
    for (name, value) in [
        ("MAIL_MAILER", "smtp"),
        ("MAIL_HOST", "127.0.0.1"),
        ("MAIL_PORT", &server.port.to_string()),
        ("MAIL_ENCRYPTION", "none"),
        ("MAIL_FROM_ADDRESS", "hello@example.com"),
    ] {
        builder.env_mut().set(name, value);
    }
    let app = seeded(builder).await?;
    member(&app, "Ada").await?;
    let to_ada = async || {
        let mails = server.mails().await.into_iter();
        mails.filter(|mail| mail.contains("\nTo: Ada <ada@example.com>\n")).collect::<Vec<_>>()
    };
    assert!(to_ada().await.is_empty(), "who registers does not wait for it");
    app.work().await?;
    let mails = to_ada().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(
        mails[0].contains("\nSubject: Welcome to Paravel\n") && mails[0].contains("\nHello Ada,\n"),
        "{}",
        mails[0]
    );
    Ok(())
}
