//! Servers that refuse, are silent, hang up or are none.

use std::time::Duration;

use paravel::{
    http::{Problem, StatusCode},
    mail::{MailError, Transport},
    service::Transient,
    tracing::subscriber,
};
use tokio::net::TcpListener;

use super::{FROM, Rules, Sink, greeting, sink::Received, transport};
use crate::{certificates::Authority, services::logging::Lines};

const LOGIN: [(&str, &str); 2] = [("MAIL_USERNAME", "caspian"), ("MAIL_PASSWORD", "hunter22")];

/// The error by which a mail failed, and what the server saw of it.
async fn failed(rules: Rules, more: &[(&str, &str)]) -> (MailError, Received) {
    let sink = Sink::new(rules).await;
    let error = transport(sink.port, more).deliver(&greeting().from(FROM)).await.unwrap_err();
    (error, sink.only())
}

#[tokio::test]
async fn an_answer_from_400_is_transient_and_one_from_500_is_not() {
    for (command, at) in [
        ("CONNECT", "EHLO"),
        ("EHLO", "EHLO"),
        ("MAIL", "MAIL FROM"),
        ("RCPT", "RCPT TO"),
        ("DATA", "DATA"),
        ("END", "the mail"),
    ] {
        for (answer, expected, transient) in [("451 not\u{7} now", 451, true), ("550-no\r\n550 never", 550, false)] {
            let (error, _) = failed(Rules::default().answer(command, answer), &[]).await;
            let MailError::Refused { stage, code, .. } = &error else { panic!("{command}: {error:?}") };
            assert_eq!((*stage, *code, error.is_transient()), (at, expected, transient), "{error}");
            assert!(error.to_string().contains("127.0.0.1:") && !error.to_string().contains('\u{7}'), "{error}");
            // As what retries asks, and as who waits is told.
            assert_eq!(Transient::is_transient(&error), transient);
            let status = Problem::from(error).status();
            assert_eq!(status == StatusCode::SERVICE_UNAVAILABLE, transient, "{status}");
        }
    }
}

