#!/bin/bash
#SBATCH --job-name=kgan
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120          # torchrun leaves half a minute to save

export KERAS_BACKEND=torch
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint "$first:29500" \
    -m kgan train mnist --out runs/mnist --resume
