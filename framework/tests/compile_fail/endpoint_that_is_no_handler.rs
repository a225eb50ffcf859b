use paravel::endpoint;

#[endpoint]
fn waits_for_nothing() -> paravel::http::Result<()> {
    Ok(())
}

#[endpoint]
async fn of_any_type<T>() -> paravel::http::Result<()> {
    Ok(())
}

#[endpoint(get)]
async fn with_arguments() -> paravel::http::Result<()> {
    Ok(())
}

fn main() {}
