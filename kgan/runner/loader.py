"""Reads YAML as plain data, with the place of every key.

PyYAML's own loaders run tags, keep the last of two equal keys, read `1e-3` as a string and `no` as False, and follow aliases
without a limit. Here PyYAML only parses; scalars are read by the core schema of YAML 1.2.
"""

import re

import yaml

from kgan.runner.errors import Problem, RecipeError

MAX_BYTES = 1_000_000
MAX_NODES = 10_000
MAX_DEPTH = 20
_NO_TAGS = "tags (words with a `!`) are not allowed; recipes are plain data"

_SCALARS = (
    (re.compile(r"~|null|Null|NULL|"), lambda text: None),
    (re.compile(r"true|True|TRUE"), lambda text: True),
    (re.compile(r"false|False|FALSE"), lambda text: False),
    (re.compile(r"[-+]?[0-9]{1,400}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", "", 1))),
)


def load(text, source):
    """Read YAML.

    Args:
        text: String.
        source: Its name in error messages, such as the file name.

    Returns:
        The data, and a dict from the path of every value, a tuple of keys and indices, to its (line, column), from 1.

    Raises:
        RecipeError: if it is not valid YAML, or anything but plain data of moderate size.
    """
    if len(text) > MAX_BYTES:
        raise RecipeError.about(source, f"longer than {MAX_BYTES:,} characters")
    try:
        tagged = {
            _place(token): token for token in yaml.scan(text, yaml.SafeLoader) if isinstance(token, yaml.TagToken)
        }
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else None
        raise RecipeError(source, [Problem((), f"not YAML: {error.problem or error.context}", at)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RecipeError(source, [Problem((), f"not YAML: the character {error.character:#x}", (line, 1))]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError.about(source, f"not YAML: {str(error).splitlines()[0]}") from None
    if node is None:
        return None, {}
    reader = _Reader(tagged)
    data = reader.value(node, ())
    reader.problems += [Problem((), _NO_TAGS, place) for place in tagged]  # tags at places where no value begins
    if reader.problems:
        raise RecipeError(source, reader.problems)
    return data, reader.places


def scalar(text):
    """The value of an unquoted YAML scalar."""
    for pattern, convert in _SCALARS:
        if pattern.fullmatch(text):
            return convert(text)
    return text


def _place(item):
    """Line and column of a node or token, from 1."""
    return item.start_mark.line + 1, item.start_mark.column + 1


class _Reader:
    def __init__(self, tagged):
        self.tagged = tagged
        self.places = {}
        self.problems = []
        self.count = 0

    def value(self, node, path):
        place = _place(node)
        self.places.setdefault(path, place)
        self.count += 1
        if self.count > MAX_NODES or len(path) > MAX_DEPTH:
            if not self.problems or self.problems[-1].path != ():
                self.problems.append(Problem((), "too large, too deep, or an alias repeats too much", place))
            return None
        if self.tagged.pop(place, None):
            self.problems.append(Problem(path, _NO_TAGS, place))
            return None
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.style else scalar(node.value)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node, path):
        data = {}
        for key_node, value_node in node.value:
            place = _place(key_node)
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str) or key_node.tag == "tag:yaml.org,2002:merge":
                self.problems.append(Problem(path, "a key must be a plain name", place))
            elif key in data:
                self.problems.append(Problem((*path, key), "given twice", place))
            else:
                self.places[(*path, key)] = place
                data[key] = self.value(value_node, (*path, key))
            if self.count > MAX_NODES:
                break
        return data
