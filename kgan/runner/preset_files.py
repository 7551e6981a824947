"""The files of presets: where they are, and whether they are what `preset.json` says, before anything is loaded.

A preset is a run directory of a few files: `generator.keras`, `resolved.yaml`, a model card `README.md` with its picture
`samples.png`, and `preset.json`, which has the size and the SHA-256 of each of the others.
"""

import importlib.util
import json
import pathlib

import kgan
from kgan.arguments import nearest
from kgan.files import checksum
from kgan.runner.errors import RecipeError

SHIPPED = pathlib.Path(kgan.__file__).parent / "presets"
FORMAT = 1  # of preset.json; larger ones are of later versions
INDEX, CARD, PICTURE, NEIGHBOURS = "preset.json", "README.md", "samples.png", "neighbours.png"
FILES = ("generator.keras", "resolved.yaml", CARD, PICTURE, NEIGHBOURS)
MOST = 2**31  # bytes of a file
HUB = "hf://"


def find(where):
    """The path of a run, a file, or a preset.

    Args:
        where: Text or path, as in `from_preset`.

    Raises:
        RecipeError: if a preset cannot be fetched, or a name is not one of a preset.
    """
    path = pathlib.Path(where)
    if str(where).startswith(HUB):
        return _fetched(str(where))
    if path.exists() or len(path.parts) != 1 or path.suffix:
        return path
    if (SHIPPED / path / INDEX).is_file():
        return SHIPPED / path
    known = sorted(one.parent.name for one in SHIPPED.glob(f"*/{INDEX}"))
    message = f"{where} is not a run directory with a generator.keras or a checkpoint in it, nor a preset. "
    message += nearest(where, known)
    raise RecipeError.about("RUN", message)


def _fetched(address):
    """The folder with a preset of the Hub, from its cache if it is there."""
    name = address.removeprefix(HUB).strip("/")
    if name.count("/") != 1:
        raise refused(f"{address} is not the address of a preset, which is hf://owner/name")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise refused("hf:// needs huggingface_hub: pip install 'kgan[hub]'")
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        index = pathlib.Path(huggingface_hub.hf_hub_download(name, INDEX))
        listed = _read_index(index)["files"]
        for one in listed:  # of the same revision, although somebody may push meanwhile
            huggingface_hub.hf_hub_download(name, one, revision=index.parent.name)
        return index.parent
    except LocalEntryNotFoundError:
        raise refused(
            f"{address} cannot be fetched, and no copy of it is on this machine: is there a network?"
        ) from None
    except (EntryNotFoundError, RepositoryNotFoundError):
        raise refused(f"{address} is not there, or is no preset of kgan") from None
    except RecipeError:
        raise
    except (OSError, ValueError) as error:  # ValueError: of a name that the Hub does not allow
        said = str(error).strip().splitlines()[0][:200]
        raise refused(f"{address} cannot be fetched: {said}") from None


def check(folder):
    """Check the files of a preset, before any of them is used.

    Raises:
        RecipeError: if one is missing, or is not what `preset.json` says.
    """
    for name, known in _read_index(folder / INDEX)["files"].items():
        path = folder / name
        if not path.is_file():
            raise refused(f"{path} is missing, which {INDEX} lists")
        if path.stat().st_size != known["bytes"] or checksum(path) != known:
            raise refused(f"{path} is damaged or was changed: it is not the file whose checksum {INDEX} has")


def classes(folder):
    """The names of a preset's classes, an empty list if it has none."""
    return _read_index(folder / INDEX)["classes"]


def _read_index(path):
    """The content of `preset.json`, whose form is checked: it may come from a stranger."""
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["preset"] > FORMAT:
            raise refused(f"{path} is of a later version of kgan: update kgan")
        sound = all(isinstance(name, str) for name in found["classes"]) and all(
            name in FILES and isinstance(one["bytes"], int) and 0 <= one["bytes"] < MOST and len(one["sha256"]) == 64
            for name, one in found["files"].items()
        )
    except RecipeError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refused(f"{path} cannot be read: {type(error).__name__}") from None
    if not sound or not {"generator.keras", "resolved.yaml"} <= found["files"].keys():
        raise refused(f"{path} lists other files than those of a preset")
    return found


def refused(message):
    return RecipeError.about("RUN", message)
