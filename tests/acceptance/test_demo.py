"""A demo that a script has started ends when it is told to."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_a_demo_in_the_background_of_a_script_ends_on_sigterm_and_leaves_nothing(tmp_path: Path) -> None:
    # A shell that runs no terminal starts what has & behind it with Ctrl-C ignored.
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "gatepost", "demo", "--days", "1"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    while "starting gatepost" not in (line := process.stdout.readline()):
        assert line, "the demo ended by itself"

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 130
    assert list(tmp_path.glob("gatepost-demo-*")) == []
