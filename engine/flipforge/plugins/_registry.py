"""Finding, checking and loading plugins.

Nothing a plugin does wrong gets past this module as anything but a `PluginError`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, distributions, entry_points
from inspect import isclass, signature
from operator import attrgetter
from typing import Any

from flipforge.errors import FlipforgeError, PluginError
from flipforge.plugins._manifest import API_VERSION, KINDS, Manifest, PluginInfo
from flipforge.problems import Problem, kinds, register_kind

__all__ = ["available", "connect", "get", "register"]

_OWN = "flipforge"
_SESSION: dict[tuple[str, str], tuple[Manifest, object]] = {}
_CONNECTED: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class _Found:
    """A plugin as discovered: with its manifest, or with the reason why there is none."""

    kind: str
    name: str
    origin: str
    read: Callable[[], Manifest]
    implementation: object = None


def available(kind: str | None = None, *, probe: bool = True) -> list[PluginInfo]:
    """List plugins by kind and name.

    Parameters
    ----------
    kind
        One of `KINDS`; all kinds when left out.
    probe
        Import each implementation and check its protocol, so that ``ok`` means that `get` will work. Without it only
        manifests are read.

    Returns
    -------
    list of PluginInfo
        A broken plugin is a row with its reason; it raises nothing.
    """
    rows = []
    for each in KINDS if kind is None else (_known(kind),):
        for found, clash in _discover(each):
            manifest, fault = _attempt(found.read)
            reason = clash or fault
            if reason is None and probe:
                _, reason = _attempt(_loader(found, manifest))
            rows.append(
                PluginInfo(
                    kind=each,
                    name=found.name,
                    summary=manifest.summary if manifest else "",
                    origin=found.origin,
                    status="broken" if reason else "ok",
                    reason=reason or "",
                )
            )
    return sorted(rows, key=lambda row: (KINDS.index(row.kind), row.name))


def get(kind: str, name: str) -> Any:
    """Load a plugin and check that it keeps the protocol of its kind.

    Returns
    -------
    object
        An `Exporter` for ``exporters``, a `Certifier` for ``certifiers``, a parser for ``problems``, a factory for
        ``executors`` and for ``groups``, a `Lifter` for ``lifters``.

    Raises
    ------
    PluginError
        There is no plugin of that name, or it is broken; the message gives the reason in one line.
    """
    candidates = _discover(_known(kind))
    found, reason = next(((each, clash) for each, clash in candidates if each.name == name), (None, None))
    if found is None:
        names = ", ".join(sorted(each.name for each, _ in candidates)) or "none"
        raise PluginError(f"there is no plugin {name!r} among the {kind}; installed: {names}")
    if reason is None:
        manifest, reason = _attempt(found.read)
        if reason is None:
            loaded, reason = _attempt(_loader(found, manifest))
            if reason is None:
                return loaded
    raise PluginError(f"plugin {name!r} ({kind}, {found.origin}) is broken: {reason}")


def register(manifest: Manifest, implementation: object = None) -> None:
    """Add a plugin to this session, e.g. in a notebook; it is checked at once.

    Parameters
    ----------
    implementation
        The object itself; without it the manifest's target is imported. Registering a name of this session again
        replaces it.

    Raises
    ------
    PluginError
        The name belongs to an installed plugin or to flipforge, or the plugin is broken.
    """
    kind, name = manifest.kind, manifest.name
    owners = {found.name: found.origin for found in _installed(kind)} | dict.fromkeys(_built_in(kind), _OWN)
    if name in owners:
        raise PluginError(f"plugin {name!r} ({kind}): the name is already taken by {owners[name]}")
    found = _session_plugin(manifest, implementation)
    _, reason = _attempt(found.read)
    if reason is None:
        _, reason = _attempt(_loader(found, manifest))
    if reason is not None:
        raise PluginError(f"plugin {name!r} ({kind}) is broken: {reason}")
    _SESSION[kind, name] = manifest, implementation
    _connect(kind, name)


def connect() -> None:
    """Make installed problem kinds, groups and executors known to the registries of their floors; once is enough.

    Only names are read here. A plugin is imported when its name is used, and a broken one says so then.
    """
    for kind in ("problems", "groups", "executors"):
        for found, clash in _discover(kind):
            if clash is None:
                _connect(kind, found.name)


def _connect(kind: str, name: str) -> None:
    if (kind, name) in _CONNECTED:
        return
    if kind == "problems":
        register_kind(name, lambda body: _parsed(name, body))
    elif kind == "groups":
        from flipforge.diagrams import register_group

        register_group(name, lambda body: _made(name, body))
    elif kind == "executors":
        from flipforge.executors import register_executor

        def make(*, workers: int, address: str | None, warm: Callable[[], None] | None) -> Any:
            return get(kind, name)(workers=workers, address=address, warm=warm)

        register_executor(name, make)
    else:
        return
    _CONNECTED.add((kind, name))


def _parsed(name: str, body: str) -> Problem:
    parser = get("problems", name)
    try:
        problem = parser(body)
    except FlipforgeError:
        raise
    except Exception as error:
        raise PluginError(
            f"problem plugin {name!r} failed on {body!r}: {type(error).__name__}: {_one_line(error)}"
        ) from error
    if not isinstance(problem, Problem) or problem.kind != name or problem.name.partition(":")[0] != name:
        raise PluginError(f"problem plugin {name!r} made {problem!r} of {body!r}, not a problem of its kind")
    return problem


def _made(name: str, body: str) -> Any:
    factory = get("groups", name)
    try:
        return factory(body)
    except FlipforgeError:
        raise
    except Exception as error:
        raise PluginError(
            f"group plugin {name!r} failed on {body!r}: {type(error).__name__}: {_one_line(error)}"
        ) from error


def _built_in(kind: str) -> set[str]:
    """Return the names of a kind that flipforge itself brings."""
    names: tuple[str, ...] = ()
    if kind == "problems":
        names = kinds()
    elif kind == "executors":
        from flipforge.executors import names as executor_names

        names = executor_names()
    return {name for name in names if (kind, name) not in _CONNECTED}


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise PluginError(f"unknown kind of plugin {kind!r}: use one of {', '.join(KINDS)}")
    return kind


def _discover(kind: str) -> list[tuple[_Found, str | None]]:
    """Return the plugins of a kind; the second of a name gets the reason why it cannot have it.

    Own plugins come first.
    """
    installed = sorted(
        _installed(kind), key=lambda found: (found.origin.split(" ")[0] != _OWN, found.origin, found.name)
    )
    session = [_session_plugin(*_SESSION[key]) for key in sorted(_SESSION) if key[0] == kind]
    taken = dict.fromkeys(_built_in(kind), _OWN)
    rows = []
    for found in (*installed, *session):
        owner = taken.get(found.name)
        rows.append((found, f"the name {found.name!r} is already taken by {owner}" if owner else None))
        taken[found.name] = owner or found.origin
    return rows


def _session_plugin(manifest: Manifest, implementation: object) -> _Found:
    return _Found(manifest.kind, manifest.name, "session", lambda: _checked(manifest), implementation)


def _installed(kind: str) -> list[_Found]:
    group = f"flipforge.{kind}"
    try:
        points = list(entry_points(group=group))
    except Exception:  # one unreadable entry_points.txt anywhere makes importlib.metadata fail for all distributions
        return list(_installed_one_by_one(kind, group))
    return [_of_point(kind, point, point.dist) for point in points]


def _installed_one_by_one(kind: str, group: str) -> Iterator[_Found]:
    seen: set[str] = set()
    for dist in distributions():
        if (origin := _origin(dist)) in seen:
            continue
        seen.add(origin)
        try:
            points = list(dist.entry_points.select(group=group))
        except Exception as error:
            if f"[{group}]" in (dist.read_text("entry_points.txt") or ""):
                yield _Found(
                    kind, origin.split(" ")[0], origin, _raiser(f"its entry_points.txt is not readable ({error})")
                )
        else:
            yield from (_of_point(kind, point, dist) for point in points)


def _of_point(kind: str, point: EntryPoint, dist: Distribution | None) -> _Found:
    def read() -> Manifest:
        manifest = point.load()
        if not isinstance(manifest, Manifest):
            raise PluginError(f"{point.value} is {type(manifest).__name__}, not a flipforge.plugins.Manifest")
        if (manifest.kind, manifest.name) != (kind, point.name):
            raise PluginError(f"its manifest is of {manifest.name!r} ({manifest.kind}); name the entry point alike")
        if not manifest.target:
            raise PluginError("its manifest has no target; write module:attribute")
        return _checked(manifest)

    return _Found(kind, point.name, _origin(dist), read)


def _origin(dist: Distribution | None) -> str:
    try:
        return f"{dist.name} {dist.version}" if dist else "unknown"
    except Exception:  # metadata that cannot be read must not hide the plugin's row
        return "unknown"


def _raiser(reason: str) -> Callable[[], Manifest]:
    def read() -> Manifest:
        raise PluginError(reason)

    return read


def _checked(manifest: Manifest) -> Manifest:
    """Return the manifest if this installation can carry the plugin."""
    if manifest.api_version != API_VERSION:
        raise PluginError(f"it is written for plugin API {manifest.api_version}, this flipforge has {API_VERSION}")
    for name in manifest.requires:
        try:
            distribution(name)
        except PackageNotFoundError:
            raise PluginError(f"it needs {name}: pip install {name}") from None
    return manifest


def _loader(found: _Found, manifest: Manifest) -> Callable[[], object]:
    def load() -> object:
        loaded = found.implementation
        if loaded is None:
            module, _, attribute = manifest.target.partition(":")
            if not module:
                raise PluginError("it has neither a target nor an implementation")
            loaded = attrgetter(attribute)(import_module(module))
        return _keeping(found.kind, loaded)

    return load


def _keeping(kind: str, loaded: Any) -> object:
    """Return what the plugin implements, or raise `PluginError` where it does not keep the protocol of its kind."""
    match kind:
        case "exporters":
            exporter = loaded() if isclass(loaded) else loaded
            _accepts(exporter, "export", "scheme", "folder", options={})
            _accepts(exporter, "check", "scheme", "folder")
            return exporter
        case "certifiers":
            certifier = loaded() if isclass(loaded) else loaded
            _accepts(certifier, "accepts", "content")
            _accepts(certifier, "certify", "content", options={})
            return certifier
        case "problems" | "groups":
            _accepts(loaded, None, "body")
            return loaded
        case "lifters":
            lifter = loaded() if isclass(loaded) else loaded
            _accepts(lifter, "liftable", "scheme", "to")
            _accepts(lifter, "lift", "scheme", "to", attempts=1, seed=0, best=False)
            _accepts(lifter, "again", "scheme", {})
            return lifter
        case "reducers":
            reducer = loaded() if isclass(loaded) else loaded
            _accepts(reducer, "moved", "scheme", moves=0, seed=0)
            _accepts(reducer, "reduce", "scheme", steps=0, workers=1, seed=0)
            return reducer
        case "kernels":
            maker = loaded() if isclass(loaded) else loaded
            _accepts(maker, "make", "scheme", dtype="", backend=None, threads=1, levels=None, modulus=None)
            return maker
        case "executors":
            _accepts(loaded, None, workers=1, address=None, warm=None)
            return loaded
        case _:
            raise PluginError(f"this version of flipforge has no use for {kind}")


def _accepts(owner: Any, method: str | None, *args: object, **options: object) -> None:
    function = owner if method is None else getattr(owner, method, None)
    name = f"{method}()" if method else "the plugin"
    if not callable(function):
        raise PluginError(f"{name} is missing or cannot be called")
    try:
        signature(function).bind(*args, **options)
    except TypeError as error:
        raise PluginError(f"{name} cannot be called as its protocol says ({error})") from None


def _attempt(action: Callable[[], Any]) -> tuple[Any, str | None]:
    """Run a plugin's code; return its value, or the reason of failure in one line.

    Its prints go to stderr: stdout is for data.
    """
    try:
        with redirect_stdout(sys.stderr):
            return action(), None
    except PluginError as error:
        return None, _one_line(error)
    except (Exception, SystemExit) as error:
        return None, f"{type(error).__name__}: {_one_line(error)}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
