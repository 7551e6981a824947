"""`kgan` as a person types it: in a process of its own, or in this one, where Keras is imported already."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys

import pytest

import kgan
from kgan.cli import main

ROOT = pathlib.Path(kgan.__file__).parent.parent
KGAN = [sys.executable, "-c", "from kgan.cli import main; main()"]


def start_kgan(*arguments, cwd, **kwargs):
    """Start `kgan` with these arguments in a folder; its errors are said where the rest is."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*KGAN, *map(str, arguments)], cwd=cwd, env=environment, **{**pipes, **kwargs})


def run_kgan(*arguments, cwd, code=0):
    """Run it to the end, which must be this exit code and no traceback; return what was said."""
    process = start_kgan(*arguments, cwd=cwd)
    said = process.communicate()[0]
    assert process.returncode == code, said
    assert "Traceback" not in said, said
    return said


def call_kgan(*arguments, cwd, code=0):
    """The same in this process."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as ended,
    ):
        patch.chdir(cwd)
        patch.setenv("COLUMNS", "300")
        patch.setattr(sys, "argv", ["kgan", *map(str, arguments)])
        main()
    said = out.getvalue() + errors.getvalue()
    assert (ended.value.code or 0) == code, said
    return said
