use paravel::{listener, support::BoxError};

#[derive(serde::Serialize, serde::Deserialize)]
struct Sailed;

#[listener]
async fn note(event: &Sailed, name: String) -> Result<(), BoxError> {
    let _ = (event, name);
    Ok(())
}

fn main() {}
