"""What a user reads when a command fails: one line for each mistake, with what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from uxla.errors import UxlaError, out_of_memory_text, printable

_NO_MEMORY = "out of memory; close other programs, or give smaller files or a smaller model, and run again"
_OF_A_NETWORK = ("gaierror", "SSLError", "SSLCertVerificationError", "LocalEntryNotFoundError", "HfHubHTTPError")
_REMEDIES = {errno.ENOSPC: "free space there", errno.EDQUOT: "free space there", errno.EROFS: "give another place"}
_REMEDIES |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)")
_REMEDIES |= {errno.ENOMEM: "close other programs", errno.EIO: "check the disk"}
"""What to do about faults that no other path mends."""
_MEANT = {"train": "run", "adapt": "run", "fit": "run", "tag": "predict", "label": "predict", "eval": "evaluate"}
"""What people of other tools type, and the command that does it."""
_WITH_SETTINGS = ("run", "grid", "plan")
"""The commands whose settings are written `key=value`."""


def fault_lines(error: Exception) -> Sequence[str]:
    """A line for each mistake of the user, or the fault of the system; none for a bug of uxla."""
    match error:
        case UxlaError():
            return error.mistakes
        case MemoryError():
            return [_NO_MEMORY]
        case RuntimeError():
            return [_NO_MEMORY] if out_of_memory_text(str(error)) else []
        case ImportError():
            ours = (error.name or "").split(".")[0] == "uxla"
            return [] if ours else [printable(f"{error}; a library is missing or damaged; install it again")]
        case OSError():
            return [printable(_system_fault(error))]
    return []


def usage_line(error: Any, given: Sequence[str]) -> str:
    """What was wrong with the arguments `given` on the command line; the whole help where there were none."""
    context, said = error.ctx, error.message
    command = context.command_path if context is not None else "uxla"
    where, help_of = f"{command.partition(' ')[2]}: ".removeprefix(": "), f"see {command} -h"
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(said)
    if said.startswith("No such command"):
        name = next(word for word in given if word not in command.split()[1:])
        known = context.command.list_commands(context)
        close = [_MEANT[name]] if _MEANT.get(name) in known else get_close_matches(name, known, n=1)
        return f"{where}no command {name}; {_did_you_mean([f'{command} {one}' for one in close]) or help_of}"
    if said.startswith("No such option"):
        hint = _did_you_mean(_meant_options(error.option_name, context, given))
        return f"{where}no option {error.option_name}; {hint or help_of}"
    if getattr(error, "param", None) is not None:
        name = max(error.param.opts, key=len) if error.param.param_type_name == "option" else error.param.metavar
        return f"{where}{name or error.param.name.upper()}{_what_is_wrong(error)}; {help_of}"
    return f"{where}{said[:1].lower()}{said[1:].rstrip('.')}; {help_of}"


def _what_is_wrong(error: Any) -> str:
    from pydantic import ValidationError

    from uxla.schema import fault_text

    if isinstance(error.__cause__, ValidationError):
        fault = error.__cause__.errors(include_url=False)[0]
        own = fault["type"] == "value_error"
        return f": {str(fault['ctx']['error']).rstrip('.') if own else fault_text(fault, None)}"
    return f": {error.message.rstrip('.')}" if error.message else " is not given"


def _meant_options(option: str, context: Any, given: Sequence[str]) -> list[str]:
    """What to write in place of an option that a command does not have: a setting, or an option of a similar name."""
    known = [name for param in context.command.params for name in param.opts if name.startswith("--")]
    if context.command.name in _WITH_SETTINGS:
        from uxla.config.run import KEYS

        name = option.lstrip("-").replace("-", "_")
        keys = [key for key in KEYS if key == name] or [key for key in KEYS if key.endswith(f".{name}")]
        if not keys and not get_close_matches(option, known, n=1):
            keys = get_close_matches(name, list(KEYS), n=1)
        if keys:
            return [f"{key}={_value(option, given)}" for key in keys]
    return get_close_matches(option, known, n=1)


def _value(option: str, given: Sequence[str]) -> str:
    """The value that follows an option, after a space or `=`."""
    place = next(i for i, word in enumerate(given) if word.partition("=")[0] == option)
    _, equals, value = given[place].partition("=")
    return value if equals else next(iter(given[place + 1 :]), "VALUE")


def _did_you_mean(names: Iterable[str]) -> str:
    found = " or ".join(names)
    return f"did you mean {found}?" if found else ""


def _system_fault(error: OSError) -> str:
    """What failed: a file, a network, or what else the system or a library says."""
    if error.filename:
        if error.errno in _REMEDIES:
            return f"{error.filename2 or error.filename}: {error.strerror}; {_REMEDIES[error.errno]} and run again"
        return f"{error.filename}: {error.strerror or error}; check the path"
    said = f"{type(error).__name__}: {error.strerror or error}"
    if isinstance(error, ConnectionError | TimeoutError) or type(error).__name__ in _OF_A_NETWORK:
        return f"{said}; check the network and run again"
    return f"{said}; fix what the system or the library reports, and run again"
