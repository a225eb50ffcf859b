/// What to try, for whoever has just started the server on their own machine.
#[derive(Debug, Clone)]
pub struct Hint {
    /// What the command does.
    pub what: &'static str,
    /// The command; `{url}` stands for the server's address.
    pub command: &'static str,
}

/// The application's hints, in order.
#[derive(Debug, Clone, Default)]
pub struct Hints(pub Vec<Hint>);
