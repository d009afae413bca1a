//! What only the operating system knows about processes: the only file with `cfg(target_os)`.
//!
//! Linux is proven. The other part is written for macOS and was never run.

use std::io;
use std::time::Duration;

/// A process that cannot be confused with a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it started, in a unit of the system's own, since the system started.
    pub start_time: u64,
    /// Which run of the system that was.
    pub boot_id: String,
}

impl Identity {
    /// Whether this process is the one that a record describes, in which it may have another number of its container.
    pub fn is(&self, described: &Self) -> bool {
        let same_run = self.start_time == described.start_time && self.boot_id == described.boot_id;
        same_run && (self.pid == described.pid || Here::numbers(self.pid).contains(&described.pid))
    }
}

/// A signal that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End gracefully.
    Terminate,
    /// End now.
    Kill,
}

/// What the operating system can do.
pub trait System {
    /// A hold on a process.
    type Process: Process;

    /// Who has this number now. `None` where nobody has, or only a zombie.
    fn identify(pid: u32) -> Option<Identity>;

    /// A hold on exactly this process; `None` where it has ended.
    fn open(identity: &Identity) -> Option<Self::Process>;

    /// Every number of a process: the one that it has here, and those in its containers, where it calls itself so.
    fn numbers(pid: u32) -> Vec<u32>;

    /// What a process is called, without promise: anybody can take any name.
    fn name(pid: u32) -> Option<String>;

    /// Leaves the terminal: a session of its own.
    fn leave_terminal() -> io::Result<()>;

    /// Whether this process has a controlling terminal.
    fn has_terminal() -> bool;

    /// Whether this process was started to outlive its terminal: `nohup`. To be asked before signals are listened to.
    fn ignores_hang_up() -> bool;

    /// Who listens on a TCP port, as far as it may be known: number and name.
    fn listener(port: u16) -> Option<(u32, String)>;
}

/// A hold on a process.
pub trait Process {
    /// Sends a signal to it, and to nobody else.
    fn signal(&self, signal: Signal) -> io::Result<()>;

    /// Waits until it has ended. `false` where it still runs after the time.
    fn wait(&self, time: Duration) -> bool;
}

#[cfg(target_os = "linux")]
pub use linux::Linux as Here;
#[cfg(not(target_os = "linux"))]
pub use other::Other as Here;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal, setsid};

    use super::{Identity, Process, Signal, System};

    /// Linux.
    #[derive(Debug)]
    pub struct Linux;

    /// A process by its pidfd.
    #[derive(Debug)]
    pub struct Held(OwnedFd);

    impl System for Linux {
        type Process = Held;

        fn identify(pid: u32) -> Option<Identity> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name stands in parentheses and may hold spaces and parentheses itself.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
            let state = fields.next()?;
            if matches!(state, "Z" | "X" | "x") {
                return None;
            }
            // Field 22 of the line; the state was field 3.
            let start_time = fields.nth(18)?.parse().ok()?;
            let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
            Some(Identity { pid, start_time, boot_id })
        }

        fn open(identity: &Identity) -> Option<Held> {
            let pid = Pid::from_raw(i32::try_from(identity.pid).ok()?)?;
            let held = Held(pidfd_open(pid, PidfdFlags::empty()).ok()?);
            // The number could have been given away between asking and opening: ask again, now that it is held.
            (Self::identify(identity.pid).as_ref() == Some(identity)).then_some(held)
        }

        fn numbers(pid: u32) -> Vec<u32> {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
            line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).chain([pid]).collect()
        }

        fn name(pid: u32) -> Option<String> {
            Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
        }

        fn leave_terminal() -> io::Result<()> {
            setsid().map(|_| ()).map_err(io::Error::from)
        }

        fn has_terminal() -> bool {
            fs::File::open("/dev/tty").is_ok()
        }

        fn ignores_hang_up() -> bool {
            // A set of bits in hexadecimal; the lowest is signal 1, SIGHUP.
            let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
            let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
            ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & 1 == 1)
        }

        fn listener(port: u16) -> Option<(u32, String)> {
            let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| inode_of(table, port))?;
            let socket = format!("socket:[{inode}]");
            let processes = fs::read_dir("/proc").ok()?.flatten();
            processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find_map(|pid| {
                let mut files = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
                files.find(|file| {
                    fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket.as_str())
                })?;
                Some((pid, Self::name(pid).unwrap_or_default()))
            })
        }
    }

    /// The inode of the socket that listens on a port, from a table of the kernel.
    fn inode_of(table: &str, port: u16) -> Option<u64> {
        const LISTENING: &str = "0A";
        fs::read_to_string(table).ok()?.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let listens = fields.get(3) == Some(&LISTENING);
            let local = fields.get(1)?.rsplit_once(':')?.1;
            let here = u16::from_str_radix(local, 16).ok()? == port;
            (listens && here).then(|| fields.get(9)?.parse().ok())?
        })
    }

    impl Process for Held {
        fn signal(&self, signal: Signal) -> io::Result<()> {
            let signal = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            pidfd_send_signal(&self.0, signal).map_err(io::Error::from)
        }

        fn wait(&self, time: Duration) -> bool {
            let deadline = Instant::now() + time;
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
                let mut files = [PollFd::new(&self.0, PollFlags::IN)];
                match poll(&mut files, Some(&left)) {
                    Ok(ready) => return ready > 0,
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return false,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, kill_process, setsid};

    use super::{Identity, Process, Signal, System};

    /// macOS: untested.
    #[derive(Debug)]
    pub struct Other;

    /// A process by its identity, asked again before each signal.
    #[derive(Debug)]
    pub struct Held(Identity);

    impl System for Other {
        type Process = Held;

        fn identify(pid: u32) -> Option<Identity> {
            let line = output("ps", &["-o", "state=,lstart=", "-p", &pid.to_string()])?;
            if line.is_empty() || line.starts_with('Z') {
                return None;
            }
            let start_time = line.bytes().skip(1).fold(0u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
            Some(Identity { pid, start_time, boot_id: output("sysctl", &["-n", "kern.boottime"])? })
        }

        fn open(identity: &Identity) -> Option<Held> {
            (Self::identify(identity.pid).as_ref() == Some(identity)).then(|| Held(identity.clone()))
        }

        fn numbers(pid: u32) -> Vec<u32> {
            vec![pid]
        }

        fn name(pid: u32) -> Option<String> {
            output("ps", &["-o", "comm=", "-p", &pid.to_string()])
        }

        fn leave_terminal() -> io::Result<()> {
            setsid().map(|_| ()).map_err(io::Error::from)
        }

        fn has_terminal() -> bool {
            std::fs::File::open("/dev/tty").is_ok()
        }

        fn ignores_hang_up() -> bool {
            false
        }

        fn listener(_: u16) -> Option<(u32, String)> {
            None
        }
    }

    fn output(program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program).args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
    }

    impl Process for Held {
        fn signal(&self, signal: Signal) -> io::Result<()> {
            let gone = || io::Error::from(io::ErrorKind::NotFound);
            let raw = i32::try_from(self.0.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
            if Other::identify(self.0.pid).as_ref() != Some(&self.0) {
                return Err(gone());
            }
            let signal = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            kill_process(raw, signal).map_err(io::Error::from)
        }

        fn wait(&self, time: Duration) -> bool {
            let deadline = Instant::now() + time;
            while Other::identify(self.0.pid).as_ref() == Some(&self.0) {
                if Instant::now() >= deadline {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            true
        }
    }
}
