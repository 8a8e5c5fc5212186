"""Builds the installed LiteLLM Router for a case and sends it the case's requests in virtual time."""

import asyncio
import copy
import functools
import inspect
import logging
import os
import uuid
import warnings
from importlib import metadata

import virtual_time
from virtual_time import VirtualLoop, clock

# LiteLLM downloads its price list when it is imported, unless told to use the one it ships with.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["TZ"] = "UTC"

virtual_time.install()

import httpx  # noqa: E402
import litellm  # noqa: E402
from litellm import router as router_module  # noqa: E402
from litellm.litellm_core_utils import thread_pool_executor  # noqa: E402
from litellm.types.router import RouterGeneralSettings  # noqa: E402

from draws import Draws, seeded  # noqa: E402
from observe import Observed, current_attempt, in_order, install, request_index, status_of  # noqa: E402
from upstreams import DEFAULT_PROMPT_TOKENS, ScriptedTransport, Upstreams  # noqa: E402

thread_pool_executor.executor.submit = virtual_time.hand_over_call

# Failures are what is recorded here, not something to be told about.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
litellm.suppress_debug_info = True

LITELLM_VERSION = metadata.version("litellm")

# The class that holds the routing methods: since 1.109 Router is a facade over it.
ROUTER_CLASS = getattr(router_module, "PythonCore", router_module.Router)

CALLER_TIMEOUTS = ("timeout", "request_timeout", "stream_timeout")
# A message of one word is counted as 8 tokens, and every further word adds one.
TOKENS_AROUND_WORDS = 7


@functools.cache
def prompt(tokens):
    """Messages that LiteLLM's own tokenizer counts as ``tokens``."""
    # Long texts are counted piece by piece, where a word cut in two counts twice.
    for words in range(tokens - TOKENS_AROUND_WORDS, 0, -1):
        messages = [{"role": "user", "content": " ".join(["hello"] * words)}]
        if litellm.token_counter(messages=messages) <= tokens:
            return messages
    raise ValueError(f"no message has {tokens} tokens")


def apply_litellm_settings(settings):
    for key, value in settings.items():
        setattr(litellm, key, value)
        if key == "request_timeout":
            litellm.request_timeout_explicitly_set = True


def build_router(config):
    """As ``litellm --config`` does; returns the Router and the router settings it has no use for."""
    # The Router writes into what it is given, and the recording holds the configuration as it was.
    config = copy.deepcopy(config)
    apply_litellm_settings(config.get("litellm_settings") or {})
    known = set(inspect.signature(ROUTER_CLASS.__init__).parameters)
    settings = config.get("router_settings") or {}
    ignored = [key for key in settings if key not in known]
    arguments = {key: value for key, value in settings.items() if key in known}
    model_list = []
    for entry in config["model_list"]:
        entry["litellm_params"].setdefault(
            "api_base", f"https://{host_label(entry['model_info']['id'])}.example.com/v1"
        )
        entry["litellm_params"].setdefault("api_key", "sk-scripted")
        model_list.append(entry)
    router = litellm.Router(
        model_list=model_list,
        router_general_settings=RouterGeneralSettings(async_only_mode=True),
        ignore_invalid_deployments=True,
        **arguments,
    )
    return router, ignored


def host_label(deployment_id):
    return "".join(c if c.isalnum() else "-" for c in str(deployment_id).lower()).strip("-") or "deployment"


def proxy_fields(request_kwargs):
    """What the proxy adds to a request before it calls the Router."""
    kwargs = {
        **request_kwargs,
        "metadata": dict(request_kwargs.get("metadata") or {}),
        "litellm_call_id": str(uuid.uuid4()),
    }
    if any(kwargs.get(name) is not None for name in CALLER_TIMEOUTS):
        kwargs["client_side_timeout"] = True
    logging_obj, kwargs = litellm.utils.function_setup(
        original_function="acompletion",
        rules_obj=litellm.utils.Rules(),
        start_time=virtual_time.VirtualDatetime.now(),
        **kwargs,
    )
    kwargs["litellm_logging_obj"] = logging_obj
    return kwargs


class Recording:
    def __init__(self, case, numbers=None):
        self._case = case
        self._observed = Observed()
        self._draws = Draws(numbers or seeded(case["seed"]), clock.seconds, request_index.get)
        self._upstreams = Upstreams(case["upstreams"], clock.seconds)

    def run(self):
        """Everything the Router was seen to do with the case."""
        clock.reset(self._case["start"])
        install(self._observed, self._draws, ROUTER_CLASS)
        loop = VirtualLoop()
        asyncio.set_event_loop(loop)
        ignored = loop.run_until_complete(self._run())
        observed = {
            "draws": self._draws.record,
            "attempts": [in_order(attempt) for attempt in self._observed.attempts],
            "cooldowns": self._observed.cooldowns,
            "responses": self._observed.responses,
        }
        if ignored:
            observed["ignored_router_settings"] = ignored
        return observed

    async def _run(self):
        litellm.aclient_session = httpx.AsyncClient(transport=ScriptedTransport(self._begin_call, clock.seconds))
        router, ignored = build_router(self._case["config"])
        requests = [
            asyncio.create_task(self._arrive(router, index, request))
            for index, request in enumerate(self._case["requests"])
        ]
        await asyncio.gather(*requests)
        # What the last answers set in motion is part of the case.
        await asyncio.sleep(1)
        return ignored

    def _begin_call(self, timeout):
        attempt = current_attempt.get()
        call, reply = self._upstreams.next_call(attempt["deployment"])
        if attempt["sent"]:
            attempt["more_calls"] = attempt.get("more_calls", 0) + 1
        attempt.update(sent=True, call=call, timeout=round(float(timeout), 6))
        request = self._case["requests"][attempt["request"]]
        return reply, request.get("prompt_tokens", DEFAULT_PROMPT_TOKENS), attempt

    async def _arrive(self, router, index, request):
        request_index.set(index)
        await asyncio.sleep(request["at"])
        kwargs = {
            "model": request["model"],
            "messages": copy.deepcopy(prompt(request.get("prompt_tokens", DEFAULT_PROMPT_TOKENS))),
            **copy.deepcopy(request.get("params", {})),
        }
        if request.get("stream"):
            kwargs["stream"] = True
        if self._case["entry"] == "proxy":
            kwargs = proxy_fields(kwargs)
        response = {"request": index, "t": None, "ok": True}
        try:
            answer = await router.acompletion(**kwargs)
            deployment = self._observed.answered_by(index)
            if request.get("stream"):
                await read_stream(answer, response)
            response["t"] = clock.seconds()
            response["deployment"] = deployment
        except Exception as error:
            response = {"request": index, "t": clock.seconds(), "ok": False, "error": type(error).__name__}
            status = status_of(error)
            if status is not None:
                response["status"] = status
        self._observed.responses.append(response)


async def read_stream(stream, response):
    text = ""
    async for chunk in stream:
        if chunk is None or not chunk.choices:
            continue
        content = chunk.choices[0].delta.content
        if content:
            if not text:
                response["first"] = clock.seconds()
            text += content
    response["text"] = text
