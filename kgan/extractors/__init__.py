"""What turns images into the features that metrics compare: part of every score, since another one gives other numbers."""

from kgan.extractors.choice import get
from kgan.extractors.extractor import Extractor, Features, chunks
from kgan.extractors.learned import classifier, stacked
from kgan.extractors.models import fid_inception, of_model, raw

__all__ = ["Extractor", "Features", "chunks", "classifier", "fid_inception", "get", "of_model", "raw", "stacked"]
