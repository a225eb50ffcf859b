//! Cursors, which come from outside: what is not one is refused, and nothing that is sent does any harm.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use paravel::{
    database::{Cursor, CursorError, CursorPage, CursorRequest, DbError, PER_PAGE_MAX, Seek, SortOrder, SqliteConn},
    endpoint,
    foundation::Application,
    http::{Json, Query, Result, Router},
    serde::Deserialize,
    support::{Id, Timestamp},
    testing::TestApp,
};

use crate::events::Journal;

/// A cursor of the current version that carries this.
pub fn forged(json: &str) -> String {
    Base64UrlUnpadded::encode_string(&[&[1], json.as_bytes()].concat())
}

type Position = (Timestamp, Id<String>);

fn seek(request: &CursorRequest) -> std::result::Result<Seek<Position>, CursorError> {
    Seek::new(request, "built_at", SortOrder::Ascending)
}

/// The cursor after this row.
fn after(row: Position) -> Cursor {
    let first = CursorRequest::new(None, 1).unwrap();
    seek(&first).unwrap().page(vec![row, row], |row| *row).next.unwrap()
}

fn row() -> Position {
    ("2026-01-31T09:30:00.123456Z".parse().unwrap(), Id::new())
}

#[test]
fn a_cursor_comes_back_as_it_went() {
    let row = row();
    let cursor = after(row);
    let text = cursor.to_string();
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
    let back: Cursor = text.parse().unwrap();
    assert_eq!(back, cursor);
    let json = paravel::serde_json::to_string(&cursor).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(paravel::serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
    let request = CursorRequest::new(Some(back), 20).unwrap();
    let found = seek(&request).unwrap();
    assert_eq!((found.position(), found.ascending(), found.limit()), (Some(row), true, 21));
}

#[test]
fn what_is_no_cursor_is_refused_with_the_reason() {
    for text in ["", "x", "====", "page two, please", "AQ", "é", &"A".repeat(100_000)] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
    assert_eq!("page two, please".parse::<Cursor>(), Err(CursorError::Malformed));
    let later = Base64UrlUnpadded::encode_string(b"\x02[]");
    assert_eq!(later.parse::<Cursor>(), Err(CursorError::Version { found: 2, expected: 1 }));
    for json in ["", "[]", "null", r#"["built_at",true]"#, r#"["built_at",1,[]]"#, r#"["a",true,1,2]"#] {
        assert_eq!(forged(json).parse::<Cursor>(), Err(CursorError::Malformed), "{json}");
    }
    let deep = format!(r#"["built_at",true,{}1{}]"#, "[".repeat(2000), "]".repeat(2000));
    assert_eq!(forged(&deep).parse::<Cursor>(), Err(CursorError::Malformed));
    let of_another = CursorRequest::new(Some(after(row())), 1).unwrap();
    let error = Seek::<Position>::new(&of_another, "name", SortOrder::Ascending).unwrap_err();
    assert_eq!(error.to_string(), "belongs to the order `built_at`, and the list was asked for in the order `name`");
    let error = Seek::<(String, Id<String>)>::new(&of_another, "built_at", SortOrder::Ascending).unwrap_err();
    assert_eq!(error, CursorError::Malformed, "the values are of other types");
}

#[test]
fn a_page_has_one_row_at_least_and_a_hundred_at_most() {
    for wrong in [0, PER_PAGE_MAX + 1, u32::MAX] {
        let error = CursorRequest::new(None, wrong).unwrap_err();
        assert_eq!((error.field(), error), ("per_page", CursorError::PerPage { found: wrong }));
    }
    for right in [1, PER_PAGE_MAX] {
        assert_eq!(CursorRequest::new(None, right).unwrap().per_page(), right);
    }
}

#[test]
fn an_empty_page_leads_nowhere() {
    let request = CursorRequest::new(Some(after(row())), 10).unwrap();
    let page: CursorPage<Position> = seek(&request).unwrap().page(Vec::new(), |row| *row);
    assert_eq!((page.items.len(), page.next, page.prev), (0, None, None));
}

/// Numbers that look random and are the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

#[test]
fn no_text_whatever_makes_a_cursor_panic() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let valid = after(row()).to_string().into_bytes();
    let (mut parsed, mut read) = (0, 0);
    for turn in 0..10_000 {
        let text = match turn % 4 {
            // Anything at all.
            0 => {
                let bytes: Vec<u8> = (0..numbers.below(80)).map(|_| numbers.byte()).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            // Base64 of anything behind the right version.
            1 => {
                let mut bytes: Vec<u8> = (0..numbers.below(80)).map(|_| numbers.byte()).collect();
                bytes.insert(0, 1);
                Base64UrlUnpadded::encode_string(&bytes)
            }
            // A cursor with a few bytes of its text changed.
            2 => {
                let mut bytes = valid.clone();
                for _ in 0..=numbers.below(3) {
                    let at = numbers.below(bytes.len());
                    bytes[at] = numbers.byte();
                }
                String::from_utf8_lossy(&bytes).into_owned()
            }
            // A cursor with a few bytes of what it carries changed, lost or doubled.
            _ => {
                let mut bytes = Base64UrlUnpadded::decode_vec(std::str::from_utf8(&valid).unwrap()).unwrap();
                for _ in 0..=numbers.below(3) {
                    let at = numbers.below(bytes.len());
                    match numbers.below(3) {
                        0 => bytes[at] = b"0123456789\"[]{},.-eE:tfn \\u"[numbers.below(27)],
                        1 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, bytes[at]),
                    }
                }
                Base64UrlUnpadded::encode_string(&bytes)
            }
        };
        if let Ok(cursor) = text.parse::<Cursor>() {
            parsed += 1;
            assert_eq!(cursor.to_string().parse::<Cursor>().as_ref(), Ok(&cursor), "{text}");
            let request = CursorRequest::new(Some(cursor), 1).unwrap();
            read += usize::from(seek(&request).is_ok());
        }
    }
    assert!(parsed > 100 && read > 100 && read < parsed, "they come to every step: {parsed} parsed, {read} read");
}

#[derive(Deserialize)]
struct Which {
    cursor: Option<Cursor>,
    #[serde(default = "ten")]
    per_page: u32,
}

fn ten() -> u32 {
    10
}

/// Shows nothing, if it is asked for properly.
#[endpoint]
async fn index(query: Query<Which>) -> Result<Json<Vec<String>>> {
    let request = CursorRequest::new(query.0.cursor, query.0.per_page)?;
    seek(&request).map_err(DbError::from)?;
    Ok(Json(Vec::new()))
}

fn routes(routes: &mut Router) {
    routes.get("/ships", index);
}

#[tokio::test]
async fn a_wrong_cursor_is_answered_422_with_its_name() {
    let app = Application::builder().database::<SqliteConn>(&[]).routes(routes);
    // What the listeners of other tests need, which every application of this binary has.
    let app = app.replace(|app| {
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(app).await.unwrap();
    let cursor = after(row());
    app.get(&format!("/ships?cursor={cursor}")).send().await.assert_status(200);
    app.get("/ships?cursor=nonsense").send().await.assert_problem(422, Some("cursor"));
    app.get(&format!("/ships?cursor={}", forged(r#"["name",true,1]"#)))
        .send()
        .await
        .assert_problem(422, Some("cursor"));
    app.get(&format!("/ships?cursor={}", forged(r#"["built_at",true,1]"#)))
        .send()
        .await
        .assert_problem(422, Some("cursor"));
    app.get("/ships?per_page=101").send().await.assert_problem(422, Some("per_page"));
}
