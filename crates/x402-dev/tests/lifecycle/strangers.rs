//! A PID file that names a stranger, or nothing at all. Whatever it says, nobody else's process is signalled.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::site::{Proc, Site, exists, skip};

/// A process that has nothing to do with us, under a name.
fn stranger(site: &Site, name: &str) -> Proc {
    let program = site.work().join(name);
    let sleep = ["/usr/bin/sleep", "/bin/sleep"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    std::fs::copy(std::fs::canonicalize(sleep).unwrap(), &program).unwrap();
    let mut command = site.program(&program);
    command.arg("600");
    Proc::spawn(command)
}

fn plant(site: &Site, content: &str) {
    std::fs::create_dir_all(site.home()).unwrap();
    std::fs::write(site.pid_file(), content).unwrap();
}

#[test]
fn a_live_stranger_survives_everything() {
    for name in ["sleep", "mockingbird", "x402-dev"] {
        let site = Site::new();
        let stranger = stranger(&site, name);
        let pid = stranger.pid.to_string();
        for (line, code) in [("stop", 2), ("stop --force", 2), ("status", 2), ("list", 0), ("stop --all --force", 0)] {
            plant(&site, &pid);
            let run = site.mock(line);
            assert_eq!(run.code, Some(code), "{name}: {line}: {run:?}");
            assert!(!exists(&site.pid_file()), "{name}: {line} removes the lie");
            assert!(stranger.is_running(), "{name}: {line}");
        }
        plant(&site, &pid);
        site.mock("stop").assert(2).complains(&["Server is not running (stale PID file removed)", &pid]);
        plant(&site, &pid);
        site.mock("status").assert(2).says(&["Server is not running (stale PID removed)", &pid]);
        for line in ["restart --port 0", "-d --port 0", "reload"] {
            plant(&site, &pid);
            site.mock(line).assert(i32::from(line == "reload"));
            assert!(stranger.is_running(), "{name}: {line}");
            site.mock("stop").assert(i32::from(line == "reload"));
        }
        plant(&site, &pid);
        let (server, up) = site.foreground("");
        assert_eq!(site.pid_text(), Some(up.pid.to_string()));
        drop(server);
        assert!(stranger.is_running());
    }
}

/// Puts something in the place of the PID file.
type Planted = (&'static str, fn(&Path));

const LIES: [Planted; 12] = [
    ("empty", |path| std::fs::write(path, "").unwrap()),
    ("garbage", |path| std::fs::write(path, "hello\u{1b}[31m\n").unwrap()),
    ("no text", |path| std::fs::write(path, [0xff, 0, 0xfe]).unwrap()),
    ("zero", |path| std::fs::write(path, "0").unwrap()),
    ("negative", |path| std::fs::write(path, "-1").unwrap()),
    ("init", |path| std::fs::write(path, "1").unwrap()),
    ("a number too large", |path| std::fs::write(path, "4294967297").unwrap()),
    ("huge", |path| std::fs::File::create(path).unwrap().set_len(1 << 40).unwrap()),
    ("a directory", |path| std::fs::create_dir(path).unwrap()),
    ("a link to nowhere", |path| symlink("/nowhere/at/all", path).unwrap()),
    ("a link to an endless file", |path| symlink("/dev/zero", path).unwrap()),
    ("a pipe", |path| {
        let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
    }),
];

#[test]
fn whatever_stands_in_the_place_of_the_pid_file_is_handled_and_said() {
    let site = Site::new();
    std::fs::create_dir_all(site.home()).unwrap();
    for (what, plant) in LIES {
        plant(&site.pid_file());
        let run = site.mock("status");
        assert_eq!(run.code, Some(2), "{what}: {run:?}");
        assert!(run.out.starts_with("Server is not running (stale PID removed)\nremoved   "), "{what}: {run:?}");
        assert!(!run.out.contains('\u{1b}'), "{run:?}");
        assert!(what != "a pipe" || run.out.contains("neither a file nor a directory"), "{run:?}");
        assert!(!exists(&site.pid_file()), "{what}");
        plant(&site.pid_file());
        assert_eq!(site.mock("stop").code, Some(2), "{what}");
        assert!(!exists(&site.pid_file()), "{what}");
        plant(&site.pid_file());
        let up = site.detach("");
        assert_eq!(site.pid_text(), Some(up.pid.to_string()), "{what}");
        site.mock("stop").assert(0);
    }
}

#[test]
fn whatever_stands_there_while_a_server_runs_is_repaired_and_said() {
    let site = Site::new();
    let up = site.detach("");
    for (what, plant) in LIES {
        std::fs::remove_file(site.pid_file()).unwrap();
        plant(&site.pid_file());
        let run = site.mock("status");
        assert_eq!(run.code, Some(0), "{what}: {run:?}");
        assert!(run.out.contains("\nrepaired  the PID file was "), "{what}: {run:?}");
        assert_eq!(site.pid_text(), Some(up.pid.to_string()), "{what}");
        assert!(!site.pid_file().symlink_metadata().unwrap().is_symlink(), "{what}");
    }
    site.mock("status").assert(0);
    std::fs::remove_file(site.pid_file()).unwrap();
    site.mock("stop").assert(0).says(&["Server stopped successfully"]);
}

#[test]
fn a_link_is_replaced_and_never_followed() {
    let site = Site::new();
    std::fs::create_dir_all(site.home()).unwrap();
    let precious = site.write("precious", "1");
    symlink(&precious, site.pid_file()).unwrap();
    site.detach("");
    assert!(!site.pid_file().symlink_metadata().unwrap().is_symlink());
    site.mock("stop").assert(0);
    symlink(&precious, site.pid_file()).unwrap();
    site.mock("status").assert(2);
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "1");
}

#[test]
fn a_directory_that_is_not_empty_is_said_and_not_removed() {
    let site = Site::new();
    std::fs::create_dir_all(site.pid_file().join("precious")).unwrap();
    for line in ["status", "stop", "-d --port 0"] {
        let run = site.mock(line);
        assert_eq!(run.code, Some(73), "{line}: {run:?}");
        assert!(run.err.contains("mock-server.pid"), "{line}: {run:?}");
        assert!(exists(&site.pid_file().join("precious")));
    }
}

#[test]
fn an_unreadable_pid_file_is_no_pid() {
    if rustix::process::geteuid().is_root() {
        skip("the superuser can read every file");
        return;
    }
    let site = Site::new();
    plant(&site, "1");
    std::fs::set_permissions(site.pid_file(), PermissionsExt::from_mode(0o0)).unwrap();
    site.mock("status").assert(2).says(&["(stale PID removed)", "unreadable"]);
}
