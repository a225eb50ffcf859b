//! What the server runs, each as one.

use crate::redis::Script;

macro_rules! scripts {
    ($($name:ident = $title:literal: $($part:literal),+;)*) => {
        $(pub(super) static $name: Script = Script::new(
            $title,
            concat!($(include_str!(concat!("scripts/", $part, ".lua"))),+),
        );)*
    };
}

scripts! {
    PUSH = "queue push": "entries", "batches", "push";
    TURN = "queue turn": "entries", "batches", "turn";
    BEAT = "queue beat": "entries", "beat";
    ASIDE = "queue aside": "entries", "batches", "aside";
    LEAVE = "queue leave": "entries", "leave";
    TEND = "queue tend": "entries", "tend";
    LOOK = "queue look": "entries", "look";
    DEPTHS = "queue depths": "entries", "admin", "depths";
    CLEAR = "queue clear": "entries", "batches", "admin", "clear";
    PEEK = "queue peek": "entries", "admin", "peek";
    FAILED = "queue failed": "entries", "admin", "failed";
    RETRY = "queue retry": "entries", "batches", "retry";
    FORGET = "queue forget": "entries", "forget";
    CANCEL = "queue cancel": "entries", "batches", "cancel";
    STATUSES = "queue batches": "entries", "batches", "statuses";
    PRUNE = "queue prune": "entries", "batches", "prune";
}
