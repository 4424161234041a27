"""What Kubernetes is given is valid, hard, fits the service, and the kustomizations build."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rcmon.access.roles import RoleTable
from rcmon.config import OPTIONS, load
from rcmon.sources.config import load_sources
from rcmon.web.about import BASE
from rcmon.web.handlers.metrics import MetricsHandler, TargetsHandler

TOP = Path(__file__).parents[2]
KUBERNETES = TOP / "conf" / "kubernetes"
VERSION = "1.30"
"""The oldest release that it is held to; the newest is the other."""
OWN = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def resources(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what a kustomization lists, by file."""
    (kustomization,) = documents(KUBERNETES / folder / "kustomization.yaml")
    for name in kustomization["resources"]:
        if name.endswith(".yaml"):
            for one in documents(KUBERNETES / folder / name):
                yield name, one


def base(kind: str) -> dict[str, Any]:
    (found,) = [one for _, one in resources("base") if one["kind"] == kind]
    return found


def container() -> dict[str, Any]:
    (only,) = base("Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(only)


def built(folder: str) -> list[dict[str, Any]]:
    """Build as `kubectl apply -k` does; Debian has no kubectl whose kustomize is new enough."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs the program kubectl, which is not installed, and is no package of Debian 12")
    done = subprocess.run(
        [kubectl, "kustomize", KUBERNETES / folder], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@pytest.mark.parametrize("version", [VERSION, kubernetes_validate.latest_version()])
def test_the_base_is_valid(version: str) -> None:
    found = [one for _, one in resources("base")]
    assert {one["kind"] for one in found} == set(OWN)
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


def test_what_is_wrong_would_be_seen() -> None:
    broken = base("Deployment")
    broken["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


@pytest.mark.parametrize("folder", ["base", "example", "prometheus-operator"])
def test_every_file_of_a_kustomization_is_there_and_listed(folder: str) -> None:
    (kustomization,) = documents(KUBERNETES / folder / "kustomization.yaml")
    named = set(kustomization["resources"])
    for made in kustomization.get("configMapGenerator", ()):
        named |= {*made.get("files", ()), *made.get("envs", ())}
    for name in named:
        assert (KUBERNETES / folder / name).exists(), name
    there = {path.name for path in (KUBERNETES / folder).iterdir()} - {"kustomization.yaml"}
    assert there == {name for name in named if not name.startswith("..")}


def test_the_example_builds_and_is_valid() -> None:
    made = built("example")
    for one in made:
        kubernetes_validate.validate(one, VERSION, strict=True)
        assert one["metadata"]["namespace"] == "rcmon"
    by_kind = {one["kind"]: one for one in made}
    assert set(by_kind) == {*OWN, "ConfigMap"}
    text = yaml.safe_dump(by_kind["Deployment"])
    for name in ("rcmon-files", "rcmon-environment"):
        assert re.search(rf"name: {name}-[a-z0-9]{{10}}\b", text), "a changed file rolls the pods"
    assert by_kind["Deployment"]["spec"]["replicas"] == 3


def test_the_operators_objects_build_and_name_what_there_is() -> None:
    made = {one["kind"]: one for one in built("prometheus-operator")}
    (endpoint,) = made["ServiceMonitor"]["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in base("Service")["spec"]["ports"]}
    assert endpoint["path"] == BASE + MetricsHandler.route
    assert endpoint["params"] == {"part": ["service"]}
    labels = base("Service")["metadata"]["labels"]
    assert made["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    (asked,) = made["ScrapeConfig"]["spec"]["httpSDConfigs"]
    assert asked["url"] == f"https://rcmon:5000{BASE}{TargetsHandler.route}"
    assert made["ScrapeConfig"]["spec"]["metricsPath"] == BASE + MetricsHandler.route


def test_selectors_find_the_pods() -> None:
    deployment = base("Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert base("Service")["spec"]["selector"].items() <= labels.items()
    assert base("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert base("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    for spread in deployment["template"]["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"].items() <= labels.items()


def test_pods_can_do_nothing_that_they_need_not() -> None:
    pod = base("Deployment")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    user = re.search(r"--uid (\d+)", (TOP / "conf" / "Dockerfile").read_text())
    assert user
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == int(user[1])


def test_secrets_are_not_for_others() -> None:
    volumes = base("Deployment")["spec"]["template"]["spec"]["volumes"]
    modes = [one["secret"]["defaultMode"] for one in volumes if "secret" in one]
    assert modes == [0o440, 0o440]


def settings() -> Mapping[str, str]:
    """Give the variables that a pod of the example has."""
    lines = (KUBERNETES / "example" / "rcmon.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line)
    return given | {one["name"]: one.get("value", "rcmon-0") for one in container()["env"]}


def test_variables_are_options_with_values_they_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(settings()) <= {option.variable for option in OPTIONS}
    read = load([], settings(), "test")
    assert (read.workers, read.database) == (2, "postgresql://rcmon@postgres.example.org/rcmon")
    ports = [port["containerPort"] for port in container()["ports"]]
    assert ports == [read.port]
    pod = base("Deployment")["spec"]["template"]["spec"]
    pause = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > read.shutdown_grace + pause


def test_files_stand_where_they_are_mounted() -> None:
    mounts = {one["mountPath"] for one in container()["volumeMounts"]}
    volumes = {one["name"] for one in base("Deployment")["spec"]["template"]["spec"]["volumes"]}
    assert {one["name"] for one in container()["volumeMounts"]} == volumes
    for name, value in settings().items():
        if value.startswith("/"):
            assert any(value == mount or str(Path(value).parent) == mount for mount in mounts), name


def test_the_examples_files_are_valid() -> None:
    (source,) = load_sources(KUBERNETES / "example" / "sources.toml")
    assert source.name == "vocms0281"
    assert len(RoleTable.parse((KUBERNETES / "example" / "roles.toml").read_text())) == 2


def test_probes_run_what_the_image_has() -> None:
    image = (TOP / "conf" / "Dockerfile").read_text()
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        _, script, how = container()[probe]["exec"]["command"]
        assert re.search(rf"^COPY (?:--\S+ )?\S*conf/healthcheck\.py {script}$", image, re.MULTILINE)
        assert how == "alive"
