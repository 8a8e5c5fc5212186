"""Dumps what a live, in-process LiteLLM Router was built with, as JSON.

    from dump_router import dump
    dump(router, "router.json")

The file holds

    {
      "litellm": "1.109.1",          the installed release
      "model_list": [...],           as in config.yaml; every deployment with its model_info.id
      "router_settings": {...},      constructor arguments that differ from their defaults
      "litellm_settings": {...}      module globals of litellm that the Router reads and that were changed
    }

Secrets are replaced by references to environment variables (``os.environ/GPT_4_A_API_KEY``) and
passwords in addresses are removed. A Router keeps no record of its arguments, so they are read back
from its attributes: ``default_fallbacks`` comes back as a ``*`` entry of ``fallbacks``, and what was
given the value it has by default cannot be told from what was not given.
"""

import inspect
import json
import re
import sys
from importlib import metadata
from urllib.parse import urlsplit, urlunsplit

SECRET = re.compile(r"(key|secret|token|password|credentials|auth\w*)$", re.IGNORECASE)
NOT_SECRET = {"input_cost_per_token", "output_cost_per_token"}
# Objects of the process, and what the Router derives from other arguments.
LEFT_OUT = {
    "self",
    "model_list",
    "search_tools",
    "guardrail_list",
    "redis_url",
    "redis_host",
    "redis_port",
    "redis_password",
    "redis_db",
    "cache_kwargs",
    "assistants_config",
    "router_general_settings",
    "alerting_config",
    "plugins",
    "ignore_invalid_deployments",
    "set_verbose",
    "debug_level",
    "default_fallbacks",
    "optional_pre_call_checks",
}
# What the Router fills in when an argument is left out: an equal value need not be written.
FILLED_IN = {
    "num_retries": lambda litellm: litellm.num_retries if litellm.num_retries is not None else 2,
    "max_fallbacks": lambda litellm: litellm.max_fallbacks or 5,
    "timeout": lambda litellm: litellm.request_timeout,
    "allowed_fails": lambda litellm: litellm.allowed_fails,
    "cooldown_time": lambda litellm: 5,
    "fallbacks": lambda litellm: litellm.fallbacks,
    "context_window_fallbacks": lambda litellm: litellm.context_window_fallbacks,
    "content_policy_fallbacks": lambda litellm: litellm.content_policy_fallbacks,
}
LITELLM_DEFAULTS = {
    "num_retries": None,
    "max_fallbacks": None,
    "allowed_fails": 3,
    "request_timeout": 6000.0,
    "fallbacks": None,
    "default_fallbacks": None,
    "context_window_fallbacks": None,
    "content_policy_fallbacks": None,
    "num_retries_per_request": None,
    "drop_params": False,
}
PRE_CALL_CHECKS = {
    "PromptCachingDeploymentCheck": "prompt_caching",
    "ModelRateLimitingCheck": "enforce_model_rate_limits",
    "ResponsesApiDeploymentCheck": "responses_api_deployment_check",
    "RouterBudgetLimiting": "router_budget_limiting",
}
ABSENT = object()


def _plain(value):
    """``value`` as JSON can hold it, or ABSENT."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "value") and isinstance(value.value, str):  # an enumeration
        return value.value
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        items = {str(k): _plain(v) for k, v in value.items()}
        return {k: v for k, v in items.items() if v is not ABSENT}
    if isinstance(value, (list, tuple)):
        items = [_plain(v) for v in value]
        return [v for v in items if v is not ABSENT]
    return ABSENT


def _without_password(text):
    parts = urlsplit(text)
    if parts.scheme and "@" in parts.netloc:
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return text


def _redacted(value, owner, key=""):
    if isinstance(value, dict):
        return {k: _redacted(v, owner, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_redacted(v, owner, key) for v in value]
    if isinstance(value, str):
        if SECRET.search(key) and key not in NOT_SECRET and not value.startswith("os.environ/"):
            return "os.environ/" + re.sub(r"\W+", "_", f"{owner}_{key}").upper()
        return _without_password(value)
    return value


def _deployment(entry):
    entry = _plain(entry)
    identity = entry["model_info"]["id"]
    # LiteLLM adds flags that are off to the parameters, and db_model to the description.
    params = {k: v for k, v in entry["litellm_params"].items() if v is not None and v is not False}
    info = {k: v for k, v in entry["model_info"].items() if v is not None and k != "db_model"}
    return _redacted({"model_name": entry["model_name"], "litellm_params": params, "model_info": info}, identity)


def _attribute(core, name):
    for attribute in (name, f"_core_{name}"):
        if hasattr(core, attribute):
            return getattr(core, attribute)
    return ABSENT


def _pre_call_checks(core):
    kinds = [type(check).__name__ for check in getattr(core, "optional_callbacks", None) or []]
    return [PRE_CALL_CHECKS[kind] for kind in kinds if kind in PRE_CALL_CHECKS]


def settings_of(router):
    """What ``dump`` writes, as a dict."""
    import litellm

    core = getattr(router, "_core", router)  # since 1.109 Router is a facade
    settings = {}
    for name, parameter in inspect.signature(type(core).__init__).parameters.items():
        value = ABSENT if name in LEFT_OUT else _plain(_attribute(core, name))
        if value is ABSENT or value == parameter.default or (not value and not parameter.default and value != 0):
            continue
        if name in FILLED_IN and value == FILLED_IN[name](litellm):
            continue
        settings[name] = value
    defaults = settings.get("default_litellm_params")
    if defaults is not None:
        # Added by the Router to what it was given.
        given = {k: v for k, v in defaults.items() if (k, v) != ("max_retries", 0) and k != "metadata"}
        settings["default_litellm_params"] = given
        if not given:
            del settings["default_litellm_params"]
    # 1.109 remembers whether it was given, because that alone switches to counting failures.
    given_allowed_fails = getattr(core, "explicit_allowed_fails", None)
    if given_allowed_fails is not None:
        settings["allowed_fails"] = given_allowed_fails
    checks = _pre_call_checks(core)
    if checks:
        settings["optional_pre_call_checks"] = checks
    changed = {
        name: _plain(getattr(litellm, name, default))
        for name, default in LITELLM_DEFAULTS.items()
        if getattr(litellm, name, default) != default
    }
    return {
        "litellm": metadata.version("litellm"),
        "model_list": [_deployment(entry) for entry in router.model_list],
        "router_settings": _redacted(settings, "router"),
        "litellm_settings": _redacted(changed, "litellm"),
    }


def dump(router, path=None):
    """Write the settings of ``router`` to ``path``, or to standard output."""
    text = json.dumps(settings_of(router), indent=1) + "\n"
    if path is None:
        sys.stdout.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
