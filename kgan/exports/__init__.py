"""Generators in the formats of other programs, each compared with the generator before it is kept."""

from kgan.exports.formats import FORMATS, check_installed
from kgan.exports.written import ExportError, convert_to, export, export_generator

__all__ = ["FORMATS", "ExportError", "check_installed", "convert_to", "export", "export_generator"]
