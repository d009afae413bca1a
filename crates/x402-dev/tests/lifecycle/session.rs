//! The classic session of the earlier tool, as one script of the shell.

use crate::site::Site;

#[test]
fn the_classic_session_as_one_script() {
    let site = Site::new();
    // A free port that is likely to stay free: the first server has just had it.
    let port = site.detach("").port();
    site.mock("stop").assert(0);
    let script = r#"
        pid=$X402_DEV_HOME/mock-server.pid
        expect() { [ "$2" = "$3" ] || { echo "$1: $3, expected $2" >&2; exit 9; }; }
        "$BIN" mock --port $PORT > out 2> err &
        "$BIN" mock wait; expect wait 0 $?
        "$BIN" mock status; expect 'status of a running one' 0 $?
        expect 'PID file' $! "$(cat "$pid")"
        "$BIN" mock --port $PORT; expect 'a second start' 3 $?
        "$BIN" mock stop; expect stop 0 $?
        wait $!; expect 'the server itself' 0 $?
        [ -e "$pid" ]; expect 'the PID file is gone' 1 $?
        "$BIN" mock status; expect 'status of a stopped one' 2 $?
        "$BIN" mock --port $PORT > out 2> err &
        "$BIN" mock wait; "$BIN" mock restart; expect restart 0 $?
        wait $!; expect 'the old server' 0 $?
        "$BIN" mock status --json | grep -q "\"url\":\"http://127.0.0.1:$PORT\""; expect 'the same port' 0 $?
        "$BIN" mock stop; expect 'stop after restart' 0 $?
        echo 99999 > "$pid"
        "$BIN" mock status; expect 'a stale PID file' 2 $?
        [ -e "$pid" ]; expect 'it was removed' 1 $?
        echo 99999 > "$pid"
        "$BIN" mock stop; expect 'stop of a stale one' 2 $?
        "$BIN" mock stop; expect 'stop of nothing' 1 $?
    "#;
    let run = site.shell(&format!("PORT={port}\n{script}"));
    run.assert(0).says(&[
        "Server is running on http://127.0.0.1:",
        "Server is running (PID: ",
        "Stopping server (PID: ",
        "Server stopped successfully",
        "Server is not running\n",
        "Stopping server (PID: ",
        "Server stopped\n",
        "Starting server...",
        "Stopping server (PID: ",
        "Server stopped successfully",
        "Server is not running (stale PID removed)",
    ]);
    run.complains(&["Server already running (PID: ", "Server is not running", "Server is not running"]);
}
