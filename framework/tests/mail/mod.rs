//! Mail: what is refused before it is sent, the log, the fake, and a server.

mod fake;
mod log;
#[cfg(feature = "smtp")]
mod smtp;

use std::sync::Arc;

use paravel::{
    config::{MailConfig, MailEncryption, MailTransport},
    container::ContainerError,
    foundation::{Application, ApplicationBuilder},
    mail::{DefaultMailer, Mail, MailError, Mailbox, Mailer, Transport},
    support::Env,
};
use parking_lot::Mutex;

use crate::events::Journal;

const LUCY: &str = "lucy@example.com";

fn greeting() -> Mail {
    Mail::new("Land ho!").to(LUCY).text("Come on deck.")
}

/// An application with these variables.
fn builder(pairs: &[(&str, &str)]) -> ApplicationBuilder {
    // What the listeners of other tests need, which every application of this binary has.
    Application::builder().env(Env::from_pairs(pairs.iter().copied())).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    })
}

fn config(pairs: &[(&str, &str)]) -> MailConfig {
    let env = Env::from_pairs(pairs.iter().copied());
    let config = MailConfig::from_env(&env);
    env.check().unwrap();
    config
}

/// Keeps what it is given.
#[derive(Default)]
struct Bag(Mutex<Vec<Mail>>);

#[paravel::async_trait]
impl Transport for Bag {
    async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
        self.0.lock().push(mail.clone());
        Ok(())
    }
}

fn mailer(pairs: &[(&str, &str)]) -> (Arc<Bag>, Arc<dyn Mailer>) {
    let bag = Arc::new(Bag::default());
    (Arc::clone(&bag), Arc::new(DefaultMailer::new(bag, &config(pairs))))
}

#[tokio::test]
async fn a_mail_that_does_not_say_is_from_whom_the_configuration_says() {
    let from = [("APP_NAME", "Harbour"), ("MAIL_FROM_ADDRESS", "harbour@example.com")];
    let (bag, mailer) = mailer(&from);
    mailer.send(greeting()).await.unwrap();
    mailer.send(greeting().from(Mailbox::named("Caspian", "caspian@example.com"))).await.unwrap();
    let from: Vec<_> = bag.0.lock().iter().map(|mail| mail.from.clone().unwrap().to_string()).collect();
    assert_eq!(from, ["Harbour <harbour@example.com>", "Caspian <caspian@example.com>"]);
    assert_eq!(config(&[("APP_NAME", "Harbour"), ("MAIL_FROM_NAME", "The Harbour")]).from_name, "The Harbour");
    // Whether that is enough is for the transport to say.
    let (bag, mailer) = self::mailer(&[]);
    mailer.send(greeting()).await.unwrap();
    assert_eq!(bag.0.lock()[0].from, None);
}

#[tokio::test]
async fn a_line_break_that_would_add_a_header_is_refused() {
    let (bag, mailer) = mailer(&[]);
    let lucy = |name: &str| Mailbox::named(name, LUCY);
    for evil in ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com", "Hi\rX", "Hi\0", "Hi\u{85}X"] {
        for (field, mail) in [
            ("subject", Mail::new(evil).to(LUCY).text("")),
            ("to", Mail::new("Hi").to("edmund@example.com").to(lucy(evil)).text("")),
            ("from", greeting().from(lucy(evil))),
            ("reply-to", greeting().reply_to(lucy(evil))),
        ] {
            let error = mailer.send(mail).await.unwrap_err();
            assert!(matches!(error, MailError::Header { field: found } if found == field), "{error:?}");
            assert!(error.to_string().contains(&format!("`{field}`")) && !error.is_transient(), "{error}");
        }
    }
    assert!(bag.0.lock().is_empty());
}

