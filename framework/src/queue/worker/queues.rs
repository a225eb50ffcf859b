/// The queues of a worker, and which of them comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queues {
    names: Vec<String>,
    // None: the first that has anything, always.
    weights: Option<Vec<Weight>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Weight {
    name: String,
    weight: i64,
    credit: i64,
}

impl Queues {
    /// By their names, of which some may have a weight.
    pub(super) fn new(queues: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let parsed: Vec<_> = queues.into_iter().map(|queue| parse(queue.as_ref())).collect();
        let weighted = parsed.iter().any(|(_, weight)| weight.is_some());
        let weight = |(name, weight): &(String, Option<u32>)| Weight {
            name: name.clone(),
            weight: weight.unwrap_or(1).into(),
            credit: 0,
        };
        let weights = weighted.then(|| parsed.iter().map(weight).collect());
        Self { names: parsed.into_iter().map(|(name, _)| name).collect(), weights }
    }

    /// All of them, in the order they have now.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The turn is the next one's, where they take turns: each has as many as its weight says, evenly spread.
    pub(super) fn next_turn(&mut self) {
        let Some(weights) = &mut self.weights else { return };
        let total: i64 = weights.iter().map(|queue| queue.weight).sum();
        for queue in weights.iter_mut() {
            queue.credit += queue.weight;
        }
        // The first of those with the most.
        let Some(first) = weights.iter_mut().rev().max_by_key(|queue| queue.credit) else { return };
        first.credit -= total;
        let first = first.name.clone();
        self.names = weights.iter().map(|queue| queue.name.clone()).collect();
        self.names.sort_by_key(|name| *name != first);
    }
}

/// A name, and a weight from 1 to 1000 where it has one. Whatever else is behind a colon is part of the name.
fn parse(queue: &str) -> (String, Option<u32>) {
    let weighted = queue.rsplit_once(':').and_then(|(name, weight)| Some((name, weight.parse().ok()?)));
    match weighted.filter(|(_, weight)| (1..=1000).contains(weight)) {
        Some((name, weight)) => (name.to_owned(), Some(weight)),
        None => (queue.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::Queues;

    #[test]
    fn queues_without_weights_keep_their_order() {
        let mut queues = Queues::new(["b", "a"]);
        queues.next_turn();
        assert_eq!(queues.names(), ["b", "a"]);
    }

    #[test]
    fn weights_share_the_turns_evenly_spread() {
        let mut queues = Queues::new(["mail:3", "default"]);
        let mut first = Vec::new();
        for _ in 0..8 {
            queues.next_turn();
            first.push(queues.names()[0].clone());
        }
        assert_eq!(first, ["mail", "mail", "default", "mail", "mail", "mail", "default", "mail"]);
    }

    #[test]
    fn a_name_may_have_a_colon() {
        assert_eq!(Queues::new(["tenant:blue", "tenant:7:2"]).names(), ["tenant:blue", "tenant:7"]);
    }
}
