"""Keeps unused parts of libraries from being loaded: loading them would take most of the time of a start.

A library's package often imports all it can do, whatever is used of it. `Unloaded` says what is not wanted:

- a module of `unrun` can be imported without being run. The first use of a name that it does not have yet runs it, so
nothing is lost but the time until then; - a module of `never_called` is an empty one in which every name stands for a
class; to call one raises `LeftOut`; - `stood_in` names such modules too, which are there only while the module that
names them is loaded; - `hidden` names modules that are not found while the module that would use them is loaded.

Each table stands where the library is used: p2p/stand_ins.py, rpc/calls/__init__.py, daemon/__init__.py.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import MappingProxyType, ModuleType
from typing import Any, Final, NoReturn

REACHED: Final[list[str]] = []  # the left-out modules that were run or called
NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_running: Final = RLock()


class LeftOut(ImportError):
    """A part of a library that the daemon does not load was called."""


class Unloaded:
    """Full names of modules; those below a module of `never_called` are left out with it.

    `given`: the names that a module of `unrun` has already. `whole`: the one of them that is the library itself; asked
    for a name, it is loaded as if nothing were left out.
    """

    def __init__(
        self,
        *,
        unrun: Sequence[str] = (),
        never_called: Sequence[str] = (),
        stood_in: Mapping[str, Sequence[str]] = NONE,
        hidden: Mapping[str, Sequence[str]] = NONE,
        given: Mapping[str, Mapping[str, Any]] = NONE,
        whole: str = "",
    ) -> None:
        self.unrun, self.never_called = frozenset(unrun), frozenset(never_called)
        self.stood_in, self.hidden, self.given = stood_in, hidden, given
        self._whole = whole

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `sys.meta_path` asks for it; of the modules named here alone."""
        if name in self.never_called or any(name.startswith(left + ".") for left in self.never_called):
            return _spec(name, _Empty())
        if name in self.unrun:
            return _loaded_by(name, path, lambda loader: _Unrun(loader, self))
        if name in self.stood_in:
            return _loaded_by(name, path, lambda loader: _Without(loader, self.stood_in[name], _NeverCalled))
        if name in self.hidden:
            return _loaded_by(name, path, lambda loader: _Without(loader, self.hidden[name], lambda _: None))
        return None

    def before(self, name: str) -> None:
        """A module of `unrun` is about to run."""
        REACHED.append(name)
        if name == self._whole:
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]


def leave_out(what: Unloaded) -> None:
    """Leave these modules out; call it before the first import of the library."""
    if what not in sys.meta_path:
        finder: Any = what
        sys.meta_path.insert(0, finder)


def _spec(name: str, loader: Any) -> ModuleSpec:
    return ModuleSpec(name, loader, is_package=True)


def _loaded_by(name: str, path: Sequence[str] | None, wrap: Any) -> ModuleSpec | None:
    spec = PathFinder.find_spec(name, path)
    if spec is not None:
        spec.loader = wrap(spec.loader)
    return spec


class _Empty:
    """Loads a module in which every name stands for a class."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _NeverCalled(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return


class _Unrun:
    """Loads a module that runs when it is asked for something."""

    def __init__(self, loader: Any, what: Unloaded) -> None:
        self.loader = loader
        self.what = what

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Waiting(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(self.what.given.get(module.__name__, {}))


class _Without:
    """Loads a module while others are replaced or hidden; modules that are loaded already stay."""

    def __init__(self, loader: Any, names: Sequence[str], instead: Any) -> None:
        self._loader = loader
        self._names = names
        self._instead = instead

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        absent = [name for name in self._names if name not in sys.modules]
        for name in absent:
            sys.modules[name] = self._instead(name)
        try:
            self._loader.exec_module(module)
        finally:
            for name in absent:
                del sys.modules[name]


class _Waiting(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return import_module("importlib.metadata").version(self.__name__)
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return import_module(f"{self.__name__}.{name}")
        except ModuleNotFoundError:
            return self._own(name)

    def _own(self, name: str) -> Any:
        with _running:
            waiting: Any = self.__loader__
            if isinstance(waiting, _Unrun):
                self.__loader__ = waiting.loader
                if self.__spec__ is not None:
                    self.__spec__.loader = waiting.loader  # it reads files of its package by it
                waiting.what.before(self.__name__)
                waiting.loader.exec_module(self)
        if name not in vars(self):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return vars(self)[name]


class _NeverCalled(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _NameAlone(name, (Exception,), {"__module__": self.__name__})


class _NameAlone(type):
    """A class that can be named in a type, in `isinstance` and in `except`; making an instance raises."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _NameAlone(f"{cls.__name__}.{name}", (Exception,), {"__module__": cls.__module__})

    def __call__(cls, *args: object, **keywords: object) -> NoReturn:
        REACHED.append(f"{cls.__module__}.{cls.__name__}")
        raise LeftOut(f"{cls.__module__}.{cls.__name__}: musigd runs without it, see config/left_out.py")
