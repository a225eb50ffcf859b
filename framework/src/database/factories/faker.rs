use std::{convert::Infallible, time::Duration};

use fake::{
    Dummy,
    rand::{Rng, RngExt, SeedableRng, TryRng, rngs::ChaCha8Rng, seq::IndexedRandom},
};

use crate::support::{Id, Timestamp};

/// When all made-up rows are made: 2026-01-01T00:00:00Z, in seconds since 1970. Real rows come after them.
const NOW: i64 = 1_767_225_600;

/// Where the values of one made-up row come from. It is also a random number generator of the crate `rand`, for what is
/// not here.
pub struct Faker {
    number: u64,
    index: u64,
    rng: ChaCha8Rng,
}

impl Faker {
    /// The faker of the row of this number, which is at this place of its batch.
    pub(super) fn new(key: [u8; 32], number: u64, index: u64) -> Self {
        // A stream is the generator's own way to have many sequences of one key.
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(number);
        Self { number, index, rng }
    }

    /// The row's number among all of its factory's name, from 0: no other row of the seed has it, so what has it in it is
    /// unique.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// [`number`](Self::number) from 1, for keys that are numbers.
    pub fn serial(&self) -> i64 {
        i64::try_from(self.number.saturating_add(1)).unwrap_or(i64::MAX)
    }

    /// The row's place in its batch, from 0; of children, its place among its parent's.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// A value of one of the crate `fake`'s fakers, or of a range: `faker.fake(Name())`, `faker.fake(1..7)`.
    #[expect(clippy::needless_pass_by_value, reason = "fakers are made for one call: `faker.fake(Name())`")]
    pub fn fake<T: Dummy<F>, F>(&mut self, of: F) -> T {
        T::dummy_with_rng(&of, &mut self.rng)
    }

    /// One of these; `None` where there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.choose(&mut self.rng)
    }

    /// A new id. A row's first ids sort as the rows' numbers do.
    pub fn id<T>(&mut self) -> Id<T> {
        let moment = NOW.unsigned_abs().saturating_mul(1000).saturating_add(self.number);
        let mut random = [0; 10];
        self.rng.fill_bytes(&mut random);
        Id::from_uuid(uuid::Builder::from_unix_timestamp_millis(moment, &random).into_uuid())
    }

    /// The present, which stands still: 2026-01-01T00:00:00Z.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(NOW)
    }

    /// A moment of the time before [`now`](Self::now), this long, to the second.
    pub fn past(&mut self, within: Duration) -> Timestamp {
        let seconds = i64::try_from(within.as_secs()).unwrap_or(NOW);
        Timestamp::from_unix(NOW - self.rng.random_range(0..=seconds))
    }
}

impl TryRng for Faker {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.try_fill_bytes(bytes)
    }
}
