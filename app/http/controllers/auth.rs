use paravel::{
    container::Inject,
    endpoint,
    facades::Gate,
    http::{Created, Json, NoContent, NoStore, Result, Valid},
    support::Secret,
};

use crate::{
    http::{
        requests::{CreateUser, LogIn},
        resources::LoginResource,
    },
    services::{AuthService, NewUser},
};

/// Makes an account and logs in.
#[endpoint]
pub async fn register(
    body: Valid<Json<CreateUser>>,
    auth: Inject<dyn AuthService>,
) -> Result<NoStore<Created<LoginResource>>> {
    let login = auth.register(NewUser::from(&*body)).await?;
    Ok(NoStore(Created(login.into())))
}

/// Logs in with e-mail address and password.
#[endpoint]
pub async fn login(body: Valid<Json<LogIn>>, auth: Inject<dyn AuthService>) -> Result<NoStore<Json<LoginResource>>> {
    let login = auth.login(&body.email, Secret::new(body.password.clone())).await?;
    Ok(NoStore(Json(login.into())))
}

/// Revokes the token that the request came with.
#[endpoint]
pub async fn logout(auth: Inject<dyn AuthService>) -> Result<NoContent> {
    if let Some(token) = &Gate::actor()?.token {
        auth.logout(token).await?;
    }
    Ok(NoContent)
}
