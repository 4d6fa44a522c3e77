"""facezoo check NAME: does it keep the contract of its kind?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zoo.commands._plugins import add_plugin_option, key_value
from zoo.errors import ZooError
from zoo.plugins import import_plugins
from zoo.registry import REGISTRIES

if TYPE_CHECKING:
    from zoo.conformance import Report

HELP = "check that an encoder, conditioner or any other plug-in keeps the contract of its kind"
BROKEN = 1
_SIGNS = {True: "ok", False: "BROKEN", None: "–"}
_EPILOG = """\
examples
  %(prog)s myenc width=64                        an encoder that is installed, with an option of its constructor
  %(prog)s edges --plugin edges.py               one in a file
  %(prog)s none --kind conditioner               one of a name that several kinds have
  %(prog)s timm model=resnet18 pretrained=false  without its weights; done anyway where they are not here

exit code: 0 all checks pass; 1 some fail; 2 no such name, or options that it refuses
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run each check of the contract. Nothing is downloaded."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("name", help="as in encoder=NAME")
    add("options", nargs="*", metavar="key=value", help="of its constructor; values are YAML")
    add("--kind", choices=tuple(REGISTRIES), help="(default: every kind that has the name)")
    add_plugin_option(parser)
    add("--device", default="cpu", help="where costs are measured and metrics compute (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Print a report for each kind that has the name; 1 if a check fails.

    Raises:
        ZooError: no such name, or options that it refuses.
    """
    options = dict(key_value(text) for text in args.options)
    import_plugins(args.plugin)
    kinds = _kinds(args.name, args.kind)
    from zoo.conformance import check  # it brings in torch

    reports = [check(kind, args.name, options, device=_device(args.device)) for kind in kinds]
    print("\n\n".join(_told(report) for report in reports))
    return BROKEN if any(report.broken for report in reports) else 0


def _kinds(name: str, asked: str | None) -> list[str]:
    kinds = [kind for kind, names in REGISTRIES.items() if name in names.list()] if asked is None else [asked]
    if kinds:
        return kinds
    for names in REGISTRIES.values():  # the kind whose name it is close to tells so
        try:
            names.get(name)
        except ZooError as error:
            if "did you mean" in str(error):
                raise
    everything = "; ".join(f"{kind}s: {', '.join(names.list())}" for kind, names in REGISTRIES.items())
    raise ZooError(f"unknown name {name!r}. Available: {everything}")


def _device(name: str) -> str:
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # no such name; or one that this torch was built without
        raise ZooError(f"--device {name} is not available here") from error
    return name


def _told(report: Report) -> str:
    options = "".join(f" {key}={value}" for key, value in report.options.items())
    origin = REGISTRIES[report.kind].origin(report.name)
    head = [f"{report.kind} {report.name}{options} ({origin})", *([report.note] if report.note else [])]
    width = max(len(result.check) for result in report.results)
    lines = [f"  {_SIGNS[r.ok]:<7} {r.check:<{width}}  {r.detail}".rstrip() for r in report.results]
    kept, moot = (sum(r.ok is ok for r in report.results) for ok in (True, None))
    total = f"{kept} kept, {len(report.broken)} broken" + (f", {moot} not looked at" if moot else "")
    return "\n".join([*head, *lines, total])
