use std::sync::Arc;

use paravel::{
    database::{Connection, DatabaseAdmin, DatabaseInternals, Db, DbError, Migration, MigrationError, Migrator},
    support::SystemClock,
};
use tokio::sync::Barrier;

use super::{Own, empty, with_ships};

fn migrator<C: Connection>(db: &Own<C>, migrations: &'static [Migration]) -> Migrator {
    Migrator::new(Arc::clone(&db.db) as _, Arc::new(SystemClock), migrations)
}

async fn states(migrator: &Migrator) -> Vec<&'static str> {
    migrator.status().await.unwrap().into_iter().map(|migration| migration.state).collect()
}

pub async fn a_migration_that_fails_says_what_is_left_of_it<C: Connection>() {
    static BROKEN: &[Migration] = &[
        Migration::new("1_a", "create table a (n int)", "drop table a", &[], &[]),
        Migration::new("2_broken", "create table half (n int); insert into nothing values (1)", "", &[], &[]),
    ];
    let Some(db) = empty::<C>(&[]).await else { return };
    let migrator = migrator(&db, BROKEN);
    let error = migrator.migrate().await.unwrap_err();
    let tables = db.tables().await.unwrap();
    if tables.iter().any(|table| table == "half") {
        assert!(matches!(&error, MigrationError::HalfWay { name, .. } if name == "2_broken"), "{error}");
        assert_eq!(states(&migrator).await, ["applied", "unfinished"]);
        let refused = migrator.migrate().await.unwrap_err();
        assert!(matches!(&refused, MigrationError::Unfinished { name } if name == "2_broken"), "{refused}");
        // As the message says.
        db.apply(None, "drop table half; delete from migrations where name = '2_broken'".to_owned()).await.unwrap();
    } else {
        assert!(matches!(&error, MigrationError::Failed { name, .. } if name == "2_broken"), "{error}");
    }
    assert_eq!(states(&migrator).await, ["applied", "pending"]);
    assert_eq!(migrator.rollback(1).await.unwrap(), ["1_a"]);
}

pub async fn a_table_is_described<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    super::add(&db, "Dawn Treader").await.unwrap();
    let ships = db.table("ships").await.unwrap();
    assert_eq!((ships.name.as_str(), ships.rows), ("ships", 1));
    let columns: Vec<_> = ships.columns.iter().map(|column| (column.name.as_str(), column.nullable)).collect();
    assert_eq!(columns, [("name", false), ("fleet", true)]);
    assert!(ships.columns.iter().all(|column| !column.r#type.is_empty() && column.default.is_none()), "{ships:?}");
    let primary: Vec<_> = ships.columns.iter().map(|column| column.primary).collect();
    assert_eq!(primary, [true, false]);
    let index = ships.indexes.iter().find(|index| index.columns == ["name"]).expect("the primary key has an index");
    assert!(index.unique, "{ships:?}");
    let [key] = &*ships.foreign_keys else { panic!("{ships:?}") };
    assert_eq!(
        (&*key.columns, key.table.as_str(), &*key.references),
        (&["fleet".into()][..], "fleets", &["id".into()][..])
    );
    let more = "create table crew (name varchar(40) default 'x', ship varchar(100), born int default 7, \
                foreign key (ship) references ships (name) on delete cascade);
                create index crew_index on crew (born, name)";
    db.apply(None, more.to_owned()).await.unwrap();
    let crew = db.table("crew").await.unwrap();
    assert_eq!(crew.foreign_keys[0].on_delete, "CASCADE");
    let index = crew.indexes.iter().find(|index| index.name == "crew_index").expect("the index is there");
    assert_eq!((&*index.columns, index.unique), (&["born".into(), "name".into()][..], false));
    assert_eq!(crew.columns[2].default.as_deref(), Some("7"));
    assert!(crew.columns[0].default.as_deref().is_some_and(|default| default.contains("'x'")), "{crew:?}");
}

pub async fn a_database_tells_its_load<C: Connection>() {
    let Some(db) = empty::<C>(&[("DB_READERS", "3")]).await else { return };
    let load = db.load();
    assert_eq!((load.backend, &load.url), (C::BACKEND, &db.config().url.to_string()));
    assert_eq!((load.readers.most, load.readers.in_use, load.writers.waiting), (3, 0, 0));
    let (taken, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (in_read, until) = (Arc::clone(&taken), Arc::clone(&release));
    let reading = db.read(async move |_| {
        in_read.wait().await;
        until.wait().await;
        Ok::<_, DbError>(())
    });
    let looking = async {
        taken.wait().await;
        let load = db.load();
        release.wait().await;
        load
    };
    let (read, load) = tokio::join!(reading, looking);
    read.unwrap();
    assert_eq!((load.readers.in_use, load.readers.open - load.readers.idle), (1, 1));
    assert_eq!((load.replica, load.readers.waiting), (None, 0));
    let unopened = Db::<C>::new(db.config().clone()).unwrap().load();
    assert_eq!((unopened.backend, unopened.readers.most), (C::BACKEND, 0));
}
