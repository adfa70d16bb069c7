"""Independent tasks in forked processes, which share the parent's data without copying it."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Tasks = Sequence[Callable[[], T]]


class Lost(Generic[T]):
    """Stands for a task's answer when the process that ran it died."""

    def __init__(self, exit_code: int | None) -> None:
        self.exit_code = exit_code


def run_all(tasks: Tasks[T], processes: int) -> list[T | Lost[T]]:
    """Answers in the tasks' order. Each process takes the next task that nobody has taken.

    A task must catch what it may raise. What a child raises, or a child that is killed, loses its tasks: :class:`Lost`.
    Native thread pools are held to one thread, since GNU OpenMP can hang in the child of a process that has used it.
    """
    count = min(processes, len(tasks)) if _may_fork() else 1
    if count < 2:
        with _one_thread():
            return [task() for task in tasks]
    return _forked(tasks, count)


def usable_processes() -> int:
    """Two where there are two cores: the longest check bounds what more would bring."""
    return min(2, len(os.sched_getaffinity(0)))


def _may_fork() -> bool:
    return "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon


def _forked(tasks: Tasks[T], count: int) -> list[T | Lost[T]]:
    fork = multiprocessing.get_context("fork")
    taken = fork.Value("i", 0)
    children = []
    for _ in range(count - 1):
        receiver, sender = fork.Pipe(duplex=False)
        child = fork.Process(target=_child, args=(tasks, taken, sender))
        child.start()
        sender.close()
        children.append((child, receiver))
    try:
        answers: dict[int, T | Lost[T]] = dict(_drain(tasks, taken))
        exit_code = None
        for child, receiver in children:
            try:
                answers.update(receiver.recv())
            except EOFError:
                child.join()
                exit_code = child.exitcode
    finally:
        for child, _ in children:
            child.kill()
            child.join()
    return [answers[index] if index in answers else Lost(exit_code) for index in range(len(tasks))]


def _child(tasks: Tasks[T], taken: Any, sender: Connection) -> None:
    sender.send(_drain(tasks, taken))
    sender.close()


def _drain(tasks: Tasks[T], taken: Any) -> dict[int, T]:
    answers: dict[int, T] = {}
    with _one_thread():
        while True:
            with taken.get_lock():
                index = taken.value
                taken.value += 1
            if index >= len(tasks):
                return answers
            answers[index] = tasks[index]()


@contextmanager
def _one_thread() -> Any:
    from joblib import parallel_config
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), parallel_config(backend="sequential"):
        yield
