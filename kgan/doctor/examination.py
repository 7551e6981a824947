"""Measuring a GAN in the course of its training, without a change to it: no weight, no statistic, no seed."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from kgan import backend, examples, pictures, tricks
from kgan.conditions import each, scaled
from kgan.data import brought
from kgan.data.spread import positions
from kgan.doctor import vitals
from kgan.players.samples import Samples

VALUES = 64 * 64 * 64 * 3  # at most so many in the images that are compared, and
MOST, LEAST = 64, 8  # so many images
SEEN, SIDE = 512, 16  # training images among which copies are looked for, at this size


class Examination:
    """What can be measured of a GAN and its data.

    Args:
        gan: `kgan.GAN`, compiled.
        data: The data of `fit`, `x` or `(x, y)`; `None` measures the weights alone.
        validation: Its validation data.
    """

    def __init__(self, gan, data=None, validation=None):
        self.gan = gan
        self._real: Any = None
        self._unseen: Any = None
        self._given = self._labels = None
        if data is not None and not gan.condition.domains:
            self._take(data, validation)

    def _take(self, data, validation):
        gan = self.gan
        count = int(np.clip(VALUES // math.prod(gan.image_shape), LEAST, MOST))
        try:
            if gan.condition.gives_images:
                self._given, self._real = examples.pairs_of(data, count, gan, "the doctor")
                self._real = self._own(self._real)
                return
            images, labels = examples.images_of(data, SEEN, gan)
            chosen = positions(len(images), count)
            self._labels = None if labels is None or not gan.condition.classes else labels[chosen]
            self._real = self._own(np.asarray(images[chosen]))
            if len(self._real) < LEAST:
                self._real = None
                return
            seen = positions(len(images), SEEN)
            self._seen = small(self._own(np.asarray(images[seen])))
            if validation is not None:
                others, _ = examples.images_of(validation, SEEN, gan)
                self._unseen = self._own(np.asarray(others[: len(self._real)]))
        except (ValueError, TypeError):  # data that can be read only once, or not by itself
            self._real = None

    def _own(self, images):
        """Images as the discriminator sees them."""
        images = brought.fitted(ops.convert_to_tensor(images), self.gan.image_shape)
        return ops.convert_to_numpy(scaled(images, self.gan.image_range))

    def ranges(self):
        """The ends of the real images' range, and of the generator's."""
        if self._real is None:
            return {}
        ends = {"real_low": float(self._real.min()), "real_high": float(self._real.max())}
        return {**ends, "range_low": self.gan.image_range[0]}

    def values(self):
        """The numbers of a visit, by name."""
        gan = self.gan
        found = {"finite": 1.0, "g_updates": float(gan.g_opt.iterations), **self._of_weights()}
        if gan.augment is not None:
            found["augment_p"] = max([0.0, *(float(value()) for value in gan.augment.values().values())])
        if self._real is not None:
            found |= self._of_images()
        bad = [name for name, value in found.items() if not math.isfinite(value) and name in FINITE]
        return found | ({"finite": 0.0} if bad else {})

    def _of_weights(self):
        gan = self.gan
        found = {f"weights_of_{name}": self._rms(name) for name in ("generator", "discriminator")}
        clips = [trick.bound for trick in gan.rules.tricks if isinstance(trick, tricks.WeightClip)]
        if clips:
            weights = [ops.convert_to_numpy(one) for one in gan.discriminator.trainable_variables]
            inside = sum(int((np.abs(one) < 0.99 * clips[0]).sum()) for one in weights)
            found["at_bound"] = 1.0 - inside / sum(one.size for one in weights)
        return found

    def _rms(self, player):
        kernels = [one for one in getattr(self.gan, player).trainable_variables if len(one.shape) > 1]
        squares = sum(float(np.square(ops.convert_to_numpy(one), dtype="float32").sum()) for one in kernels)
        return math.sqrt(squares / max(1, sum(math.prod(one.shape) for one in kernels)))

    def _of_images(self):
        gan, real = self.gan, self._real
        latents = gan._latents(np.arange(len(real)), _seeds())
        given = self._given if self._given is not None else gan.condition.draw(len(real), self._labels, _seeds())
        fake = self._made_by(gan.generator, latents, given)
        found = self.ranges()
        shown, real_shown = (pictures.standard(images, gan.image_range) for images in (fake, real))
        labels = self._labels
        found["spread"] = vitals.spread(shown, real_shown, labels, labels)
        if self._given is None:
            found["duplicates"] = vitals.duplicates(shown, real_shown)
            if labels is None and shown.ndim == 4:
                found["copied"] = vitals.copied(small(shown), small(real_shown), self._seen)
        found["still"], found["still_real"] = vitals.still(shown), vitals.still(real_shown)
        if shown.ndim == 4:
            measures = {"saturated": vitals.saturated}
            if any(isinstance(layer, keras.layers.Conv2DTranspose) for layer in backend.layers_in(gan.generator)):
                measures["checkerboard"] = vitals.checkerboard
            for name, measure in measures.items():
                found[name], found[f"{name}_real"] = measure(shown), measure(real_shown)
        if gan.ema_generator is not None:
            averaged = pictures.standard(self._made_by(gan.ema_generator, latents, given), gan.image_range)
            apart = np.linalg.norm(vitals.flat(averaged) - vitals.flat(shown), axis=1).mean()
            found["behind"] = float(apart / vitals.mean_distance(real_shown))
        if labels is not None and len(labels) > 1 and latents is not None:
            other = gan.condition.draw(len(real), np.roll(labels, 1), _seeds())
            moved = pictures.standard(self._made_by(gan.generator, latents, other), gan.image_range)
            differ = labels != np.roll(labels, 1)
            if differ.any():
                apart = vitals.mean_distance(shown, labels)
                found["class_gap"] = vitals.class_gap(shown[differ], moved[differ], apart)
        return found | self._of_scores(fake, given)

    def _made_by(self, generator, latents, given):
        gan = self.gan
        return Samples(generator, latents, given, gan.image_shape, 64, gan.condition)[:]

    def _of_scores(self, fake, given):
        """The discriminator's mean scores, and the norm of the generator's gradient with respect to an image."""
        gan, found = self.gan, {}
        given = None if given is None else each(ops.convert_to_tensor, given)

        def logits(images):
            return gan.critic(ops.convert_to_tensor(images), given, training=False).logits

        with backend.undisturbed(), backend.by_itself(gan.discriminator):
            on_real, on_fake = logits(self._real), logits(fake)
            margins = {
                "real_margin": gan.loss.margin(on_real, on_fake),
                "fake_margin": gan.loss.margin(on_fake, on_real),
            }
            if self._unseen is not None and self._labels is None and len(self._unseen) == len(fake):
                margins["val_margin"] = gan.loss.margin(logits(self._unseen), on_fake)

            def loss(images):
                verdict = gan.critic(images, given, training=False).logits
                return gan.loss.generator(verdict, on_real)

            slopes = ops.convert_to_numpy(backend.input_gradient(loss, ops.convert_to_tensor(fake)))
        for name, margin in margins.items():
            parts = margin if isinstance(margin, list) else [margin]
            found[name] = float(sum(ops.convert_to_numpy(one).mean() for one in parts))
        found["slope"] = float(np.linalg.norm(vitals.flat(slopes), axis=1).mean())
        return found


FINITE = ("weights_of_generator", "weights_of_discriminator", "spread", "real_margin", "fake_margin", "slope")


def small(images):
    """Images of at most 16 x 16 pixels, means of their blocks, so that distances are cheap."""
    if images.ndim != 4:
        return images
    by = [max(1, side // SIDE) for side in images.shape[1:3]]
    height, width = (side // one for side, one in zip(images.shape[1:3], by, strict=True))
    parts = images[:, : height * by[0], : width * by[1]]
    return parts.reshape(len(images), height, by[0], width, by[1], -1).mean((2, 4))


def _seeds():
    from kgan.latents import seeds

    return seeds(0)
