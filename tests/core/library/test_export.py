"""What the configuration says about the export is what happens."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.bench.library.radosgw import Server
from projects.core.artifacts import directory
from projects.core.errors import ConfigurationError, ExportRefused, SecretError, UsageError
from projects.core.library import export
from projects.core.secrets import masking
from projects.core.secrets.directory import SecretsDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Project:
    """A configuration with the one section that the export reads."""

    def __init__(self, **section: Any) -> None:
        self.values = {f"export_artifacts.{name}": value for name, value in section.items()}

    def get_config(self, key: str, default_value: Any = ..., **_: Any) -> Any:
        return self.values[key] if default_value is ... else self.values.get(key, default_value)

    def set_config(self, key: str, value: Any, **_: Any) -> None:
        assert key in self.values
        self.values[key] = value


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    masking.forget_all()
    path = tmp_path / "20260101-100000__demo__test_ci"
    path.mkdir()
    (path / "config.yaml").write_text("a: 1\n")
    before = directory.set_run_root(path)
    yield path
    directory.set_run_root(before)
    masking.forget_all()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Any:
    for key in list(os.environ):
        if key not in {"PATH", "HOME"} and "PYTEST" not in key:
            monkeypatch.delenv(key)
    monkeypatch.setenv("USER", "ada")

    def configure(**section: Any) -> Project:
        project = Project(**section)
        monkeypatch.setattr(export, "config", SimpleNamespace(project=project))
        return project

    return configure


def test_nothing_happens_unless_it_is_enabled(root: Path, configured: Any) -> None:
    configured()
    assert export.export_artifacts(root) is None
    configured(enabled=False, dest="/nowhere")
    assert export.export_artifacts(root) is None
    assert not (root / "export.url").exists()


def test_the_address_is_written_exported_and_configured(
    root: Path, configured: Any, tmp_path: Path
) -> None:
    project = configured(
        enabled=True, bucket="b", path_prefix="/team/x/", dest=(tmp_path / "to").as_uri()
    )
    result = export.export_artifacts(root)
    expected = tmp_path / "to" / "team" / "x" / "local" / "ada" / root.name
    assert result is not None
    assert result.address == str(expected)
    assert (root / "export.url").read_text() == f"{expected}\n"
    assert (expected / "export.url").read_text() == f"{expected}\n"
    assert result.manifest.run_id == f"local/ada/{root.name}"
    assert project.values["export_artifacts.dest"] == str(expected)


def test_exporting_again_goes_to_the_same_place_and_steps_beside_each_other(
    root: Path, configured: Any, tmp_path: Path
) -> None:
    project = configured(enabled=True, path_prefix=None, dest=str(tmp_path / "to"))
    step = tmp_path / "step"
    step.mkdir()
    here = str(tmp_path / "to" / "local" / "ada" / root.name)
    for source, test_step, address in (
        (root, None, here),
        (root, None, here),
        (step, "plot", f"{here}/plot"),
        (step, "test", f"{here}/test"),
        (root, None, here),
    ):
        result = export.export_artifacts(source, test_step)
        assert result is not None
        assert result.address == project.values["export_artifacts.dest"] == address


def test_an_earlier_run_goes_to_the_same_place_whichever_run_exports_it(
    root: Path, configured: Any, tmp_path: Path
) -> None:
    configured(enabled=True, dest=str(tmp_path / "to"))
    earlier = tmp_path / "20251231-100000__demo__test_ci"
    earlier.mkdir()
    for name in ("one", "two"):
        directory.set_run_root(tmp_path / name)
        result = export.export_artifacts(earlier)
        assert result is not None
        assert result.address == str(tmp_path / "to" / "local" / "ada" / earlier.name)
    assert result is not None
    assert (result.copied, result.skipped) == (0, 1)
    (earlier / "events.jsonl").touch()
    result = export.export_artifacts(earlier, "plot")
    assert result is not None
    assert result.address == str(tmp_path / "to" / "local" / "ada" / earlier.name / "plot")


def test_in_the_perflab_a_step_is_not_exported_by_itself(
    root: Path, configured: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configured(enabled=True, dest=str(tmp_path / "to"))
    monkeypatch.setenv("PERFLAB_CI", "true")
    assert export.export_artifacts(root, "plot") is None
    monkeypatch.setenv("JENKINS_JOB", "job/a/job/b")
    monkeypatch.setenv("JENKINS_BUILD_NUMBER", "3")
    result = export.export_artifacts(root)
    assert result is not None
    assert result.address == str(tmp_path / "to" / "middleware_jenkins" / "a_b" / "3")


@pytest.mark.parametrize(
    ("section", "error", "said"),
    [
        ({"dest": None}, ConfigurationError, "but not where to: set export_artifacts.b"),
        ({"dest": None, "bucket": "My_Bucket"}, UsageError, '"My_Bucket" is no name of a bucket'),
        (
            {"dest": "s4://rhoai/x"},
            UsageError,
            'unknown destination "s4". Possible: .path, file, hub, hub.',
        ),
    ],
)
def test_a_destination_that_is_not_there_is_said(
    root: Path, configured: Any, section: dict[str, Any], error: type[Exception], said: str
) -> None:
    configured(enabled=True, **section)
    with pytest.raises(error, match=said):
        export.export_artifacts(root)
    assert not (root / "export.url").exists()


def test_a_directory_that_is_not_there_is_said(configured: Any, tmp_path: Path) -> None:
    configured(enabled=True, dest=str(tmp_path))
    with pytest.raises(UsageError, match="nowhere is no directory"):
        export.export_artifacts(tmp_path / "nowhere")


@pytest.mark.xdist_group("s3")
def test_a_bucket_is_exported_to_with_the_credentials_of_the_secrets_directory(
    root: Path, bucket: str, s3_server: Server, configured: Any, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / ".awscred").write_text(
        f"[default]\naws_access_key_id = {s3_server.access_key}\n"
        f"aws_secret_access_key = {s3_server.secret_key}\n"
    )
    project = configured(
        enabled=True,
        bucket=bucket,
        path_prefix="team",
        dest=None,
        endpoint_url=s3_server.endpoint,
    )
    project.values["secrets.aws_credentials"] = ".awscred"
    project.secrets = SecretsDirectory("secrets", secrets)
    page = f"{s3_server.endpoint}/{bucket}/index.html#team/local/ada/{root.name}/"
    for copied in (2, 0):
        result = export.export_artifacts(root)
        assert result is not None
        assert result.copied == copied
        assert project.values["export_artifacts.dest"] == result.address == page
    step = export.export_artifacts(root, "plot")
    assert step is not None
    assert step.address == f"{page}plot/"
    assert (root / "export.url").read_text() == f"{page}plot/\n"
    assert masking.mask(s3_server.secret_key) == "***"


def test_a_file_of_credentials_that_is_not_there_is_said(
    root: Path, configured: Any, tmp_path: Path
) -> None:
    project = configured(enabled=True, bucket="rhoai", dest=None)
    project.values["secrets.aws_credentials"] = ".awscred"
    project.secrets = SecretsDirectory("secrets", tmp_path)
    with pytest.raises(SecretError, match=r'unknown secret file "\.awscred"'):
        export.export_artifacts(root)


def test_a_refused_export_leaves_no_address(root: Path, configured: Any, tmp_path: Path) -> None:
    project = configured(enabled=True, dest=str(tmp_path / "to"))
    masking.register("s3cr3t-value", "token")
    (root / "log").write_text("s3cr3t-value")
    with pytest.raises(ExportRefused, match="log:1: the secret token"):
        export.export_artifacts(root)
    assert not (root / "export.url").exists()
    assert project.values["export_artifacts.dest"] == str(tmp_path / "to")


PART = st.text("ab/", min_size=1, max_size=6)


@given(base=PART, below=PART.filter(lambda s: s.strip("/") == s), step=st.just("") | PART)
def test_what_an_export_adds_is_taken_off_again(base: str, below: str, step: str) -> None:
    base = f"/x{base}".rstrip("/")
    added = f"{base}/{below}/{step}".rstrip("/")
    assert export.base_of(base, "never/there") == base
    assert added.startswith(export.base_of(added, below))
    whole = f"{added}/"
    if sum(whole.startswith(f"/{below}/", i) for i in range(len(whole))) == 1:
        assert export.base_of(added, below) == base
