"""Scores of generated images: a record holds a value and everything it depends on; a scorer measures it."""

from kgan.scores.measures import MEASURES, names_of
from kgan.scores.record import (
    Record,
    UnlikeScoresError,
    append,
    check_alike,
    difference,
    read,
    write,
)
from kgan.scores.scorer import LEAST, NotFiniteError, Scorer

__all__ = [
    "LEAST",
    "MEASURES",
    "NotFiniteError",
    "Record",
    "Scorer",
    "UnlikeScoresError",
    "append",
    "check_alike",
    "difference",
    "names_of",
    "read",
    "write",
]
