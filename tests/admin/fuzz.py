"""Exercises the admin door of the built program by its own description: every check, the same cases in every run.

Usage: fuzz.py PROGRAM [arguments of schemathesis]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SEED = "402"
CASES = "20"
# After so many seconds the run has failed, whatever it does.
LIMIT = 240


def main(program, arguments):
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ.get("PATH", ""), "X402_DEV_HOME": home}
        command = [program, "mock", "--port", "0", "--seed", SEED, "--json", "--quiet"]
        mock = subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(mock.stdout.readline())["url"]
            token = json.loads((pathlib.Path(home) / "mock-server.json").read_text())["token"]
            outcome = fuzz(url, token, arguments)
            # Whatever was sent, it still serves, and has not said a word about a bug.
            assert mock.poll() is None, f"the server ended with {mock.returncode}"
        finally:
            mock.terminate()
            code = mock.wait(timeout=10)
        assert code == 0, f"the server ended with {code}"
        return outcome


def fuzz(url, token, arguments):
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", f"{url}/_x402/openapi.json"]
    command += ["--url", url, "--header", f"Authorization: Bearer {token}"]
    command += ["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", CASES]
    command += ["--generation-deterministic"]
    command += ["--request-timeout", "1", "--warnings", "off", "--no-color", *arguments]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    with tempfile.TemporaryDirectory() as scratch:
        return subprocess.run(command, cwd=scratch, env=environment, timeout=LIMIT).returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
