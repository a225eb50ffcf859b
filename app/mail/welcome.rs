use paravel::{
    config::AppConfig,
    mail::{Mail, Mailbox},
};

use crate::models::User;

/// The mail that welcomes a new user.
pub fn welcome(user: &User, app: &AppConfig) -> Mail {
    let (name, app_name) = (in_one_line(&user.name), in_one_line(&app.name));
    Mail::new(format!("Welcome to {app_name}")).to(Mailbox::named(&name, &user.email)).text(format!(
        "Hello {name},\n\nyou are registered at {app_name}, {url}. You log in there with this address and your password.\n",
        url = app.url,
    ))
}

/// People may have written line breaks, which would add headers and are refused for it.
fn in_one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
