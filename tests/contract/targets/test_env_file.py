"""The dotenv file target keeps the target contract, judged through python-dotenv and as an unprivileged user."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dotenv
import pytest

from rotator.targets.env_file import EnvFileOptions
from rotator.targets.env_file.target import EnvFileTarget
from rotator.testing.target_contract import SharedTargetContract

NOBODY = 65534


class FilePlace:
    """A `.env` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.keys: Mapping[str, str] = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}
        self.folder = folder / "app"
        self.locks = folder / "locks"
        self.folder.mkdir()
        self.path = self.folder / ".env"

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> EnvFileTarget:
        options = EnvFileOptions(path=self.path)
        return EnvFileTarget(options, self.keys if keys is None else keys, self.locks, crash=crash)

    def look(self) -> Mapping[str, str]:
        if not self.path.exists():
            return {}
        text = self.path.read_text()
        return {key: value or "" for key, value in dotenv.dotenv_values(stream=io.StringIO(text)).items()}

    def overwrite(self, values: Mapping[str, str]) -> None:
        editor = self.folder / "editor~"
        editor.write_text("".join(f"{key}='{value}'\n" for key, value in values.items()))
        editor.rename(self.path)

    def deny(self) -> None:
        self.path.chmod(0o444)
        self.folder.chmod(0o555)

    def cut(self) -> None:
        self.folder.chmod(0o755)
        self.folder.rename(self.folder.with_name("elsewhere"))


class TestEnvFileKeepsTheContract(SharedTargetContract):
    # A single quote, a backslash or a dollar sign is refused: no way of writing them is read alike by all programs.
    awkward = 'two words "double" #hash =sign `tick` ünï'

    @pytest.fixture
    def place(self) -> Iterator[FilePlace]:
        """Root may write everywhere, so as root the test becomes nobody; tmp_path is closed to that user."""
        folder = Path(tempfile.mkdtemp())
        root = os.geteuid() == 0
        if root:
            os.chown(folder, NOBODY, NOBODY)
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        try:
            yield FilePlace(folder)
        finally:
            if root:
                os.seteuid(0)
                os.setegid(0)
            shutil.rmtree(folder)

    def _points(self, place: FilePlace) -> list[str]:
        super()._points(place)  # creates the file; the next one is exchanged and passes more points
        return super()._points(place)
