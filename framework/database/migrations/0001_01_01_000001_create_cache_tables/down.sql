drop table cache_locks;
drop table cache_tags;
drop table cache_entries;
