"""The doctor: what goes wrong in a training, in words, and what to try.

`kgan.callbacks.Doctor` examines a GAN while it trains, `kgan doctor RUN` a run afterwards.
"""

from kgan.doctor.finding import Finding, read
from kgan.doctor.history import History
from kgan.doctor.rules import BEFORE, RULES, VALUES, Rule

__all__ = ["BEFORE", "RULES", "VALUES", "Finding", "History", "Rule", "read"]
