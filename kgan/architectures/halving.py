"""How often an architecture halves an image, and at which sizes it may have attention."""

import math
from collections.abc import Sequence

from kgan.arguments import Misfit, integer


def halvings(family, image_shape, base, least=1, odd=False):
    """How often height and width are halved: `least` times, and then until both are at most `base` or one is odd; if `odd`
    is true, an odd side is halved up, as convolutions with "same" padding do.

    Raises:
        Misfit: if they cannot be halved so often.
    """
    check_image("image_shape", family, image_shape, name="dense")
    integer("base", base, at_least=1, of=family)
    check_multiples(f"{family} halves an image at least {('once', 'twice')[least - 1]}", image_shape, 2**least)
    height, width, _ = image_shape
    count = least
    while -(-max(height, width) // 2**count) > base and (odd or not (height >> count) % 2 and not (width >> count) % 2):
        count += 1
    return count


def check_image(argument, family, shape, **instead):
    """Raise Misfit, with what fits `instead`, if it is not the shape of an image."""
    if not isinstance(shape, Sequence) or len(shape) != 3:
        raise Misfit(f"`{argument}` of {family} must be (height, width, channels). Received: {shape!r}", **instead)


def check_multiples(because, image_shape, divisor, least=1):
    """Raise Misfit if a side is not a multiple of `divisor`, or is below `least`; the message begins with `because`."""
    height, width, _ = image_shape
    if height % divisor or width % divisor or min(height, width) < least:
        nearest = [max(1, math.ceil(least / divisor), round(side / divisor)) * divisor for side in (height, width)]
        and_least = f" and at least {least}" if least > divisor else ""
        raise Misfit(
            f"{because}, so height and width must be multiples of {divisor}{and_least}. "
            f"Received: {height} x {width}; the nearest that fits is {nearest[0]} x {nearest[1]}.",
            size=nearest[0] if nearest[0] == nearest[1] else nearest,
        )


def check_attention(attention, heights):
    """Raise Misfit if there are no features of that height."""
    if attention not in (None, *heights):
        raise Misfit(
            f"`attention` must be None or a height of the features, {', '.join(map(str, heights))}. "
            f"Received: {attention!r}",
            attention=None,
        )
