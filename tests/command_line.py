"""`kgan` as a process of its own."""

import os
import pathlib
import subprocess
import sys

import kgan

ROOT = pathlib.Path(kgan.__file__).parent.parent
KGAN = [sys.executable, "-c", "from kgan.cli import main; main()"]


def start_kgan(*arguments, cwd, **kwargs):
    """Start `kgan` with these arguments in a folder; its errors are said where the rest is."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*KGAN, *map(str, arguments)], cwd=cwd, env=environment, **{**pipes, **kwargs})


def run_kgan(*arguments, cwd, code=0):
    """Run it to the end, which must be this exit code and no traceback; return what was said."""
    process = start_kgan(*arguments, cwd=cwd)
    said = process.communicate()[0]
    assert process.returncode == code, said
    assert "Traceback" not in said, said
    return said
