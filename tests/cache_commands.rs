//! The `cache:` commands through the real binary, on a store that outlives a process.

use app::database::Conn;
use paravel::database::Connection;
use serde_json::json;

use crate::support::Binary;

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
