use super::{super::HOUR, stand::Stand};

pub async fn what_has_an_invalidated_tag_is_gone(stand: Stand) {
    let cache = stand.cache();
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
    let cache = stand.cache();
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
    let cache = stand.cache();
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
