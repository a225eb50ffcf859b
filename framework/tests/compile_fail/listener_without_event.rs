use paravel::listener;

#[derive(serde::Serialize, serde::Deserialize)]
struct Sailed;

#[listener]
async fn takes_nothing() -> Result<(), paravel::support::BoxError> {
    Ok(())
}

#[listener]
async fn takes_it_whole(event: Sailed) -> Result<(), paravel::support::BoxError> {
    Ok(())
}

#[listener(order = 1)]
async fn ordered(event: &Sailed) -> Result<(), paravel::support::BoxError> {
    Ok(())
}

#[listener]
fn waits_for_nothing(event: &Sailed) -> Result<(), paravel::support::BoxError> {
    Ok(())
}

fn main() {}
