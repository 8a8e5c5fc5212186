"""Watches a LiteLLM Router at work.

Every hook calls the original and notes what went in or came out; none changes what LiteLLM does.
Routing methods have other names in LiteLLM 1.109 than in 1.80; ``install`` finds the ones there are.
"""

import contextvars
import functools
import importlib

from virtual_time import clock

request_index = contextvars.ContextVar("request_index", default=None)
current_attempt = contextvars.ContextVar("current_attempt", default=None)

# The modules whose attribute ``random`` is used while a chat request is routed.
RANDOM_USERS = (
    "litellm.router_strategy.simple_shuffle",
    "litellm.router_strategy.lowest_latency",
    "litellm.router_strategy.lowest_tpm_rpm_v2",
    "litellm.router_strategy.least_busy",
    "litellm.utils",
)


ATTEMPT_FIELDS = (
    "request",
    "n",
    "start",
    "end",
    "group",
    "deployment",
    "sent",
    "result",
    "eligible",
    "call",
    "timeout",
    "more_calls",
    "status",
    "stream",
    "stream_end",
)


def in_order(attempt):
    return {field: attempt[field] for field in ATTEMPT_FIELDS if field in attempt}


class Observed:
    def __init__(self):
        self.attempts = []
        self.cooldowns = []
        self.responses = []
        self._tries = {}

    def begin_attempt(self, group):
        request = request_index.get()
        n = self._tries.get(request, 0)
        self._tries[request] = n + 1
        attempt = {
            "request": request,
            "n": n,
            "start": clock.seconds(),
            "end": None,
            "group": group,
            "deployment": None,
            "sent": False,
            "result": None,
        }
        self.attempts.append(attempt)
        return attempt

    def answered_by(self, request):
        """The deployment of the last attempt of ``request`` that went well."""
        answers = [a for a in self.attempts if a["request"] == request and a["result"] == "ok"]
        return answers[-1]["deployment"]


def status_of(error):
    status = getattr(error, "status_code", None)
    return int(status) if status is not None else None


def _deployment_id(deployment):
    return str(deployment["model_info"]["id"])


def install(observed, draws, router_class):
    for name in RANDOM_USERS:
        module = importlib.import_module(name)
        if hasattr(module, "random"):
            module.random = draws
    importlib.import_module("openai._base_client").random = draws.client_jitter
    _watch_attempts(router_class, observed)
    _watch_selection(router_class)
    _watch_cooldowns(observed)


def _first_present(owner, *names):
    return next(name for name in names if hasattr(owner, name))


def _watch_attempts(router_class, observed):
    original = router_class._acompletion

    @functools.wraps(original)
    async def attempt_once(self, model, messages, **kwargs):
        attempt = observed.begin_attempt(model)
        token = current_attempt.set(attempt)
        try:
            response = await original(self, model=model, messages=messages, **kwargs)
        except Exception as error:
            attempt["result"] = type(error).__name__
            status = status_of(error)
            if status is not None:
                attempt["status"] = status
            raise
        else:
            attempt["result"] = "ok"
            return response
        finally:
            attempt["end"] = clock.seconds()
            current_attempt.reset(token)

    router_class._acompletion = attempt_once


def _watch_selection(router_class):
    name = _first_present(router_class, "_core_async_get_healthy_deployments", "async_get_healthy_deployments")
    _note_eligible_returned(router_class, name)
    # Strategies without an asynchronous selection of their own take the synchronous path.
    if hasattr(router_class, "_select_deployment_sync"):
        _note_eligible_passed(router_class, "_select_deployment_sync")
    else:
        strategy = importlib.import_module("litellm.router_strategy.lowest_tpm_rpm").LowestTPMLoggingHandler
        _note_eligible_passed(strategy, "get_available_deployments")
    name = _first_present(router_class, "_core_async_get_available_deployment", "async_get_available_deployment")
    _note_picked(router_class, name)


def _note_eligible(deployments):
    attempt = current_attempt.get()
    if attempt is None or attempt["end"] is not None:
        return
    if isinstance(deployments, dict):  # addressed by its id
        deployments = [deployments]
    attempt["eligible"] = [_deployment_id(d) for d in deployments]


def _note_eligible_returned(owner, name):
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(self, *args, **kwargs):
        deployments = await original(self, *args, **kwargs)
        _note_eligible(deployments)
        return deployments

    setattr(owner, name, wrapped)


def _note_eligible_passed(owner, name):
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(self, *args, **kwargs):
        _note_eligible(kwargs["healthy_deployments"])
        return original(self, *args, **kwargs)

    setattr(owner, name, wrapped)


def _note_picked(owner, name):
    original = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(self, *args, **kwargs):
        deployment = await original(self, *args, **kwargs)
        attempt = current_attempt.get()
        if attempt is not None and deployment is not None:
            attempt["deployment"] = _deployment_id(deployment)
        return deployment

    setattr(owner, name, wrapped)


def _watch_cooldowns(observed):
    cache = importlib.import_module("litellm.router_utils.cooldown_cache").CooldownCache
    original = cache.add_deployment_to_cooldown

    @functools.wraps(original)
    def wrapped(self, model_id, original_exception, exception_status, cooldown_time):
        length = self.default_cooldown_time if cooldown_time is None else cooldown_time
        entry = {
            "t": clock.seconds(),
            "deployment": model_id,
            "for": float(length),
            "status": int(exception_status),
            "error": type(original_exception).__name__,
        }
        request = request_index.get()
        if request is not None:
            entry["request"] = request
        observed.cooldowns.append(entry)
        return original(
            self,
            model_id=model_id,
            original_exception=original_exception,
            exception_status=exception_status,
            cooldown_time=cooldown_time,
        )

    cache.add_deployment_to_cooldown = wrapped
