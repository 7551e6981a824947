"""How often an architecture halves an image, and at which sizes it may have attention."""

from collections.abc import Sequence

from kgan.arguments import Misfit


def halvings(family, image_shape, base, least=1):
    """How often height and width are halved: `least` times, and then until both are at most `base` or one is odd.

    Raises:
        Misfit: if they cannot be halved so often.
    """
    if not isinstance(image_shape, Sequence) or len(image_shape) != 3:
        message = f"`image_shape` of {family} must be (height, width, channels). Received: {image_shape!r}"
        raise Misfit(message, name="dense")
    height, width, _ = image_shape
    if height % 2**least or width % 2**least:
        nearest = [max(1, round(side / 2**least)) * 2**least for side in (height, width)]
        raise Misfit(
            f"{family} halves an image at least {('once', 'twice')[least - 1]}, so height and width must be multiples of "
            f"{2**least}. Received: {height} x {width}; the nearest that fits is {nearest[0]} x {nearest[1]}.",
            size=nearest[0] if nearest[0] == nearest[1] else nearest,
        )
    count = least
    while max(height, width) >> count > base and not (height >> count) % 2 and not (width >> count) % 2:
        count += 1
    return count


def check_attention(attention, heights):
    """Raise Misfit if there are no features of that height."""
    if attention not in (None, *heights):
        raise Misfit(
            f"`attention` must be None or a height of the features, {', '.join(map(str, heights))}. "
            f"Received: {attention!r}",
            attention=None,
        )
