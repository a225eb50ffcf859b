//! The facades of the application's own services, called as the application would.

use app::{
    models::UserId,
    repositories::{RoleSort, UserSort},
    services::{Auth, LoginError, NewRole, NewUser, Roles, UserError, Users},
};
use paravel::{auth::TokenHash, container::ContainerError, database::PageRequest, support::Secret};

use crate::support::{PASSWORD, app, count};

const FIRST: PageRequest = PageRequest { page: 1, per_page: 20 };

fn password() -> Secret<String> {
    Secret::new(PASSWORD.to_owned())
}

fn ada() -> NewUser {
    let (name, email) = ("Ada".to_owned(), "ada@example.com".to_owned());
    NewUser { name, email, password: password(), roles: Vec::new() }
}

#[tokio::test]
async fn each_reaches_its_service() -> anyhow::Result<()> {
    let app = app().await?;
    app.run(async {
        let made = Users::create(ada()).await?;
        assert_eq!(Users::find(made.user.id).await?.user.name, "Ada");
        assert_eq!(Users::list(FIRST, UserSort::Name, "ada").await?.total, 1);

        let role = NewRole { name: "captain".to_owned(), description: None, permissions: Vec::new() };
        let role = Roles::create(role).await?.role;
        assert_eq!(Roles::find(role.id).await?.role.name, "captain");
        assert_eq!(Roles::list(FIRST, RoleSort::Name, "captain").await?.total, 1);
        assert_eq!(Users::assign_roles(made.user.id, vec!["captain".to_owned()]).await?.roles.len(), 1);

        let login = Auth::login("ada@example.com", password()).await?;
        Auth::logout(&TokenHash::of(login.token.text().expose())).await?;
        let wrong = Auth::login("ada@example.com", Secret::new("wrong horse".to_owned())).await;
        assert!(matches!(wrong, Err(LoginError::BadCredentials)), "{wrong:?}");
        anyhow::Ok(())
    })
    .await?;
    assert_eq!(count(&app, "users").await?, 2);
    Ok(())
}

#[tokio::test]
async fn outside_any_application_each_says_so_in_its_services_error() {
    let user = Users::find(UserId::new()).await.unwrap_err();
    assert!(matches!(user, UserError::Container(ContainerError::NoApplication(_))), "{user:?}");
    let login = Auth::login("ada@example.com", password()).await.unwrap_err();
    assert!(matches!(login, LoginError::Container(ContainerError::NoApplication(_))), "{login:?}");
    let texts = [user.to_string(), login.to_string()];
    assert!(texts.iter().all(|text| text.starts_with("no application is running here")), "{texts:?}");
}
