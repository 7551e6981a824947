"""How often a family halves an image, and where in it attention may sit."""


def halvings(family, image_shape, base):
    """How often height and width are halved: once, then until both are at most `base` or one is odd.

    Raises:
        ValueError: if that is not once.
    """
    if len(image_shape) != 3:
        raise ValueError(f"`image_shape` of {family} must be (height, width, channels). Received: {image_shape!r}")
    height, width, _ = image_shape
    if height % 2 or width % 2:
        raise ValueError(
            f"{family} halves an image at least once, so height and width must be even. Received: {height} x {width}"
        )
    count = 1
    while max(height, width) >> count > base and not (height >> count) % 2 and not (width >> count) % 2:
        count += 1
    return count


def check_attention(attention, heights):
    """Raise ValueError if there are no features of that height."""
    if attention not in (None, *heights):
        raise ValueError(
            f"`attention` must be None or a height of the features, {', '.join(map(str, heights))}. "
            f"Received: {attention!r}"
        )
