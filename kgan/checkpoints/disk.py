"""Checkpoints: the whole state of a training as plain arrays and JSON, in a folder that is either complete or absent.

A checkpoint is a folder with

- `arrays.npz`, every variable, uncompressed, no pickles: `variables/0000`, `metrics/0000`, `d_opt/0000`, `g_opt/0000`, ...
- `state.json`, everything else: the position in the training, the callbacks' states, the history, versions, the recipe.
- `manifest.json`, written last: the version of this format, and the size and sha256 of the other two.

It is written under a name that begins with a dot, synced to the disk, and then renamed. Everything is checked before it is
used: a file with a wrong size or hash, an array with a wrong shape or type, and a link are refused.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import zipfile

import numpy as np

from kgan.files import checksum, move, sync, sync_folder

FORMAT = 1
MAX_JSON = 50_000_000  # bytes
_FILES = ("arrays.npz", "state.json")


class BadCheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


class BusyError(RuntimeError):
    """Another process writes to the directory."""


def write(path, arrays, state):
    """Write a checkpoint, which appears under its name only when all of it is on the disk.

    Args:
        path: Path of the new folder. An existing folder is replaced.
        arrays: Dict from the names of groups to lists of arrays.
        state: Data that JSON can represent.

    Raises:
        OSError: if it cannot be written; then no files are left.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _hidden(path)
    try:
        temporary.mkdir()
        named = {f"{group}/{index:04d}": array for group, some in arrays.items() for index, array in enumerate(some)}
        _put(temporary / "arrays.npz", lambda file: np.savez(file, **named))
        _put_json(temporary / "state.json", state)
        files = {name: checksum(temporary / name) for name in _FILES}
        _put_json(temporary / "manifest.json", {"format": FORMAT, "files": files})
        sync_folder(temporary)
        if path.exists():
            delete(path)
        move(temporary, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def delete(path):
    """Delete a checkpoint. It disappears at once, even if deleting its files is interrupted."""
    hidden = _hidden(path, "old")
    move(path, hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def clean(directory):
    """Remove what processes left that were killed while saving or deleting; a complete checkpoint is renamed and kept."""
    for left in pathlib.Path(directory).iterdir():
        hidden = re.fullmatch(r"\.(.+)\.(new|old)\d+", left.name)  # as `_hidden` writes it
        if hidden is None:
            continue
        name = left.with_name(hidden[1])
        with contextlib.suppress(BadCheckpointError):
            verify(left)
            if not name.exists() and hidden[2] == "new":
                move(left, name)
        shutil.rmtree(left, ignore_errors=True)


def _hidden(path, what="new"):
    return path.with_name(f".{path.name}.{what}{os.getpid()}")


def verify(path):
    """Read and check a checkpoint's manifest and both files' sizes and hashes.

    Raises:
        BadCheckpointError: if the manifest is not valid, or a file differs from it.
    """
    path = pathlib.Path(path)
    manifest = _json(path / "manifest.json")
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise BadCheckpointError(f"{path}: its manifest.json is not a valid manifest")
    if manifest.get("format") != FORMAT:
        raise BadCheckpointError(
            f"{path}: its format is {manifest.get('format')!r}, and this version of kgan reads {FORMAT}"
        )
    for name in _FILES:
        file = _plain(path / name)
        try:
            found = checksum(file)
        except OSError as error:
            raise BadCheckpointError(f"{file} cannot be read: {error.strerror}") from None
        if manifest["files"].get(name) != found:
            raise BadCheckpointError(f"{file} is not the file that was written: its size or sha256 differs")


def read_state(path):
    """Return the argument `state` of `write`; the hash is not checked."""
    state = _json(pathlib.Path(path) / "state.json")
    if not isinstance(state, dict) or not isinstance(state.get("step"), int):
        raise BadCheckpointError(f"{path}: its state.json is not a valid state")
    return state


def read_arrays(path, expected):
    """Return the arrays of a checkpoint, by group.

    Args:
        path: Path of the folder.
        expected: Dict from the names of groups to lists of shapes; an array with `None` instead of a shape is not read,
            and is `None` in the result.

    Raises:
        BadCheckpointError: if the arrays differ from these; nothing larger than expected is ever read.
    """
    file = _plain(pathlib.Path(path) / "arrays.npz")
    wanted = {f"{group}/{index:04d}.npy": one for group, some in expected.items() for index, one in enumerate(some)}
    found: dict[str, list[np.ndarray | None]] = {group: [] for group in expected}
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if members.keys() != wanted.keys():
                message = (
                    f"{file} contains {len(members)} arrays, which do not match the {len(wanted)} arrays of this GAN"
                )
                raise BadCheckpointError(message)
            for name, shape in wanted.items():
                array = None if shape is None else _array(archive, members[name], tuple(shape), file)
                found[name.split("/")[0]].append(array)
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        if isinstance(error, BadCheckpointError):
            raise
        raise BadCheckpointError(f"{file} cannot be read: {error}") from None
    return found


def _array(archive, info, shape, file):
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > 8 * int(np.prod(shape, dtype="int64")) + 1000:
        raise BadCheckpointError(f"{file}: {info.filename} is compressed, or larger than an array of shape {shape}")
    with archive.open(info) as opened:
        np.lib.format.read_magic(opened)
        header = np.lib.format.read_array_header_1_0(opened)
    if header[0] != shape or header[2].kind not in "biuf":
        raise BadCheckpointError(
            f"{file}: {info.filename} holds {header[2]} of shape {header[0]}, not numbers of shape {shape}"
        )
    with archive.open(info) as opened:
        return np.lib.format.read_array(opened, allow_pickle=False)


def all_in(directory):
    """Paths of the apparent checkpoints in a folder, ordered by step."""
    found = []
    directory = pathlib.Path(directory)
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.is_dir() and not path.name.startswith("."):
            with contextlib.suppress(BadCheckpointError):
                found.append((read_state(path)["step"], path.name, path))
    return [path for *_, path in sorted(found)]


def latest(directory):
    """The newest checkpoint that is valid.

    Returns:
        Its path, or `None`; and a list of sentences, one for each checkpoint that was skipped.
    """
    directory = pathlib.Path(directory)
    known, passed = all_in(directory), []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.is_dir() and not path.name.startswith(".") and path not in known:
            passed.append(f"{path}: its state.json cannot be read")
    for path in reversed(known):
        try:
            verify(path)
            return path, passed
        except BadCheckpointError as error:
            passed.append(str(error))
    return None, passed


def _plain(path):
    if path.is_symlink() or not path.is_file():
        raise BadCheckpointError(f"{path} is missing, or is not a regular file")
    return path


def _json(path):
    try:
        if _plain(path).stat().st_size > MAX_JSON:
            raise BadCheckpointError(f"{path} is larger than {MAX_JSON:,} bytes")
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, BadCheckpointError):
            raise
        raise BadCheckpointError(f"{path} cannot be read: {str(error).splitlines()[0][:200]}") from None


def _put_json(path, data):
    _put(path, lambda file: file.write(json.dumps(data, indent=1).encode()))


def _put(path, fill):
    with path.open("wb") as file:
        fill(file)
        file.flush()
        sync(file.fileno())
