"""A generator to look at and play with: one HTML file that opens anywhere, in which it runs itself."""

from kgan.view.page import write

__all__ = ["write"]
