use crate::support::Env;

/// The address of a server that a test needs, from the variable in which `bin/test` passes it.
///
/// Without it the test is left out, and says so; with `TEST_REQUIRE_SERVERS` set, as in continuous integration, it fails
/// instead: a test that is always left out proves nothing.
///
/// # Panics
/// Where the server is required and its address is not there.
#[track_caller]
pub fn external_server(variable: &str) -> Option<String> {
    match find(variable, Env::process(variable), Env::process("TEST_REQUIRE_SERVERS").is_some()) {
        Ok(address) => address,
        Err(message) => panic!("{message}"),
    }
}

fn find(variable: &str, address: Option<String>, required: bool) -> Result<Option<String>, String> {
    match address {
        Some(address) => Ok(Some(address)),
        None if required => Err(format!("{variable} is not set: bin/test starts the server and sets it")),
        None => {
            eprintln!("skipped: {variable} is not set; bin/test starts the server and sets it");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_missing_server_is_a_skip_unless_servers_are_required() {
        assert_eq!(find("TEST_X_URL", Some("x://".to_owned()), true), Ok(Some("x://".to_owned())));
        assert_eq!(find("TEST_X_URL", None, false), Ok(None));
        assert!(find("TEST_X_URL", None, true).is_err());
    }
}
