use std::time::Duration;

/// When a worker ends by itself, for whoever keeps it running to start it anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerLimits {
    /// After so many jobs.
    pub jobs: Option<u64>,
    /// After so long.
    pub time: Option<Duration>,
    /// When the process takes more memory than this, in bytes: looked at with each beat, where the system tells.
    pub memory: Option<u64>,
    /// When there is nothing left that could be claimed.
    pub when_empty: bool,
}

/// How much memory this process has, in bytes, where the system tells.
pub(super) fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    // In the kernel's own kB, which are 1024 bytes.
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}
