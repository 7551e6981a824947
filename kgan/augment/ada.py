"""Adaptive discriminator augmentation (Karras et al., arXiv:2006.06676)."""

from collections.abc import Sequence

from keras import ops
from keras.saving import register_keras_serializable

from kgan.arguments import integer, is_number
from kgan.augment.augmentation import check_policy
from kgan.augment.transforms import POLICY, Kind, Transforms


@register_keras_serializable("kgan")
class ADA(Transforms):
    """`Transforms` with a p that increases while the discriminator overfits, and decreases otherwise (arXiv:2006.06676).

    The measure of overfitting is r = E sign(D(real)), the mean over the real images of some updates: 0 if the discriminator
    cannot distinguish them from generated ones, 1 if it recognizes all of them. After these updates

        p <- clip(p + sign(r - target) * images / length, 0, 1)

    where `images` is the number of images in them. D(real) is taken relative to the loss's threshold, or for a paired loss,
    which has no threshold, relative to D(fake). p starts at 0; it is saved with the GAN and logged as `ada_p`.

    Example:

    >>> augment = kgan.augment.ADA(target=0.6, interval=1, length=100)
    >>> augment.adapt(np.array([[2.0], [0.5]]), count=2)
    >>> round(float(augment.p), 4)
    0.02

    Args:
        target: Float in [-1, 1]. The target of r.
        interval: Integer. The number of the discriminator's updates between two changes of p.
        length: Integer. The number of images in which p can go from 0 to 1.
        policy: As in `Transforms`.

    Raises:
        ValueError: if the value of an argument is not valid.
    """

    def __init__(
        self,
        target: float = 0.6,
        interval: int = 4,
        length: int = 500_000,
        policy: Sequence[Kind] = POLICY,
    ):
        super().__init__(policy=check_policy("ADA", policy, POLICY))
        if not is_number(target) or not -1 <= target <= 1:
            raise ValueError(f"`target` of ADA must be in [-1, 1]. Received: {target!r}")
        self.target, self.interval = target, integer("interval", interval, at_least=1, of="ADA")
        self.length = integer("length", length, at_least=1, of="ADA")
        self.p = self.add_weight((), "zeros", dtype="float32", trainable=False, autocast=False, name="p")
        # since the last change of p: the sum of signs, the number of images, the number of updates
        self.seen = self.add_weight((3,), "zeros", dtype="float32", trainable=False, autocast=False, name="seen")

    def adapt(self, margins, count):
        count = ops.cast(count, "float32")
        sign = ops.mean(ops.sign(ops.cast(margins, "float32")))
        seen = self.seen + ops.stack([count * sign, count, ops.ones_like(count)])
        signs, images, updates = ops.unstack(seen)
        due = updates >= self.interval
        p = ops.convert_to_tensor(self.p)
        moved = ops.clip(p + ops.sign(signs / images - self.target) * images / self.length, 0.0, 1.0)
        self.p.assign(ops.where(due, moved, p))
        self.seen.assign(ops.where(due, ops.zeros_like(seen), seen))

    def values(self):
        return {"ada_p": lambda: ops.convert_to_tensor(self.p)}

    def get_config(self):
        arguments = {name: getattr(self, name) for name in ("target", "interval", "length")}
        return {**arguments, "policy": list(self.policy)}
