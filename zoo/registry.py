"""Names → plug-ins: classes for most kinds, functions for samplers.

A name comes from one of three places, all listed without importing anything heavy:

* a module of the built-in package: ``zoo/encoders/arcface.py`` *is* the encoder ``arcface``;
* an entry point of an installed distribution, in the group ``zoo.encoders`` (``.conditioners``, ``.denoisers``,
  ``.samplers``, ``.schedules``, ``.objectives``, ``.metrics``, ``.data``, ``.methods``);
* a ``register`` call in the running process.

A class is imported when it is first created, so ``encoder=unet`` never imports insightface.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zoo.errors import PlugInError, ZooError, unknown
from zoo.sources import source_sha

if TYPE_CHECKING:
    from zoo.conditioners import Conditioner
    from zoo.data import Dataset
    from zoo.denoisers import Denoiser
    from zoo.encoders import Encoder
    from zoo.methods import Method
    from zoo.metrics import Metric
    from zoo.objectives import Objective
    from zoo.samplers import Sampler
    from zoo.schedules import Schedule

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])


class Registry(Generic[T]):
    """One kind of plug-in.

    Args:
        kind: singular noun for messages, e.g. ``"encoder"``.
        package: the built-in package; also the entry-point group.
        base: the class of that package that all derive from; None: there is none.
        given: parameters of every constructor that whoever builds it fills in: they are no options.
        taken: what no option may be called: beside the name it says something else, wherever options are written.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        base: str | None = None,
        *,
        given: tuple[str, ...] = (),
        taken: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.package = package
        self.base = base
        self.given = given
        self.taken = ("name", *taken)
        self._classes: dict[str, Any] = {}
        self._failures: dict[str, str] = {}

    def register(self, name: str) -> Callable[[C], C]:
        """Class decorator that binds ``name``; raises `ZooError` naming both owners if it is taken."""

        def bind(cls: C) -> C:
            taken = self._owner(name, besides=cls)
            if taken is not None:
                raise ZooError(f"{self.kind} {name!r} of {_path(cls)} is already taken by {taken}; choose another name")
            self._classes[name] = cls
            return cls

        return bind

    def list(self, pattern: str = "*") -> list[str]:
        """Sorted names that match a shell-style pattern."""
        names = {*self._builtins, *self._entry_points, *self._classes}
        return sorted(name for name in names if fnmatchcase(name, pattern))

    def get(self, name: str) -> type[T]:
        """The class behind ``name``; raises `ZooError` with the close names if there is none, and where an option of it
        has a name that is taken."""
        if name not in self._classes:
            self._import(name)
        cls = self._classes[name]
        for option in inspect.signature(cls).parameters:
            if option in self.taken:
                raise PlugInError(
                    f"{self.described(cls)}: no option of a {self.kind} may be called {option!r}; rename it"
                )
        return cls

    def create(self, name: str, *args: Any, **options: Any) -> T:
        """``get(name)(*args, **options)``; options the class does not know, and whatever the constructor of one that is
        not built in does wrong, as one clear error. Sets `ZooError.about`."""
        cls = self.get(name)
        try:
            made = cls(*args, **options)
        except ZooError as error:
            error.about = self.kind, self.options(name)
            raise
        except (Exception, SystemExit) as error:  # a plug-in may fail in any way
            if "__init__() got an unexpected keyword" in str(error):
                raise ZooError(f"{self.kind} {name!r}: {str(error).split('__init__() ')[-1]}") from error
            if name in self._builtins:
                raise
            raise PlugInError(f"{self.described(cls)} cannot be built: {failure(error)}") from error
        if name not in self._builtins and not self._derived(made):
            raise PlugInError(f"{self.described(cls)} is no {self.package}.{self.base}; derive it from that")
        return made

    def foreign(self) -> dict[str, type[T]]:
        """Those of the classes imported so far that are not built in."""
        return {name: cls for name, cls in self._classes.items() if name not in self._builtins}

    def described(self, cls: type) -> str:
        """How messages name a class: by its kind and name, and its file where it is not built in."""
        name = next((name for name, known in self._classes.items() if known is cls), cls.__qualname__)
        file = None if name in self._builtins else _file(cls)
        return f"{self.kind} {name!r}" + (f" ({file})" if file else "")

    def options(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """The options of ``name``; those that have no default, if they are ``required``."""
        parameters = inspect.signature(self.get(name)).parameters.values()
        ordinary = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        known = (p for p in parameters if p.kind in ordinary and p.name not in self.given)
        return tuple(p.name for p in known if p.default is p.empty or not required)

    def origin(self, name: str) -> str:
        """Where ``name`` comes from: "built-in", a distribution and its version, or the file (else module) that
        registered it. Imports nothing; raises `ZooError` for a name that there is not."""
        if name in self._builtins:
            return "built-in"
        if name in self._entry_points:
            point = self._entry_points[name]
            return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        if name not in self._classes:
            raise ZooError(self._unknown(name))
        return _file(self._classes[name]) or self._classes[name].__module__

    def source_sha(self, name: str) -> str | None:
        """sha256 of the source of a plug-in, see `zoo.sources`; None where it is built in and has a version instead."""
        return None if name in self._builtins else source_sha(self.get(name))

    @cached_property
    def _builtins(self) -> frozenset[str]:
        folder = Path(__file__).parent / self.package.removeprefix("zoo.")
        return frozenset(path.stem for path in folder.glob("[!_]*.py"))

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self.package):
            other = found.get(point.name)
            owner = f"{self.package}.{point.name}" if point.name in self._builtins else other and other.value
            if owner and owner != point.value:
                raise ZooError(
                    f"{self.kind} {point.name!r} of {point.value} is already taken by {owner}; uninstall one"
                )
            found[point.name] = point
        return found

    def _owner(self, name: str, besides: Any) -> str | None:
        """Who else holds ``name``; registering the same class again (a reloaded notebook cell) is no clash."""
        if name in self._classes:
            other = self._classes[name]
            return None if _same(other, besides) else _path(other)
        if name in self._builtins:
            module = f"{self.package}.{name}"
            return None if module == besides.__module__ else module
        if name in self._entry_points:
            point = self._entry_points[name]
            # a package may name its class by another module that imports it, and be named by its file, too
            within = point.module.partition(".")[0] == besides.__module__.partition(".")[0]
            its_own = within or _file(besides) == _file_of(point.module)
            return None if its_own and point.attr == besides.__qualname__ else point.value
        return None

    def _derived(self, made: object) -> bool:
        return not self.base or isinstance(made, getattr(importlib.import_module(self.package), self.base))

    def _import(self, name: str) -> None:
        try:
            if name in self._builtins:
                importlib.import_module(f"{self.package}.{name}")
            elif name in self._entry_points:
                self._classes.setdefault(name, self._entry_points[name].load())
        except (Exception, SystemExit) as error:  # a broken one must not hide the others: the message has its reason
            self._failures[name] = failure(error)
        if name not in self._classes:
            raise ZooError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        if name in self._failures:
            return f"{self.kind} {name!r} failed to import ({self._failures[name]})"
        broken = "".join(f" Failed to import: {n} ({why})." for n, why in sorted(self._failures.items()))
        return unknown(self.kind, name, self.list()) + broken


