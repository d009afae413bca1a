//! The machine that measured: numbers without it mean little.

use std::fs;
use std::process::Command;

/// What stays the same during a run, and the load at its start.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    rustc: String,
    load: String,
}

impl Machine {
    /// The machine as it is now.
    pub(crate) fn look() -> Self {
        let cpu = read("/proc/cpuinfo");
        let model =
            cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self { cpu: model.unwrap_or("unknown").to_owned(), cores, kernel: kernel(), rustc: rustc(), load: load() }
    }

    /// The machine in Markdown, with the load now.
    pub(crate) fn render(&self) -> String {
        let Self { cpu, cores, kernel, rustc, load: before } = self;
        let after = load();
        format!(
            "{cpu}, {cores} cores, Linux {kernel}, {rustc}. Load average of the last minute: {before} at the start of \
             the run, {after} at its end.\n"
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The kernel's version, without what its builder added.
fn kernel() -> String {
    let release = read("/proc/sys/kernel/osrelease");
    release.split(['-', '+', '\n']).next().filter(|version| !version.is_empty()).unwrap_or("unknown").to_owned()
}

fn load() -> String {
    read("/proc/loadavg").split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split(" (").next().filter(|version| !version.trim().is_empty()).unwrap_or("rustc unknown").trim().to_owned()
}
