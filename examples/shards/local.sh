#!/bin/sh
# Four shards of one search, two at a time, and what they found together. Run it from the root of the repository.
set -eu
mkdir -p shards
seq 4 | xargs -P 2 -I '{}' routedrill tune scenarios/fallback-out-of-reach.yaml \
  --vary 'litellm_settings.request_timeout=5s..60s' \
  --vary 'litellm_settings.num_retries=0..2' \
  --seeds 8 --shard '{}/4' --resume 'shards/{}.store'
routedrill merge shards
