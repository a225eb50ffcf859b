//! Encryption with the application's key: what can be read again, and what is refused.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use paravel::{
    config::AppConfig,
    container::{ContainerBuilder, ContainerError},
    crypt::{CryptError, Crypter},
    facades::Crypt,
    foundation::Application,
    support::{AppKey, Env, EnvValue},
    testing::TestApp,
};

use crate::events::Journal;

const TEXT: &str = "the Dawn Treader sails at dawn";

fn key() -> AppKey {
    AppKey::generate().unwrap()
}

fn crypter() -> Crypter {
    Crypter::new(&key())
}

/// As an application has it whose `APP_KEY` is this, and was those.
fn configured(current: Option<&AppKey>, previous: &[&AppKey]) -> Crypter {
    let previous = previous.iter().map(|key| key.to_text()).collect::<Vec<_>>().join(",");
    let current = current.map(AppKey::to_text).unwrap_or_default();
    let env = Env::from_pairs([("APP_KEY", current), ("APP_PREVIOUS_KEYS", previous)]);
    let config = AppConfig::from_env(&env);
    env.check().unwrap();
    Crypter::from_config(&config)
}

#[test]
fn what_was_encrypted_can_be_read_again() {
    let crypter = crypter();
    for plain in [&b""[..], b"\0", TEXT.as_bytes(), &[0xff; 100_000]] {
        let sealed = crypter.encrypt(plain).unwrap();
        assert_eq!(sealed.len(), plain.len() + 45);
        assert_eq!(crypter.decrypt(&sealed).unwrap(), plain);
    }
    for plain in ["", TEXT, "船"] {
        let sealed = crypter.encrypt_string(plain).unwrap();
        assert!(sealed.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)), "{sealed}");
        assert_eq!(crypter.decrypt_string(&sealed).unwrap(), plain);
    }
}

#[test]
fn the_same_text_is_never_the_same_twice_and_is_not_in_there() {
    let crypter = crypter();
    let (one, two) = (crypter.encrypt(TEXT.as_bytes()).unwrap(), crypter.encrypt(TEXT.as_bytes()).unwrap());
    assert_ne!(one, two);
    assert!(!one.windows(4).any(|part| TEXT.as_bytes().windows(4).any(|plain| plain == part)));
}

#[test]
fn a_change_of_any_bit_is_refused_and_so_is_any_other_length() {
    let crypter = crypter();
    let sealed = crypter.encrypt(TEXT.as_bytes()).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = crypter.decrypt(&changed).unwrap_err();
        let expected = match bit / 8 {
            0 => matches!(error, CryptError::Malformed { .. }),
            1..5 => matches!(error, CryptError::UnknownKey),
            _ => matches!(error, CryptError::Altered { .. }),
        };
        assert!(expected, "bit {bit}: {error:?}");
    }
    for length in 0..sealed.len() {
        assert!(crypter.decrypt(&sealed[..length]).is_err(), "{length}");
    }
    assert!(crypter.decrypt(&[&sealed[..], b"\0"].concat()).is_err());
}

#[test]
fn a_change_of_any_letter_of_a_text_is_refused() {
    let crypter = crypter();
    let sealed = crypter.encrypt_string(TEXT).unwrap();
    for at in 0..sealed.len() {
        for other in ['A', 'z', '_', '=', ' ', '\n'] {
            let changed = format!("{}{other}{}", &sealed[..at], &sealed[at + 1..]);
            assert!(changed == sealed || crypter.decrypt_string(&changed).is_err(), "{at}: {other}");
        }
    }
    assert!(crypter.decrypt_string(&format!("{sealed}=")).is_err());
}

#[test]
fn what_is_for_one_purpose_can_be_read_for_no_other() {
    let crypter = crypter();
    let phone = crypter.for_purpose("users.phone");
    let sealed = phone.encrypt(TEXT.as_bytes()).unwrap();
    assert_eq!(phone.decrypt(&sealed).unwrap(), TEXT.as_bytes());
    // The last one's purpose takes the place of the one before.
    assert!(phone.for_purpose("users.name").for_purpose("users.phone").decrypt(&sealed).is_ok());
    for other in ["", "users.phon", "users.phone ", "users.name"] {
        let error = crypter.for_purpose(other).decrypt(&sealed).unwrap_err();
        assert!(matches!(&error, CryptError::Altered { purpose } if purpose == other), "{error:?}");
    }
    let general = crypter.encrypt(TEXT.as_bytes()).unwrap();
    assert!(matches!(phone.decrypt(&general), Err(CryptError::Altered { .. })));
}

