"""What every test shares: the Hypothesis profile, a catalogue of its own, and the skip of what needs ../shared."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Shared cores make any limit of time flaky; derandomized, a failure seen in CI is seen everywhere.
settings.register_profile(
    "flipforge", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=50
)
settings.load_profile("flipforge")

# A shell ignores Ctrl-C for what it starts in the background, and the commands that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests/shared where the folder of reference data is not beside the repository."""
    if SHARED.is_dir():
        return
    skip = pytest.mark.skip(reason=f"needs the reference data in {SHARED}")
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "shared"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _own_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the catalogue of the person who runs it."""
    monkeypatch.setenv("FLIPFORGE_DB", str(tmp_path / "catalogue.sqlite"))
    # For the tests of the default place, which take the variable away.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data; only tests in tests/shared ask for it."""
    return SHARED


@pytest.fixture(scope="module")
def library_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Libraries that tests build stay out of the user's cache, and are built in less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", "cc -O1")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OMP_WAIT_POLICY", "passive")
        yield
