//! Bearer tokens and the passwords that give them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use app::{
    application,
    database::Database,
    models::{Email, PersonalAccessToken, TokenId},
    repositories::TokenRepository,
};
use paravel::{
    async_trait,
    auth::{Argon2Hasher, HashError, Hasher, TokenHash},
    config::{AuthConfig, DatabaseConfig},
    support::{Clock, Env, FakeClock, Secret},
    testing::{TestApp, TestRequest, TestResponse},
};
use serde_json::json;

use crate::support::{ADMIN, PASSWORD, admin, app, count, is_embedded, log_in, member, rows, seeded};

/// Failed logins of each kind, so that a difference would show in the medians that are printed.
const LOGINS: usize = 1000;

const DAY: Duration = Duration::from_secs(86_400);

async fn app_with_clock() -> anyhow::Result<(TestApp, Arc<FakeClock>)> {
    let clock = Arc::new(FakeClock::at("2026-03-01T12:00:00Z".parse()?));
    let bound: Arc<dyn Clock> = Arc::<FakeClock>::clone(&clock);
    let app = seeded(application().replace(|app| {
        app.instance::<dyn Clock>(bound);
    }))
    .await?;
    Ok((app, clock))
}

async fn refused(request: TestRequest) -> TestResponse {
    let answer = request.send().await.assert_problem(401, None);
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
    answer
}

