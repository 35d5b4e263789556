"""The files of examples/cluster: that for Slurm with a real Slurm, where there is one; the others by their fields."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from uxla.cli.app import AGAIN, USER_FAULT

CLUSTER = Path(__file__).parents[2] / "examples" / "cluster"
DAEMONS = ("slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue")
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SchedulerParameters=batch_sched_delay=1,sched_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A Slurm of one node, this machine, under whose commands a job is submitted; it ends with the test."""
    if missing := [name for name in DAEMONS if shutil.which(name) is None]:
        pytest.skip(f"no {missing[0]}; on Debian: apt-get install slurmctld slurmd slurm-client")
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    values = {"host": socket.gethostname().split(".")[0], "user": os.environ.get("USER", "root"), "folder": folder}
    values |= {"ports": (free_port(), free_port()), "cores": os.cpu_count()}
    (folder / "slurm.conf").write_text(CONFIG.format_map(values))
    monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    logs = {name: (folder / f"{name}.log").open("w") for name in ("slurmctld", "slurmd")}
    daemons = [subprocess.Popen([name, "-D"], stdout=log, stderr=log) for name, log in logs.items()]
    try:
        deadline = time.monotonic() + 60
        while said("sinfo", "--noheader", "--format=%t") != "idle":
            if time.monotonic() > deadline or any(daemon.poll() is not None for daemon in daemons):
                pytest.skip(f"Slurm does not start here: {(folder / 'slurmd.log').read_text()[-500:]}")
            time.sleep(0.5)
        yield
    finally:
        subprocess.run(["scancel", "--user", values["user"]], check=False)
        for daemon in daemons:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
        for log in logs.values():
            log.close()


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture
def uxla_on_path(command, tmp_path, monkeypatch):
    """`uxla` as a program, for scripts."""
    program = tmp_path / "bin" / "uxla"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{command[0]}" -c "{command[2]}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


@pytest.mark.slow
def test_an_array_of_slurm_whose_jobs_are_told_to_stop_is_queued_again_and_ends_with_the_bytes_of_one_command(
    slurm, uxla_on_path, invoke, tmp_path, monkeypatch
):
    monkeypatch.setenv("UXLA_CACHE", str(store := tmp_path / "store"))
    few = "".join(f"ko{' mira' * (i % 3)}\n" for i in range(12))
    (tmp_path / "a.txt").write_text(few * 4000)
    augment = ["augment", "a.txt", "--model", "testbed", "--copies", "1", "--out"]
    job = said("sbatch", "--parsable", "--array=1-3", "--chdir", tmp_path, CLUSTER / "uxla.sbatch", *augment, "b.tsv")
    assert job.isdecimal()
    while len(list(store.glob("augment/*/meta.json"))) < 2:
        assert said("squeue", "--noheader")
        time.sleep(0.1)
    subprocess.run(["scancel", "--signal=USR1", "--state=RUNNING", job], check=True)
    while queue := said("squeue", "--noheader", "--array", "--format=%A %T"):
        for number, state in map(str.split, queue.splitlines()):
            if state == "PENDING":  # Slurm lets a job that was queued again wait for two minutes
                subprocess.run(["scontrol", "update", f"JobId={number}", "StartTime=now"], capture_output=True)
        time.sleep(0.5)
    logs = {file.name: file.read_text() for file in tmp_path.glob("uxla-*.log")}
    assert sorted(logs) == [f"uxla-{job}-{number}.log" for number in (1, 2, 3)]
    assert any("uxla: terminated; repeat the command to resume" in text for text in logs.values())
    assert any("b.tsv: 48000 sentences read, 48000 samples written" in text for text in logs.values())
    assert len(list(store.glob("augment/*/meta.json"))) == 12
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "another"))
    assert invoke(*augment, "c.tsv").exit_code == 0
    assert (tmp_path / "b.tsv").read_bytes() == (tmp_path / "c.tsv").read_bytes()


def yaml_of(name):
    return yaml.safe_load((CLUSTER / name).read_text(encoding="utf-8"))


def unknown(value, fields, place=""):
    """The places of a document whose keys are not among `fields`: a mapping of keys to what is under them, or None."""
    if isinstance(value, list):
        return [one for item in value for one in unknown(item, fields, place)]
    if not isinstance(value, dict) or fields is None:
        return []
    strange = [f"{place}.{key}" for key in value.keys() - fields.keys()]
    return strange + [
        one for key in value.keys() & fields.keys() for one in unknown(value[key], fields[key], f"{place}.{key}")
    ]


CONTAINER = dict.fromkeys(["name", "image", "command", "args", "workingDir"])
CONTAINER |= {"env": dict.fromkeys(["name", "value"]), "resources": {"limits": None}}
CONTAINER |= {"volumeMounts": dict.fromkeys(["name", "mountPath"])}
RULE = {
    "action": None,
    "onExitCodes": dict.fromkeys(["containerName", "operator", "values"]),
    "onPodConditions": dict.fromkeys(["type", "status"]),
}
POD = {"restartPolicy": None, "terminationGracePeriodSeconds": None, "containers": CONTAINER}
POD |= {"volumes": {"name": None, "persistentVolumeClaim": {"claimName": None}}}
JOB = {
    **dict.fromkeys(["completionMode", "completions", "parallelism", "backoffLimitPerIndex", "maxFailedIndexes"]),
    "podFailurePolicy": {"rules": RULE},
    "template": {"spec": POD},
}
KUBERNETES = {"apiVersion": None, "kind": None, "metadata": {"name": None}, "spec": JOB}
"""Fields of batch/v1 Job, as its reference has them."""


