"""Scores of generated images: a record holds a value and everything it depends on; a scorer measures it."""

from kgan.scores.measures import MEASURES, names_of, suitable
from kgan.scores.record import (
    Record,
    UnlikeScoresError,
    append,
    check_alike,
    difference,
    read,
    write,
)
from kgan.scores.scorer import LEAST, NotFiniteError, Scorer, check_classes

__all__ = [
    "LEAST",
    "MEASURES",
    "NotFiniteError",
    "Record",
    "Scorer",
    "UnlikeScoresError",
    "append",
    "check_alike",
    "check_classes",
    "difference",
    "names_of",
    "read",
    "suitable",
    "write",
]
