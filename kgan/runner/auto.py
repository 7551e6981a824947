"""Keys of a recipe that are left to the data: their value is `{name: auto}`, or `auto` alone.

The rules stand one under the other, each with its source or its measurement. What they choose is printed, and written into
`resolved.yaml`; a resumed run keeps what was chosen when it began.
"""

import copy
import math
import pathlib
import statistics
from dataclasses import dataclass, replace

from kgan import backend, data
from kgan.data.names import files_in
from kgan.data.picture_file import UnreadableError, look
from kgan.data.splits import part_of
from kgan.runner import recipes, schema
from kgan.runner.errors import Problem, RecipeError

LOOKED_AT = 200  # pictures of a folder whose sizes are read


@dataclass(frozen=True)
class Facts:
    """What the rules know.

    Attributes:
        count: Integer. Files in the folder, or examples.
        side: Integer. The median of the shorter sides, in pixels; the side of the images once that is chosen.
        classes: Integer. Folders of classes, or labels; 0 without classes.
        accelerator: Whether the engine has one.
        batch: Integer. Images of a batch, once that is known; before that the default.
        images: Integer. Images of the whole training, once that is known.
    """

    count: int
    side: int
    classes: int
    accelerator: bool
    batch: int = 64
    images: int = 64


def size(facts):
    """The largest of 32, 64, 128 and 256 pixels that enlarges pictures by no more than a quarter; 64 at most on a CPU."""
    most = 256 if facts.accelerator else 64
    return max((side for side in (32, 64, 128, 256) if side <= min(most, 1.25 * facts.side)), default=32)


