"""Shards as tasks of Ray: python ray_shards.py, with the folder of the scenarios shared by all nodes.

Ray starts a task anew when its node is lost; the task goes on from the results that its shard has.
"""

import subprocess

import ray

SHARDS = 16
TUNE = [
    "routedrill", "tune", "scenarios/fallback-out-of-reach.yaml",
    "--vary", "litellm_settings.request_timeout=5s..60s",
    "--vary", "litellm_settings.num_retries=0..2",
    "--threads", "1",
]


@ray.remote(num_cpus=1, max_retries=-1)
def shard(index: int) -> str:
    part = ["--shard", f"{index}/{SHARDS}", "--resume", f"shards/{index}.store"]
    return subprocess.run(TUNE + part, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    ray.init()
    for line in ray.get([shard.remote(index) for index in range(1, SHARDS + 1)]):
        print(line, end="")
    # Exit code 1 is an answer: the SLO, if one was given, holds with no setting.
    raise SystemExit(subprocess.run(["routedrill", "merge", "shards"]).returncode)
