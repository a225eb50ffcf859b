//! The environment: `.env` under the process's variables, and faults that are reported together.

use std::time::Duration;

use paravel::support::{AppKey, Env, EnvError, EnvFault, EnvValue, Secret};

fn env(pairs: &[(&str, &str)]) -> Env {
    Env::from_pairs(pairs.iter().copied())
}

/// An environment of a `.env` with this text, over which the process's own variables go.
fn file(text: &str) -> Result<Env, EnvError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), text).unwrap();
    Env::load(folder.path())
}

#[test]
fn all_faults_are_reported_together_and_each_says_what_was_expected() {
    let env = env(&[("PV_SIZE", "twenty"), ("PV_ON", "maybe"), ("PV_WAIT", "5 minutes")]);
    assert_eq!(env.var("PV_SIZE", "").or::<u16>(20_u16), 20, "and the default is gone on with");
    assert!(!env.var("PV_ON", "").or::<bool>(false));
    assert_eq!(env.var("PV_WAIT", "").optional::<Duration>(), None);
    assert_eq!(env.var("PV_NAME", "").required::<String>(), "");
    let expected = "the configuration has 4 fault(s):
  - PV_SIZE is \"twenty\", but must be a whole number from 0 to 65535
  - PV_ON is \"maybe\", but must be true or false
  - PV_WAIT is \"5 minutes\", but must be a duration such as 500ms, 30s, 15m, 12h or 7d
  - PV_NAME is not set, but must be text";
    assert_eq!(env.check().unwrap_err().to_string(), expected);
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let env = env(&[("PV_SIZE", ""), ("PV_NAME", "")]);
    assert_eq!(env.var("PV_SIZE", "").or::<u16>(20_u16), 20);
    assert_eq!(env.var("PV_NAME", "").required::<String>(), "");
    let missing = EnvFault::Missing { name: "PV_NAME", expected: "text".to_owned() };
    assert!(!env.is_set("PV_SIZE"));
    assert_eq!(env.check().unwrap_err().0, [missing]);
}

#[test]
fn a_secret_is_shown_nowhere() {
    let env = env(&[("PV_KEY", "base64:c2VjcmV0"), ("PV_TOKEN", "hunter22")]);
    let key: Option<Secret<AppKey>> = env.var("PV_KEY", "A key").optional();
    assert!(key.is_none());
    let token: Option<Secret<String>> = env.var("PV_TOKEN", "A token").optional();
    let token = token.unwrap();
    assert_eq!(token.expose(), "hunter22");
    let shown = [
        env.check().unwrap_err().to_string(),
        format!("{env:?}"),
        format!("{:?}", env.declared()),
        format!("{token:?} {token}"),
        serde_json::to_string(&token).unwrap(),
    ];
    for text in shown {
        assert!(!text.contains("hunter22") && !text.contains("c2VjcmV0"), "{text}");
        assert!(text.contains("[redacted]"), "{text}");
    }
}

#[test]
fn what_is_declared_is_listed_with_its_value_and_where_that_came_from() {
    let env = env(&[("PV_SIZE", "7")]);
    env.var("PV_SIZE", "Rows on a page").or::<u16>(20_u16);
    env.var("PV_WAIT", "How long").or::<Duration>(Duration::from_secs(90));
    env.var("PV_NAME", "What it is called").optional::<String>();
    let declared = env.declared();
    let rows: Vec<_> = declared.iter().map(|row| (row.name, row.value.as_deref(), row.source, row.doc)).collect();
    let expected = [
        ("PV_NAME", None, "default", "What it is called"),
        ("PV_SIZE", Some("7"), "process", "Rows on a page"),
        ("PV_WAIT", Some("90s"), "default", "How long"),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_process_variable_wins_over_the_file() {
    // PATH is set wherever tests run.
    let mut env = file("PATH=x\nPV_NAME='from the file'\nPV_SIZE=1\n").unwrap();
    env.set("PV_SIZE", "2");
    assert_ne!(env.var("PATH", "").required::<String>(), "x");
    assert_eq!(env.var("PV_NAME", "").required::<String>(), "from the file");
    assert_eq!(env.var("PV_SIZE", "").required::<u16>(), 2);
    let sources: Vec<_> = env.declared().iter().map(|row| (row.name, row.source)).collect();
    assert_eq!(sources, [("PATH", "process"), ("PV_NAME", ".env"), ("PV_SIZE", "process")]);
    env.check().unwrap();
}

#[test]
fn a_key_of_the_file_that_nothing_reads_is_a_fault_with_a_suggestion() {
    let env = file("PV_TIEMOUT=5s\nPV_OTHER=1\n").unwrap();
    env.var("PV_TIMEOUT", "").or::<Duration>(Duration::ZERO);
    let faults = env.check().unwrap_err().0;
    let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].starts_with("PV_OTHER in ") && texts[0].ends_with(".env is read by nothing"), "{texts:?}");
    assert!(texts[1].ends_with(".env is read by nothing; did you mean PV_TIMEOUT?"), "{texts:?}");
}

