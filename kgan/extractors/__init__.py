"""Feature extractors: they turn images into the features that metrics compare, so every score depends on them."""

from kgan.extractors.choice import get
from kgan.extractors.extractor import Extractor, Features, chunks
from kgan.extractors.learned import classifier, stacked
from kgan.extractors.models import fid_inception, of_model, raw

__all__ = ["Extractor", "Features", "chunks", "classifier", "fid_inception", "get", "of_model", "raw", "stacked"]
