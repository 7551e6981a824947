"""Facts about models and optimizers for which Keras has no public name, each with the reason why kgan needs it."""

import keras


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


def last_operation(model):
    """The layer or operation that makes a model's output, looking through reshapes, wrappers and nested models.

    `None` for a model without a graph. A discriminator's losses are computed from the input of its last sigmoid; the
    public `layer.output` says which tensor that is, but not which layer made it.
    """
    if not getattr(model, "outputs", None):
        return None
    operation, node, _ = model.outputs[0]._keras_history
    while isinstance(operation, keras.layers.Flatten | keras.layers.Reshape):
        before = operation._inbound_nodes[node].input_tensors[0]
        operation, node, _ = before._keras_history
    if isinstance(operation, keras.Model):
        return last_operation(operation)
    return operation.layer if isinstance(operation, keras.layers.Wrapper) else operation
