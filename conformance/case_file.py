"""Reads and writes case files; the same recording is always the same bytes."""

import json

FIELDS = ("format", "name", "about", "litellm", "entry", "seed", "start", "config", "upstreams", "requests", "observed")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _line(value):
    return json.dumps(value, ensure_ascii=False)


def _block(value, indent):
    """Objects and lists of objects over several lines, everything below them on one line each."""
    pad = " " * indent
    inner = pad + " "
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{inner}{_line(k)}: {_line(v)}" for k, v in value.items()) + f"\n{pad}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _line(v) for v in value) + f"\n{pad}]"
    return _line(value)


def _config(config, indent):
    pad = " " * indent
    parts = []
    for key, value in config.items():
        text = _block(value, indent + 1) if key == "model_list" else _line(value)
        parts.append(f"{pad} {_line(key)}: {text}")
    return "{\n" + ",\n".join(parts) + f"\n{pad}}}"


def _observed(observed, indent):
    pad = " " * indent
    parts = [f"{pad} {_line(key)}: {_block(value, indent + 1)}" for key, value in observed.items()]
    return "{\n" + ",\n".join(parts) + f"\n{pad}}}"


def dumps(case):
    parts = []
    for key in FIELDS:
        if key not in case:
            continue
        value = case[key]
        if key == "config":
            text = _config(value, 1)
        elif key == "observed":
            text = _observed(value, 1)
        elif key in ("upstreams", "requests"):
            text = _block(value, 1)
        else:
            text = _line(value)
        parts.append(f" {_line(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
