"""Disks that know no locks and no fsync, and systems without what only Unix has: a training works there too."""

import errno
import os
import pathlib
import signal
import subprocess
import sys
import types

import pytest

from kgan import files
from kgan.callbacks import Checkpoint
from kgan.checkpoints import disk, lock, signals
from tests.command_line import ROOT
from tests.helpers import compiled

# what Windows lacks, and what it does not do
LIKE_WINDOWS = """
import os, pathlib, sys
sys.modules |= {"fcntl": None, "resource": None}
del os.sysconf
opened, replaced = os.open, os.replace

def open_no_folder(path, *arguments, **more):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return opened(path, *arguments, **more)

def replace_no_open_file(source, target):
    if pathlib.Path(target).name == "generator.keras" and os.path.exists(target):
        raise PermissionError(13, "The process cannot access the file", str(target))
    return replaced(source, target)

os.open, os.replace = open_no_folder, replace_no_open_file
from kgan.cli import main
for arguments in sys.argv[1:]:
    sys.argv = ["kgan", *arguments.split()]
    try:
        main()
    except SystemExit as ended:
        print("exit", ended.code or 0)
"""
RECIPE = """\
data: {name: digits, batch_size: 100, limit: 450}
generator: {name: dense, units: [16]}
discriminator: {name: dense, units: [16]}
steps: 7
callbacks: [{name: checkpoint, every: 3 steps}, {name: image_grid, rows: 1, columns: 1}, {name: loss_plot}]
"""


@pytest.fixture(autouse=True)
def forgotten():
    files.warn_once.cache_clear()


@pytest.mark.longer
def test_a_run_without_what_windows_lacks(tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE)
    train = "train r.yaml --out run --resume"
    changed = f"{train} --allow-changes --set steps=9"
    commands = [train, f"{changed} --set optimizers.discriminator.learning_rate=0.0005"]
    commands += [f"{changed} --set generator.units=[32]", "sample run -n 2 -o x.npy", "train r.yaml --dry-run"]
    done = subprocess.run(
        [sys.executable, "-c", LIKE_WINDOWS, *commands],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    ended = [line for line in done.stdout.splitlines() if line.startswith("exit")]
    assert ended == ["exit 0", "exit 0", "exit 2", "exit 0", "exit 0"], done.stdout + done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("cannot be locked") == 1
    changes = [line for line in done.stderr.splitlines() if " -> " in line]
    assert changes == ["d_opt.learning_rate: 0.001 -> 0.0005", "steps: 7 -> 9"] and "Resuming from" in done.stderr
    assert "--resume  run/checkpoints/step-000009 does not fit this GAN, whose generator has other" in done.stderr
    assert "units: [16]" in (tmp_path / "run" / "resolved.yaml").read_text()  # the refused one left no trace
    assert disk.read_state(disk.latest(tmp_path / "run" / "checkpoints")[0])["step"] == 9
    assert "the new file is run/generator.new.keras" in done.stderr
    assert "memory         unknown on this system" in done.stdout and (tmp_path / "x.npy").is_file()


def unable(number):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    return fails


def test_a_disk_that_knows_neither_locks_nor_fsync(images, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("fcntl.flock", unable(errno.ENOLCK))
    monkeypatch.setattr("os.fsync", unable(errno.EINVAL))
    gan = compiled()
    for epochs in (1, 2):
        gan.fit(images[:16], epochs=epochs, batch_size=8, verbose=0, callbacks=[Checkpoint(tmp_path, resume=True)])
    assert [path.name for path in disk.all_in(tmp_path)] == ["epoch-0001", "epoch-0002"]
    assert disk.latest(tmp_path) == (tmp_path / "epoch-0002", [])  # so the file of the lock is no checkpoint
    said = [record.getMessage() for record in caplog.records if "Resuming" not in record.getMessage()]
    assert len(said) == 2 and "cannot be locked" in said[0] and "power failure" in said[1]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.EBADF, errno.EPERM])
