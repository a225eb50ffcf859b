use std::sync::Arc;

use paravel::{
    database::{Connection, DatabaseAdmin, Migrator, Statement, TOOLKIT_MIGRATIONS, Value},
    service::DatabaseAuditLog,
    support::SystemClock,
};

use super::empty;
use crate::services::audited::{BerthService, app};

pub async fn audited_calls_are_kept_as_they_were<C: Connection>() {
    let Some(db) = empty::<C>(&[]).await else { return };
    let migrator = Migrator::new(Arc::clone(&db.db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS);
    migrator.migrate().await.unwrap();
    let app = app(Arc::new(DatabaseAuditLog::new(Arc::clone(&db.db))), |app| {
        app.decorate::<dyn BerthService>().audited();
    });
    let berths: Arc<dyn BerthService> = app.make().unwrap();
    // More than 64 KiB, characters of four bytes, and one that PostgreSQL keeps in no text.
    let long = "\u{1f980}".repeat(20_000);
    app.run(async {
        berths.moor(1, &long, "").await.unwrap();
        berths.moor(9, "\0", "").await.unwrap_err();
    })
    .await;
    let rows = db.fetch(Statement::new("select * from audit_log order by id")).await.unwrap();
    assert_eq!(rows.len(), 2);
    let (done, failed) = (&rows[0], &rows[1]);
    assert_eq!(
        (done.text("action"), done.text("service"), done.text("method")),
        ("berth.moored", "BerthService", "moor")
    );
    assert_eq!((done.text("outcome"), done.get("error"), done.get("actor")), ("done", &Value::Null, &Value::Null));
    assert_eq!(done.text("occurred_at"), "2023-11-14T22:13:20.000000Z");
    assert_eq!(done.text("state_before"), r#"{"number":1,"ship":null}"#);
    assert_eq!(done.text("state_after"), format!(r#"{{"number":1,"ship":"{long}"}}"#));
    assert!(done.text("arguments").starts_with("number=1 ship=\"\u{1f980}"));
    assert_eq!((failed.text("outcome"), failed.text("error")), ("failed", "there is no crane 9"));
    assert_eq!(failed.get("state_after"), &Value::Null);
    assert!(done.text("id") < failed.text("id"));
    assert_eq!(migrator.reset().await.unwrap().len(), TOOLKIT_MIGRATIONS.len());
}
