"""The contracts as a kit: does an encoder, conditioner or any other plug-in keep the one of its kind?

In a test of your own package::

    from zoo.conformance import assert_conforms

    def test_my_encoder_keeps_its_contract():
        assert_conforms("encoder", "myenc", width=64)

On the command line: ``python -m zoo check myenc width=64``.
"""

from __future__ import annotations

import inspect
from functools import partial
from importlib import import_module
from typing import Any

from zoo.conformance.checks import Report, Result, Subject, look
from zoo.errors import PlugInError, WeightsNotFoundError, ZooError
from zoo.registry import REGISTRIES, failure
from zoo.weights import no_downloads

__all__ = ["Report", "Result", "assert_conforms", "check"]


def check(
    kind: str, name: str, options: dict[str, Any] | None = None, *, device: str = "cpu", costs: bool = True
) -> Report:
    """Run each check of one registered name.

    Nothing is downloaded: an encoder whose weights are not here is built with ``pretrained=False``, and the report's
    note says so.

    Args:
        kind: a key of `zoo.registry.REGISTRIES`: "encoder", "conditioner", "sampler", …
        name: as registered.
        options: of its constructor.
        device: where costs are measured and metrics compute.
        costs: measure them, too.

    Raises:
        ZooError: no such kind or name, or it refuses these options.
    """
    if kind not in REGISTRIES:
        raise ZooError(f"unknown kind {kind!r}; expected one of {', '.join(REGISTRIES)}")
    contract = import_module(f"zoo.conformance.{kind}")
    cls = REGISTRIES[kind].get(name)
    parameters = inspect.signature(cls).parameters
    options = dict(options or {})
    missing = [option for option in REGISTRIES[kind].options(name, required=True) if option not in options]
    if missing:
        raise ZooError(f"{kind} {name!r} needs {' and '.join(f'{option}=...' for option in missing)}")

    def subject() -> Subject:
        build = partial(getattr(contract, "create", REGISTRIES[kind].create), name)

        def built(*args: Any, **changes: Any) -> Any:
            return build(*args, **{**options, **changes})

        return contract.SUBJECT(built, parameters, device, cls, options)

    checks = (*contract.CHECKS, *(contract.COSTS if costs else ()))
    note = ""
    with no_downloads():
        try:
            subject().probe()
        except WeightsNotFoundError:
            if "pretrained" not in parameters or "pretrained" in options:
                raise
            options["pretrained"] = False
            subject().probe()
            note = "its weights are not here: looked at with pretrained=False"
        except ZooError as error:
            if not isinstance(error, PlugInError):
                raise
            why = str(error) if error.__cause__ is None else f"it raised {failure(error.__cause__)}"
            return Report(kind, name, options, (Result("is built from its options", False, why),))
        except (Exception, SystemExit) as error:  # a plug-in may fail in any way
            told = Result("is built from its options", False, f"it raised {failure(error)}")
            return Report(kind, name, options, (told,))
        return Report(kind, name, options, tuple(look(checks, subject())), note)


def assert_conforms(kind: str, name: str, /, **options: Any) -> None:
    """Raises `AssertionError` that lists every failed check, for tests; see `check`."""
    report = check(kind, name, options, costs=False)
    broken = [f"  {result.check}: {result.detail}" for result in report.broken]
    if broken:
        raise AssertionError("\n".join([f"{kind} {name!r} fails {len(broken)} of its checks:", *broken]))
