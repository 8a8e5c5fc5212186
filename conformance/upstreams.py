"""The scripted upstreams: an HTTP transport that answers every call of a deployment as the case says."""

import asyncio
import json

import httpx

DEFAULT_PROMPT_TOKENS = 12
DEFAULT_COMPLETION_TOKENS = 30
DEFAULT_CHUNKS = 3

CODE_MESSAGES = {
    "context_length_exceeded": (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in more tokens. "
        "Please reduce the length of the messages."
    ),
    "content_policy_violation": (
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. "
        "Please try again with a different prompt."
    ),
}
# The provider's usual sentences. They matter: LiteLLM reads the text before it looks at the status.
STATUS_MESSAGES = {
    400: "Invalid request.",
    401: "Incorrect API key provided: sk-xxxx. You can find your API key at https://platform.openai.com/account/api-keys.",
    403: "You are not allowed to access this model.",
    404: "The model does not exist or you do not have access to it.",
    408: "Request timed out.",
    413: "Request too large for this model.",
    422: "Unprocessable request.",
    429: "Rate limit reached for requests.",
    500: "The server had an error while processing your request. Sorry about that!",
    502: "Bad gateway.",
    503: "The engine is currently overloaded, please try again later.",
    504: "Gateway time-out.",
}


class Upstreams:
    def __init__(self, script, now):
        self._script = script
        self._now = now
        self._calls = dict.fromkeys(script, 0)

    def next_call(self, deployment):
        """The number of this call of ``deployment``, from 0, and the reply the script has for it."""
        script = self._script.get(deployment, {})
        call = self._calls.get(deployment, 0)
        self._calls[deployment] = call + 1
        reply = script.get("calls", {}).get(str(call))
        if reply is None:
            now = self._now()
            for window in script.get("windows", []):
                if window["from"] <= now and ("until" not in window or now < window["until"]):
                    reply = window["reply"]
                    break
            else:
                reply = script.get("default", {})
        return call, reply


class ScriptedTransport(httpx.AsyncBaseTransport):
    """``begin_call(timeout)`` tells who calls: the deployment, the request and a record of the attempt."""

    def __init__(self, begin_call, now):
        self._begin_call = begin_call
        self._now = now

    async def handle_async_request(self, request):
        timeout = request.extensions["timeout"]["read"]
        body = json.loads(request.content)
        reply, prompt_tokens, attempt = self._begin_call(timeout)
        after = reply.get("after", 0)
        if reply.get("hang") or after >= timeout:
            await asyncio.sleep(timeout)
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        # No zero sleeps: an answer "at once" must not let other requests in between.
        if after:
            await asyncio.sleep(after)
        if reply.get("refuse"):
            raise httpx.ConnectError("All connection attempts failed", request=request)
        if reply.get("reset"):
            raise httpx.ReadError("Connection reset by peer", request=request)

        status = reply.get("status", 200)
        headers = {"content-type": "application/json", **reply.get("headers", {})}
        if status != 200:
            return httpx.Response(status, headers=headers, json=error_body(status, reply), request=request)
        if body.get("stream"):
            headers["content-type"] = "text/event-stream"
            stream = ScriptedStream(reply, timeout, body["model"], attempt, self._now, request)
            return httpx.Response(200, headers=headers, stream=stream, request=request)
        answer = completion(
            body["model"],
            reply.get("prompt_tokens", prompt_tokens),
            reply.get("completion_tokens", DEFAULT_COMPLETION_TOKENS),
            reply.get("finish_reason", "stop"),
        )
        return httpx.Response(200, headers=headers, json=answer, request=request)


class ScriptedStream(httpx.AsyncByteStream):
    def __init__(self, reply, timeout, model, attempt, now, request):
        self._reply = reply
        self._timeout = timeout
        self._model = model
        self._attempt = attempt
        self._now = now
        self._request = request

    def _ended(self, how):
        self._attempt["stream"] = how
        self._attempt["stream_end"] = self._now()

    async def __aiter__(self):
        chunks = self._reply.get("chunks", DEFAULT_CHUNKS)
        gap = self._reply.get("gap", 0)
        for i in range(chunks + 1):
            if self._reply.get("stall_after") == i or (i > 0 and i < chunks and gap >= self._timeout):
                await asyncio.sleep(self._timeout)
                self._ended("timeout")
                raise httpx.ReadTimeout("The read operation timed out", request=self._request)
            if self._reply.get("cut_after") == i:
                if gap:
                    await asyncio.sleep(gap)
                self._ended("cut")
                raise httpx.ReadError("Connection reset by peer", request=self._request)
            if i == chunks:
                break
            if i > 0 and gap:
                await asyncio.sleep(gap)
            if i == chunks - 1 and self._reply.get("cut_after") != chunks and self._reply.get("stall_after") != chunks:
                self._ended("complete")
                yield (
                    event(self._model, i, {"content": f"w{i} "})
                    + event(self._model, i, {}, "stop")
                    + b"data: [DONE]\n\n"
                )
                return
            yield event(self._model, i, {"content": f"w{i} "})


def event(model, index, delta, finish_reason=None):
    if index == 0 and delta:
        delta = {"role": "assistant", **delta}
    chunk = {
        "id": "chatcmpl-0",
        "object": "chat.completion.chunk",
        "created": 1800000000,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def completion(model, prompt_tokens, completion_tokens, finish_reason):
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 1800000000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def error_body(status, reply):
    error = reply.get("error", {})
    code = error.get("code")
    message = error.get("message") or CODE_MESSAGES.get(code) or STATUS_MESSAGES.get(status) or "The request failed."
    return {"error": {"message": message, "type": "error", "param": None, "code": code}}
