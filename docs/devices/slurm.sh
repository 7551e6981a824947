#!/bin/bash
#SBATCH --job-name=kgan
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8        # a process for each GPU
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120          # two minutes before the end kgan saves; --resume goes on in the next job
#SBATCH --requeue

export KERAS_BACKEND=jax
srun kgan train mnist --out runs/mnist --resume
