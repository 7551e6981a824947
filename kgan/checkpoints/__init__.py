"""Training states on disk: the format of a checkpoint, saving a training, and resuming it."""
