//! What is made of rows is forgotten where a command drops them.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    database::{DerivedData, Forgotten, SqliteConn},
    foundation::Application,
    support::BoxError,
    testing::TestApp,
};
use parking_lot::Mutex;

use crate::{events::Journal, migrations::BOTH};

/// Notes which tables there are when it is to forget.
#[derive(Default)]
struct Index(Mutex<Vec<Vec<String>>>);

impl DerivedData for Index {
    fn forget<'a>(&'a self, tables: &'a [String]) -> BoxFuture<'a, Vec<Forgotten>> {
        // Those of the test's own migrations.
        self.0.lock().push(tables.iter().filter(|name| name.len() == 1).cloned().collect());
        let done = Ok::<(), BoxError>(());
        async { vec![Forgotten::new("the index", done), Forgotten::new("its copy", Err("it is locked"))] }.boxed()
    }
}

#[tokio::test]
async fn each_command_that_drops_rows_has_it_forgotten_and_does_its_work_where_that_fails() {
    let index: Arc<Index> = Arc::default();
    let tagged = Arc::clone(&index);
    let builder = Application::builder().database::<SqliteConn>(BOTH).replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.tag(move || -> Arc<dyn DerivedData> { Arc::clone(&tagged) as _ });
    });
    let app = TestApp::boot(builder).await.unwrap();
    let steps: [(&[&str], &[&str]); 6] = [
        (&["migrate:fresh"], &["a", "b"]),
        (&["migrate:refresh"], &[]),
        (&["migrate:refresh", "--step", "1"], &["a"]),
        (&["migrate:rollback", "--step", "1"], &["a"]),
        (&["migrate:reset"], &[]),
        (&["db:wipe"], &[]),
    ];
    for (line, left) in steps {
        let said = app.artisan(line).await.unwrap();
        assert!(said.contains("Cleared the index, which was made of what is gone.\n"), "{line:?}: {said}");
        assert!(said.contains("What is gone is still in its copy: it is locked\n"), "{line:?}: {said}");
        assert_eq!(std::mem::take(&mut *index.0.lock()), [left], "{line:?}");
    }
    for line in [&["migrate:rollback"], &["migrate:reset"], &["migrate"]] {
        app.artisan(line).await.unwrap();
    }
    assert_eq!(index.0.lock().len(), 0, "nothing was dropped");
}
