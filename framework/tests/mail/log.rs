//! Mail that only the log tells of.

use paravel::{
    config::AppConfig,
    mail::{LogTransport, Transport},
    support::{AppKey, Env},
    tracing::subscriber,
};

use super::greeting;
use crate::services::logging::Lines;

/// What is logged of a mail in this environment.
async fn logged(environment: &str) -> String {
    let env =
        Env::from_pairs([("APP_ENV", environment.to_owned()), ("APP_KEY", AppKey::generate().unwrap().to_text())]);
    let transport = LogTransport::new(&AppConfig::from_env(&env));
    env.check().unwrap();
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let guard = subscriber::set_default(log);
    transport.deliver(&greeting().to("ed@example.com").html("<p>secret</p>")).await.unwrap();
    drop(guard);
    lines.text()
}

#[tokio::test]
async fn the_log_says_to_whom_and_about_what_and_locally_what() {
    let local = logged("local").await;
    let to = r#"to="lucy@example.com, ed@example.com" subject="Land ho!""#;
    assert!(local.contains(" INFO ") && local.contains(to) && local.contains("body=Come on deck."), "{local}");
    assert!(!local.contains("secret"), "the text is enough: {local}");
    let testing = logged("testing").await;
    assert!(testing.contains(" INFO ") && testing.contains(to) && !testing.contains("Come on deck."), "{testing}");
}

#[tokio::test]
async fn in_production_a_mail_that_is_only_logged_is_warned_of() {
    let text = logged("production").await;
    assert!(text.contains(" WARN ") && text.contains("set MAIL_MAILER") && text.contains("Land ho!"), "{text}");
    assert!(!text.contains("Come on deck."), "{text}");
}
