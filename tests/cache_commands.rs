//! The `cache:` commands through the real binary, on a store that outlives a process.

use anyhow::Context;
use app::database::Conn;
use paravel::database::Connection;
use serde_json::{Value, json};

#[cfg(feature = "redis")]
use crate::support::OwnRedis;
use crate::support::{ADMIN, Binary, Ended, PASSWORD, Serving, ask, has_terminals};

/// The rows that a cache would have put in.
async fn with_entries() -> anyhow::Result<Binary> {
    let binary =
        Binary::seeded().await?.env("CACHE_STORE", "database").env("CACHE_STORES", "pages=database,here=memory");
    let bytes = |text: &str| match Conn::BACKEND {
        "postgres" => format!("cast('{text}' as bytea)"),
        "mysql" => format!("cast('{text}' as binary)"),
        _ => format!("cast('{text}' as blob)"),
    };
    for (name, ends) in [("default:1:a", 0), ("default:1:b", 0), ("default:1:old", 1), ("pages:1:a", 0)] {
        let (name, value) = (bytes(name), bytes("7"));
        binary
            .change(&format!("insert into cache_entries (name, value, expires_at) values ({name}, {value}, {ends})"))
            .await?;
    }
    Ok(binary)
}

#[tokio::test]
async fn cache_stats_shows_what_is_in_the_stores() -> anyhow::Result<()> {
    let binary = with_entries().await?;
    let line = |cache, store, is_up, entries, bytes| json!({"cache": cache, "store": store, "is_up": is_up, "entries": entries, "bytes": bytes, "error": null});
    let here = line("here", "memory", json!(null), json!(null), json!(null));
    let (default, pages) = (
        line("default", "database", json!(true), json!(2), json!(2)),
        line("pages", "database", json!(true), json!(1), json!(1)),
    );
    assert_eq!(binary.json(&["cache:stats"]).await?, json!([default, here, pages]));
    assert_eq!(binary.json(&["cache:stats", "--store", "pages"]).await?, json!([pages]));
    let said = binary.refused(1, &["cache:stats", "--store", "page"]).await?;
    assert!(said.starts_with("error: there is no cache `page`; there are: default, here, pages."), "{said}");
    Ok(())
}

#[tokio::test]
async fn cache_prune_takes_out_what_has_ended() -> anyhow::Result<()> {
    let binary = with_entries().await?;
    assert_eq!(binary.json(&["cache:prune", "--store", "default"]).await?, json!([{"cache": "default", "pruned": 1}]));
    assert_eq!(binary.count("cache_entries").await?, 3);
    Ok(())
}

#[tokio::test]
async fn cache_forget_takes_out_one_value() -> anyhow::Result<()> {
    let binary = with_entries().await?;
    let change = |change| json!([{"key": "a", "change": change}]);
    assert_eq!(binary.json(&["cache:forget", "a"]).await?, change("forgotten"));
    assert_eq!(binary.json(&["cache:forget", "a"]).await?, change("was not there"));
    assert_eq!(binary.json(&["cache:forget", "a", "--store", "pages"]).await?, change("forgotten"));
    assert_eq!(binary.count("cache_entries").await?, 2);
    Ok(())
}

#[tokio::test]
async fn cache_clear_takes_out_everything_or_what_has_a_tag() -> anyhow::Result<()> {
    let binary = with_entries().await?;
    let tags = binary.json(&["cache:clear", "--tags", "users,roles", "--store", "default"]).await?;
    assert_eq!(tags, json!([{"cache": "default", "change": "invalidated"}]));
    assert_eq!(binary.count("cache_entries").await?, 4);
    let one = binary.json(&["cache:clear", "--store", "pages"]).await?;
    assert_eq!((one, binary.count("cache_entries").await?), (json!([{"cache": "pages", "change": "cleared"}]), 3));
    let all = binary.done(&["cache:clear"]).await?.out;
    assert!(all.contains("`here` is in the memory of each process"), "{all}");
    assert_eq!(binary.count("cache_entries").await?, 0);
    Ok(())
}

