"""How much generated digits look like digits, judged by a classifier of the real ones.

python -m tests.quality x.npy ...
"""

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC


def digit_classifier():
    """A support vector machine with probabilities, fitted on scikit-learn's digits, pixels in [0, 16]."""
    pixels, labels = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `probability` will move to a class of its own
        return SVC(gamma=0.001, probability=True, random_state=0).fit(pixels, labels)


def score(images, classifier):
    """Mean confidence of the classifier, and effective classes: exp of the entropy of the shares of the ten digits."""
    probabilities = classifier.predict_proba(np.clip((images.reshape(len(images), -1) + 1) * 8, 0, 16))
    shares = np.bincount(probabilities.argmax(1), minlength=10) / len(images)
    shares = shares[shares > 0]
    return float(probabilities.max(1).mean()), float(np.exp(-(shares * np.log(shares)).sum()))


if __name__ == "__main__":
    fitted = digit_classifier()
    real = load_digits().images / 8 - 1
    for name, images in [("real digits", real), *((path, np.load(path)) for path in sys.argv[1:])]:
        confidence, classes = score(images, fitted)
        print(f"{name}: mean confidence {confidence:.3f}, effective classes {classes:.2f} of 10")
