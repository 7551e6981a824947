"""How good generated examples are, judged by a classifier of the real ones.

python -m tests.quality digits.npy                                  # images of `kgan train digits`
python -m tests.quality dense.npy combined.npy --data fashion_mnist
python -m tests.quality dcgan.npy --data mnist --path mnist.npz
"""

import argparse
import warnings

import keras
import numpy as np
from keras import layers
from sklearn.svm import SVC

import kgan


def digit_classifier():
    """A support vector machine with probabilities, fitted on scikit-learn's digits, pixels in [0, 16]."""
    images, labels = kgan.data.digits()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `probability` will move to a class of its own
        machine = SVC(gamma=0.001, probability=True, random_state=0).fit(_sixteenths(images / 127.5 - 1), labels)
    return lambda images: machine.predict_proba(_sixteenths(images))


def _sixteenths(images):
    """Images in [-1, 1] as vectors of scikit-learn's 0..16."""
    return np.clip((images.reshape(len(images), -1) + 1) * 8, 0, 16)


def image_classifier(images, labels):
    """A small convolutional network, trained on uint8 images for three epochs with a fixed seed."""
    keras.utils.set_random_seed(0)
    classes = int(labels.max()) + 1
    stack = [keras.Input(images.shape[1:])]
    for filters in (32, 64):
        stack += [layers.Conv2D(filters, 3, activation="relu", padding="same"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dropout(0.25), layers.Dense(128, activation="relu"), layers.Dropout(0.5)]
    network = keras.Sequential([*stack, layers.Dense(classes, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=20)
    network.fit(images / np.float32(127.5) - 1, labels, batch_size=128, epochs=3, verbose=0)
    return lambda images: network.predict(images, batch_size=500, verbose=0)


def score(images, classifier, classes=10):
    """Mean confidence of the classifier, and effective classes: exp of the entropy of the shares of the classes."""
    probabilities = classifier(images)
    shares = np.bincount(probabilities.argmax(1), minlength=classes) / len(images)
    shares = shares[shares > 0]
    return float(probabilities.max(1).mean()), float(np.exp(-(shares * np.log(shares)).sum()))


def judge(name, path=None):
    """Return how real images, unseen by the judge where there are such, score; and a function that scores others."""
    if name == "digits":
        classifier, test = digit_classifier(), kgan.data.load("digits")
    else:
        train, test = (kgan.data.load(name, path=path, split=split) for split in ("train", "test"))
        classifier = image_classifier(train.images, train.labels)
    real = score(test.images / np.float32(127.5) - 1, classifier)
    return real, lambda images: score(images, classifier)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", nargs="+")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--path")
    asked = parser.parse_args()
    of_real, of = judge(asked.data, asked.path)
    for name, (confidence, classes) in [
        ("real images", of_real),
        *((file, of(np.load(file))) for file in asked.samples),
    ]:
        print(f"{name}: mean confidence {confidence:.3f}, effective classes {classes:.2f} of 10")
