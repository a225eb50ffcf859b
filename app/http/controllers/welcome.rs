use paravel::{
    config::AppConfig,
    container::Inject,
    endpoint,
    poem::{IntoResponse, Response, web::Html},
};

/// Welcomes people in a browser.
#[endpoint]
pub async fn index(config: Inject<AppConfig>) -> Response {
    let name = escaped(&config.name);
    Html(format!(include_str!("welcome.html"), name = name)).into_response()
}

/// The text, safe inside HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
