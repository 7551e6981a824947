"""A `fit` that can be stopped anywhere and resumed."""

import logging

from kgan import backend
from kgan.checkpoints.roles import NotFinite, Saver, listed

log = logging.getLogger("kgan")


def saver_among(callbacks):
    """The first `Saver` among callbacks, a list or Keras' own kind of list."""
    return next((one for one in listed(callbacks) if isinstance(one, Saver)), None)


def train(gan, saver, progress, epochs, first_epoch, fit_span):
    """Train for `epochs`, from the newest checkpoint if the saver asks for it, and go back if a value is not finite.

    Args:
        gan: `GAN`.
        saver: `Saver`, one of the callbacks.
        progress: `Progress`.
        epochs: Integer. As in `fit`.
        first_epoch: Integer. The first epoch, if the training does not begin at a checkpoint.
        fit_span: Function `(first_epoch, epochs)` that calls Keras' `fit`.

    Returns:
        The `keras.callbacks.History`.
    """
    with saver.watching():
        newest = backend.from_first(saver.newest) if saver.resume else None
        # a second `fit` with the same saver continues its count
        progress.epoch, progress.step = first_epoch, saver.saved_step or 0
        if newest:
            progress.restore(newest)
            log.warning(f"Resuming from {newest}: epoch {progress.epoch + 1}, step {progress.step}.")
        elif saver.resume:
            progress.start_anew()
        while True:
            try:
                if progress.batch:  # the rest of an epoch, by itself: Keras reads an epoch's length before it begins
                    fit_span(progress.epoch, progress.epoch + 1)
                if progress.epoch < epochs and not (progress.begun and gan.stop_training):
                    fit_span(progress.epoch, epochs)
                break
            except NotFinite as error:
                if not _heal(gan, saver, progress, str(error)):
                    break
        if not progress.begun:  # the training was complete already
            progress.on_train_begin()
        progress.end()
        for folder in progress.folders:
            folder.keeps_going = False
        failures = [folder.failure for folder in progress.folders if folder.failure]
        if backend.largest([bool(failures)])[0]:
            reason = failures[-1] if failures else "Another process cannot read the pictures of its part any more."
            saver.failed = f"{reason} The training was stopped after step {progress.step}, and saved."
            log.warning(saver.failed)
    return gan.history


def _heal(gan, saver, progress, where):
    """Restore the last good state; return whether the training continues from there."""
    newest = backend.from_first(saver.newest)
    said = f"{where[0].upper()}{where[1:]}"
    if newest:
        progress.restore(newest)
        said += f"; the state of {newest} was restored"
    if newest and saver.nonfinite == "rollback" and saver.rolled_back < saver.rollbacks:
        saver.rolled_back += 1
        # the rates in the checkpoint are already reduced if it was written after an earlier rollback
        factor = saver.slower ** (saver.rolled_back - saver.rolled_back_then)
        try:
            for optimizer in (gan.d_opt, gan.g_opt):
                optimizer.learning_rate = float(optimizer.learning_rate) * factor
            log.warning(
                f"{said}, and the training continues with {saver.slower**saver.rolled_back:g} times the learning rates."
            )
            return True
        except (TypeError, ValueError):  # the rate is a schedule
            said += "; a learning rate that is a schedule cannot be reduced"
    saver.failed = f"{said}, and the training is stopped."
    log.warning(saver.failed)
    return False
