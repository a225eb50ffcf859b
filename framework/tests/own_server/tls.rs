//! TLS to servers, with an authority and certificates of the test's own.

use std::path::Path;

use paravel::database::{Connection, DatabaseAdmin, DbError, Statement, TlsFault, Value};

use super::{OwnServer, on_own_servers};
use crate::certificates::{Authority, Issued};

/// What makes a server offer TLS.
fn with_tls(server: &OwnServer, issued: &Issued) -> Vec<String> {
    let certificate = server.write("server.pem", &issued.certificate).display().to_string();
    let key = server.write("server.key", &issued.key).display().to_string();
    match server.url("h", "").starts_with("postgres") {
        true => vec!["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")],
        false => vec![format!("ssl-cert={certificate}"), format!("ssl-key={key}")],
    }
}

/// What an address says that asks for TLS, in the words of its server.
fn asking<C: Connection>(mode: &str, authority: &Path) -> String {
    let authority = authority.display();
    match (C::BACKEND, mode) {
        ("postgres", mode) => format!("?sslmode={mode}&sslrootcert={authority}"),
        (_, "require") => format!("?ssl-mode=REQUIRED&ssl-ca={authority}"),
        (_, mode) => format!("?ssl-mode={}&ssl-ca={authority}", mode.to_uppercase().replace('-', "_")),
    }
}

async fn fault<C: Connection>(server: &OwnServer, host: &str, query: &str) -> TlsFault {
    match server.db::<C>(host, query).connect().await {
        Err(DbError::Tls { name, fault }) => {
            assert!(name.contains(host) && !name.contains("pem"), "{name}");
            fault
        }
        other => panic!("{host}{query}: {other:?}"),
    }
}

async fn is_encrypted<C: Connection>(c: &mut C) -> Result<bool, DbError> {
    let query = match C::BACKEND {
        "postgres" => "select version as cipher from pg_stat_ssl where pid = pg_backend_pid()",
        _ => {
            "select variable_value as cipher from information_schema.session_status where variable_name = 'Ssl_version'"
        }
    };
    let rows = c.fetch(&Statement::new(query)).await?;
    Ok(matches!(rows[0].get("cipher"), Value::Text(version) if version.starts_with("TLSv1.")))
}

async fn a_server_is_reached_by_tls_and_its_certificate_is_verified<C: Connection>() {
    let Some(mut server) = OwnServer::new::<C>() else { return };
    // PostgreSQL waits for its clients at a TERM.
    let in_order = if C::BACKEND == "postgres" { "INT" } else { "TERM" };
    let (ours, others) = (Authority::new(), Authority::new());
    let trusted = server.write("authority.pem", &ours.certificate);
    let stranger = server.write("stranger.pem", &others.certificate);
    let settings = with_tls(&server, &ours.issue(4000));
    server.start::<C>(&settings).await;

    for mode in ["require", if C::BACKEND == "postgres" { "verify-full" } else { "verify-identity" }] {
        let db = server.db::<C>("localhost", &asking::<C>(mode, &trusted));
        assert!(db.read(async |c| is_encrypted(c).await).await.unwrap(), "{mode}");
        assert!(db.write(async |c| is_encrypted(c).await).await.unwrap(), "{mode}");
        // Beyond one record.
        let long = "x".repeat(1_000_000);
        let query = Statement::new("select length(?) as n").bind(long);
        assert_eq!(db.fetch(query).await.unwrap()[0].integer("n"), 1_000_000);
    }
    // The server would take both: what is asked for decides.
    let plain = server.db::<C>("localhost", "");
    assert!(!plain.read(async |c| is_encrypted(c).await).await.unwrap());

    let strange = fault::<C>(&server, "localhost", &asking::<C>("require", &stranger)).await;
    assert!(matches!(strange, TlsFault::NotTrusted { .. }), "{strange:?}");
    let named = fault::<C>(&server, "127.0.0.1", &asking::<C>("require", &trusted)).await;
    assert!(matches!(&named, TlsFault::WrongName { reason } if reason.contains("localhost")), "{named:?}");
    if C::BACKEND == "postgres" {
        let db = server.db::<C>("127.0.0.1", &asking::<C>("verify-ca", &trusted));
        assert!(db.read(async |c| is_encrypted(c).await).await.unwrap());
        let strange = fault::<C>(&server, "127.0.0.1", &asking::<C>("verify-ca", &stranger)).await;
        assert!(matches!(strange, TlsFault::NotTrusted { .. }), "{strange:?}");
    } else {
        let refused = fault::<C>(&server, "127.0.0.1", &asking::<C>("verify-ca", &trusted)).await;
        assert_eq!(refused, TlsFault::NameAlwaysVerified);
    }
    for file in [server.path("nothing.pem"), server.write("empty.pem", "")] {
        let none = fault::<C>(&server, "localhost", &asking::<C>("require", &file)).await;
        assert!(matches!(&none, TlsFault::Authorities { place, .. } if *place == file.display().to_string()));
    }

    server.stop(in_order);
    let settings = with_tls(&server, &ours.issue(2001));
    server.start::<C>(&settings).await;
    let old = fault::<C>(&server, "localhost", &asking::<C>("require", &trusted)).await;
    assert!(matches!(old, TlsFault::Expired { .. }), "{old:?}");

    server.stop(in_order);
    server.start::<C>(&[]).await;
    let none = fault::<C>(&server, "localhost", &asking::<C>("require", &trusted)).await;
    assert_eq!(none, TlsFault::NotOffered);
}

on_own_servers! {
    a_server_is_reached_by_tls_and_its_certificate_is_verified,
}
