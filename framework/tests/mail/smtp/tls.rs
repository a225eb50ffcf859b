//! TLS, with an authority and certificates of the test's own.

use std::path::Path;

use paravel::{
    mail::{MailError, Transport},
    support::TlsFault,
};
use tempfile::TempDir;

use super::{
    FROM, greeting,
    sink::{Rules, Sink},
    transport,
};
use crate::certificates::Authority;

const LOGIN: [(&str, &str); 2] = [("MAIL_USERNAME", "caspian"), ("MAIL_PASSWORD", "hunter22")];

/// An authority, and a file of its certificate.
fn authority(folder: &TempDir, name: &str) -> (Authority, String) {
    let authority = Authority::new();
    let path = folder.path().join(name);
    std::fs::write(&path, &authority.certificate).unwrap();
    (authority, path.display().to_string())
}

async fn send(port: u16, encryption: &str, host: &str, trusted: &str) -> Result<(), MailError> {
    let tls = [("MAIL_ENCRYPTION", encryption), ("MAIL_HOST", host), ("MAIL_ROOT_CERT", trusted)];
    transport(port, &[&tls[..], &LOGIN].concat()).deliver(&greeting().from(FROM)).await
}

#[tokio::test]
async fn nothing_but_the_question_for_tls_is_said_in_plain() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, trusted) = authority(&folder, "ours.pem");
    let rules = Rules::default().login("PLAIN", "caspian", "hunter22");
    let sink = Sink::new(rules.clone().starttls(&ours.issue(4000))).await;
    send(sink.port, "starttls", "localhost", &trusted).await.unwrap();
    let received = sink.only();
    assert_eq!(received.lines[..3], ["EHLO ships.example.com", "STARTTLS", "+EHLO ships.example.com"]);
    assert!(received.lines[2..].iter().all(|line| line.starts_with('+')), "{:?}", received.lines);
    assert!(received.mail.unwrap().contains("Come on deck."));

    let sink = Sink::new(rules.wrapped(&ours.issue(4000))).await;
    send(sink.port, "tls", "localhost", &trusted).await.unwrap();
    let received = sink.only();
    assert!(received.lines.iter().all(|line| line.starts_with('+')), "{:?}", received.lines);
    assert!(received.mail.is_some());
}

#[tokio::test]
async fn a_certificate_that_is_not_right_is_refused_before_anything_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, trusted) = authority(&folder, "ours.pem");
    let (_, stranger) = authority(&folder, "stranger.pem");
    let nothing = folder.path().join("nothing.pem").display().to_string();
    let (valid, expired) = (ours.issue(4000), ours.issue(2020));
    for encryption in ["starttls", "tls"] {
        let fault = async |issued, host: &str, trusted: &str| {
            let rules = Rules::default().login("PLAIN", "caspian", "hunter22");
            let rules = if encryption == "tls" { rules.wrapped(issued) } else { rules.starttls(issued) };
            let sink = Sink::new(rules).await;
            let error = send(sink.port, encryption, host, trusted).await.unwrap_err();
            let heard: Vec<_> = sink.received().into_iter().flat_map(|received| received.lines).collect();
            let said = if encryption == "tls" { &[][..] } else { &["EHLO ships.example.com", "STARTTLS"] };
            assert_eq!(heard, said);
            assert!(!error.is_transient(), "{error}");
            match error {
                MailError::Tls { fault, .. } => fault,
                other => panic!("{other:?}"),
            }
        };
        let strange = fault(&valid, "localhost", &stranger).await;
        assert!(matches!(strange, TlsFault::NotTrusted { .. }), "{strange:?}");
        assert!(strange.to_string().contains("MAIL_ROOT_CERT"), "{strange}");
        let platform = fault(&valid, "localhost", "").await;
        assert!(matches!(platform, TlsFault::NotTrusted { .. } | TlsFault::Authorities { .. }), "{platform:?}");
        let named = fault(&valid, "127.0.0.1", &trusted).await;
        assert!(matches!(&named, TlsFault::WrongName { reason } if reason.contains("localhost")), "{named:?}");
        let old = fault(&expired, "localhost", &trusted).await;
        assert!(matches!(old, TlsFault::Expired { .. }), "{old:?}");
        let none = fault(&valid, "localhost", &nothing).await;
        assert!(matches!(none, TlsFault::Authorities { .. }), "{none:?}");
    }
    assert!(!Path::new(&nothing).exists());
}

#[tokio::test]
async fn nothing_goes_on_in_plain_where_no_tls_is_offered() {
    let sink = Sink::new(Rules::default().login("PLAIN", "caspian", "hunter22")).await;
    let error = send(sink.port, "starttls", "localhost", "").await.unwrap_err();
    assert!(matches!(error, MailError::NotEncrypted { .. }) && !error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("MAIL_ENCRYPTION=tls"), "{error}");
    assert_eq!(sink.only().lines, ["EHLO ships.example.com"]);
    // One that begins by TLS, asked in plain, and the other way round.
    let folder = tempfile::tempdir().unwrap();
    let (ours, trusted) = authority(&folder, "ours.pem");
    let sink = Sink::new(Rules::default().starttls(&ours.issue(4000))).await;
    let error = send(sink.port, "tls", "localhost", &trusted).await.unwrap_err();
    assert!(matches!(error, MailError::Tls { .. } | MailError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_put_behind_the_answer_to_starttls_is_not_taken_for_the_servers() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, trusted) = authority(&folder, "ours.pem");
    let rules = Rules::default().starttls(&ours.issue(4000));
    let sink = Sink::new(rules.answer("STARTTLS", "220 go on\r\n250-evil\r\n250 AUTH LOGIN")).await;
    let error = send(sink.port, "starttls", "localhost", &trusted).await.unwrap_err();
    assert!(matches!(&error, MailError::Lost { stage: "STARTTLS", .. }), "{error:?}");
    assert!(error.to_string().contains("somebody stands in between"), "{error}");
    assert_eq!(sink.only().lines, ["EHLO ships.example.com", "STARTTLS"]);
}

#[tokio::test]
async fn a_server_that_has_no_tls_just_now_may_have_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, trusted) = authority(&folder, "ours.pem");
    let rules = Rules::default().starttls(&ours.issue(4000));
    let sink = Sink::new(rules.answer("STARTTLS", "454 not now")).await;
    let error = send(sink.port, "starttls", "localhost", &trusted).await.unwrap_err();
    assert!(matches!(error, MailError::Refused { code: 454, .. }) && error.is_transient(), "{error:?}");
}
