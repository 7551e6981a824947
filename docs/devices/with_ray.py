from ray.train import ScalingConfig
from ray.train.torch import TorchTrainer


def train():
    import os

    os.environ["KERAS_BACKEND"] = "torch"
    from kgan.cli import app

    app(["train", "mnist", "--out", "/shared/runs/mnist", "--resume"], standalone_mode=False)


TorchTrainer(train, scaling_config=ScalingConfig(num_workers=8, use_gpu=True)).fit()
