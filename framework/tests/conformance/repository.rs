//! Repositories, pages by cursor and relations, on tables whose types name the backend.

macro_rules! repositories {
    ($backend:ident, $connection:ty, $id:ident, $schema:literal) => {
        mod $backend {
            use diesel::prelude::*;
            use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
            use paravel::{
                database::{
                    Connection, CursorError, CursorRequest, DbError, SortOrder, PageRequest, QueryWatch, with_many, with_one,
                },
                support::{Id, Timestamp},
            };

            use super::super::Own;

            type Conn = $connection;

            diesel::table! {
                fleets (id) {
                    id -> $id,
                    name -> Text,
                }
            }

            diesel::table! {
                ships (id) {
                    id -> $id,
                    fleet -> Nullable<$id>,
                    name -> Text,
                    guns -> Integer,
                    built_at -> Timestamp,
                }
            }

            diesel::table! {
                sailors (ship, sailor) {
                    ship -> $id,
                    sailor -> $id,
                }
            }

            diesel::allow_tables_to_appear_in_same_query!(ships, sailors);

            #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
            #[diesel(table_name = fleets)]
            struct Fleet {
                id: Id<Fleet>,
                name: String,
            }

            #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
            #[diesel(table_name = ships)]
            struct Ship {
                id: Id<Ship>,
                fleet: Option<Id<Fleet>>,
                name: String,
                guns: i32,
                built_at: Timestamp,
            }

            #[derive(Debug, Default, AsChangeset)]
            #[diesel(table_name = ships)]
            struct ShipEdit {
                name: Option<String>,
                fleet: Option<Option<Id<Fleet>>>,
            }

            paravel::repository! {
                /// The rows of `fleets`.
                struct Fleets for Conn { table: fleets, key: id: Id<Fleet>, row: Fleet, insert: Fleet }
            }

            paravel::repository! {
                /// The rows of `ships`.
                struct Ships for Conn {
                    table: ships,
                    key: id: Id<Ship>,
                    row: Ship,
                    insert: Ship,
                    change: ShipEdit,
                    sorts: { by_name(name: String), by_guns(guns: i32), by_age(built_at: Timestamp) },
                }
            }

            fn ship(name: &str, guns: i32) -> Ship {
                let built_at = Timestamp::from_unix(1_700_000_000 + i64::from(guns / 3));
                Ship { id: Id::new(), fleet: None, name: name.to_owned(), guns, built_at }
            }

            async fn with_tables() -> Option<Own<Conn>> {
                let own = super::super::empty::<Conn>(&[]).await?;
                own.db.write(async |c| Ok::<_, DbError>(c.batch_execute($schema).await?)).await.unwrap();
                Some(own)
            }

            async fn add(db: &Own<Conn>, ships: &[Ship]) {
                let ships = ships.to_vec();
                let count = ships.len();
                let added = db.write(async move |c| Ships::create_many(c, ships).await).await.unwrap();
                assert_eq!(added, count);
            }

            #[tokio::test]
            async fn rows_are_added_found_changed_and_deleted() {
                let Some(db) = with_tables().await else { return };
                let (one, missing) = (ship("Dawn Treader", 2), Id::new());
                let id = one.id;
                let found = db
                    .write(async move |c| {
                        let row = one.clone();
                        Ships::create(c, one).await?;
                        assert!(Ships::exists(c, id).await? && !Ships::exists(c, missing).await?);
                        assert_eq!(Ships::find(c, id).await?, Some(row));
                        assert_eq!(Ships::find(c, missing).await?, None);
                        let name = || ShipEdit { name: Some("Swanwhite".to_owned()), fleet: None };
                        assert!(Ships::update(c, id, name()).await?);
                        assert!(Ships::update(c, id, name()).await?, "it is there, although nothing is new");
                        assert!(!Ships::update(c, missing, name()).await?);
                        assert!(Ships::update(c, id, ShipEdit::default()).await?);
                        assert!(!Ships::update(c, missing, ShipEdit::default()).await?);
                        Ships::find(c, id).await
                    })
                    .await
                    .unwrap();
                assert_eq!(found.unwrap().name, "Swanwhite");
                let deleted = async move |c: &mut Conn| Ships::delete(c, id).await;
                assert!(db.write(deleted).await.unwrap());
                assert!(!db.write(deleted).await.unwrap());
                assert!(!db.read(async |c| Ships::exists(c, id).await).await.unwrap());
            }

            #[tokio::test]
            async fn what_a_repository_writes_goes_with_the_transaction() {
                let Some(db) = with_tables().await else { return };
                let (one, two) = (ship("a", 1), ship("b", 1));
                let ids = [one.id, two.id];
                let failed: Result<(), DbError> = db
                    .write(async move |c| {
                        Ships::create(c, one).await?;
                        Ships::create_many(c, vec![two]).await?;
                        assert_eq!(Ships::find_many(c, &ids).await?.len(), 2);
                        Err(DbError::Closed)
                    })
                    .await;
                assert!(matches!(failed, Err(DbError::Closed)), "{failed:?}");
                assert!(db.read(async |c| Ships::find_many(c, &ids).await).await.unwrap().is_empty());
                let twice = ship("c", 1);
                let rows = vec![twice.clone(), twice];
                let refused = db.write(async move |c| Ships::create_many(c, rows).await).await.unwrap_err();
                assert!(refused.is_unique_violation(), "{refused}");
                assert!(db.read(async |c| Ok::<_, DbError>(Ships::all().load::<Ship>(c).await?)).await.unwrap().is_empty());
            }

            #[tokio::test]
            async fn many_rows_are_added_and_found_whatever_a_statement_binds() {
                let Some(db) = with_tables().await else { return };
                add(&db, &[]).await;
                // More values than any backend binds at once.
                let rows: Vec<_> = (0..13_200)
                    .map(|number| Ship { fleet: Some(Id::new()), ..ship(&format!("{number:05}"), number) })
                    .collect();
                add(&db, &rows).await;
                let mut keys: Vec<Id<Ship>> = (0..Conn::MAX_BINDS + 10).map(|_| Id::new()).collect();
                let last = keys.len() - 1;
                (keys[0], keys[7], keys[8], keys[last]) = (rows[13_199].id, rows[3].id, rows[13_199].id, rows[0].id);
                let found = db.read(async |c| Ships::find_many(c, &keys).await).await.unwrap();
                assert_eq!(found, [rows[13_199].clone(), rows[3].clone(), rows[0].clone()], "in the order of the keys");
                assert!(db.read(async |c| Ships::find_many(c, &[]).await).await.unwrap().is_empty());
            }

            #[tokio::test]
            async fn pages_by_number_have_their_rows_and_the_total() {
                let Some(db) = with_tables().await else { return };
                let rows: Vec<_> = (0..7).map(|number| ship(&format!("{number}"), number % 2)).collect();
                add(&db, &rows).await;
                let request = PageRequest { page: 2, per_page: 3 };
                let page = db.read(async |c| Ships::paginate(c, request).await).await.unwrap();
                assert_eq!((page.items, page.total), (rows[3..6].to_vec(), 7));
                let armed = || Ships::all().filter(ships::guns.eq(1));
                let page = db
                    .read(async |c| {
                        let request = PageRequest { page: 1, per_page: 2 };
                        Ships::paginate_where(c, request, armed, |rows| rows.order(ships::name.desc())).await
                    })
                    .await
                    .unwrap();
                assert_eq!((page.items, page.total), (vec![rows[5].clone(), rows[3].clone()], 3));
            }

            async fn page_by(
                db: &Own<Conn>,
                sort: &str,
                request: &CursorRequest,
                order: SortOrder,
            ) -> Result<paravel::database::CursorPage<Ship>, DbError> {
                db.read(async |c| match sort {
                    "name" => Ships::by_name(c, request, order, Ships::all()).await,
                    "guns" => Ships::by_guns(c, request, order, Ships::all()).await,
                    "built_at" => Ships::by_age(c, request, order, Ships::all()).await,
                    _ => Ships::cursor_paginate_where(c, request, order, Ships::all()).await,
                })
                .await
            }

            #[tokio::test]
            async fn pages_by_cursor_go_through_every_row_once_and_back() {
                let Some(db) = with_tables().await else { return };
                // Many that are equal in what they are sorted by.
                let rows: Vec<_> = (0..23).map(|number| ship(&format!("{}", number % 3), number / 4)).collect();
                add(&db, &rows).await;
                for sort in ["name", "guns", "built_at", "id"] {
                    for order in [SortOrder::Ascending, SortOrder::Descending] {
                        for per_page in [1, 4, 23, 100] {
                            let mut expected = rows.clone();
                            expected.sort_by(|a, b| {
                                let by = match sort {
                                    "name" => a.name.cmp(&b.name),
                                    "guns" => a.guns.cmp(&b.guns),
                                    "built_at" => a.built_at.cmp(&b.built_at),
                                    _ => std::cmp::Ordering::Equal,
                                };
                                by.then(a.id.cmp(&b.id))
                            });
                            if order == SortOrder::Descending {
                                expected.reverse();
                            }
                            let mut seen = Vec::new();
                            let mut request = CursorRequest::new(None, per_page).unwrap();
                            let last = loop {
                                let page = page_by(&db, sort, &request, order).await.unwrap();
                                assert_eq!(page.prev.is_some(), !seen.is_empty(), "{sort} {order:?} {per_page}");
                                seen.extend(page.items.iter().cloned());
                                match page.next.clone() {
                                    // As a client would send it.
                                    Some(next) => {
                                        let next = next.to_string().parse().unwrap();
                                        request = CursorRequest::new(Some(next), per_page).unwrap();
                                    }
                                    None => break page,
                                }
                            };
                            assert_eq!(seen, expected, "{sort} {order:?} {per_page}");
                            let mut back = last.items;
                            let mut before = last.prev;
                            while let Some(cursor) = before {
                                let request = CursorRequest::new(Some(cursor), per_page).unwrap();
                                let page = page_by(&db, sort, &request, order).await.unwrap();
                                assert!(page.next.is_some());
                                back.splice(0..0, page.items);
                                before = page.prev;
                            }
                            assert_eq!(back, expected, "{sort} {order:?} {per_page}, backwards");
                        }
                    }
                }
            }

            #[tokio::test]
            async fn pages_by_cursor_do_not_shift_when_rows_come_and_go() {
                let Some(db) = with_tables().await else { return };
                let rows: Vec<_> = ["b", "d", "d", "d", "f", "h"].iter().map(|name| ship(name, 1)).collect();
                add(&db, &rows).await;
                let request = CursorRequest::new(None, 3).unwrap();
                let first = page_by(&db, "name", &request, SortOrder::Ascending).await.unwrap();
                assert_eq!(first.items, rows[..3]);
                // One before, one equal to the row that the cursor was made from, and that row itself goes.
                let (before, equal) = (ship("a", 1), ship("d", 1));
                add(&db, &[before, equal.clone()]).await;
                let gone = rows[2].id;
                assert!(db.write(async move |c| Ships::delete(c, gone).await).await.unwrap());
                let request = CursorRequest::new(first.next, 3).unwrap();
                let second = page_by(&db, "name", &request, SortOrder::Ascending).await.unwrap();
                assert_eq!(second.items, [rows[3].clone(), equal, rows[4].clone()]);
                let request = CursorRequest::new(second.prev, 100).unwrap();
                let back = page_by(&db, "name", &request, SortOrder::Ascending).await.unwrap();
                assert_eq!(back.items.iter().map(|ship| ship.name.as_str()).collect::<Vec<_>>(), ["a", "b", "d"]);
                assert!(back.prev.is_none() && back.next.is_some());
            }

            #[tokio::test]
            async fn a_cursor_of_another_order_or_a_forged_one_is_refused_and_none_makes_the_database_fail() {
                let Some(db) = with_tables().await else { return };
                add(&db, &[ship("a", 1), ship("b", 2)]).await;
                let request = CursorRequest::new(None, 1).unwrap();
                let next = page_by(&db, "name", &request, SortOrder::Ascending).await.unwrap().next;
                let request = CursorRequest::new(next, 1).unwrap();
                let other = page_by(&db, "name", &request, SortOrder::Descending).await.unwrap_err();
                let (found, expected) = ("name".to_owned(), "-name".to_owned());
                assert!(matches!(other, DbError::Cursor(error) if error == CursorError::Order { found, expected }));
                let id = "0190163d8694739b9bd9c1f1a3d5ffff";
                let values = [
                    "null", "1", "-1", "9223372036854775807", "-9223372036854775808", "1e400", "2147483648", "true", "[]",
                    "{}", r#""a""#, r#""'; drop table ships; --""#, r#""\u0000""#, r#""\ud83d\ude00""#, r#""%""#,
                    "-62135596800000000", "-62135596800000001", "253402300799999999", "253402300800000000",
                    "8210266876799999999", "-8334601228800000000", r#""2026-01-01T00:00:00Z""#,
                ];
                for sort in ["name", "guns", "built_at", "id"] {
                    for value in values {
                        for forward in [true, false] {
                            let position = match sort {
                                "id" => value.to_owned(),
                                _ => format!(r#"[{value},"{id}"]"#),
                            };
                            let text = crate::cursors::forged(&format!(r#"["{sort}",{forward},{position}]"#));
                            let Ok(cursor) = text.parse() else { continue };
                            let request = CursorRequest::new(Some(cursor), 10).unwrap();
                            match page_by(&db, sort, &request, SortOrder::Ascending).await {
                                Ok(_) | Err(DbError::Cursor(CursorError::Malformed)) => {}
                                Err(other) => panic!("{sort} {value}: {other}"),
                            }
                        }
                    }
                }
            }

            fn count() -> usize {
                let watched = |app: &paravel::container::Container| {
                    app.current_scope().unwrap().get::<QueryWatch>().map_or(0, |watch| watch.count())
                };
                paravel::container::with_current(watched).unwrap()
            }

            #[tokio::test]
            async fn relations_are_loaded_by_one_query_each() {
                let Some(db) = with_tables().await else { return };
                let fleets: Vec<_> = ["east", "none", "west"]
                    .map(|name| Fleet { id: Id::new(), name: name.to_owned() })
                    .into();
                let mut rows: Vec<_> = ["c", "a", "b", "z"].iter().map(|name| ship(name, 1)).collect();
                (rows[0].fleet, rows[1].fleet, rows[2].fleet) =
                    (Some(fleets[0].id), Some(fleets[0].id), Some(fleets[2].id));
                let (new, reader) = (fleets.clone(), fleets.clone());
                db.write(async move |c| Fleets::create_many(c, new).await).await.unwrap();
                add(&db, &rows).await;
                let pairs = [(0, 1), (0, 3), (1, 3), (1, 3)].map(|(ship, sailor)| (rows[ship].id, rows[sailor].id));
                db.write(async move |c| {
                    for (ship, sailor) in &pairs[..3] {
                        let pair = (sailors::ship.eq(*ship), sailors::sailor.eq(*sailor));
                        diesel::insert_into(sailors::table).values(pair).execute(c).await?;
                    }
                    Ok::<_, DbError>(())
                })
                .await
                .unwrap();
                let app = paravel::container::ContainerBuilder::new().freeze().unwrap();
                app.scope()
                    .run(async {
                        let before = count();
                        let (many, one, pivot, none) = db
                            .read(async |c| {
                                // The first one twice.
                                let mut parents = reader.clone();
                                parents.push(parents[0].clone());
                                let many = with_many(c, parents, |fleet| fleet.id, |keys| {
                                    let keys: Vec<_> = keys.into_iter().map(Some).collect();
                                    let query = ships::table.filter(ships::fleet.eq_any(keys)).order(ships::name);
                                    query.select((ships::fleet.assume_not_null(), Ship::as_select()))
                                })
                                .await?;
                                let one = with_one(c, rows.clone(), |ship| ship.fleet, |keys| {
                                    let query = fleets::table.filter(fleets::id.eq_any(keys));
                                    query.select((fleets::id, Fleet::as_select()))
                                })
                                .await?;
                                let pivot = with_many(c, rows.clone(), |ship| ship.id, |keys| {
                                    sailors::table
                                        .inner_join(ships::table.on(ships::id.eq(sailors::sailor)))
                                        .filter(sailors::ship.eq_any(keys))
                                        .order(ships::name.desc())
                                        .select((sailors::ship, ships::name))
                                })
                                .await?;
                                let counted = count();
                                let none: Vec<(Fleet, Vec<Ship>)> = with_many(c, Vec::new(), |fleet: &Fleet| fleet.id, |keys| {
                                    let keys: Vec<_> = keys.into_iter().map(Some).collect();
                                    ships::table
                                        .filter(ships::fleet.eq_any(keys))
                                        .select((ships::fleet.assume_not_null(), Ship::as_select()))
                                })
                                .await?;
                                assert_eq!((counted - before, count() - before), (3, 3));
                                Ok::<_, DbError>((many, one, pivot, none))
                            })
                            .await
                            .unwrap();
                        let east = vec![rows[1].clone(), rows[0].clone()];
                        let expected = [
                            (reader[0].clone(), east.clone()),
                            (reader[1].clone(), vec![]),
                            (reader[2].clone(), vec![rows[2].clone()]),
                            (reader[0].clone(), east),
                        ];
                        assert_eq!(many, expected);
                        let owners: Vec<_> = one.iter().map(|(_, fleet)| fleet.as_ref().map(|fleet| &*fleet.name)).collect();
                        assert_eq!(owners, [Some("east"), Some("east"), Some("west"), None]);
                        let crews: Vec<Vec<String>> = pivot.into_iter().map(|(_, crew)| crew).collect();
                        assert_eq!(crews, [vec!["z".to_owned(), "a".to_owned()], vec!["z".to_owned()], vec![], vec![]]);
                        assert!(none.is_empty());
                    })
                    .await;
            }
        }
    };
}

#[cfg(feature = "sqlite")]
repositories!(
    sqlite,
    paravel::database::SqliteConn,
    Binary,
    "create table fleets (id blob not null primary key, name text not null);
     create table ships (id blob not null primary key, fleet blob, name text not null, guns integer not null,
         built_at timestamp not null);
     create table sailors (ship blob not null, sailor blob not null, primary key (ship, sailor));"
);
#[cfg(feature = "postgres")]
repositories!(
    postgres,
    paravel::database::PgConn,
    Uuid,
    "create table fleets (id uuid not null primary key, name text not null);
     create table ships (id uuid not null primary key, fleet uuid, name text not null, guns integer not null,
         built_at timestamp not null);
     create table sailors (ship uuid not null, sailor uuid not null, primary key (ship, sailor));"
);
#[cfg(feature = "mysql")]
repositories!(
    mysql,
    paravel::database::MysqlConn,
    Binary,
    "create table fleets (id binary(16) not null primary key, name varchar(100) not null);
     create table ships (id binary(16) not null primary key, fleet binary(16), name varchar(100) not null,
         guns integer not null, built_at datetime(6) not null);
     create table sailors (ship binary(16) not null, sailor binary(16) not null, primary key (ship, sailor));"
);
