"""How this program was called: what stands before the command, and how its user is spoken to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click

from invsync import API_VERSIONS
from invsync.errors import ConfigError

if TYPE_CHECKING:
    from invsync.config.settings import Settings
    from invsync.progress import Progress
    from invsync.tell.lines import Paragraph


class Invocation:
    """What stands before the command: which configuration, and how much to say."""

    def __init__(self, config: str | None, verbose: int, quiet: bool) -> None:
        self.config = config
        self.verbose = verbose
        self.quiet = quiet
        self._file: Path | None = None
        self._state_dir: Path | None = None

    def also(self, *, verbose: int, quiet: bool = False) -> None:
        """Say as much, or as little, as is asked for after the command too."""
        self.verbose = max(self.verbose, verbose)
        self.quiet = self.quiet or quiet

    def settings(self) -> Settings:
        """The configuration; raises `ConfigError`."""
        from invsync.config.finding import find as find_config
        from invsync.config.settings import load as load_config

        self._file = find_config(self.config, os.environ, Path())
        settings = load_config(self._file, os.environ)
        self._state_dir = settings.state_dir
        return settings

    def sandbox_place(self) -> SandboxPlace:
        """Where the sandbox keeps its shop.

        As the configuration says, or in this folder without one.
        """
        from invsync.config.finding import find as find_config
        from invsync.config.settings import load as load_config

        try:
            file = find_config(self.config, os.environ, Path())
        except ConfigError:
            if self.config or os.environ.get("INVSYNC_CONFIG"):
                raise
            return SandboxPlace(Path("invsync-state/sandbox.json"), None, API_VERSIONS[-1])
        settings = load_config(file, os.environ)
        if settings.shop != "sandbox.myshopify.com":
            raise ConfigError(
                f"{settings.file}: shop is {settings.shop}, a real shop; the sandbox commands need "
                "`shop: sandbox`"
            )
        from invsync.state.files import refuse_foreign

        url = None if settings.sandbox else settings.endpoint
        if url is None:
            refuse_foreign(settings.state_dir, "sandbox …")
        return SandboxPlace(settings.state_dir / "sandbox.json", url, settings.api_version)

    def start_log(self) -> None:
        """Send the log to stderr, as much of it as was asked for."""
        import logging

        from invsync.tell.lines import Paragraph

        class OneLine(logging.Formatter):
            """What the shop says comes in here too, and must not steer the terminal."""

            def format(self, record: logging.LogRecord) -> str:
                return _laid_out([Paragraph(super().format(record))], sys.stderr, "invsync")

        level = [logging.WARNING, logging.INFO, logging.DEBUG][min(self.verbose, 2)]
        logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(OneLine("%(message)s"))
        logging.getLogger("invsync").setLevel(logging.ERROR if self.quiet else level)

    def warn_of(self, settings: Settings) -> None:
        """Start the log with what the configuration is warned of."""
        import logging

        self.start_log()
        for warning in settings.warnings:
            logging.getLogger("invsync").warning("%s", warning)

    def called(self, *, at_a_terminal: bool) -> str:
        """How the reader of a report calls this very program with this very configuration.

        Who reads cron's mail is in another folder, and has neither cron's environment nor, maybe, a
        PATH to invsync; and who is not the user whose the state folder is has to become that one.
        """
        import shlex

        program = _program(at_a_terminal=at_a_terminal)
        config = self.config
        if not at_a_terminal:
            given = self._file or self.config or os.environ.get("INVSYNC_CONFIG")
            config = _absolute(Path(given)) if given else None
        words = [program, "--config", config] if config else [program]
        if user := self._become(at_a_terminal=at_a_terminal):
            words = ["sudo", "-u", user, *words]
        return shlex.join(words)

    def _become(self, *, at_a_terminal: bool) -> str | None:
        """Whom the reader has to become to run a command; None for nobody else."""
        from invsync.state.files import owner_of

        owner = None if self._state_dir is None else owner_of(self._state_dir)
        if owner is None:
            return None
        if owner.uid != os.geteuid():
            return owner.name
        return None if at_a_terminal or _reads_own_mail(owner.name, os.environ) else owner.name

    def progress(self) -> Progress:
        """The line on stderr that moves while something takes long; what is logged finds it gone.

        To be asked for once the log has started.
        """
        import logging

        from invsync.progress import Progress
        from invsync.tell.terminal import terminal_of

        bar = Progress(sys.stderr, None if self.quiet else terminal_of(sys.stderr))
        for handler in logging.getLogger().handlers:
            handler.addFilter(bar.make_way)
        return bar

    def tell(self, *told: Paragraph) -> None:
        """Print on stdout, the commands as they have to be typed here."""
        from invsync.tell.terminal import terminal_of

        called = self.called(at_a_terminal=terminal_of(sys.stdout) is not None)
        click.echo(_laid_out(told, sys.stdout, called))


def _absolute(path: Path) -> str:
    """A path as it works from any folder; as it is, where the present one was removed."""
    try:
        return str(path.absolute())
    except FileNotFoundError:
        return str(path)


class SandboxPlace(NamedTuple):
    """Where the sandbox keeps its shop, or where one is served, and which API version it speaks."""

    state_file: Path
    url: str | None
    api_version: str


def _program(*, at_a_terminal: bool) -> str:
    """The program, as its reader can start it."""
    import shutil

    started = Path(sys.argv[0])
    if started.name != "invsync":
        return "invsync"  # python -m invsync, or a test
    if at_a_terminal and shutil.which("invsync"):
        return "invsync"
    return _absolute(Path(shutil.which(sys.argv[0]) or started))


def _reads_own_mail(user: str, environ: Mapping[str, str]) -> bool:
    """Whether cron's mail goes to whoever is logged in as the user that the job runs as.

    Not where it is sent to somebody else (cron hands its MAILTO on to the job), nor where nobody
    can log in as that user.
    """
    import pwd

    to = environ.get("MAILTO")
    if to and to.partition("@")[0] != user:
        return False
    try:
        shell = pwd.getpwnam(user).pw_shell
    except KeyError:
        return True
    return Path(shell).name not in ("nologin", "false")


def complain(invocation: Invocation | None, error: Exception | str) -> None:
    """Print an error on stderr: the one place that does, a line for each thing that is wrong.

    What the shop says is in there, and must not steer the terminal.
    """
    from invsync.tell.lines import Paragraph

    called = invocation.called(at_a_terminal=sys.stdout.isatty()) if invocation else "invsync"
    lines = error.problems if isinstance(error, ConfigError) else (str(error),)
    told = [Paragraph(line, "invsync:", tag_style="bold red") for line in lines]
    click.echo(_laid_out(told, sys.stderr, called), err=True)


def _laid_out(told: Sequence[Paragraph], stream: TextIO, invsync: str) -> str:
    """The lines as a terminal shows them, or, where there is none, each as it is."""
    from invsync.tell.lines import addressed, encodable
    from invsync.tell.terminal import terminal_of

    if terminal := terminal_of(stream):
        from invsync.tell import screen

        lines = screen.draw(told, terminal, invsync)
    else:
        lines = addressed("\n".join(each.plain for each in told), invsync)
    return encodable(lines, stream.encoding)
