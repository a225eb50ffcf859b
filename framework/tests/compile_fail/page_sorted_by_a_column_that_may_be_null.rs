use paravel::database::{CursorError, CursorRequest, SortOrder, Seek};

fn main() {
    let request = CursorRequest::new(None, 20).unwrap();
    let _: Result<Seek<(Option<String>, i64)>, CursorError> = Seek::new(&request, "name", SortOrder::Ascending);
}
