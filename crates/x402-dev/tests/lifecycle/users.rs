//! Two users of one home: the second is told, and does no damage.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::output::Run;
use crate::site::{PROGRAM, Site, exists, finish, skip};

/// Runs the program as another user, from a copy that it can reach. `None` where that is not possible here.
fn as_another(site: &Site, program: &Path, line: &str) -> Option<Run> {
    let mut command = site.program("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(program).arg("mock");
    command.args(line.split_whitespace()).current_dir("/");
    let run = finish(command);
    (!run.err.contains("setpriv")).then_some(run)
}

#[test]
fn another_user_is_told_and_does_no_damage() {
    if !rustix::process::geteuid().is_root() {
        skip("only the superuser can run a program as another user");
        return;
    }
    let site = Site::new();
    let open = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    open(site.home().parent().unwrap(), 0o755);
    let program = site.work().join("x402-dev");
    std::fs::copy(PROGRAM, &program).unwrap();
    let up = site.detach("");
    if as_another(&site, &program, "--help").is_none() {
        skip("there is no setpriv here");
        return;
    }
    // As it was made; then with a directory that everybody may look into, and even write to.
    for mode in [0o700, 0o755, 0o777] {
        open(&site.home(), mode);
        let before = site.state();
        for line in [
            "status",
            "list",
            "stop --force --timeout 0ms",
            "stop --all --force --timeout 0ms",
            "restart",
            "reload",
            "env",
            "wait --timeout 0ms",
            "--port 0",
            "-d --port 0",
        ] {
            let run = as_another(&site, &program, line).unwrap();
            // A list says what it can of each.
            let listed = line == "list" && mode != 0o700;
            assert_eq!(run.code, Some(if listed { 0 } else { 73 }), "{mode:o}: {line}: {run:?}");
            if listed {
                run.says(&["default", "unknown: ", "ermission denied"]);
            } else {
                run.complains(&["ermission denied", "X402_DEV_HOME", "--no-instance"]);
            }
            assert_eq!(site.state(), before, "{mode:o}: {line}");
            assert_eq!(site.pid_text(), Some(up.pid.to_string()), "{mode:o}: {line}");
        }
        up.assert_serves();
    }
    // Where even the files are open, the kernel forbids the signal.
    for file in ["mock-server.lock", "mock-server.json", "mock-server.pid"] {
        open(&site.home().join(file), 0o666);
    }
    let run = as_another(&site, &program, "stop --force --timeout 0ms").unwrap();
    run.assert(73).complains(&[&format!("(PID: {}) cannot be signalled", up.pid), "ermitted"]);
    up.assert_serves();
    site.mock("stop").assert(0);
    assert!(!exists(&site.pid_file()));
}
