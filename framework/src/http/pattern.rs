//! A route's path, read: what of it is fixed, and what are its parameters.

use std::{cmp::Ordering, fmt};

/// A part of a path between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text that is matched as it stands.
    Fixed(String),
    /// `{name}`: one part, whatever it is.
    Parameter(String),
    /// `*name`: all that is left, slashes too.
    Rest(String),
}

/// A route's path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Segment>);

impl Pattern {
    /// Reads a path, which starts with a slash.
    ///
    /// # Errors
    /// What is wrong with it, to follow the path.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let parts: Vec<_> = path.split('/').skip(1).collect();
        let mut segments = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (index, part) in parts.iter().copied().enumerate() {
            let is_last = index + 1 == parts.len();
            let segment = if let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                names.push(named(name, part)?);
                Segment::Parameter(name.to_owned())
            } else if let Some(name) = part.strip_prefix('*') {
                if !is_last {
                    return Err(format!("`{part}` takes all that is left, so it must come last"));
                }
                names.push(named(name, part)?);
                Segment::Rest(name.to_owned())
            } else {
                Segment::Fixed(fixed(part, parts.len())?)
            };
            segments.push(segment);
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(format!("two of its parameters are called `{}`", twice[0])),
            None => Ok(Self(segments)),
        }
    }

    /// Its parts, in order.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether it matches this path of a request.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut found = path.split('/').skip(1);
        for segment in &self.0 {
            let Some(found) = found.next() else { return false };
            match segment {
                Segment::Fixed(text) if text != found => return false,
                Segment::Parameter(_) if found.is_empty() => return false,
                Segment::Fixed(_) | Segment::Parameter(_) => {}
                Segment::Rest(_) => return true,
            }
        }
        found.next().is_none()
    }

    /// Which of two that match the same path is tried first.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let rank = |segment: &Segment| match segment {
            Segment::Fixed(_) => 0,
            Segment::Parameter(_) => 1,
            Segment::Rest(_) => 2,
        };
        self.0.iter().map(rank).cmp(other.0.iter().map(rank))
    }

    /// The path with its parameters' names left out: two of the same shape match the same addresses.
    pub(super) fn shape(&self) -> String {
        self.written(|segment| match segment {
            Segment::Fixed(text) => text.clone(),
            Segment::Parameter(_) => "{}".to_owned(),
            Segment::Rest(_) => "*".to_owned(),
        })
    }

    /// The path as poem writes it.
    pub(super) fn for_poem(&self) -> String {
        self.written(|segment| match segment {
            Segment::Fixed(text) => text.clone(),
            Segment::Parameter(name) => format!(":{name}"),
            Segment::Rest(name) => format!("*{name}"),
        })
    }

    fn written(&self, write: impl Fn(&Segment) -> String) -> String {
        self.0.iter().map(|segment| format!("/{}", write(segment))).collect()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Fixed(text) => write!(f, "/{text}"),
            Segment::Parameter(name) => write!(f, "/{{{name}}}"),
            Segment::Rest(name) => write!(f, "/*{name}"),
        })
    }
}

fn named<'a>(name: &'a str, part: &str) -> Result<&'a str, String> {
    let word = !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if word {
        return Ok(name);
    }
    Err(format!("the parameter `{part}` needs a name of letters, digits and underscores"))
}

/// Text that can stand in an address (RFC 3986, 3.3). Colons and asterisks could too, but mean parameters to poem.
fn fixed(part: &str, parts: usize) -> Result<String, String> {
    if part.is_empty() && parts > 1 {
        return Err("two slashes stand together".to_owned());
    }
    if part.contains(['{', '}', '*']) {
        return Err(format!("a parameter is a whole part between slashes, and `{part}` is more"));
    }
    if part.contains(':') {
        return Err(format!("`{part}` has a colon: a parameter is written `{{name}}`"));
    }
    let may = |character: char| character.is_ascii_alphanumeric() || "-._~%!$&'()+,;=@".contains(character);
    match part.chars().find(|character| !may(*character)) {
        None => Ok(part.to_owned()),
        Some(character) => Err(format!("`{character}` cannot stand in an address: write it percent-encoded")),
    }
}
