//! CPU time: what a process was charged for, in user mode and in the system, whatever else the machine did.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of all threads of this process, user and system together, since it began.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    let nanoseconds = u32::try_from(time.tv_nsec).expect("a second has fewer than 2^32 nanoseconds");
    Duration::new(seconds, nanoseconds)
}

/// The CPU time of one of `count` equal pieces of work, in microseconds.
pub(crate) fn cpu_each(count: u32, work: impl FnOnce()) -> f64 {
    let before = cpu();
    work();
    each(cpu().saturating_sub(before), count)
}

/// A time divided by a count, in microseconds.
pub(crate) fn each(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count.max(1))
}
