use super::{super::HOUR, stand::Stand};

pub async fn what_has_an_invalidated_tag_is_gone(stand: Stand) {
    let cache = stand.cache().await;
    cache.tags(["ships", "ships:7"]).put("a", 1_u8, HOUR).await.unwrap();
    cache.tags(["ships", "ships:8"]).put("b", 2_u8, HOUR).await.unwrap();
    cache.put("c", 3_u8, HOUR).await.unwrap();
    cache.invalidate(["ships:7", "never heard of"]).await.unwrap();
    assert_eq!(cache.tags(["ships", "ships:7"]).get::<u8>("a").await.unwrap(), None);
    assert_eq!(cache.tags(["ships", "ships:8"]).get::<u8>("b").await.unwrap().as_deref(), Some(&2));
    // What is put in later is there, also under the same tags.
    cache.tags(["ships", "ships:7"]).put("a", 4_u8, HOUR).await.unwrap();
    assert_eq!(cache.tags(["ships", "ships:7"]).get::<u8>("a").await.unwrap().as_deref(), Some(&4));
    cache.invalidate(["ships"]).await.unwrap();
    let got = cache.many::<u8>(&["a", "b", "c"]).await.unwrap();
    assert_eq!(got.iter().map(Option::as_deref).collect::<Vec<_>>(), [None, None, Some(&3)]);
    cache.invalidate([""; 0]).await.unwrap();
    assert!(cache.has("c").await.unwrap());
}

pub async fn tags_hold_however_they_are_read(stand: Stand) {
    let cache = stand.cache().await;
    let readers = [cache.clone(), cache.tags(["a"]), cache.tags(["b", "a"]), cache.tags(["a", "b", "c"])];
    for reader in &readers {
        cache.tags(["a", "b"]).put("k", 1_u8, HOUR).await.unwrap();
        assert_eq!(reader.get::<u8>("k").await.unwrap().as_deref(), Some(&1), "{reader:?}");
        assert!(reader.has("k").await.unwrap() && reader.touch("k", HOUR).await.unwrap(), "{reader:?}");
        cache.invalidate(["b"]).await.unwrap();
        assert_eq!(reader.get::<u8>("k").await.unwrap(), None, "{reader:?}");
        assert!(!reader.has("k").await.unwrap() && !reader.touch("k", HOUR).await.unwrap(), "{reader:?}");
    }
}

pub async fn an_entry_that_is_no_longer_true_is_as_good_as_none(stand: Stand) {
    let cache = stand.cache().await;
    let tagged = cache.tags(["t"]);
    tagged.put("a", 1_u8, HOUR).await.unwrap();
    assert!(!cache.add("a", 2_u8, HOUR).await.unwrap());
    cache.invalidate(["t"]).await.unwrap();
    assert!(cache.add("a", 2_u8, HOUR).await.unwrap());
    tagged.put("b", 1_u8, HOUR).await.unwrap();
    cache.invalidate(["t"]).await.unwrap();
    assert_eq!(tagged.pull::<u8>("b").await.unwrap(), None);
    tagged.put("b", 1_u8, HOUR).await.unwrap();
    cache.invalidate(["t"]).await.unwrap();
    assert!(!tagged.forget("b").await.unwrap());
    assert_eq!(*tagged.remember("b", HOUR, async || Ok::<_, String>(5_u8)).await.unwrap(), 5);
}

pub async fn to_invalidate_a_tag_is_one_step_however_many_have_it(stand: Stand) {
    let cache = stand.cache().await;
    let calls = || cache.stats().store.map_or(0, |store| store.calls);
    let entries = async || match cache.usage().await.unwrap() {
        Some(usage) => usage.entries,
        None => cache.stats().entries.try_into().unwrap(),
    };
    for many in [1, 300] {
        let keys: Vec<_> = (0..many).map(|number| number.to_string()).collect();
        for key in &keys {
            cache.tags(["t"]).put(key, 1_u8, HOUR).await.unwrap();
        }
        let (before, there) = (calls(), entries().await);
        assert_eq!(there, many);
        cache.invalidate(["t"]).await.unwrap();
        // Two of the calls, where there are any, are those that count entries.
        assert_eq!(entries().await, many, "nobody looks for them, who would have to find them all");
        assert_eq!(calls() - before, if before == 0 { 0 } else { 3 });
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        assert!(cache.tags(["t"]).many::<u8>(&keys).await.unwrap().iter().all(Option::is_none));
    }
}