def test_the_kubernetes_job_has_fields_that_there_are_and_a_pod_for_each_shard(tmp_path):
    job = yaml_of("kubernetes.yaml")
    assert unknown(job, KUBERNETES) == []
    assert unknown({"spec": {"completion": 3}}, KUBERNETES) == [".spec.completion"]
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    [again, drained] = job["spec"]["podFailurePolicy"]["rules"]
    assert (again["action"], again["onExitCodes"]["values"]) == ("Ignore", [AGAIN])
    assert job["spec"]["parallelism"] == job["spec"]["completions"], "else shards that wait keep out what they wait for"
    assert drained["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "else there may be no podFailurePolicy"
    [container] = pod["containers"]
    assert again["onExitCodes"]["containerName"] == container["name"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    count, shards = job["spec"]["completions"], []
    (tmp_path / "uxla").write_text('#!/bin/sh\necho "$UXLA_CACHE" "$@"\n')
    (tmp_path / "uxla").chmod(0o755)
    for index in range(count):
        around = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": str(index)}
        line = subprocess.run([*container["command"], *container["args"]], env=around, capture_output=True, text=True)
        words = line.stdout.split()
        shards.append((words[0], *words[-2:]))
    assert shards == [(f"/data/cache-{index}", "--shard", f"{index + 1}/{count}") for index in range(count)]
    assert {"name": "UXLA_STORE", "value": "/data/store"} in container["env"]


RECOVERY = dict.fromkeys(["strategy", "max_restarts_on_errors", "recover_on_exit_codes"])
SKYPILOT = dict.fromkeys(["name", "setup", "run"])
SKYPILOT |= {
    "envs": dict.fromkeys(["SHARD", "UXLA_CACHE", "UXLA_STORE"]),
    "file_mounts": {"/data": dict.fromkeys(["name", "store", "mode"])},
}
SKYPILOT |= {"resources": {"accelerators": None, "use_spot": None, "job_recovery": RECOVERY}}
"""Fields of a task of SkyPilot 0.14, as its YAML reference has them."""


def test_the_skypilot_task_has_fields_that_there_are_and_repeats_what_asks_for_it():
    task = yaml_of("skypilot.yaml")
    assert unknown(task, SKYPILOT) == []
    assert task["resources"]["job_recovery"]["recover_on_exit_codes"] == [AGAIN]
    assert task["run"].splitlines()[0].endswith(" --shard $SHARD || exit")
    mounted = [*task["file_mounts"]]
    assert not task["envs"]["UXLA_CACHE"].startswith(tuple(mounted)), "a bucket has neither locks nor appends"
    assert "--env SHARD=$i/8" in (CLUSTER / "skypilot.yaml").read_text()


@pytest.mark.parametrize(("first", "calls", "code"), [(AGAIN, 6, 0), (USER_FAULT, 0, USER_FAULT)])
def test_gnu_parallel_repeats_what_asks_for_it_and_stops_at_a_fault(first, calls, code, tmp_path):
    if shutil.which("parallel") is None:
        pytest.skip("no GNU parallel; on Debian: apt-get install parallel")
    program = tmp_path / "uxla"
    program.write_text(
        f'#!/bin/sh\nfile={tmp_path}/$(echo "$*" | tr -c "a-z0-9\\n" _)\n'
        f'[ -e "$file" ] || {{ touch "$file"; exit {first}; }}\necho "$@"\n'
    )
    program.chmod(0o755)
    around = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SECONDS_BETWEEN": "0"}
    command = [CLUSTER / "parallel.sh", "6", "augment", "a  $b.txt", "--out", "b.txt"]
    done = subprocess.run(command, env=around, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    lines = [f"augment a  $b.txt --out b.txt --shard {number}/6" for number in range(1, 7)]
    assert sorted(done.stdout.splitlines()) == lines[:calls]


def test_gnu_parallel_gives_the_others_time_for_a_checkpoint_when_one_fails(tmp_path):
    if shutil.which("parallel") is None:
        pytest.skip("no GNU parallel; on Debian: apt-get install parallel")
    program, begun, saved = (tmp_path / name for name in ("uxla", "begun", "saved"))
    program.write_text(
        f"#!/bin/bash\nif [[ $* == *1/2 ]]; then until [ -e {begun} ]; do sleep 0.1; done; exit {USER_FAULT}; fi\n"
        f"trap 'trap \"exit 1\" TERM; sleep 1.5; touch {saved}; exit {AGAIN}' TERM\ntouch {begun}\nsleep 60 & wait\n"
    )
    program.chmod(0o755)
    around = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([CLUSTER / "parallel.sh", "2", "run", "x"], env=around, capture_output=True, text=True)
    assert (done.returncode, saved.exists()) == (USER_FAULT, True), done.stderr
