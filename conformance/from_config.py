"""A case from a user's own config.yaml and a script of requests.

The script is a JSON (or YAML) file that holds what the configuration does not: ``requests``, and
optionally ``upstreams``, ``entry``, ``seed``, ``start``, ``name`` and ``about``.
"""

from pathlib import Path

import yaml

# The upstreams are scripted: where the real ones are and how to get in has no place in a recording.
CONNECTION = ("api_key", "api_base", "base_url", "api_version", "organization")
START = 1800000000.0


def read(path):
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def scripted_deployment(entry, index):
    params = {
        k: v
        for k, v in entry["litellm_params"].items()
        if k not in CONNECTION and not k.startswith(("aws_", "vertex_"))
    }
    # Every upstream speaks the openai protocol here, whatever the provider.
    params["model"] = "openai/" + str(params["model"]).split("/", 1)[-1]
    info = {"id": f"{entry['model_name']}-{index}", **(entry.get("model_info") or {})}
    info["id"] = str(info["id"])
    return {**entry, "litellm_params": params, "model_info": info}


def make_case(config_path, script_path):
    config = read(config_path)
    script = read(script_path)
    counted = {}
    models = []
    for entry in config["model_list"]:
        counted[entry["model_name"]] = counted.get(entry["model_name"], 0) + 1
        models.append(scripted_deployment(entry, counted[entry["model_name"]]))
    routing = {"model_list": models}
    for section in ("router_settings", "litellm_settings"):
        if config.get(section):
            routing[section] = config[section]
    upstreams = {m["model_info"]["id"]: {"default": {"status": 200, "after": 0.5}} for m in models}
    return {
        "format": 1,
        "name": script.get("name", Path(script_path).stem),
        "about": script.get("about", f"{Path(config_path).name} under {Path(script_path).name}"),
        "entry": script.get("entry", "proxy"),
        "seed": script.get("seed", 1),
        "start": float(script.get("start", START)),
        "config": routing,
        "upstreams": {**upstreams, **script.get("upstreams", {})},
        "requests": script["requests"],
    }