#[tokio::test]
async fn a_bad_token_is_called_one_and_a_good_one_is_kept_by_no_cache() -> anyhow::Result<()> {
    let app = app().await?;
    let none = refused(app.get("/api/v1/me")).await;
    assert_eq!(none.header("www-authenticate"), "Bearer");
    let bad = refused(app.get("/api/v1/me").bearer("nonsense")).await;
    assert_eq!(bad.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    let ada = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
    let registered = app.post("/api/v1/auth/register").json(&ada).send().await.assert_status(201);
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    let login = app.post("/api/v1/auth/login").json(&login).send().await.assert_status(200);
    assert_eq!((registered.header("cache-control"), login.header("cache-control")), ("no-store", "no-store"));
    Ok(())
}

#[tokio::test]
async fn a_token_is_valid_for_thirty_days_and_no_longer() -> anyhow::Result<()> {
    let (app, clock) = app_with_clock().await?;
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let login = app.post("/api/v1/auth/login").json(&body).send().await.assert_status(200);
    let login = login.assert_json("/expires_at", "2026-03-31T12:00:00.000000Z");
    let token = login.at("/token").as_str().unwrap_or_default().to_owned();
    clock.advance(30 * DAY - Duration::from_secs(1));
    app.get("/api/v1/me").bearer(&token).send().await.assert_status(200);
    clock.advance(Duration::from_secs(1));
    refused(app.get("/api/v1/me").bearer(&token)).await;
    refused(app.post("/api/v1/auth/logout").bearer(&token)).await;
    Ok(())
}

#[tokio::test]
async fn a_token_that_was_logged_out_is_refused_and_others_are_not() -> anyhow::Result<()> {
    let app = app().await?;
    let (one, two) = (admin(&app).await?, admin(&app).await?);
    assert_ne!(one.token, two.token);
    app.post("/api/v1/auth/logout").bearer(&one.token).send().await.assert_status(204);
    refused(app.get("/api/v1/me").bearer(&one.token)).await;
    refused(app.post("/api/v1/auth/logout").bearer(&one.token)).await;
    app.get("/api/v1/me").bearer(&two.token).send().await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn what_is_no_token_is_refused() -> anyhow::Result<()> {
    let app = app().await?;
    let token = admin(&app).await?.token;
    refused(app.get("/api/v1/me")).await;
    let hash: String = TokenHash::of(&token).bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    for header in [
        "".to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer \t ".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Token {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token}x"),
        format!("Bearer x{token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer Bearer {token}"),
        format!("Bearer {}", &token[..42]),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {hash}"),
        "Bearer ' or 1=1 --".to_owned(),
        format!("Bearer {}", "a".repeat(4096)),
    ] {
        refused(app.get("/api/v1/me").header("authorization", &header)).await;
    }
    // RFC 9110, 11.1: a scheme is told by its name in any case.
    let lower = app.get("/api/v1/me").header("authorization", &format!("bEARER {token}"));
    lower.send().await.assert_status(200);
    app.get("/api/v1/me?token=x").send().await.assert_problem(401, None);
    Ok(())
}

#[tokio::test]
async fn a_token_is_stored_as_its_hash_alone() -> anyhow::Result<()> {
    let app = app().await?;
    let token = admin(&app).await?.token;
    assert_eq!(token.len(), 43, "256 bits in base64url");
    let stored = rows(&app, "select token_hash from personal_access_tokens").await?;
    let hash = paravel::database::Value::Bytes(TokenHash::of(&token).bytes().to_vec());
    assert_eq!(stored.iter().map(|row| row.get("token_hash")).collect::<Vec<_>>(), [&hash]);
    // FIPS 180-4's own example: it is SHA-256.
    let abc: String = TokenHash::of("abc").bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    if !is_embedded() {
        println!("left out: a server's files are its own affair");
        return Ok(());
    }
    let url = app.make::<DatabaseConfig>()?.url.clone();
    let folder = Path::new(url.rest()).parent().context("a file is in a folder")?;
    let files = std::fs::read_dir(folder)?.map(|entry| std::fs::read(entry?.path()));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let is_kept =
        |text: &str| files.iter().any(|file| file.windows(text.len()).any(|window| window == text.as_bytes()));
    assert!(is_kept(ADMIN), "what was written is in these files");
    assert!(!is_kept(&token) && !is_kept(PASSWORD), "a file holds a token or a password");
    Ok(())
}

#[tokio::test]
async fn the_last_use_is_written_at_most_once_a_minute() -> anyhow::Result<()> {
    let (app, clock) = app_with_clock().await?;
    let token = admin(&app).await?.token;
    let last_use = async || -> anyhow::Result<String> {
        let rows = rows(&app, "select last_used_at from personal_access_tokens").await?;
        Ok(rows[0].text("last_used_at").to_owned())
    };
    assert_eq!(last_use().await?, "", "not used yet");
    let mut seen = Vec::new();
    for seconds in [0, 1, 58, 1, 30] {
        clock.advance(Duration::from_secs(seconds));
        app.get("/api/v1/me").bearer(&token).send().await.assert_status(200);
        seen.push(last_use().await?);
    }
    let (first, second) = ("2026-03-01 12:00:00.000000", "2026-03-01 12:01:00.000000");
    assert_eq!(seen, [first, first, first, second, second]);
    Ok(())
}

#[tokio::test]
async fn a_new_password_ends_the_other_logins() -> anyhow::Result<()> {
    let app = app().await?;
    let (ada, elsewhere, grace) =
        (member(&app, "Ada").await?, log_in(&app, "ada@example.com", PASSWORD).await?, member(&app, "Grace").await?);
    let path = format!("/api/v1/users/{}", ada.id);
    let change = json!({"password": "another horse"});
    app.patch(&path).bearer(&ada.token).json(&change).send().await.assert_status(200);
    app.get("/api/v1/me").bearer(&ada.token).send().await.assert_status(200);
    refused(app.get("/api/v1/me").bearer(&elsewhere.token)).await;
    app.get("/api/v1/me").bearer(&grace.token).send().await.assert_status(200);
    let old = json!({"email": ada.email, "password": PASSWORD});
    refused(app.post("/api/v1/auth/login").json(&old)).await;
    log_in(&app, &ada.email, "another horse").await?;

    let root = admin(&app).await?;
    let change = json!({"password": "a third horse"});
    app.patch(&path).bearer(&root.token).json(&change).send().await.assert_status(200);
    refused(app.get("/api/v1/me").bearer(&ada.token)).await;
    app.get("/api/v1/me").bearer(&root.token).send().await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn a_change_without_a_password_ends_no_login() -> anyhow::Result<()> {
    let app = app().await?;
    let (ada, elsewhere) = (member(&app, "Ada").await?, log_in(&app, "ada@example.com", PASSWORD).await?);
    let change = json!({"name": "Ada II"});
    app.patch(&format!("/api/v1/users/{}", ada.id)).bearer(&ada.token).json(&change).send().await.assert_status(200);
    app.get("/api/v1/me").bearer(&elsewhere.token).send().await.assert_status(200);
    Ok(())
}

#[tokio::test]
async fn a_login_makes_a_hash_stronger_that_is_weaker_than_configured() -> anyhow::Result<()> {
    let app = app().await?;
    let ada = member(&app, "Ada").await?;
    let hash = async || -> anyhow::Result<String> {
        Ok(rows(&app, "select password_hash from users where name = 'Ada'").await?[0].text("password_hash").to_owned())
    };
    let weak = hash().await?;
    assert!(weak.contains("m=64,t=1,"), "{weak}");
    let database: Arc<Database> = app.make()?;
    let env = [("DATABASE_URL", database.config().url.expose()), ("HASH_MEMORY_KIB", "64"), ("HASH_ITERATIONS", "2")];
    let stronger = TestApp::boot(application().env(Env::from_pairs(env))).await?;
    log_in(&stronger, &ada.email, PASSWORD).await?;
    let strong = hash().await?;
    assert!(strong.contains("m=64,t=2,"), "{strong}");
    log_in(&stronger, &ada.email, PASSWORD).await?;
    assert_eq!(hash().await?, strong, "once");
    app.get("/api/v1/me").bearer(&ada.token).send().await.assert_status(200);
    Ok(())
}

struct Counting {
    inner: Argon2Hasher,
    made: AtomicUsize,
    checked: AtomicUsize,
}

#[async_trait]
impl Hasher for Counting {
    async fn make(&self, password: Secret<String>) -> Result<String, HashError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.inner.make(password).await
    }

    async fn check(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, HashError> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        self.inner.check(password, hash).await
    }

    fn needs_rehash(&self, hash: &str) -> bool {
        self.inner.needs_rehash(hash)
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_cannot_be_told_apart() -> anyhow::Result<()> {
    let config = AuthConfig::from_env(&Env::from_pairs([("HASH_MEMORY_KIB", "64"), ("HASH_ITERATIONS", "1")]));
    let counting = Counting { inner: Argon2Hasher::new(&config)?, made: 0.into(), checked: 0.into() };
    let hasher = Arc::new(counting);
    let bound: Arc<dyn Hasher> = Arc::<Counting>::clone(&hasher);
    let app = seeded(application().replace(|app| {
        app.instance::<dyn Hasher>(bound);
    }))
    .await?;
    let made = hasher.made.load(Ordering::Relaxed);
    let mut answers = Vec::new();
    for email in [ADMIN, "nobody@example.com"] {
        let before = hasher.checked.load(Ordering::Relaxed);
        let mut times = Vec::new();
        for _ in 0..LOGINS {
            let began = Instant::now();
            let body = json!({"email": email, "password": "wrong horse"});
            let answer = refused(app.post("/api/v1/auth/login").header("x-request-id", "one").json(&body)).await;
            times.push(began.elapsed());
            answers.push((answer.text(), answer.header("content-length").to_owned(), answer.queries()));
        }
        times.sort_unstable();
        println!("a failed login of {email} took {:?}, the median of {LOGINS}", times[LOGINS / 2]);
        assert_eq!(hasher.checked.load(Ordering::Relaxed) - before, LOGINS, "one verification a login of {email}");
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(hasher.made.load(Ordering::Relaxed), made, "a failed login hashes nothing anew");
    assert_eq!(rows(&app, "select id from personal_access_tokens").await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn tokens_that_ended_long_ago_are_pruned() -> anyhow::Result<()> {
    let (app, clock) = app_with_clock().await?;
    let (kept, revoked) = (admin(&app).await?, admin(&app).await?);
    app.post("/api/v1/auth/logout").bearer(&revoked.token).send().await.assert_status(204);
    let pruned = async |days: &str| -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&app.artisan(&["tokens:prune", "--days", days, "--json"]).await?)?)
    };
    assert_eq!(pruned("0").await?, json!({"pruned": 0}), "it has only just been revoked");
    clock.advance(Duration::from_secs(1));
    assert_eq!(pruned("1").await?, json!({"pruned": 0}));
    assert_eq!(pruned("0").await?, json!({"pruned": 1}));
    app.get("/api/v1/me").bearer(&kept.token).send().await.assert_status(200);
    // It is over after thirty days, and kept for thirty more.
    clock.advance(60 * DAY - Duration::from_secs(2));
    assert_eq!(pruned("30").await?, json!({"pruned": 0}));
    clock.advance(Duration::from_secs(2));
    assert_eq!(app.artisan(&["tokens:prune"]).await?, "pruned  1\n");
    assert_eq!(count(&app, "personal_access_tokens").await?, 0);
    Ok(())
}

#[tokio::test]
async fn more_tokens_are_pruned_than_one_transaction_takes() -> anyhow::Result<()> {
    let (app, clock) = app_with_clock().await?;
    admin(&app).await?;
    let repository: Arc<dyn TokenRepository> = app.make()?;
    let credentials = repository.credentials(&Email::new(ADMIN)).await?.context("the administrator is there")?;
    let over = clock.now();
    for number in 0..1_100_u16 {
        let token = PersonalAccessToken {
            id: TokenId::new(),
            user_id: credentials.id,
            name: "old".to_owned(),
            token_hash: number.to_be_bytes().to_vec(),
            expires_at: over,
            last_used_at: None,
            revoked_at: None,
            created_at: over,
        };
        assert!(repository.create(token, credentials.password_hash.clone(), None).await?);
    }
    assert_eq!(repository.prune(over).await?, 0);
    assert_eq!(repository.prune(over.plus(Duration::from_secs(1))).await?, 1_100);
    assert_eq!(count(&app, "personal_access_tokens").await?, 1, "the administrator's own");
    Ok(())
}
