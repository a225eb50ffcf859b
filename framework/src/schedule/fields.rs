/// The fields of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

/// What whole expressions are called by a name, as the parser knows them.
const NICKNAMES: [(&str, &str); 6] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// When a task is due, as its methods have said so far.
#[derive(Debug, Clone)]
pub(super) enum Fields {
    /// Each field.
    Each { fields: [String; 6], is_set: bool, days_by_method: bool },
    /// A whole expression.
    Whole(String),
}

impl Default for Fields {
    fn default() -> Self {
        let fields = ["0", "*", "*", "*", "*", "*"].map(str::to_owned);
        Self::Each { fields, is_set: false, days_by_method: false }
    }
}

impl Fields {
    /// Sets one field. Of a whole expression that is no six fields, nothing: it is a fault anyway.
    pub(super) fn set(&mut self, field: Field, value: &str) {
        if let Self::Whole(whole) = self {
            let nickname = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(whole));
            let whole = nickname.map_or(&**whole, |(_, meant)| meant);
            let words: Vec<_> = whole.split_whitespace().map(str::to_owned).collect();
            let seconds = (words.len() == 5).then(|| "0".to_owned());
            let Ok(fields) = seconds.into_iter().chain(words).collect::<Vec<_>>().try_into() else { return };
            *self = Self::Each { fields, is_set: true, days_by_method: false };
        }
        if let Self::Each { fields, is_set, days_by_method } = self {
            value.clone_into(&mut fields[field as usize]);
            *is_set = true;
            *days_by_method |= matches!(field, Field::Day | Field::Weekday);
        }
    }

    /// The expression: of five fields where the second is 0, else of six. `None` where nothing was said.
    pub(super) fn expression(&self) -> Option<String> {
        match self {
            Self::Whole(whole) => Some(whole.clone()),
            Self::Each { is_set: false, .. } => None,
            Self::Each { fields, days_by_method, .. } => {
                let mut fields = fields.clone();
                // A method says on which days alone; of an expression by itself, either of its two fields is enough.
                if *days_by_method && is_said(&fields[Field::Day as usize]) && is_said(&fields[Field::Weekday as usize])
                {
                    let weekday = &mut fields[Field::Weekday as usize];
                    *weekday = format!("+{}", weekday.trim_start_matches('+'));
                }
                let from = usize::from(fields[0] == "0");
                Some(fields[from..].join(" "))
            }
        }
    }
}

/// Whether a field of days leaves out any.
fn is_said(field: &str) -> bool {
    !matches!(field, "*" | "?")
}
