//! The machine that a benchmark's figures are of.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

/// Prints it, so that figures of different machines are not compared.
pub fn print() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("machine: {cores} cores of {}", model.trim_start_matches([' ', '\t', ':']));
}