/// A server and somebody who may ask it for users, of whom it knows all that it needs without a query.
async fn with_admin(binary: &Binary) -> anyhow::Result<(Serving, String)> {
    let server = binary.serve().await?;
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let login = ask(server.address, "POST", "/api/v1/auth/login", "", Some(&login)).await?.json()?;
    let token = login["token"].as_str().context("a token")?.to_owned();
    // The first use of a token is noted, so it is asked for once more.
    for _ in 0..2 {
        asked(&server, "/api/v1/users", &token).await?;
    }
    assert_eq!(asked(&server, "/api/v1/me", &token).await?.0, 0);
    Ok((server, token))
}

/// How many queries a server ran to answer, and its answer.
async fn asked(server: &Serving, path: &str, token: &str) -> anyhow::Result<(usize, Value)> {
    let answer = ask(server.address, "GET", path, token, None).await?;
    let queries = answer.head.split_once("desc=\"").and_then(|(_, desc)| desc.split_once(" quer"));
    let (count, _) = queries.with_context(|| format!("its queries are not said: {}", answer.head))?;
    Ok((count.parse()?, answer.json()?))
}

/// One process warms the cache, and another answers from it.
async fn warms_for_others(binary: Binary) -> anyhow::Result<()> {
    let binary = binary.env("APP_ENV", "local").env("DEMO_USERS", "3");
    binary.done(&["db:seed", "--class", "demo"]).await?;
    let (cold, token) = with_admin(&binary).await?;
    let (_, users) = asked(&cold, "/api/v1/users", &token).await?;
    let users = users["data"].as_array().context("a list")?;
    let paths: Vec<_> =
        users.iter().map(|user| format!("/api/v1/users/{}", user["id"].as_str().unwrap_or(""))).collect();
    assert_eq!(paths.len(), 4, "{users:?}");
    let unknown = users.iter().position(|user| user["email"] != ADMIN).context("somebody else")?;
    let (queries, _) = asked(&cold, &paths[unknown], &token).await?;
    assert!(queries > 0, "it has to ask for whom it does not know");

    // That one and the administrator are there already.
    assert_eq!(binary.json(&["cache:warm", "users"]).await?, json!([{"name": "users", "values": 2}]));
    let (warm, other) = with_admin(&binary).await?;
    for (server, token) in [(&cold, &token), (&warm, &other)] {
        for (path, user) in paths.iter().zip(users) {
            let (queries, found) = asked(server, path, token).await?;
            assert_eq!((queries, &found["data"]["email"]), (0, &user["email"]), "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_cache_warm_puts_into_the_database_another_process_answers_from() -> anyhow::Result<()> {
    warms_for_others(Binary::seeded().await?.env("CACHE_STORE", "database")).await
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn what_cache_warm_puts_into_redis_another_process_answers_from() -> anyhow::Result<()> {
    let Some(redis) = OwnRedis::start().await? else { return Ok(()) };
    for store in ["redis", "tiered"] {
        let binary = Binary::seeded().await?.env("CACHE_STORE", store);
        warms_for_others(binary.env("REDIS_URL", &redis.url()).env("REDIS_PREFIX", store)).await?;
        assert!(!redis.keys(&format!("{store}cache:k:*:users:*")).await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn cache_warm_draws_how_far_it_has_come_where_somebody_looks() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("CACHE_STORE", "database");
    let unseen = binary.done(&["cache:warm", "users"]).await?;
    assert!(!unseen.err.contains("1/1"), "{unseen:?}");
    if has_terminals().await? {
        let mut terminal = binary.command("script");
        terminal.args(["-qec", concat!(env!("CARGO_BIN_EXE_artisan"), " cache:warm users"), "/dev/null"]);
        let seen = Ended::of(&mut terminal).await?;
        assert!(seen.code == Some(0) && seen.out.contains(&format!("users [{}] 1/1", "#".repeat(30))), "{seen:?}");
    }
    Ok(())
}
