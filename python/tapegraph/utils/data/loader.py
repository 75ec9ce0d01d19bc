"""DataLoader: batches of a dataset, fetched here or ahead of time by threads.

The order is decided in one place, by the thread that iterates: it hands out numbered tasks and
takes their results by number. So workers change when a batch is ready, and never which it is.
"""

from __future__ import annotations

import atexit
import collections
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, Callable

from ... import autograd
from ..._C import Generator
from ..._errors import placed
from .collate import default_collate, default_convert, pinned
from .dataset import Dataset, IterableDataset
from .sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    as_generator,
    batch_count,
    in_batches,
)

Fetch = Callable[[Any], Any]


class DataLoader:
    """Iterates over batches of a dataset; each `for` goes through it once.

    batch_size    items a batch; None gives the items one by one, through default_convert
    shuffle       a new random order each time
    sampler       an iterable over indices instead of shuffle
    batch_sampler an iterable over lists of indices instead of all the above
    num_workers   threads that fetch and collate; 0 does it when the batch is asked for. Python
                  runs one thread at a time except where it waits for files or computes in NumPy
                  or in tapegraph, so it is there that workers gain
    collate_fn    list of items -> batch, in place of default_collate
    drop_last     leaves out a last batch that is too small
    prefetch_factor  batches fetched ahead for each worker, 2 unless told otherwise
    generator     a tg.Generator or a seed for shuffle; without one the order follows from
                  tg.manual_seed
    pin_memory    batches come in pinned memory, from which batch.to("cuda", non_blocking=True) only
                  begins a copy
    timeout, persistent_workers  PyTorch's, for its processes: threads do not get lost and cost
                  little to start, so these change nothing

    Batches come in the same order whatever the number of workers. An IterableDataset is read by
    one thread, for the same reason. What the dataset or collate_fn raises is raised here, the very
    exception with the traceback of where it happened. Leaving the loop early, by an error or by
    Ctrl-C, ends the threads; one in the midst of a batch is waited for, for a second at most, and
    ends after it. Raises ValueError where arguments exclude each other.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        drop_last: bool = False,
        *,
        pin_memory: bool = False,
        timeout: float = 0,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        generator: Generator | int | None = None,
    ) -> None:
        _check_counts(num_workers, prefetch_factor)
        iterable = isinstance(dataset, IterableDataset)
        if iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise placed(
                ValueError,
                "DataLoader: an IterableDataset comes in its own order; leave out shuffle, sampler "
                "and batch_sampler",
            )
        if sampler is not None and shuffle:
            raise placed(ValueError, "DataLoader: give either a sampler or shuffle, not both")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise placed(
                ValueError,
                "DataLoader: a batch_sampler excludes batch_size, shuffle, sampler and drop_last",
            )
        if batch_size is None and drop_last:
            raise placed(
                ValueError, "DataLoader: without a batch_size there is no last batch to drop"
            )
        self.dataset = dataset
        self.generator = as_generator(generator)
        if not iterable and sampler is None and batch_sampler is None:
            sampler = (
                RandomSampler(dataset, generator=self.generator)  # type: ignore[arg-type]
                if shuffle
                else SequentialSampler(dataset)  # type: ignore[arg-type]
            )
        if batch_size is not None and batch_sampler is None:  # checks batch_size and drop_last
            batch_sampler = BatchSampler(sampler or (), batch_size, drop_last)
        self.sampler = sampler
        self.batch_sampler = None if iterable else batch_sampler
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor or (2 if num_workers else None)
        self.batched = batch_sampler is not None
        self.collate_fn = collate_fn or (default_collate if self.batched else default_convert)
        self.pin_memory = pin_memory

    def __len__(self) -> int:
        """How many batches; TypeError where the dataset or sampler has no length."""
        if not isinstance(self.dataset, IterableDataset):
            return len(self.batch_sampler if self.batched else self.sampler)  # type: ignore[arg-type]
        items = len(self.dataset)  # type: ignore[arg-type]
        return batch_count(items, self.batch_size, self.drop_last) if self.batch_size else items

    def __iter__(self) -> Iterator[Any]:
        tasks, fetch = self._work()
        if self.num_workers == 0:
            return self._alone(tasks, fetch)
        one = isinstance(self.dataset, IterableDataset)
        workers = 1 if one else self.num_workers
        ahead = workers * (self.prefetch_factor or 1)
        return _ahead(tasks, fetch, workers, ahead)

    def _work(self) -> tuple[Iterator[Any], Fetch]:
        """What to fetch, in order, and the function that fetches one: _END after the last."""
        dataset, collate = self.dataset, self._collate
        if isinstance(dataset, IterableDataset):
            items = iter(dataset)
            if self.batched:
                items = in_batches(items, self.batch_size or 1, self.drop_last)

            def take(_: None) -> Any:
                item = next(items, _END)
                return item if item is _END else collate(item)

            return iter(lambda: None, _END), take
        if self.batched:
            order = iter(self.batch_sampler)  # type: ignore[arg-type]
            return order, lambda indices: collate([dataset[i] for i in indices])
        return iter(self.sampler), lambda index: collate(dataset[index])  # type: ignore[arg-type]

    def _collate(self, items: Any) -> Any:
        batch = self.collate_fn(items)
        return pinned(batch) if self.pin_memory else batch

    @staticmethod
    def _alone(tasks: Iterator[Any], fetch: Fetch) -> Iterator[Any]:
        for task in tasks:
            batch = fetch(task)
            if batch is _END:
                return
            yield batch


_END = object()


def _check_counts(num_workers: int, prefetch_factor: int | None) -> None:
    if type(num_workers) is not int or num_workers < 0:
        raise placed(
            ValueError, f"DataLoader: num_workers must be 0 or more, and is {num_workers!r}"
        )
    if prefetch_factor is None:
        return
    if num_workers == 0:
        raise placed(
            ValueError, "DataLoader: prefetch_factor asks for workers, but num_workers is 0"
        )
    if type(prefetch_factor) is not int or prefetch_factor <= 0:
        raise placed(
            ValueError,
            f"DataLoader: prefetch_factor must be a positive integer, and is {prefetch_factor!r}",
        )


def _ahead(tasks: Iterator[Any], fetch: Fetch, workers: int, ahead: int) -> Iterator[Any]:
    """The results of fetch, in the order of tasks, of which `ahead` are begun before their turn."""
    pool = _Pool(fetch, workers)
    given = taken = 0
    more = True
    try:
        pool.start()
        while True:
            while more and given < taken + ahead:
                try:
                    task = next(tasks)
                except StopIteration:
                    more = False
                    break
                except Exception as error:  # which comes in its turn, as without workers
                    more = False
                    pool.give_error(given, error)
                else:
                    pool.give(given, task)
                given += 1
            if taken == given:
                return
            batch = pool.take(taken)
            if batch is _END:
                return
            taken += 1
            yield batch
            del batch  # it is the caller's now
    finally:
        pool.stop()


class _Pool:
    """Threads that turn numbered tasks into numbered results."""

    def __init__(self, fetch: Fetch, workers: int) -> None:
        self.fetch = fetch
        self.grad_mode = autograd.is_grad_enabled()  # threads would begin with their own
        # An RLock is inside: the garbage collector may call stop() from a thread that holds it.
        self.changed = threading.Condition()
        self.tasks: collections.deque[tuple[int, Any]] = collections.deque()
        self.results: dict[int, tuple[Any, BaseException | None]] = {}
        self.stopped = False
        # Daemons, for Python waits for all others before it runs what atexit holds.
        self.threads = [
            threading.Thread(target=self.work, name=f"DataLoader worker {i}", daemon=True)
            for i in range(workers)
        ]

    def start(self) -> None:
        _pools.add(self)
        for thread in self.threads:
            thread.start()

    def work(self) -> None:
        with autograd.set_grad_enabled(self.grad_mode):
            while True:
                with self.changed:
                    while not self.tasks and not self.stopped:
                        self.changed.wait()
                    if self.stopped:
                        return
                    number, task = self.tasks.popleft()
                try:
                    result = (self.fetch(task), None)
                except BaseException as error:
                    result = (None, error)
                with self.changed:
                    self.results[number] = result
                    self.changed.notify_all()
                del task, result  # not kept alive while waiting

    def give(self, number: int, task: Any) -> None:
        with self.changed:
            self.tasks.append((number, task))
            self.changed.notify_all()

    def give_error(self, number: int, error: BaseException) -> None:
        with self.changed:
            self.results[number] = (None, error)

    def take(self, number: int) -> Any:
        """Waits for the result of a task; raises what fetching it raised."""
        with self.changed:
            while number not in self.results:
                self.changed.wait()
            result, error = self.results.pop(number)
        if error is None:
            return result
        try:
            raise error
        finally:
            del error  # this frame is in its traceback: a cycle that would keep the batch alive

    def stop(self) -> None:
        """Ends the threads; one that is fetching is waited for, for a second at most."""
        with self.changed:
            self.stopped = True
            self.tasks.clear()
            self.results.clear()
            self.changed.notify_all()
        until = time.monotonic() + 1
        for thread in self.threads:
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        _pools.discard(self)


_pools: weakref.WeakSet[_Pool] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """Iterators that were left half-way when the program ends."""
    for pool in list(_pools):
        pool.stop()
