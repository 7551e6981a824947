"""ImageGrid: images of the same latents in the course of the training."""

import pathlib
from typing import Any

import numpy as np

from kgan import latents, pictures
from kgan.arguments import integer
from kgan.callbacks.periodic import Periodic
from kgan.examples import pairs_of
from kgan.files import check_folder


class ImageGrid(Periodic):
    """Writes a PNG of generated images at every interval, always from the same latents, and an animation at the end.

    The images come from the averaged generator if there is one. A fourth channel is the opacity: such images are drawn on
    white. Points in the plane are drawn as a plot, and `fit` refuses what cannot be drawn. With classes the first row shows
    class 0, the next row class 1, and so on, starting again after the last class; the images of a column share their
    latents. If the generator is given images, three pictures stand side by side: what is given, the generated image, and
    the real one. With two domains these are an image of one of them, what it becomes in the other, and what that becomes
    again, in turn from a to b and back, and from b to a and back.

    Example:

    >>> grid = kgan.callbacks.ImageGrid("samples", every="500 steps", rows=4, columns=10)
    >>> # gan.fit(images, epochs=50, callbacks=[grid]) writes samples/step-000500.png, ...

    Args:
        directory: The folder for `epoch-0001.png`, ... and `training.gif`.
        every: Integer, a number of epochs; or a string such as `"2 epochs"` or `"500 steps"`.
        rows: Integer. Rows of the grid.
        columns: Integer. Images in a row.
        seed: Integer. Seed of the latents.
        gif: Whether to write the animation.
        data: For a generator that is given images: real images, or a pair of sources and targets, to show; by default the
            validation data of `fit`, or else the training data.

    Raises:
        ValueError: if the value of an argument is not valid.
    """

    place = "samples"

    def __init__(
        self,
        directory: str | pathlib.Path = "samples",
        every: int | str = 1,
        rows: int = 8,
        columns: int = 8,
        seed: int = 0,
        gif: bool = True,
        data=None,
    ):
        super().__init__(every)
        self.directory, self.gif, self.data = pathlib.Path(directory), gif, data
        self._of_fit: Any = None
        self._pairs: Any = None
        self.rows = integer("rows", rows, at_least=1, of="ImageGrid")
        self.columns = integer("columns", columns, at_least=1, of="ImageGrid")
        self.seed = integer("seed", seed, at_least=0, of="ImageGrid")
        self.written: list[pathlib.Path] = []

    def get_state(self):
        return {**super().get_state(), "written": [path.name for path in self.written]}

    def set_state(self, state):
        super().set_state(state)
        self.written = [self.directory / pathlib.Path(name).name for name in state.get("written", [])]
        self.written = [path for path in self.written if path.is_file()]

    def take_data(self, x, validation=None):
        self._of_fit = x if validation is None else validation

    def set_model(self, model):
        super().set_model(model)
        shapes = model.image_shape if isinstance(model.image_shape, list) else [model.image_shape]
        for shape in shapes:
            pictures.check_drawable(shape)  # before the training, not at the first picture

    def on_train_begin(self, logs=None):
        check_folder("directory", self.directory, "ImageGrid")
        if self.model.condition.gives_images:
            data = self._of_fit if self.data is None else self.data
            count = -(-self.rows * max(1, self.columns // 3) // self.model.condition.towers)
            self._pairs = pairs_of(data, count, self.model, "ImageGrid")
        else:
            self.model.condition.draw(1, None, latents.seeds(0))  # raises now, not hours later

    def act(self, when):
        path = self.directory / f"{when}.png"
        if self._pairs is None:
            images = self.model.generate_grid(self.rows, self.columns, self.seed)
            images = pictures.standard(images, self.model.image_range)
            picture = pictures.picture(images, self.columns)
        else:
            picture = self._side_by_side()
        pictures.save(picture, path)
        self.written.append(path)

    def _side_by_side(self):
        given, real = self._pairs
        if self.model.condition.domains:
            shown = self._there_and_back(given)
        else:
            made = self.model.translate(given, seed=self.seed)
            if real.dtype.kind == "f":
                real = self._standard(real)
            shown = pictures.in_one_form(self.model.condition.drawn(given), self._standard(made), real)
        return pictures.grid(np.stack(shown, axis=1).reshape(-1, *shown[0].shape[1:]), 3 * max(1, self.columns // 3))

    def _there_and_back(self, given):
        """An image, that of the other domain, and what becomes of that: a, b, a and b, a, b in turn."""
        ways = []
        for images, to, back in zip(
            given, self.model.condition.domains, self.model.condition.domains[::-1], strict=True
        ):
            made = self.model.translate(images, seed=self.seed, to=to)
            again = self.model.translate(made, seed=self.seed, to=back)
            ways.append([self._standard(one) for one in (images, made, again)])
        count = min(len(ways[0][0]), len(ways[1][0]))
        alike = pictures.in_one_form(*(one[:count] for way in ways for one in way))
        return [
            np.stack(both, axis=1).reshape(-1, *both[0].shape[1:]) for both in zip(alike[:3], alike[3:], strict=True)
        ]

    def _standard(self, images):
        return pictures.standard(images, self.model.image_range)

    def on_train_end(self, logs=None):
        if self.gif and self.written:
            pictures.animate(dict.fromkeys(self.written), self.directory / "training.gif")
