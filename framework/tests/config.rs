//! The typed configuration: what is read, what is refused, and what is never shown.

use std::time::Duration;

use paravel::{
    config::{
        AppConfig, AuthConfig, ConfigError, ConfigSet, DatabaseConfig, HttpConfig, LogConfig, LogFormat, RedisConfig,
    },
    support::{AppKey, Env},
};

fn faults(pairs: &[(&str, &str)], read: impl FnOnce(&Env)) -> Vec<String> {
    let env = Env::from_pairs(pairs.iter().copied());
    read(&env);
    env.check().err().map(|faults| faults.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

#[test]
fn the_defaults_need_no_environment_at_all() {
    let env = Env::from_pairs::<String, String>([]);
    let (app, http, log) = (AppConfig::from_env(&env), HttpConfig::from_env(&env), LogConfig::from_env(&env));
    let (database, _) = (DatabaseConfig::from_env(&env), AuthConfig::from_env(&env));
    env.check().unwrap();
    assert_eq!((app.name.as_str(), app.is_production(), app.key.is_none()), ("Paravel", false, true));
    assert_eq!((http.host.as_str(), http.port, http.body_limit), ("127.0.0.1", 8000, 2 * 1024 * 1024));
    assert_eq!((log.level.as_str(), log.format), ("info", LogFormat::Text));
    assert_eq!(database.url.expose(), "sqlite://database/database.sqlite");
    assert_eq!((database.readers, database.acquire_timeout), (4, Duration::from_secs(5)));
}

#[test]
fn a_key_is_required_in_production_and_there_alone() {
    let read = |env: &Env| _ = AppConfig::from_env(env);
    let expected =
        "APP_KEY is not set, but must be `base64:` and 32 bytes in base64 (make one with `artisan key:generate`)";
    assert_eq!(faults(&[("APP_ENV", "production")], read), [expected]);
    assert_eq!(faults(&[("APP_ENV", "production"), ("APP_KEY", "")], read), [expected]);
    assert!(faults(&[("APP_ENV", "local")], read).is_empty());
    let key = AppKey::generate().unwrap().to_text();
    assert!(faults(&[("APP_ENV", "production"), ("APP_KEY", &key)], read).is_empty());
}

#[test]
fn a_malformed_key_is_one_fault_that_does_not_print_it() {
    let read = |env: &Env| _ = AppConfig::from_env(env);
    let found = faults(&[("APP_ENV", "production"), ("APP_KEY", "hunter22")], read);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("APP_KEY is [redacted], but must be `base64:`"), "{found:?}");
}

#[test]
fn values_of_the_wrong_form_are_refused_by_name() {
    let pairs = [
        ("APP_ENV", "prod"),
        ("APP_URL", "example.com"),
        ("HTTP_PORT", "80000"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "database.sqlite"),
        ("DB_READERS", "0"),
        ("AUTH_TOKEN_TTL", "a month"),
    ];
    let found = faults(&pairs, |env| {
        AppConfig::from_env(env);
        HttpConfig::from_env(env);
        LogConfig::from_env(env);
        DatabaseConfig::from_env(env);
        AuthConfig::from_env(env);
    });
    assert_eq!(found.len(), pairs.len(), "{found:?}");
    for ((name, value), fault) in pairs.iter().zip(&found) {
        assert!(fault.starts_with(&format!("{name} is ")) && fault.contains(", but must be "), "{fault}");
        assert!(fault.contains(value) || *name == "DATABASE_URL", "{fault}");
    }
}

#[test]
fn a_log_level_may_be_a_filter_but_not_a_lone_unknown_word() {
    let read = |env: &Env| _ = LogConfig::from_env(env);
    for right in ["warn", "info,app=debug", "app=trace"] {
        assert!(faults(&[("LOG_LEVEL", right)], read).is_empty(), "{right}");
    }
    for wrong in ["app", "app=loud", "info,"] {
        assert_eq!(faults(&[("LOG_LEVEL", wrong)], read).len(), 1, "{wrong}");
    }
}

#[test]
fn a_slash_at_the_end_of_the_address_is_taken_off() {
    let app = AppConfig::from_env(&Env::from_pairs([("APP_URL", "https://example.com/")]));
    assert_eq!(app.url, "https://example.com");
}

#[test]
fn a_databases_password_is_left_out_wherever_the_address_is_shown() {
    let env = Env::from_pairs([("DATABASE_URL", "postgres://ada:hunter22@db.example.com/app")]);
    let config = DatabaseConfig::from_env(&env);
    assert!(config.url.expose().contains("hunter22"));
    let mut configs = ConfigSet::default();
    configs.insert("database", config.clone());
    let shown = [
        format!("{config:?}"),
        config.url.to_string(),
        serde_json::to_string(&config).unwrap(),
        format!("{:?}", env.declared()),
        format!("{configs:?}"),
    ];
    for text in shown {
        assert!(text.contains("postgres://[redacted]@db.example.com/app") && !text.contains("hunter22"), "{text}");
    }
}

#[test]
fn no_half_of_a_password_is_shown_that_breaks_its_address() {
    for url in ["redis://:hunter?22@h/0", "redis://:hunter#22@h/0", "redis://h/?pass=hunter@22"] {
        let shown = RedisConfig::from_env(&Env::from_pairs([("REDIS_URL", url)])).url.to_string();
        assert_eq!(shown, "redis://[redacted]", "{url}");
    }
    for url in ["u:hunt?er22@h/db", "u:hunt#er22@h/db", "u:hun@t?er22@h/db", "h/db?password=hunt@er22"] {
        let url = format!("postgres://{url}");
        let shown = DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", &url)])).url.to_string();
        assert_eq!(shown, "postgres://[redacted]", "{url}");
    }
}

#[test]
fn redis_has_its_keys_under_the_applications_name() {
    let prefix = |pairs: &[(&str, &str)]| {
        let env = Env::from_pairs(pairs.iter().copied());
        let config = RedisConfig::from_env(&env);
        env.check().unwrap();
        config.prefix
    };
    assert_eq!(prefix(&[]), "paravel:");
    assert_eq!(prefix(&[("APP_NAME", "The Lone, Islands!")]), "the-lone-islands:");
    assert_eq!(prefix(&[("APP_NAME", "船")]), "paravel:");
    assert_eq!(prefix(&[("APP_NAME", "Harbour"), ("REDIS_PREFIX", "{old}_")]), "{old}_");
    let read = |env: &Env| _ = RedisConfig::from_env(env);
    // A star would make a pattern of other keys.
    for pair in
        [("REDIS_PREFIX", "all*"), ("REDIS_URL", "http://h"), ("REDIS_URL", "redis://"), ("REDIS_TIMEOUT", "0s")]
    {
        assert_eq!(faults(&[pair], read).len(), 1, "{pair:?}");
    }
}

#[test]
fn the_set_gives_each_struct_by_its_type_and_shows_it_by_its_name() {
    let key = AppKey::generate().unwrap().to_text();
    let env = Env::from_pairs([("APP_NAME", "Harbour"), ("APP_KEY", &key)]);
    let mut configs = ConfigSet::default();
    configs.insert("http", HttpConfig::from_env(&env));
    configs.insert("app", AppConfig::from_env(&env));
    assert_eq!(configs.get::<AppConfig>().unwrap().name, "Harbour");
    let shown: Vec<_> = configs.shown().collect();
    assert_eq!(shown.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["app", "http"]);
    assert_eq!((&shown[0].1["name"], &shown[0].1["key"]), (&"Harbour".into(), &"[redacted]".into()));
    configs.check().unwrap();
}

#[test]
fn a_struct_that_is_missing_or_twice_under_one_name_is_refused() {
    let env = Env::default();
    let mut configs = ConfigSet::default();
    let missing = configs.get::<AppConfig>().unwrap_err();
    assert_eq!(missing.to_string(), "no `AppConfig` in the configuration: insert it in config/mod.rs");
    configs.insert("app", AppConfig::from_env(&env));
    configs.insert("app", HttpConfig::from_env(&env));
    assert!(matches!(configs.check(), Err(ConfigError::Duplicate { name: "app" })));
}

#[test]
fn a_struct_that_is_in_the_set_twice_under_two_names_is_refused() {
    let env = Env::default();
    let mut configs = ConfigSet::default();
    configs.insert("app", AppConfig::from_env(&env));
    configs.insert("application", AppConfig::from_env(&env));
    let error = configs.check().unwrap_err().to_string();
    assert_eq!(error, "the configuration has `AppConfig` as `app` and as `application`: insert each type once");
}
