//! Mail to a server, over a real socket.

mod failures;
mod sink;
mod tls;

use base64ct::{Base64, Encoding};
use paravel::{
    config::{AppConfig, MailConfig},
    facades,
    mail::{Mail, MailError, Mailbox, SmtpTransport, Transport},
    support::Env,
    testing::TestApp,
};

use self::sink::{Rules, Sink};
use super::{LUCY, builder, greeting};

const FROM: &str = "caspian@example.com";

/// Longer than anything here takes.
const NEVER: &str = "1h";

/// What sends to a server here.
fn transport(port: u16, more: &[(&str, &str)]) -> SmtpTransport {
    let mut env = Env::from_pairs(variables(port));
    for (name, value) in more {
        env.set(*name, *value);
    }
    let transport = SmtpTransport::new(&MailConfig::from_env(&env), &AppConfig::from_env(&env));
    env.check().unwrap();
    transport
}

fn variables(port: u16) -> [(&'static str, String); 6] {
    [
        ("APP_URL", "https://ships.example.com".to_owned()),
        ("MAIL_MAILER", "smtp".to_owned()),
        ("MAIL_PORT", port.to_string()),
        ("MAIL_ENCRYPTION", "none".to_owned()),
        ("MAIL_FROM_ADDRESS", FROM.to_owned()),
        ("MAIL_TIMEOUT", NEVER.to_owned()),
    ]
}

/// Sends a mail to a server that answers as usual, and gives what it was sent.
async fn delivered(mail: Mail) -> String {
    let sink = Sink::new(Rules::default()).await;
    transport(sink.port, &[]).deliver(&mail.from(FROM)).await.unwrap();
    sink.only().mail.unwrap()
}

/// The part of a mail of one part, or a part's, that follows its headers.
fn body(mail: &str) -> &str {
    mail.split_once("\r\n\r\n").unwrap().1.trim_end_matches("\r\n")
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_meant() {
    let sink = Sink::new(Rules::default()).await;
    let mail = Mail::new("Land ho!")
        .from(Mailbox::named("Caspian", FROM))
        .to(Mailbox::named("Lucy", LUCY))
        .to("ed@example.com")
        .reply_to(Mailbox::named("Reepicheep", "reep@example.com"))
        .text("Come on deck.")
        .html("<p>Come on <b>deck</b>.</p>");
    transport(sink.port, &[]).deliver(&mail).await.unwrap();
    let received = sink.only();
    let expected = [
        "EHLO ships.example.com",
        "MAIL FROM:<caspian@example.com>",
        "RCPT TO:<lucy@example.com>",
        "RCPT TO:<ed@example.com>",
        "DATA",
        "QUIT",
    ];
    assert_eq!(received.lines, expected);
    let mail = received.mail.unwrap();
    for header in [
        "From: Caspian <caspian@example.com>\r\n",
        "To: Lucy <lucy@example.com>, ed@example.com\r\n",
        "Reply-To: Reepicheep <reep@example.com>\r\n",
        "Subject: Land ho!\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/alternative;",
        "Date: ",
        "Message-ID: <",
    ] {
        assert_eq!(mail.matches(header).count(), 1, "{header} in {mail}");
    }
    assert!(mail.contains("@example.com>\r\n") && !mail.contains("localhost"), "{mail}");
    // Who reads both is shown the last.
    let (text, html) = (mail.find("Come on deck."), mail.find("<p>Come on <b>deck</b>.</p>"));
    assert!(text.is_some() && text < html, "{mail}");
}

#[tokio::test]
async fn a_mail_may_be_of_text_or_of_html_alone() {
    let text = delivered(greeting()).await;
    assert!(text.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{text}");
    assert_eq!(body(&text), "Come on deck.");
    let html = delivered(Mail::new("Land ho!").to(LUCY).html("<p>Come.</p>")).await;
    assert!(html.contains("Content-Type: text/html; charset=utf-8\r\n"), "{html}");
    assert_eq!(body(&html), "<p>Come.</p>");
}

#[tokio::test]
async fn no_line_ends_the_mail_and_none_is_too_long() {
    let mail = delivered(Mail::new("Dots").to(LUCY).text(".\n..\n.\r\nQUIT\n.")).await;
    assert_eq!(body(&mail), ".\r\n..\r\n.\r\nQUIT\r\n.");
    let long = "x".repeat(5000);
    for letter in ["x", "船"] {
        let header = letter.repeat(600);
        let lucy = Mailbox::named(&header, LUCY);
        let mail = delivered(Mail::new(&header).to(lucy.clone()).reply_to(lucy).text(&long)).await;
        assert!(mail.lines().all(|line| line.len() <= 998), "{mail}");
        assert_eq!(body(&mail).replace("=\r\n", ""), long);
    }
}

#[tokio::test]
async fn what_is_not_ascii_goes_as_ascii() {
    let mail = Mail::new("船が来た, and a long subject that does not fit into a single line of a header")
        .to(Mailbox::named("Lucía", LUCY))
        .text("Tschüß");
    let mail = delivered(mail).await;
    assert!(mail.is_ascii(), "{mail}");
    assert!(mail.contains("Subject: =?utf-8?b?6Ii544GM5p2l44Gf") && mail.contains("\r\n fit into"), "{mail}");
    assert!(mail.contains("To: =?utf-8?b?THVjw61h?= <lucy@example.com>\r\n"), "{mail}");
    assert_eq!(Base64::decode_vec(body(&mail)).unwrap(), "Tschüß".as_bytes());
}

/// The name that a reader of mail takes out of this header: plain, in quotes, or encoded.
fn name_in(mail: &str, header: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix(header)).unwrap();
    let name = line.strip_suffix(" <lucy@example.com>").unwrap();
    let encoded = name.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
    let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match (encoded, quoted) {
        (Some(encoded), _) => String::from_utf8(Base64::decode_vec(encoded).unwrap()).unwrap(),
        (None, Some(quoted)) => quoted.replace("\\\"", "\"").replace(r"\\", r"\"),
        (None, None) => name.to_owned(),
    }
}

#[tokio::test]
async fn a_name_is_a_name_whatever_it_looks_like() {
    let names = ["Lucy", "Lucy P.", "P., Lucy", r#"Lu "Lion" P."#, "eve@example.com", "Eve <eve@example.com>, Lucy"];
    for name in names.into_iter().chain([r"a\b", "Lucía, 船", "(Lu)", "=?utf-8?b?RXZl?="]) {
        let lucy = Mailbox::named(name, LUCY);
        let mail = delivered(Mail::new("Hi").to(lucy.clone()).reply_to(lucy).text("")).await;
        assert_eq!((name_in(&mail, "To: "), name_in(&mail, "Reply-To: ")), (name.to_owned(), name.to_owned()));
    }
    let nameless = delivered(Mail::new("Hi").to(Mailbox::named("  ", LUCY)).text("")).await;
    assert!(nameless.contains("To: lucy@example.com\r\n"), "{nameless}");
}

#[tokio::test]
async fn it_logs_in_by_what_the_server_knows() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let sink = Sink::new(Rules::default().login(mechanism, "caspian", "hunter22")).await;
        let login = [("MAIL_USERNAME", "caspian"), ("MAIL_PASSWORD", "hunter22")];
        transport(sink.port, &login).deliver(&greeting().from(FROM)).await.unwrap();
        let received = sink.only();
        assert!(received.lines[1].starts_with(&format!("AUTH {mechanism}")), "{:?}", received.lines);
        assert!(received.mail.is_some());
    }
}

#[tokio::test]
async fn who_may_not_log_in_is_told_so_without_the_password() {
    let login = [("MAIL_USERNAME", "caspian"), ("MAIL_PASSWORD", "hunter22")];
    for rules in [Rules::default().login("PLAIN", "caspian", "another"), Rules::default()] {
        let sink = Sink::new(rules).await;
        let transport = transport(sink.port, &login);
        let error = transport.deliver(&greeting().from(FROM)).await.unwrap_err();
        assert!(matches!(error, MailError::Authentication { .. }) && !error.is_transient(), "{error:?}");
        let said = format!("{error} {error:?} {transport:?}");
        assert!(said.contains("MAIL_USERNAME") && !said.contains("hunter22"), "{said}");
        assert!(sink.only().mail.is_none());
    }
}

#[tokio::test]
async fn each_mail_has_a_connection_and_an_id_of_its_own() {
    let sink = Sink::new(Rules::default()).await;
    let transport = transport(sink.port, &[]);
    let mail = greeting().from(FROM);
    let (one, two, three) = tokio::join!(transport.deliver(&mail), transport.deliver(&mail), transport.deliver(&mail));
    one.and(two).and(three).unwrap();
    let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned();
    let ids: Vec<_> = sink.received().iter().map(|received| id(received.mail.as_ref().unwrap())).collect();
    assert!(ids.len() == 3 && ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn an_application_sends_by_the_server_that_is_configured() {
    let sink = Sink::new(Rules::default()).await;
    let variables = variables(sink.port);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let app = TestApp::boot(builder(&variables)).await.unwrap();
    app.run(facades::Mail::send(greeting())).await.unwrap();
    assert!(sink.only().mail.unwrap().contains("From: Paravel <caspian@example.com>\r\n"));
    app.fake_mail().unwrap();
    app.run(facades::Mail::send(greeting())).await.unwrap();
    assert_eq!(sink.received().len(), 1);
}
