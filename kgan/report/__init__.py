"""The report of a run: one HTML file that opens anywhere, without a network and without JavaScript too."""

from kgan.report.card import card
from kgan.report.contents import NAME, REAL, Contents, read
from kgan.report.page import page, write

__all__ = ["NAME", "REAL", "Contents", "card", "page", "read", "write"]
