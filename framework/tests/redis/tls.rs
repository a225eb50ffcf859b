//! TLS, with an authority and certificates of the test's own.

use std::path::Path;

use paravel::{
    redis::{RedisError, cmd},
    support::TlsFault,
};

use super::{OwnServer, free_port, is_unavailable, redis, soon, until};
use crate::certificates::Authority;

#[tokio::test]
async fn a_server_is_reached_by_tls_and_its_certificate_is_verified() {
    let Some(mut server) = OwnServer::new() else { return };
    let (ours, others) = (Authority::new(), Authority::new());
    let issued = ours.issue(4000);
    let write = |name: &str, text: &str| {
        let path = server.path(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let trusted = write("authority.pem", &ours.certificate);
    let stranger = write("stranger.pem", &others.certificate);
    let (certificate, key) = (write("server.pem", &issued.certificate), write("server.key", &issued.key));
    let port = free_port();
    let settings = [
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-ca-cert-file",
        trusted.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ];
    server.start(&settings).await;
    let at = |host: &str, port: u16, authority: &Path| {
        redis(&format!("rediss://{host}:{port}?sslrootcert={}", authority.display()), &[])
    };

    let encrypted = at("localhost", port, &trusted);
    until(async || encrypted.ping().await).await;
    // Beyond one record.
    let long = "x".repeat(1_000_000);
    assert_eq!(encrypted.query::<String>(cmd("ECHO").arg(&long)).await.unwrap(), long);
    encrypted.blocking().await.unwrap().run(&cmd("PING")).await.unwrap();
    let mut listening = encrypted.subscribe("news").await.unwrap();
    encrypted.publish("news", "land").await.unwrap();
    assert_eq!(soon(listening.next()).await.unwrap().payload, b"land");

    let fault = async |host: &str, port: u16, authority: &Path| match soon(at(host, port, authority).ping()).await {
        Err(RedisError::Tls { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    let strange = fault("localhost", port, &stranger).await;
    assert!(matches!(strange, TlsFault::NotTrusted { .. }), "{strange:?}");
    let named = fault("127.0.0.1", port, &trusted).await;
    assert!(matches!(&named, TlsFault::WrongName { reason } if reason.contains("localhost")), "{named:?}");
    let none = fault("localhost", port, &server.path("nothing.pem")).await;
    assert!(matches!(none, TlsFault::Authorities { .. }), "{none:?}");
    // Nothing goes on in plain where TLS was asked for.
    let plain = soon(at("localhost", server.port, &trusted).ping()).await.unwrap_err();
    assert!(plain.to_string().contains("offers no TLS"), "{plain}");
    let half = soon(redis(&format!("redis://localhost:{port}"), &[]).ping()).await;
    assert!(is_unavailable(&half), "{half:?}");
    let platform = soon(redis(&format!("rediss://localhost:{port}"), &[]).ping()).await.unwrap_err();
    assert!(matches!(platform, RedisError::Tls { .. }), "{platform:?}");
}
