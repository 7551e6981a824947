"""What images depend on besides latents: nothing, a class, or an image.

A condition reads a batch, defines the inputs of the players, draws what `generate` needs, and checks all of it. The rest of
kgan passes on the condition's values y without reading them: the generator takes latents z, `[z, y]`, or y alone, the
discriminator an image x, or `[x, y]` if it has two inputs.
"""

from kgan.arguments import integer, lookup
from kgan.conditions.batch import Batch, no_weights, scaled, unpacked
from kgan.conditions.classes import Classes, Unconditional
from kgan.conditions.condition import Condition, each, is_score, leaves, shown, takes_given, together, total
from kgan.conditions.derived import Downscaled, Edges, Grey
from kgan.conditions.images import PAIRS, Derived, ImageCondition, Pairs
from kgan.conditions.masked import Masked
from kgan.conditions.unpaired import Unpaired

__all__ = [
    "Batch",
    "Classes",
    "Condition",
    "Derived",
    "Downscaled",
    "Edges",
    "Grey",
    "ImageCondition",
    "Masked",
    "PAIRS",
    "Pairs",
    "Unconditional",
    "Unpaired",
    "each",
    "get",
    "is_score",
    "leaves",
    "no_weights",
    "scaled",
    "shown",
    "takes_given",
    "together",
    "total",
    "unpacked",
]

CONDITIONS = {
    "classes": Classes,
    "downscaled": Downscaled,
    "edges": Edges,
    "grey": Grey,
    "masked": Masked,
    "pairs": Pairs,
    "unconditional": Unconditional,
    "unpaired": Unpaired,
}


def get(identifier=None, num_classes=None):
    """Return a condition: the object itself, the one of that name, or `Classes(num_classes)`.

    Args:
        identifier: A `Condition`, or a name in `CONDITIONS`; `None` for `Unconditional`.
        num_classes: Integer, the short form of `Classes(num_classes)`.

    Raises:
        ValueError: if `identifier` is not valid, or both are given.
    """
    if num_classes is not None:
        if identifier is not None:
            raise ValueError(
                "`num_classes` is the short form of `condition=kgan.conditions.Classes(...)`; give one of the two. "
                f"Received: num_classes={num_classes!r} and a condition, {type(identifier).__name__}"
            )
        return Classes(integer("num_classes", num_classes, at_least=1))
    if isinstance(identifier, Condition):
        return identifier
    if identifier is None:
        return Unconditional()
    if isinstance(identifier, str):
        kind = lookup("condition", identifier, CONDITIONS)
        try:
            return kind()
        except TypeError:
            raise ValueError(
                f"`condition` {identifier!r} needs arguments: give the object, kgan.conditions.{kind.__name__}(...)."
            ) from None
    raise ValueError(
        "`condition` must be None, a name of kgan.conditions or an object such as kgan.conditions.Classes(10). "
        f"Received: {identifier!r}"
    )