class Functions(Registry[T]):
    """Plug-ins that are functions: ``given`` is what they are called with, what else they take is their options."""

    def create(self, name: str, *args: Any, **options: Any) -> T:
        """The function with these options; raises `ZooError` for one that it does not take."""
        known = self.options(name)
        for option in options:
            if option not in known:
                raise ZooError(f"{self.kind} {name!r}: {unknown('option', option, known)}")
        made: Any = partial(self.get(name), *args, **options)
        return made


def failure(error: BaseException) -> str:
    """An exception of a plug-in in one line."""
    if isinstance(error, SystemExit):
        return f"it ends the process (SystemExit: {error.code})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _path(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _file(cls: Any) -> str | None:
    """The file of the module that made ``cls``; None in a notebook."""
    return getattr(sys.modules.get(cls.__module__), "__file__", None)


def _file_of(module: str) -> str:
    """The file of a module that may not be imported yet; "": nobody knows."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    return (spec and spec.origin) or ""


def _same(a: Any, b: Any) -> bool:
    """Whether the same lines made both: a cell that ran twice, or a file that is imported under two names."""
    from_one_place = a.__module__ == b.__module__ or (_file(a) is not None and _file(a) == _file(b))
    return a.__qualname__ == b.__qualname__ and from_one_place


encoders: Registry[Encoder] = Registry("encoder", "zoo.encoders", "Encoder")
conditioners: Registry[Conditioner] = Registry(
    "conditioner", "zoo.conditioners", "Conditioner", given=("spec", "denoiser_levels")
)
denoisers: Registry[Denoiser] = Registry("denoiser", "zoo.denoisers", "Denoiser", given=("extra",))
samplers: Functions[Sampler] = Functions("sampler", "zoo.samplers", given=("denoise", "x", "path"))
schedules: Registry[Schedule] = Registry("schedule", "zoo.schedules", "Schedule")
objectives: Registry[Objective] = Registry("objective", "zoo.objectives", "Objective")
metrics: Registry[Metric] = Registry("metric", "zoo.metrics", "Metric", taken=("hints",))
datasets: Registry[Dataset] = Registry("dataset", "zoo.data", "Dataset", taken=("limit", "dedupe", "crop", "weight"))
methods: Registry[Method] = Registry(
    "method", "zoo.methods", "Method", given=("model", "sampler", "ab", "chroma_scale", "images")
)

REGISTRIES: Mapping[str, Registry[Any]] = MappingProxyType(
    {
        registry.kind: registry
        for registry in (
            encoders,
            conditioners,
            denoisers,
            samplers,
            schedules,
            objectives,
            metrics,
            datasets,
            methods,
        )
    }
)
