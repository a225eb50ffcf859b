/// A permission as a type, by which a handler's signature says what it needs: `Can<UsersManage>`.
///
/// ```
/// use paravel::auth::Permission;
///
/// /// Create, change and delete other users.
/// pub enum UsersManage {}
///
/// impl Permission for UsersManage {
///     const NAME: &'static str = "users.manage";
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission",
    note = "implement `paravel::auth::Permission` for it, with the permission's name"
)]
pub trait Permission: 'static {
    /// Its name, which roles give and [`Actor::can`](super::Actor::can) is asked for.
    const NAME: &'static str;
}
