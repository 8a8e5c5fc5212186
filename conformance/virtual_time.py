"""A clock that only moves when every task of the event loop waits.

``install()`` must run before LiteLLM, httpx or openai are imported: it replaces the functions and
the ``datetime`` class they read the time from, so that names bound with ``from time import time``
or ``from datetime import datetime`` are virtual too.
"""

import asyncio
import contextvars
import datetime as datetime_module
import selectors
import threading
import time as time_module
from concurrent.futures import Future, ThreadPoolExecutor

EPOCH = datetime_module.datetime(1970, 1, 1, tzinfo=datetime_module.timezone.utc)
NAIVE_EPOCH = datetime_module.datetime(1970, 1, 1)
# Monotonic clocks start far from 0, as on a real machine: "never happened" is often stored as 0.
MONOTONIC_OFFSET = 100_000_000_000


class Clock:
    """Virtual time in whole microseconds after virtual time 0."""

    def __init__(self):
        self.start = 0
        self.now = 0

    def reset(self, start):
        """Begin at virtual time 0, which is ``start`` seconds after 1970 (UTC)."""
        self.start = round(start * 1_000_000)
        self.now = 0

    def seconds(self):
        return self.now / 1_000_000

    def unix(self):
        return (self.start + self.now) / 1_000_000

    def monotonic(self):
        return (MONOTONIC_OFFSET + self.now) / 1_000_000


clock = Clock()


class VirtualDatetime(datetime_module.datetime):
    @classmethod
    def now(cls, tz=None):
        passed = datetime_module.timedelta(microseconds=clock.start + clock.now)
        moment = NAIVE_EPOCH + passed if tz is None else (EPOCH + passed).astimezone(tz)
        return cls(
            moment.year,
            moment.month,
            moment.day,
            moment.hour,
            moment.minute,
            moment.second,
            moment.microsecond,
            moment.tzinfo,
        )

    @classmethod
    def utcnow(cls):
        return cls.now()

    @classmethod
    def today(cls):
        return cls.now()


_Thread = threading.Thread


def _run_to_the_end(function, args, kwargs):
    """Run in a real thread, which has no context and no event loop, and wait for it."""
    future = Future()

    def work():
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)

    thread = _Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    return future


class WaitedThread(threading.Thread):
    """A thread that has run to its end when ``start`` returns, so that no race decides the outcome."""

    def start(self):
        if type(self) is WaitedThread and self._target is not None and not self.daemon:
            _run_to_the_end(self._target, self._args, self._kwargs)
        else:
            super().start()


def _submit_waited(self, function, /, *args, **kwargs):
    return _run_to_the_end(function, args, kwargs)


async def _run_sync_inline(function, *arguments, abandon_on_cancel=False, cancellable=None, limiter=None):
    return contextvars.copy_context().run(function, *arguments)


def install():
    time_module.time = clock.unix
    time_module.time_ns = lambda: (clock.start + clock.now) * 1000
    time_module.monotonic = clock.monotonic
    time_module.monotonic_ns = lambda: (MONOTONIC_OFFSET + clock.now) * 1000
    time_module.perf_counter = clock.monotonic
    time_module.perf_counter_ns = lambda: (MONOTONIC_OFFSET + clock.now) * 1000
    datetime_module.datetime = VirtualDatetime
    threading.Thread = WaitedThread
    ThreadPoolExecutor.submit = _submit_waited
    # Imported here because it reads the clock that has just been replaced.
    import anyio.to_thread

    anyio.to_thread.run_sync = _run_sync_inline


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: when the loop has nothing to do, the clock jumps to its next timer."""

    def select(self, timeout=None):
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("every task waits for something that no timer will bring about")
        # At least a tick: some timers look at the clock and set themselves anew when early.
        clock.now += max(1, round(timeout * 1_000_000))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__(_JumpingSelector())
        self._clock_resolution = 1e-6  # a timer between two ticks is due at the nearer one

    def time(self):
        return clock.seconds()

    def run_in_executor(self, executor, function, *args):
        future = self.create_future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future
