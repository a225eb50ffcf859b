//! What the application runs by itself, and when. `artisan schedule:list` shows it, and `artisan schedule:work` runs it.

use paravel::schedule::Schedule;

/// Adds the tasks.
pub fn schedule(schedule: &mut Schedule) {
    // At an odd time, when few others do the same.
    schedule.command("tokens:prune --days 30").daily_at("3:17").on_one_server().without_overlapping();
}
