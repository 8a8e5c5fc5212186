#!/bin/sh
# An array job of Slurm: sbatch examples/shards/slurm.sh, from a folder that all nodes share.
# Afterwards: routedrill merge shards
#SBATCH --job-name=routedrill
#SBATCH --array=1-16
#SBATCH --cpus-per-task=2
#SBATCH --requeue
set -eu
mkdir -p shards
exec routedrill tune scenarios/fallback-out-of-reach.yaml \
  --vary 'litellm_settings.request_timeout=5s..60s' \
  --vary 'litellm_settings.num_retries=0..2' \
  --threads 2 --shard "$SLURM_ARRAY_TASK_ID/16" --resume "shards/$SLURM_ARRAY_TASK_ID.store"
