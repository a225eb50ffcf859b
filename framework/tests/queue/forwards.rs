/// Has a driver do these as the one inside it does: `forwards!(inner: push, turn);`
macro_rules! forwards {
    ($inner:tt: $($method:ident),+) => {
        $(forwards!(@ $method $inner);)+
    };
    (@ push $inner:tt) => {
        fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
            self.$inner.push(push)
        }
    };
    (@ turn $inner:tt) => {
        fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
            self.$inner.turn(turn)
        }
    };
    (@ beat $inner:tt) => {
        fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
            self.$inner.beat(beat)
        }
    };
    (@ tend $inner:tt) => {
        fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>> {
            self.$inner.tend(queues)
        }
    };
    (@ wait $inner:tt) => {
        fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
            self.$inner.wait(queues, longest)
        }
    };
    (@ durability $inner:tt) => {
        fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>> {
            self.$inner.durability()
        }
    };
    (@ admin $inner:tt) => {
        fn admin(&self) -> &dyn QueueAdmin {
            self.$inner.admin()
        }
    };
}

pub(crate) use forwards;