def test_whatever_a_disk_says_that_cannot(tmp_path, monkeypatch, caplog, number):
    monkeypatch.setattr("fcntl.flock", unable(number))
    monkeypatch.setattr("os.fsync", unable(number))
    for name in "ab":
        with lock.held(tmp_path):
            disk.write(tmp_path / name, {}, {"step": 1})
    assert len(disk.all_in(tmp_path)) == 2 and len(caplog.records) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch, number):
    monkeypatch.setattr("os.fsync", unable(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        disk.write(tmp_path / "c", {}, {"step": 1})
    with pytest.raises(OSError, match=os.strerror(number)), files.replace_when_written(tmp_path / "x") as temporary:
        temporary.write_text("")
    assert list(tmp_path.iterdir()) == []


HOLD = """
import errno, fcntl, sys, time
from kgan.checkpoints import lock
{patch}
with lock.held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
NO_FOLDERS = """
flock = fcntl.flock

def refuse(descriptor, flags):
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & 3 == 0:  # opened to be read, as folders are: NFS says this
        raise OSError(errno.EBADF, "Bad file descriptor")
    flock(descriptor, flags)

fcntl.flock = refuse
"""


@pytest.mark.parametrize("patch", ["", NO_FOLDERS], ids=["a folder", "a file in it"])
def test_the_lock_of_a_killed_process_is_gone(tmp_path, monkeypatch, patch):
    if patch:
        exec(patch, {"fcntl": (fake := types.SimpleNamespace(**vars(lock.fcntl))), "errno": errno})
        monkeypatch.setattr(lock, "fcntl", fake)
    code = HOLD.format(patch=patch)
    holder = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(disk.BusyError, match="in use by another process"), lock.held(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with lock.held(tmp_path):
        with pytest.raises(disk.BusyError), lock.held(tmp_path):
            pass
        disk.clean(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ([lock.NAME] if patch else [])
        assert disk.latest(tmp_path) == (None, [])


def test_the_lock_of_windows(tmp_path, monkeypatch):
    """`msvcrt` locks a byte of a file, and says EACCES where another one holds it."""
    fcntl = lock.fcntl

    def locking(descriptor, mode, count):
        assert (mode, count) == ("LK_NBLCK", 1)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(lock, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK="LK_NBLCK"))
    with lock.held(tmp_path), pytest.raises(disk.BusyError), lock.held(tmp_path):
        pass
    with lock.held(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [lock.NAME]


def test_a_checkpoint_that_another_program_reads_is_deleted_later(images, tmp_path, monkeypatch):
    replaced = os.replace

    def replace(source, target):
        if busy and pathlib.Path(source).name == "epoch-0001":
            raise PermissionError(errno.EACCES, "Access is denied")
        replaced(source, target)

    monkeypatch.setattr("os.replace", replace)
    monkeypatch.setattr("time.sleep", lambda _: None)
    gan, saver = compiled(), Checkpoint(tmp_path, keep=1)
    busy = True
    gan.fit(images[:8], epochs=2, verbose=0, callbacks=[saver])
    assert [path.name for path in disk.all_in(tmp_path)] == ["epoch-0001", "epoch-0002"]
    busy = False
    gan.fit(images[:8], epochs=3, initial_epoch=2, verbose=0, callbacks=[saver])
    assert [path.name for path in disk.all_in(tmp_path)] == ["epoch-0003"]


def test_a_handler_that_python_did_not_set(monkeypatch):
    before, put = [], signal.signal
    monkeypatch.setattr(
        "signal.signal", lambda number, handler: before.append(handler) or put(number, handler) and None
    )
    kept = [signal.getsignal(number) for number in signals.NUMBERS]
    try:
        with signals.noted():
            pass
        assert before[-1] == signal.SIG_DFL
    finally:
        for number, handler in zip(signals.NUMBERS, kept, strict=True):
            put(number, handler)
