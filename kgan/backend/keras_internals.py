"""What Keras knows of models and optimizers but has no public name for; each with the reason why kgan needs it."""

import keras


def layers_in(model):
    """All layers of a model, those inside of other layers and of wrappers too.

    `model.layers` ends at the first level, and `frozen` and `pin_seeds` must not miss a layer inside of another one.
    """
    return model._flatten_layers()


def variables_of(optimizer):
    """The variables that an optimizer was built for.

    `optimizer.variables` holds its slots alone, and an optimizer of another model must be refused before it updates.
    """
    return optimizer._trainable_variables


def last_operation(model):
    """The layer or operation that makes a model's output, looking through reshapes, wrappers and nested models.

    `None` of a model without a graph. A discriminator's losses are computed from what goes into its last sigmoid; the
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