def batch_size(facts):
    """As `--cfg=auto` of StyleGAN2-ADA (arXiv:2006.06676): 32, fewer above 128 pixels; on a CPU 16, for more steps.

    At most a quarter of the images.
    """
    return max(1, min(32 if facts.accelerator else 16, 4096 // facts.side, math.ceil(facts.count / 4)))


def steps(facts):
    """Images seen: 300 times each, at least 500,000 of them and at most 4,000,000."""
    return math.ceil(min(max(300 * facts.count, 500_000), 4_000_000) / facts.batch)


def g_filters(facts):
    """12 on a CPU, which makes many small steps; 48 on an accelerator."""
    return 48 if facts.accelerator else 12


def d_filters(facts):
    """16 on a CPU; 64 on an accelerator, as in DCGAN (arXiv:1511.06434)."""
    return 64 if facts.accelerator else 16


def r1_weight(facts):
    """Proportional to the pixels of an image and to 1 / batch, as in StyleGAN2-ADA: 1 for 32 x 32 in batches of 32."""
    return float(f"{facts.side**2 / 32**2 * 32 / facts.batch:.2g}")


def augment(facts):
    """ADA where there are at most 50,000 images; on a CPU, where it takes as long as the networks, at most 2,000.

    3,419 emoji on one core, with earlier networks: a Frechet distance of 9.6 without it and 13.6 with it after 8 minutes,
    8.2 and 10.4 after 20.
    """
    return {"name": "ada"} if facts.count <= (50_000 if facts.accelerator else 2000) else None


def ema(facts):
    """A half-life of 10,000 images, as in StyleGAN2-ADA."""
    return round(0.5 ** (facts.batch / 10_000), 5)


def flip(facts):
    """Never chosen: only who knows the pictures can say whether mirrored ones belong to them, so the question is printed."""
    return False


def num_classes(facts):
    """The folders of classes, or `null` where there are none."""
    return facts.classes or None


def schedule_steps(facts):
    """Schedules end with the training."""
    return math.ceil(facts.images / facts.batch)


# in this order: later rules depend on what earlier ones chose
RULES = {
    ("data", "size"): size,
    ("data", "batch_size"): batch_size,
    ("steps",): steps,
    ("num_classes",): num_classes,
    ("generator", "filters"): g_filters,
    ("discriminator", "filters"): d_filters,
    ("penalties", "*", "weight"): r1_weight,
    ("augment",): augment,
    ("data", "flip"): flip,
    ("ema",): ema,
    ("optimizers", "discriminator", "learning_rate", "steps"): schedule_steps,
    ("optimizers", "generator", "learning_rate", "steps"): schedule_steps,
}
# where the JSON Schema has them: a part of the name of a definition, and its keys
IN_SCHEMA = {
    "data_": ("size", "batch_size", "flip"),
    "architecture_": ("filters",),
    "penalties_": ("weight",),
    "ramp_": ("steps",),
}
NOMINAL = Facts(count=1000, side=64, classes=0, accelerator=False)  # so that all other keys can be checked first


def settle(given, directory=None):
    """Return a recipe in which every `auto` is replaced by what its rule chooses for the data.

    Args:
        given: `Given`. Its data are changed in place, and `chosen` notes the values by their paths.
        directory: Path of a run that is resumed, whose values are kept.

    Returns:
        A checked `Recipe`.

    Raises:
        RecipeError: if the recipe is wrong, or a key that is `auto` has no rule.
    """
    left = list(_left_open(given.data))
    if not left:
        return schema.validate(given)
    unknown = [path for path in left if _rule_of(path) is None]
    if unknown:
        known = ", ".join(".".join(key) for key in RULES)
        said = f"cannot be auto; the keys that can are {known}"
        raise RecipeError(given.source, [Problem(path, said, given.places.get(path)) for path in unknown])
    nominal = replace(given, data=_filled(given.data, left, NOMINAL)[0])
    checked = schema.validate(nominal)
    if directory is not None:
        before = recipes.read(str(directory / "resolved.yaml")).data
        given.data = _filled(given.data, left, NOMINAL, before)[0]
    else:
        given.data, given.chosen = _filled(given.data, left, _facts_of(checked))
    return schema.validate(given)


def line(chosen):
    """What the rules chose, in a sentence."""
    values = {}  # the length of all schedules is said once
    for path, value in chosen.items():
        name = path[-1] if path[0] in ("data", "optimizers") else ".".join(map(str, path))
        values[name, _shown(value)] = f"{name} {_shown(value)}"
    asked = "; add --set data.flip=true if mirrored pictures may be among yours" if ("data", "flip") in chosen else ""
    return f"chosen: {', '.join(values.values())}{asked}"


def _shown(value):
    return value["name"] if isinstance(value, dict) else {None: "null", False: "false"}.get(value, value)


def _left_open(value, path=()):
    """Yield the paths of all keys that are `{name: auto}`, and of those with a rule that are `auto`."""
    if value == {"name": "auto"} or (value == "auto" and _rule_of(path)):
        yield path
    elif isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _left_open(one, (*path, key))


def _rule_of(path):
    return RULES.get(tuple("*" if isinstance(key, int) else key for key in path))


def _filled(data, left, facts, before=None):
    """A copy of a recipe's data with values for these paths, and those values by path.

    The values are those of `before`, another recipe's data, as far as it has them.
    """
    data, chosen = copy.deepcopy(data), {}
    for rule in RULES.values():
        facts = _with_chosen(facts, data)
        for path in left:
            if _rule_of(path) is rule and path not in chosen:
                try:
                    chosen[path] = _value_at(before, path)
                except (KeyError, IndexError, TypeError):  # of a run of another recipe, or of none
                    chosen[path] = rule(facts)
                _value_at(data, path[:-1])[path[-1]] = chosen[path]
    return data, chosen


def _with_chosen(facts, data):
    """The facts with what the recipe says itself, or what has been chosen by now."""
    source = data.get("data")
    source = source if isinstance(source, dict) else {}
    sides = source.get("size")
    side = min(map(_count, sides)) if isinstance(sides, list) and sides else _count(sides)
    batch = _count(source.get("batch_size")) or facts.batch
    images = _count(data.get("steps")) * batch or _count(data.get("epochs")) * facts.count
    return replace(facts, side=side or facts.side, batch=batch, images=images or facts.images)


def _count(value):
    """A number of a recipe that is not checked yet; 0 for anything but an integer above 0."""
    return value if type(value) is int and value > 0 else 0


def _value_at(data, path):
    for key in path:
        data = data[key]
    return data


def _facts_of(recipe):
    """The `Facts` of a checked recipe's data; those of a folder without decoding its pictures."""
    source, accelerator = recipe.data, backend.has_accelerator()
    path = None if source.path is None else pathlib.Path(source.path).expanduser()
    try:
        if path is None or not path.is_dir():
            found = data.load(source.name if source.name != "own" else None, path, source.split, shape=source.shape)
            count, side = len(found.images), min(found.image_shape[:2])
            classes = 0 if found.labels is None else int(found.labels.max()) + 1
        else:
            count, side, classes = _of_folder(part_of(path, source.split)[0])
    except (ValueError, OSError):  # whatever is wrong with the data is said when they are read
        return replace(NOMINAL, accelerator=accelerator)
    return Facts(min(count, source.limit or count), side, classes, accelerator)


def _of_folder(folder):
    """How many files it has, the median of the shorter sides, and how many folders of classes."""
    files = files_in(folder, {})
    shorter = []
    for path in files[:: math.ceil(len(files) / LOOKED_AT) or 1]:
        try:
            shorter.append(min(look(path).size))
        except UnreadableError:
            continue
    names = {path.relative_to(folder).parts[0] for path in files if path.parent != folder}
    in_classes = names and not any(path.parent == folder for path in files)
    return max(1, len(files)), round(statistics.median(shorter or [NOMINAL.side])), len(names) if in_classes else 0


def json_schema():
    """The JSON Schema of recipes, with `auto` wherever there is a rule for a key."""
    found = schema.json_schema()
    named = {"type": "object", "properties": {"name": {"const": "auto"}}, "required": ["name"]}
    found["$defs"]["auto"] = {"anyOf": [{"const": "auto"}, {**named, "additionalProperties": False}]}

    def allow(properties, keys):
        for key in properties.keys() & set(keys):
            own = properties[key]
            about = {word: own.pop(word) for word in ("title", "default") if word in own}
            properties[key] = {"anyOf": [own, {"$ref": "#/$defs/auto"}], **about}

    allow(found["properties"], [path[0] for path in RULES if len(path) == 1])
    for name, definition in found["$defs"].items():
        for start, keys in IN_SCHEMA.items():
            if start in name:
                allow(definition.get("properties", {}), keys)
    return found