#[tokio::test]
async fn where_one_recipient_is_refused_nobody_gets_the_mail() {
    let (error, received) = failed(Rules::default().answer("RCPT", "550 no such user"), &[]).await;
    assert!(error.to_string().contains(r#"RCPT TO with 550 "no such user""#), "{error}");
    assert!(received.mail.is_none() && !received.lines.contains(&"DATA".to_owned()), "{received:?}");
}

#[tokio::test]
async fn a_login_that_is_refused_for_now_is_transient() {
    let rules = Rules::default().login("PLAIN", "caspian", "hunter22").answer("AUTH", "454 not now");
    let (error, _) = failed(rules, &LOGIN).await;
    assert!(matches!(error, MailError::Refused { code: 454, stage: "AUTH", .. }) && error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up_in_time_wherever_that_is() {
    let issued = Authority::new().issue(4000);
    let plain = || Rules::default().login("PLAIN", "caspian", "hunter22");
    let tls = || plain().starttls(&issued);
    for (rules, encryption, command, at) in [
        (plain(), "none", "CONNECT", "EHLO"),
        (plain(), "none", "EHLO", "EHLO"),
        (plain(), "none", "AUTH", "AUTH"),
        (plain(), "none", "MAIL", "MAIL FROM"),
        (plain(), "none", "RCPT", "RCPT TO"),
        (plain(), "none", "DATA", "DATA"),
        (plain(), "none", "END", "the mail"),
        (tls(), "starttls", "CONNECT", "the greeting"),
        (tls(), "starttls", "EHLO", "EHLO"),
        (tls(), "starttls", "STARTTLS", "STARTTLS"),
        (tls(), "starttls", "TLS", "the TLS handshake"),
        (plain().wrapped(&issued), "tls", "TLS", "the TLS handshake"),
    ] {
        let sink = Sink::new(rules.silent(command)).await;
        let transport = transport(sink.port, &[&LOGIN[..], &[("MAIL_ENCRYPTION", encryption)]].concat());
        let mail = greeting().from(FROM);
        let (sent, ()) = tokio::join!(transport.deliver(&mail), given_up(&sink));
        let error = sent.unwrap_err();
        let MailError::TimedOut { stage, .. } = &error else { panic!("{command}: {error:?}") };
        assert_eq!(*stage, at, "{command}");
        assert!(error.is_transient() && error.to_string().contains("MAIL_TIMEOUT"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_took_the_mail_and_does_not_say_goodbye_has_taken_it() {
    let sink = Sink::new(Rules::default().silent("QUIT")).await;
    let (transport, mail) = (transport(sink.port, &[]), greeting().from(FROM));
    let (sent, ()) = tokio::join!(transport.deliver(&mail), given_up(&sink));
    sent.unwrap();
    let sink = Sink::new(Rules::default().answer("QUIT", "554 never")).await;
    self::transport(sink.port, &[]).deliver(&mail).await.unwrap();
}

/// Lets an hour pass as soon as the server is silent.
async fn given_up(sink: &Sink) {
    sink.fell_silent().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_connection_that_breaks_is_worth_another_try() {
    for (command, at) in [("CONNECT", "EHLO"), ("MAIL", "MAIL FROM"), ("END", "the mail")] {
        let (error, _) = failed(Rules::default().hangs_up(command), &[]).await;
        let lost = matches!(&error, MailError::Lost { stage, .. } if *stage == at);
        assert!(lost && error.is_transient(), "{error:?}");
    }
    let rules = Rules::default().starttls(&Authority::new().issue(4000));
    let (error, _) = failed(rules.hangs_up("EHLO"), &[("MAIL_ENCRYPTION", "starttls")]).await;
    assert!(matches!(&error, MailError::Lost { stage: "EHLO", .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_mail_server_is_noticed() {
    for encryption in ["none", "starttls"] {
        for said in ["HTTP/1.1 400 Bad Request", "2", "", "abc def", "999 beyond", "船", "\u{7}\r\n\u{7}"] {
            let sink = Sink::new(Rules::default().answer("CONNECT", said)).await;
            let transport = transport(sink.port, &[("MAIL_ENCRYPTION", encryption)]);
            let error = transport.deliver(&greeting().from(FROM)).await.unwrap_err();
            assert!(matches!(error, MailError::Lost { .. }), "{said}: {error:?}");
            assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_the_server_cannot_be_reached() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = transport(port, &[]).deliver(&greeting().from(FROM)).await.unwrap_err();
    assert!(matches!(error, MailError::Unreachable { .. }) && error.is_transient(), "{error:?}");
    let said = error.to_string();
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("MAIL_HOST"), "{said}");
}

#[tokio::test]
async fn a_mail_from_nobody_is_not_sent() {
    let sink = Sink::new(Rules::default()).await;
    let error = transport(sink.port, &[]).deliver(&greeting()).await.unwrap_err();
    assert!(
        matches!(error, MailError::NoSender { .. }) && error.to_string().contains("MAIL_FROM_ADDRESS"),
        "{error:?}"
    );
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_given_up_half_way_is_not_delivered() {
    let sink = Sink::new(Rules::default().silent("DATA")).await;
    let (transport, mail) = (transport(sink.port, &[]), greeting().from(FROM));
    tokio::select! {
        sent = transport.deliver(&mail) => panic!("{sent:?}"),
        () = sink.fell_silent() => {}
    }
    assert!(sink.only().mail.is_none());
}

#[tokio::test]
async fn a_server_elsewhere_without_tls_is_warned_of_once_in_production() {
    let key = paravel::support::AppKey::generate().unwrap().to_text();
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let guard = subscriber::set_default(log);
    // An address for documentation (RFC 5737), where nobody is.
    let elsewhere = [("APP_KEY", &*key), ("MAIL_HOST", "192.0.2.1"), ("MAIL_TIMEOUT", "1ms")];
    for (environment, encryption, warnings) in
        [("production", "none", 1), ("production", "tls", 0), ("local", "none", 0)]
    {
        let more = [&elsewhere[..], &[("APP_ENV", environment), ("MAIL_ENCRYPTION", encryption)]].concat();
        let transport = transport(25, &more);
        for _ in 0..2 {
            transport.deliver(&greeting().from(FROM)).await.unwrap_err();
        }
        let text = lines.text();
        assert_eq!(text.matches("without TLS").count(), 1, "{text}");
        assert!(warnings == 0 || text.contains("192.0.2.1"), "{text}");
    }
    drop(guard);
}
