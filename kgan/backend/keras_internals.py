"""Facts about models and optimizers for which Keras has no public name, each with the reason why kgan needs it."""

import contextlib
from types import SimpleNamespace

import keras
from keras.src.trainers.compile_utils import MetricsList


class Directions(MetricsList):
    """A metric without values: it tells Keras' callbacks with `mode="auto"` in which direction each log gets better.

    They look for the direction in the lists of metrics among `model.metrics`, and kgan's logs are in one vector.

    Args:
        better: Dict from the name of a log to `"min"` or `"max"`.
    """

    def __init__(self, better):
        found = {name: "up" if way == "max" else "down" for name, way in better.items()}
        super().__init__([SimpleNamespace(name=name, _direction=way) for name, way in found.items()], "directions")

    def reset_state(self):
        pass

    def result(self):
        return {}


@contextlib.contextmanager
def channels_last():
    """A context in which new layers have the channels last, whatever keras.json says."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def layers_in(model):
    """All layers of a model, including those inside of other layers and wrappers.

    `model.layers` ends at the first level, and `frozen` and `pin_seeds` must not miss a layer inside of another one.
    """
    return model._flatten_layers()


def losses_of_last_call(model):
    """The losses that the layers of a model added in its last call: activity regularizers, and `add_loss`.

    The public `model.losses` contains the regularizers of weights too, which an update counts once.
    """
    return [loss for layer in layers_in(model) for loss in layer._get_own_losses()]


def variables_of(optimizer):
    """The variables that an optimizer was built for.

    `optimizer.variables` contains only its slots, and an optimizer of another model must be refused before an update.
    """
    return optimizer._trainable_variables


def learning_rate_of(optimizer):
    """The learning rate that an optimizer was given: a variable, or the schedule itself.

    `optimizer.learning_rate` is a schedule's value at the current step, and a schedule must be checked before training.
    """
    return optimizer._learning_rate


def operations_before(tensor):
    """Yield the operations that made a symbolic tensor, the last one first, as long as each has one input tensor; each with
    the positional arguments of its call, in which that tensor is a `keras.KerasTensor`.

    The public `layer.output` says which tensor a layer made, but not which operation made a tensor.
    """
    while True:
        operation, node, _ = tensor._keras_history
        made = operation._inbound_nodes[node]
        yield operation, made.arguments.args
        if len(made.input_tensors) != 1:
            return
        [tensor] = made.input_tensors


def last_operation(model, output=0):
    """The layer or operation that makes an output of a model, by its position, looking through reshapes, wrappers and nested
    models.

    `None` for a model without a graph. A discriminator's losses are computed from the input of its last sigmoid; the
    public `layer.output` says which tensor that is, but not which layer made it.
    """
    if not getattr(model, "outputs", None):
        return None
    made = operations_before(model.outputs[output])
    operation = next(one for one, _ in made if not isinstance(one, keras.layers.Flatten | keras.layers.Reshape))
    if isinstance(operation, keras.Model):
        history = model.outputs[output]._keras_history
        return last_operation(operation, history.tensor_index if history.operation is operation else 0)
    return operation.layer if isinstance(operation, keras.layers.Wrapper) else operation