#[test]
fn a_slip_in_the_process_environment_is_only_a_warning() {
    let slip = env(&[("PV_TIEMOUT", "5s"), ("SOMETHING_ELSE", "1")]);
    slip.var("PV_TIMEOUT", "").or::<Duration>(Duration::ZERO);
    assert_eq!(slip.check().unwrap(), ["PV_TIEMOUT is set but read by nothing; did you mean PV_TIMEOUT?"]);
    let both = env(&[("PV_TIEMOUT", "5s"), ("PV_TIMEOUT", "6s")]);
    both.var("PV_TIMEOUT", "").or::<Duration>(Duration::ZERO);
    assert!(both.check().unwrap().is_empty(), "two variables, not a slip");
}

#[test]
fn a_folder_without_a_file_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Env::load(folder.path()).unwrap().check().is_ok());
}

#[test]
fn a_line_that_cannot_be_read_is_named_by_its_number_and_not_shown() {
    let error = file("# the keys\nPV_NAME=x\nPV_TOKEN=hunter22 and more\n").unwrap_err();
    assert!(matches!(error, EnvError::Line { line: 3, .. }), "{error:?}");
    let text = format!("{error:?} {error}");
    assert!(text.contains(".env: line 3 cannot be read"), "{text}");
    assert!(!text.contains("hunter22"), "{text}");
}

#[test]
fn a_byte_order_mark_before_the_file_is_overlooked() {
    let env = file("\u{feff}PV_NAME=x\n").unwrap();
    assert_eq!(env.var("PV_NAME", "").required::<String>(), "x");
    env.check().unwrap();
}

#[test]
fn durations_are_whole_numbers_with_a_unit() {
    let parse = <Duration as EnvValue>::parse;
    assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(parse("7d"), Some(Duration::from_secs(7 * 86_400)));
    for wrong in ["", "5", "s", "-5s", "1.5h", "5 s", "5w", "99999999999999999999s", "213503982334602d"] {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_key_is_32_bytes_and_reads_back_what_it_wrote() {
    let key = AppKey::generate().unwrap();
    assert_eq!(AppKey::parse(&key.to_text()).unwrap(), key);
    assert_ne!(AppKey::generate().unwrap(), key);
    assert!(AppKey::parse("base64:c2hvcnQ=").is_none());
    assert!(AppKey::parse(key.to_text().trim_start_matches("base64:")).is_none());
    assert_eq!(format!("{key:?}"), "[redacted]");
}

#[test]
fn what_a_file_would_lose_without_a_word_is_a_fault() {
    let text =
        "PV_NAME=one\nPV_TOKEN=pa$word\nPV_KEY=\"x${PV_NOTHING}\"\nPV_NAME=two\nPV_OWN=$PV_OWN\nPV_CUT=$PV_NAME\n";
    let env = file(text).unwrap();
    for name in ["PV_NAME", "PV_TOKEN", "PV_KEY", "PV_OWN", "PV_CUT"] {
        let _: String = env.var(name, "").or("");
    }
    let faults: Vec<_> = env.check().unwrap_err().0.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 5, "{faults:?}");
    assert!(faults[0].starts_with("PV_NAME is set twice in "), "{faults:?}");
    for (fault, line) in faults[1..].iter().zip([2, 3, 5, 6]) {
        assert!(fault.starts_with(&format!("line {line} of ")) && fault.contains("single quotes"), "{fault}");
        assert!(!fault.contains("word"), "{fault}");
    }
    let kept = "PV_NAME=one\nPV_A='pa$word'\nPV_B=pa\\$word\nPV_C=\"${PV_NAME} ${PV_A}\" # $nothing\n# $PV_X=$y\n";
    let env = file(kept).unwrap();
    let read = ["PV_A", "PV_B", "PV_C", "PV_NAME"].map(|name| env.var(name, "").or::<String>(""));
    assert_eq!(read, ["pa$word", "pa$word", "one pa$word", "one"]);
    env.check().unwrap();
}
