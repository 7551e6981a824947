"""A training on disk: what a checkpoint is, how a training is put into it, and how one goes on from it."""
