"""Two models as one of two towers, for two domains of images a and b, as in CycleGAN (Zhu et al., arXiv:1703.10593).

The generator is `[a, b] -> [like b, like a]`, the discriminator `[b, a] -> [scores of b, scores of a]`. They are
Functional models in which each tower is one layer, and they share their weights with the models that they are made of.
"""

import keras


def generator(to_b, to_a):
    """Join two generators, one for each direction.

    Example:

    >>> resnet = kgan.architectures.resnet_translation
    >>> to_b, to_a = (resnet.generator((16, 16, 3), filters=4, blocks=1) for _ in range(2))
    >>> generator = kgan.architectures.towers.generator(to_b, to_a)
    >>> [layer.name for layer in generator.layers]
    ['a', 'b', 'to_b', 'to_a']

    Args:
        to_b: `keras.Model`, Functional or Sequential: images of a -> images like those of b.
        to_a: `keras.Model`: images of b -> images like those of a. The images of a and b may differ in their channels.

    Returns:
        A `keras.Model`, `[a, b]` -> `[to_b(a), to_a(b)]`.

    Raises:
        ValueError: if a model does not have one input and one output, its images do not have the shape that the other
            model is given, or the two models share weights.
    """
    to_b, to_a = _tower("to_b", to_b, one_output=True), _tower("to_a", to_a, one_output=True)
    _check_weights(to_b, to_a)
    if not _alike(to_b.outputs, to_a.inputs) or not _alike(to_a.outputs, to_b.inputs):
        received = ", ".join(f"`{one.name}` {_shape(one.inputs)} -> {_shape(one.outputs)}" for one in (to_b, to_a))
        raise ValueError(
            f"The images of `to_b` must have the shape that `to_a` is given, and the reverse. Received: {received}"
        )
    a, b = keras.Input(_shape(to_b.inputs), name="a"), keras.Input(_shape(to_a.inputs), name="b")
    return keras.Model([a, b], [to_b(a), to_a(b)], name="generator")


def discriminator(is_b, is_a):
    """Join two discriminators, one for each domain.

    Example:

    >>> patch = kgan.architectures.patch
    >>> is_b, is_a = (patch.discriminator((16, 16, 3), given=False, receptive_field=16, filters=4) for _ in range(2))
    >>> discriminator = kgan.architectures.towers.discriminator(is_b, is_a)
    >>> [layer.name for layer in discriminator.layers]
    ['b', 'a', 'is_b', 'is_a']

    Args:
        is_b: `keras.Model`, Functional or Sequential: images of b -> scores, one tensor or several.
        is_a: `keras.Model`: images of a -> scores.

    Returns:
        A `keras.Model`, `[b, a]` -> `[is_b(b), is_a(a)]`. If each has several scores, all those of b come first.

    Raises:
        ValueError: if a model does not have one input, the two models differ in the number of their outputs, or they
            share weights.
    """
    is_b, is_a = _tower("is_b", is_b), _tower("is_a", is_a)
    _check_weights(is_b, is_a)
    counts = [len(one.outputs) for one in (is_b, is_a)]
    if counts[0] != counts[1]:
        raise ValueError(
            f"`is_b` and `is_a` must have the same number of outputs. Received: {counts[0]} and {counts[1]}"
        )
    b, a = keras.Input(_shape(is_b.inputs), name="b"), keras.Input(_shape(is_a.inputs), name="a")
    return keras.Model([b, a], keras.tree.flatten([is_b(b), is_a(a)]), name="discriminator")


def _tower(name, model, one_output=False):
    """The graph of a model under another name: names of layers must differ, and both models may be of one family."""
    inputs, outputs = (getattr(model, part, None) or [] for part in ("inputs", "outputs"))
    if not isinstance(model, keras.Model) or len(inputs) != 1 or (one_output and len(outputs) != 1):
        received = f"model {model.name!r}, inputs: {len(inputs)}, outputs: {len(outputs)}" if inputs else repr(model)
        parts = "one input and one output" if one_output else "one input"
        raise ValueError(f"`{name}` must be a Functional or Sequential model with {parts}. Received: {received}")
    return keras.Model(inputs[0], outputs if len(outputs) > 1 else outputs[0], name=name)


def _check_weights(first, second):
    shared = {id(variable) for variable in first.variables} & {id(variable) for variable in second.variables}
    if shared:
        raise ValueError(
            f"`{first.name}` and `{second.name}` must not share weights, since Keras could not load the saved model. "
            f"Received: two models with {len(shared)} variables in common"
        )


def _alike(outputs, inputs):
    """Whether what one model makes has the shape that the other one is given; a size that is `None` may be any."""
    made, given = _shape(outputs), _shape(inputs)
    return len(made) == len(given) and all(
        None in sides or sides[0] == sides[1] for sides in zip(made, given, strict=True)
    )


def _shape(tensors):
    return tuple(tensors[0].shape[1:])
