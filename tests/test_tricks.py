"""What can be done to the discriminator's weights, labels and inputs."""

import keras
import pytest
from keras import layers, ops

from tests.helpers import assert_close, compiled, small_discriminator, small_gan, state, values

BOUND = 0.02


@keras.saving.register_keras_serializable("tests")
class Clip(keras.constraints.Constraint):
    def __call__(self, weight):
        return ops.clip(weight, -BOUND, BOUND)


def constrained():
    """The small discriminator, all of its weights under a Keras constraint, which optimizers see to."""
    stack = [
        keras.Input((8, 8, 1)),
        layers.Flatten(),
        layers.Dense(24, kernel_constraint=Clip(), bias_constraint=Clip()),
    ]
    stack += [layers.LeakyReLU(0.2), layers.BatchNormalization(beta_constraint=Clip(), gamma_constraint=Clip())]
    stack += [layers.Dropout(0.3), layers.Dense(1, kernel_constraint=Clip(), bias_constraint=Clip())]
    return keras.Sequential(stack)


@pytest.mark.parametrize("schedule", ["simultaneous", "alternating", "combined"])
def test_clipped_weights_are_those_of_a_keras_constraint(images, schedule):
    trained = []
    for discriminator, bound in ((small_discriminator, BOUND), (constrained, None)):
        keras.utils.set_random_seed(1)
        gan = small_gan(discriminator=discriminator)
        optimizers = {"d_opt": keras.optimizers.RMSprop(1e-2), "g_opt": keras.optimizers.RMSprop(1e-2)}
        gan.compile(**optimizers, loss="wasserstein", schedule=schedule, weight_clip=bound)
        gan.fit(images, batch_size=4, shuffle=False, verbose=0)
        trained.append(gan)
    weights = values(trained[0].discriminator.trainable_variables)
    assert max(abs(array).max() for array in weights) == pytest.approx(BOUND)
    for name, arrays in state(trained[0]).items():
        assert_close(arrays, state(trained[1])[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("bound", [0.0, -1.0, "0.01", True, float("nan")])
def test_wrong_bounds(bound):
    with pytest.raises(ValueError, match="`weight_clip` must be a number > 0. Received:"):
        compiled(weight_clip=bound)