#[tokio::test]
async fn what_does_not_fit_into_a_line_of_a_header_is_refused() {
    let (bag, mailer) = mailer(&[]);
    let long = "x".repeat(601);
    for (field, mail) in
        [("subject", Mail::new(&long).to(LUCY).text("")), ("to", greeting().to(Mailbox::named(&long, LUCY)))]
    {
        let error = mailer.send(mail).await.unwrap_err();
        assert!(matches!(error, MailError::TooLong { field: found, longest: 600 } if found == field), "{error:?}");
        assert_eq!(error.to_string(), format!("`{field}` of the mail is longer than 600 characters: shorten it"));
    }
    assert!(bag.0.lock().is_empty());
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_by_name() {
    let (bag, mailer) = mailer(&[]);
    for wrong in ["", "lucy", "Lucy <lucy@example.com>", "lucy@example.com\r\nRCPT TO:<eve@example.com>"] {
        for (field, mail) in
            [("to", greeting().to(wrong)), ("from", greeting().from(wrong)), ("reply-to", greeting().reply_to(wrong))]
        {
            let error = mailer.send(mail).await.unwrap_err();
            let named =
                matches!(&error, MailError::Address { field: found, address } if *found == field && address == wrong);
            assert!(named && !error.is_transient(), "{error:?}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
    assert!(bag.0.lock().is_empty());
}

#[tokio::test]
async fn a_mail_to_nobody_or_of_nothing_is_refused() {
    let (_, mailer) = mailer(&[]);
    let nobody = mailer.send(Mail::new("Hi").text("")).await.unwrap_err();
    assert!(matches!(nobody, MailError::NoRecipient { .. }), "{nobody:?}");
    let nothing = mailer.send(Mail::new("Hi").to(LUCY)).await.unwrap_err();
    assert!(matches!(nothing, MailError::Empty { .. }), "{nothing:?}");
    assert_eq!(nothing.to_string(), r#"the mail "Hi" says nothing: give it a `text`, an `html` or both"#);
}

#[test]
fn what_a_mail_says_is_in_no_debug_output() {
    let mail = greeting().text("https://example.com/reset/hunter22").html("hunter22");
    let shown = format!("{mail:?}");
    assert!(shown.contains(LUCY) && shown.contains("34 bytes") && !shown.contains("hunter22"), "{shown}");
}

#[test]
fn a_job_can_carry_a_mail() {
    let mail = greeting().from("caspian@example.com").reply_to(Mailbox::named("Ed", "ed@example.com")).html("<p>");
    let json = serde_json::to_string(&mail).unwrap();
    assert_eq!(serde_json::from_str::<Mail>(&json).unwrap(), mail);
    let short =
        r#"{"to": [{"name": null, "address": "lucy@example.com"}], "subject": "Land ho!", "text": "Come on deck."}"#;
    assert_eq!(serde_json::from_str::<Mail>(short).unwrap(), greeting());
}

#[test]
fn the_defaults_send_nothing_and_a_server_is_reached_by_tls() {
    let defaults = config(&[]);
    assert_eq!((defaults.mailer, defaults.encryption), (MailTransport::Log, MailEncryption::Starttls));
    assert_eq!((defaults.host.as_str(), defaults.port, defaults.from_name.as_str()), ("127.0.0.1", 587, "Paravel"));
    assert_eq!(config(&[("MAIL_ENCRYPTION", "tls")]).port, 465);
    assert_eq!(config(&[("MAIL_ENCRYPTION", "none")]).port, 25);
    assert_eq!(config(&[("MAIL_ENCRYPTION", "none"), ("MAIL_PORT", "1025")]).port, 1025);
}

#[test]
fn what_is_wrong_or_missing_is_named_and_no_password_is_shown() {
    for (pairs, expected) in [
        (&[("MAIL_MAILER", "pigeon")][..], "MAIL_MAILER is \"pigeon\", but must be log or smtp"),
        (&[("MAIL_ENCRYPTION", "ssl")], "MAIL_ENCRYPTION is \"ssl\", but must be none, starttls or tls"),
        (&[("MAIL_HOST", "smtp://mail")], "MAIL_HOST is \"smtp://mail\", but must be a host's name or address"),
        (&[("MAIL_PORT", "0")], "MAIL_PORT is \"0\", but must be a whole number from 1 to 65535"),
        (&[("MAIL_FROM_ADDRESS", "me")], "MAIL_FROM_ADDRESS is \"me\", but must be an e-mail address such as"),
        (&[("MAIL_FROM_NAME", "a\nb")], "MAIL_FROM_NAME is \"a\\nb\", but must be a name in one line"),
        (&[("MAIL_TIMEOUT", "0s")], "MAIL_TIMEOUT is \"0s\", but must be a duration"),
        (&[("MAIL_USERNAME", "ada")], "MAIL_PASSWORD is not set, but must be the password of MAIL_USERNAME"),
        (&[("MAIL_PASSWORD", "hunter22")], "MAIL_USERNAME is not set, but must be the user whose password is"),
        (&[("MAIL_MAILER", "smtp")], "MAIL_FROM_ADDRESS is not set, but must be an e-mail address such as"),
    ] {
        let env = Env::from_pairs(pairs.iter().copied());
        MailConfig::from_env(&env);
        let said = env.check().unwrap_err();
        assert!(said.0.len() == 1 && said.0[0].to_string().starts_with(expected), "{said}");
    }
    let env = Env::from_pairs([("MAIL_USERNAME", "ada"), ("MAIL_PASSWORD", "hunter22")]);
    let config = MailConfig::from_env(&env);
    let shown = format!("{config:?} {} {:?}", serde_json::to_string(&config).unwrap(), env.declared());
    assert!(shown.contains("ada") && !shown.contains("hunter22"), "{shown}");
}

#[tokio::test]
async fn outside_any_application_there_is_no_mailer() {
    let error = paravel::facades::Mail::send(greeting()).await.unwrap_err();
    assert!(matches!(error, MailError::Container(ContainerError::NoApplication(_))), "{error:?}");
    let error = paravel::facades::Mail::fake().err().unwrap();
    assert!(matches!(error, MailError::Container(ContainerError::NoApplication(_))), "{error:?}");
}

#[tokio::test]
async fn an_applications_own_transport_takes_the_place_of_the_configured_one() {
    let bag = Arc::new(Bag::default());
    let bound = Arc::clone(&bag);
    let builder = builder(&[]).replace(|app| {
        app.instance::<dyn Transport>(bound);
    });
    let app = paravel::testing::TestApp::boot(builder).await.unwrap();
    app.run(paravel::facades::Mail::send(greeting())).await.unwrap();
    assert_eq!(bag.0.lock().len(), 1);
    // It is faked like any other.
    let mails = app.fake_mail().unwrap();
    app.run(paravel::facades::Mail::send(greeting())).await.unwrap();
    assert_eq!((bag.0.lock().len(), mails.sent().len()), (1, 1));
}