#[test]
fn what_earlier_keys_encrypted_can_be_read_and_is_encrypted_with_the_new_one() {
    let (oldest, old, new) = (key(), key(), key());
    let sealed = [&oldest, &old, &new].map(|key| Crypter::new(key).encrypt(TEXT.as_bytes()).unwrap());
    let rotated = configured(Some(&new), &[&old, &oldest]);
    for sealed in &sealed {
        assert_eq!(rotated.decrypt(sealed).unwrap(), TEXT.as_bytes());
    }
    let anew = rotated.encrypt(TEXT.as_bytes()).unwrap();
    assert_eq!(Crypter::new(&new).decrypt(&anew).unwrap(), TEXT.as_bytes());
    assert!(matches!(configured(Some(&new), &[&old]).decrypt(&sealed[0]), Err(CryptError::UnknownKey)));
    // Nothing but the newest key encrypts.
    let retired = configured(None, &[&old]);
    assert_eq!(retired.decrypt(&sealed[1]).unwrap(), TEXT.as_bytes());
    assert!(matches!(retired.encrypt(b""), Err(CryptError::NoKey)));
    // A purpose holds for earlier keys, too.
    assert!(rotated.for_purpose("users.phone").decrypt(&sealed[1]).is_err());
}

#[test]
fn each_error_says_what_to_do() {
    let sealed = crypter().encrypt(TEXT.as_bytes()).unwrap();
    let none = configured(None, &[]);
    let said = [none.encrypt(b"").unwrap_err(), none.decrypt(&sealed).unwrap_err()].map(|error| error.to_string());
    assert!(said.iter().all(|said| said.contains("APP_KEY is not set") && said.contains("key:generate")), "{said:?}");
    let said = crypter().decrypt(&sealed).unwrap_err().to_string();
    assert!(said.contains("APP_PREVIOUS_KEYS"), "{said}");
    let crypter = crypter();
    let bytes = crypter.encrypt_string(TEXT).unwrap();
    let said = crypter.for_purpose("users.phone").decrypt_string(&bytes).unwrap_err().to_string();
    assert!(said.contains("`users.phone`") && said.contains("changed"), "{said}");
    let said = crypter.decrypt_string("what is this?").unwrap_err().to_string();
    assert!(said.contains("base64url"), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_not_given_as_text() {
    let crypter = crypter();
    let sealed = Base64UrlUnpadded::encode_string(&crypter.encrypt(&[0xff]).unwrap());
    assert!(matches!(crypter.decrypt_string(&sealed), Err(CryptError::NotText)));
}

#[test]
fn what_an_earlier_release_encrypted_can_still_be_read() {
    let key = AppKey::parse("base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let sealed = "AXt5d-mN4V9Z48rDsxxwn5ydF8ANKhoiF_Q88qgNCmqufNsh_NnBze4kQ73Glg68f5Yf40HXCPOlAv3lvzCfX30XOpmccSlAj4h5";
    assert_eq!(Crypter::new(&key).for_purpose("users.phone").decrypt_string(sealed).unwrap(), TEXT);
}

#[test]
fn keys_are_in_no_debug_output_and_no_configuration_that_is_shown() {
    let (current, previous) = (key(), key());
    let env = Env::from_pairs([("APP_KEY", current.to_text()), ("APP_PREVIOUS_KEYS", previous.to_text())]);
    let config = AppConfig::from_env(&env);
    let crypter = Crypter::from_config(&config).for_purpose("users.phone");
    assert_eq!(format!("{crypter:?}"), r#"Crypter { purpose: "users.phone", keys: "[redacted]" }"#);
    let shown = format!("{config:?} {} {:?}", serde_json::to_string(&config).unwrap(), env.declared());
    for key in [&current, &previous] {
        assert!(!shown.contains(key.to_text().trim_start_matches("base64:")), "{shown}");
    }
    for wrong in ["hunter22", "base64:aGk=", &format!("{},", previous.to_text())] {
        let env = Env::from_pairs([("APP_PREVIOUS_KEYS", wrong)]);
        AppConfig::from_env(&env);
        let said = env.check().unwrap_err().to_string();
        assert!(said.contains("APP_PREVIOUS_KEYS is [redacted], but must be keys such as APP_KEY was"), "{said}");
    }
}

#[tokio::test]
async fn the_facade_encrypts_with_the_applications_key() {
    // What the listeners of other tests need, which every application of this binary has.
    let builder = Application::builder().replace(|app| {
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(builder).await.unwrap();
    let sealed = app.run(async { Crypt::encrypt(TEXT.as_bytes()).unwrap() }).await;
    assert_eq!(app.make::<Crypter>().unwrap().decrypt(&sealed).unwrap(), TEXT.as_bytes());
    app.run(async {
        assert_eq!(Crypt::decrypt(&sealed).unwrap(), TEXT.as_bytes());
        let text = Crypt::encrypt_string(TEXT).unwrap();
        assert_eq!(Crypt::decrypt_string(&text).unwrap(), TEXT);
        let phone = Crypt::for_purpose("users.phone").unwrap();
        assert!(matches!(phone.decrypt_string(&text), Err(CryptError::Altered { .. })));
    })
    .await;
}

#[tokio::test]
async fn without_an_application_or_a_key_the_facade_says_so() {
    let outside = Crypt::encrypt(b"").unwrap_err();
    assert!(matches!(outside, CryptError::Container(ContainerError::NoApplication(_))), "{outside:?}");
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(configured(None, &[])));
    let app = app.freeze().unwrap().scope();
    let error = app.run(async { Crypt::encrypt_string(TEXT) }).await.unwrap_err();
    assert!(matches!(error, CryptError::NoKey));
}
