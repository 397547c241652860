"""satctl against a satellite that runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.satellite.live import Live, wait_until

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\Z")
ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")

# As the documentation of the first satellite shows them.
SUBMISSION = """
{
    "parallel": 3,
    "note": "example submission",
    "job_specs": [
        {"name": "example", "params": {"a": 1, "b": "is a test"}},
        {"name": "example", "params": {"a": 2, "b": "is a test"}},
        {"name": "example", "params": {"a": 3, "b": "is a test"}},
        {"name": "example", "params": {"a": 4, "b": "is a test"}},
        {"name": "example", "params": {"a": 5, "b": "is a test"}}
    ]
}
"""
SUBMITTED = """{
  "timestamp": "2020-05-26 17:07:22.844929",
  "version": "0.0.0",
  "data": {
    "submission_id": "kw0dZmh4R42lb2yZH7kGBA",
    "job_ids": [
      "DKDaB5I6SVmMk65hvZ-aaA",
      "dvRPJUm3TGKdBAU-i0yvOg",
      "piAPBATkQameRWy_em39Lw",
      "Nv_6ageqSfawNi9Yv8ErFg",
      "OEDwQypeQJGJlekND1d2vA"
    ]
  }
}
"""
JOB = """{
  "timestamp": "2020-05-26 17:09:31.726968",
  "version": "0.0.0",
  "data": {
    "name": "example",
    "params": {
      "a": 1,
      "b": "is a test"
    },
    "submitted": "2020-05-26 17:07:22.844715",
    "job_id": "DKDaB5I6SVmMk65hvZ-aaA",
    "submission_id": "kw0dZmh4R42lb2yZH7kGBA",
    "status": "DONE",
    "started": "2020-05-26 17:07:22.911102",
    "return_code": 0,
    "finished": "2020-05-26 17:07:23.908788"
  }
}
"""


def shape(text: str) -> str:
    """Return an answer with all that differs from call to call replaced by its form."""
    text = re.sub(r'"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"', "MOMENT", text)
    text = re.sub(r'"[A-Za-z0-9_-]{22}"', "ID", text)
    return re.sub(r'"version": "\d+\.\d+\.\d+"', "VERSION", text)


def test_sat_33_the_example_submission_gets_the_example_answers(satellite: Live) -> None:
    (satellite.top / "submission.json").write_text(SUBMISSION)
    done = satellite.satctl("submit_file", "submission.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert shape(done.stdout) == shape(SUBMITTED)

    data = json.loads(done.stdout)["data"]
    assert satellite.satctl("wait", data["submission_id"]).returncode == 0
    assert shape(satellite.satctl("job", data["job_ids"][0]).stdout) == shape(JOB)
    params = [satellite.data("job", job)["params"]["a"] for job in data["job_ids"]]
    assert params == [1, 2, 3, 4, 5]


def test_sat_33_every_verb_prints_what_the_server_said(satellite: Live) -> None:
    job = satellite.job("--a=1")
    submission = satellite.data("job", job)["submission_id"]
    satellite.satctl("wait", job)
    for words in (
        ["tests"],
        ["test", "example"],
        ["jobs"],
        ["jobs", "--status", "done", "--limit=1", "--verbose"],
        ["submissions"],
        ["submission", submission],
        ["job", job, "--verbose"],
        ["info"],
        ["retry", job],
        ["wait", job],
    ):
        done = satellite.satctl(*words)
        assert done.returncode == 0, (words, done.stderr)
        assert list(json.loads(done.stdout)) == ["timestamp", "version", "data"]
        assert done.stdout == json.dumps(json.loads(done.stdout), indent=2) + "\n"


def test_sat_33_a_refusal_is_printed_said_and_a_failure(satellite: Live) -> None:
    done = satellite.satctl("job", "AAAAAAAAQACAAAAAAAAAAA")
    assert done.returncode == 2
    assert json.loads(done.stdout)["data"]["error"]["code"] == "not_found"
    assert done.stderr == "error: there is no job AAAAAAAAQACAAAAAAAAAAA\n"


def test_sat_33_satellite_url_is_honoured(satellite: Live) -> None:
    elsewhere = {"SATELLITE_URL": "http://127.0.0.1:9"}
    done = satellite.satctl("jobs", environ=elsewhere)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no server answers at http://127.0.0.1:9 (Connection refused)" in done.stderr
    assert "bin/satellite" in done.stderr
    localhost = {"SATELLITE_URL": satellite.url.replace("127.0.0.1", "localhost")}
    assert satellite.satctl("jobs", environ=localhost).returncode == 0
    done = satellite.satctl("jobs", environ={"SATELLITE_URL": "localhost"})
    assert "an address looks like" in done.stderr


def test_no_token_is_typed_and_a_missing_one_is_explained(satellite: Live, tmp_path: Path) -> None:
    done = satellite.satctl("jobs", environ={"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert json.loads(done.stdout)["data"]["error"]["code"] == "unauthorized"
    assert f"{tmp_path}/.local/state/topgallant/tokens/127.0.0.1_{satellite.port}" in done.stderr
    token = (satellite.top / "satellite/token").read_text()
    given = {"HOME": str(tmp_path), "TOPGALLANT_TOKEN": token}
    assert satellite.satctl("jobs", environ=given).returncode == 0


def test_a_submission_comes_from_standard_input_and_its_mistakes_name_it(satellite: Live) -> None:
    wrong = '{"job_specs": [{"name": "exampel"}]}'
    done = satellite.satctl("submit_file", "-", input=wrong)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard input: job_specs[0].name")
    assert 'did you mean "example"' in done.stderr
    done = satellite.satctl("submit_file", "-", input=wrong.replace("exampel", "example"))
    assert done.returncode == 0
    done = satellite.satctl("submit_file", "nowhere.json")
    assert (done.returncode, done.stderr) == (2, "error: nowhere.json: No such file or directory\n")
    done = satellite.satctl("submit_file", "/dev/zero")
    said = "error: /dev/zero: more than 64 MiB; send it in parts\n"
    assert (done.returncode, done.stderr) == (2, said)
    done = satellite.satctl("submit_file", "-", input="{")
    assert (done.returncode, done.stderr[:23]) == (2, "error: standard input: ")


def test_run_reads_words_as_the_test_has_them(satellite: Live) -> None:
    job = satellite.job("--a=007", "--b", "x y", "--flag", "--more=1")
    assert satellite.data("job", job)["params"] == {"a": 7, "b": "x y", "flag": True, "more": "1"}
    assert satellite.satctl("wait", job).returncode == 0
    assert satellite.satctl("log", job).stdout == "--a=7 --b=x y --flag=True --more=1\nend\n"
    assert satellite.satctl("log", job, "--stderr").stdout == "error\n"
    assert satellite.satctl("log", job, "--tail=1").stdout == "end\n"
    done = satellite.satctl("run", "example", "--a=x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not an integer" in done.stderr
    assert 'did you mean "example"' in satellite.satctl("run", "exampel").stderr
    hint = satellite.satctl("run", "example", "--wait").stderr
    assert "satctl run --wait example" in hint


def test_run_help_says_what_the_test_takes(satellite: Live) -> None:
    text = satellite.satctl("run", "example", "--help").stdout
    assert "Usage: satctl run example" in text
    assert "--a=INTEGER" in text
    assert "A number." in text


def test_the_exit_status_of_waiting_is_how_it_ended(satellite: Live) -> None:
    done = satellite.satctl("run", "--wait", "example", "--status=0")
    assert (done.returncode, json.loads(done.stdout)["data"]["status"]) == (0, "DONE")
    done = satellite.satctl("run", "--wait", "example", "--status=3")
    assert (done.returncode, json.loads(done.stdout)["data"]["return_code"]) == (1, 3)
    never = f"--wait_for={satellite.top}/never"
    done = satellite.satctl("run", "--wait", "--job_timeout=0.2", "example", never)
    assert (done.returncode, json.loads(done.stdout)["data"]["status"]) == (124, "TIMEOUT")
    job = satellite.job(never)
    done = satellite.satctl("wait", job, "--timeout=0.1")
    assert (done.returncode, done.stdout) == (124, "")
    assert "has not ended within 0.1 s; it goes on" in done.stderr
    satellite.satctl("cancel", job)
    assert satellite.satctl("wait", job).returncode == 2


def test_sat_35_running_and_pending_jobs_are_cancelled(satellite: Live) -> None:
    never = f"{satellite.top}/never"
    spec = {"name": "example", "params": {"wait_for": never}}
    text = json.dumps({"parallel": 1, "job_specs": [spec, spec]})
    data = satellite.data("submit_file", "-", input=text)
    running, pending = data["job_ids"]
    wait_until(lambda: satellite.data("job", running)["status"] == "RUNNING")
    assert satellite.data("job", pending)["status"] == "PENDING"
    assert satellite.data("cancel", pending)["status"] == "CANCELLED"
    assert satellite.data("cancel", data["submission_id"])["submission_id"] == data["submission_id"]
    satellite.satctl("wait", data["submission_id"])
    assert satellite.data("job", running)["status"] == "CANCELLED"
    done = satellite.satctl("cancel", running)
    assert done.returncode == 2
    assert "has ended already" in done.stderr


def test_an_id_that_is_neither_is_told(satellite: Live) -> None:
    for verb in ("cancel", "wait"):
        done = satellite.satctl(verb, "AAAAAAAAQACAAAAAAAAAAA")
        assert done.returncode == 2
        assert "there is neither a job nor a submission AAAAAAAAQACAAAAAAAAAAA" in done.stderr
        assert "could be a job or a submission" in satellite.satctl(verb, "1").stderr


def test_a_log_is_followed_until_the_end(satellite: Live) -> None:
    go = satellite.top / "go"
    job = satellite.job(f"--wait_for={go}")
    with subprocess.Popen(
        satellite.command("log", job, "--follow"),
        env=satellite.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout
        assert follower.stdout.readline() == f"--wait_for={go}\n"
        go.touch()
        assert follower.stdout.read() == "end\n"
        assert follower.wait(60) == 0


def test_words_that_are_wrong_are_told_with_the_nearest(satellite: Live) -> None:
    for words, said in (
        (["jbos"], 'unknown verb "jbos"; did you mean "jobs"?'),
        (["jobs", "--staus=DONE"], 'unknown flag "--staus"; did you mean "--status"?'),
        (["jobs", "x"], "one word too many"),
        (["job"], "job needs ID; satctl job --help says more"),
        (["jobs", "--limit=x"], "--limit: 'x' is not a whole number"),
        (["jobs", "--status=NOTHING"], "unknown status"),
        (["log", "x", "--follow=1"], "--follow takes no value"),
    ):
        done = satellite.satctl(*words)
        assert done.returncode == 2
        assert said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_missing_parameter_is_named_as_the_flag_that_it_is(satellite: Live) -> None:
    needed = {"name": "size", "type": "nat", "doc": "How much"}
    satellite.write_test("needs", "#!/bin/sh\n", {"description": "x", "parameters": [needed]})
    done = satellite.satctl("run", "needs")
    assert done.returncode == 2
    assert done.stderr == "error: --size: it is required and not given\n"
    assert "job_specs[0].params.size" in done.stdout  # the answer itself is the server's


def test_completion_knows_verbs_tests_parameters_and_ids(satellite: Live) -> None:
    job = satellite.job()
    submission = satellite.data("job", job)["submission_id"]

    def after(*words: str) -> list[str]:
        return satellite.satctl("--complete", *words).stdout.split()

    assert after("subm") == ["submit_file", "submission", "submissions"]
    assert {"example", "sqlite_bench.test_ci"} <= set(after("run", ""))
    assert after("run", "example", "--") == ["--a=", "--b=", "--flag="]
    assert job in after("log", "")
    assert {job, submission} <= set(after("cancel", ""))
    assert after("jobs", "--st") == ["--status"]
    for shell in ("bash", "zsh", "fish"):
        assert "satctl" in satellite.satctl("completion", shell).stdout


def test_help_teaches_with_examples_and_needs_no_server(satellite: Live) -> None:
    nowhere = {"SATELLITE_URL": "http://127.0.0.1:9"}
    for words in (["--help"], [], ["log", "--help"], ["jobs", "-h"], ["run", "--help"]):
        done = satellite.satctl(*words, environ=nowhere)
        assert (done.returncode, done.stderr) == (0, "")
    text = satellite.satctl("--help").stdout
    assert "satctl submit_file submission.json" in text
    assert "SATELLITE_URL" in text


def test_words_and_answers_are_utf_8_in_every_locale(satellite: Live) -> None:
    old = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    job = satellite.data("run", "example", "--b=hällo ☃", environ=old)["job_ids"][0]
    assert satellite.data("job", job, environ=old)["params"] == {"b": "hällo ☃"}
    satellite.satctl("wait", job)
    assert satellite.satctl("log", job, environ=old).stdout == "--b=hällo ☃\nend\n"
    assert "…" in satellite.satctl("--help", environ=old).stdout


def test_a_full_disk_is_told_in_one_line(satellite: Live) -> None:
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(
            satellite.command("info"),
            env=satellite.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "error: stdout: No space left on device\n")
