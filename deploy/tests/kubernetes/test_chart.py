"""The manifests of the chart: valid, locked down, and separate for each account."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.tests.kubernetes.chart import CHART, EXAMPLES, NEWEST, OLDEST, Rendered, helm, problems, render, values_file
from zendesk_chat import __version__

TWO: dict[str, Any] = {"accounts": {"acme": {}, "globex": {"settings": {"subdomain": "globex-eu"}}}}
EVERYTHING: dict[str, Any] = TWO | {"metrics": {"enabled": True}, "alerts": {"enabled": True}}


@pytest.fixture
def two(tmp_path: Path) -> Rendered:
    return render(values_file(TWO, tmp_path))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_kubernetes_and_the_operator_accept_every_manifest_of_the_examples(path: Path, version: str) -> None:
    for manifest in render(path).manifests:
        assert list(problems(manifest, version)) == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("more", [{}, {"oneCronJob": True}, {"pod": {"nodeSelector": {"pool": "batch"}}}], ids=str)
def test_kubernetes_and_the_operator_accept_everything_at_once(more: dict[str, Any], version: str, tmp_path: Path) -> None:
    rendered = render(values_file(EVERYTHING | more, tmp_path))
    kinds = {"CronJob", "PersistentVolumeClaim", "ConfigMap", "NetworkPolicy", "Deployment", "PodMonitor", "PrometheusRule"}
    assert {one["kind"] for one in rendered.manifests} == kinds
    for manifest in rendered.manifests:
        assert list(problems(manifest, version)) == []


@pytest.mark.parametrize(("kind", "field"), [("CronJob", "schedule"), ("PodMonitor", "selector"), ("PrometheusRule", "groups")])
def test_a_misspelt_field_would_be_found(kind: str, field: str, tmp_path: Path) -> None:
    (manifest, *_) = render(values_file(EVERYTHING, tmp_path)).of(kind).values()
    manifest["spec"][f"{field}s"] = manifest["spec"][field]
    assert list(problems(manifest))


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["no values", "everything"])
def test_helm_lint_finds_nothing(values: dict[str, Any], tmp_path: Path) -> None:
    done = helm("lint", CHART, "--strict", values=values_file(values, tmp_path))
    assert "0 chart(s) failed" in done.stdout
    assert "WARNING" not in done.stdout


def test_each_account_has_its_own_of_everything(two: Rendered) -> None:
    names = {"zendesk-chat-acme", "zendesk-chat-globex"}
    assert set(two.of("CronJob")) == set(two.of("PersistentVolumeClaim")) == set(two.of("ConfigMap")) == names
    for name, pod in two.pods().items():
        account = name.removeprefix("zendesk-chat-")
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"] == {"claimName": name}
        assert volumes["accounts"]["configMap"] == {"name": name}
        (source,) = volumes["secrets"]["projected"]["sources"]
        assert source["secret"]["name"] == name
        assert {item["path"] for item in source["secret"]["items"]} == {f"{account}/token", f"{account}/config.json"}


def test_the_accounts_file_has_the_settings_of_the_account(tmp_path: Path) -> None:
    settings = {"to": "/data/{account}.duckdb", "redact": ["chats.visitor.email=hash"], "lookback_minutes": 20}
    own = {"subdomain": "globex-eu", "redact": ['a "b" \\ <é😀>', "c"], "start_date": "2024-01-01"}
    rendered = render(values_file({"settings": settings, "accounts": {"acme": {}, "globex": {"settings": own}}}, tmp_path))
    files = {name: tomllib.loads(one["data"]["accounts.toml"]) for name, one in rendered.of("ConfigMap").items()}
    shared = settings | {"token_file": "/run/secrets/zendesk-chat/{account}/token"}
    assert files == {
        "zendesk-chat-acme": shared | {"accounts": {"acme": {}}},
        "zendesk-chat-globex": shared | {"accounts": {"globex": own}},
    }


def test_a_date_without_quotes_stays_a_date(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("image: {repository: loader}\naccounts: {acme: {settings: {start_date: 2024-01-01}}}\n")
    (file,) = render(path).of("ConfigMap").values()
    assert 'start_date = "2024-01-01' in file["data"]["accounts.toml"]


def test_one_cron_job_for_all_accounts_has_their_separate_secrets_and_one_volume(tmp_path: Path) -> None:
    rendered = render(values_file(TWO | {"oneCronJob": True}, tmp_path))
    (name,) = rendered.of("CronJob")
    assert name == "zendesk-chat"
    assert set(rendered.of("PersistentVolumeClaim")) == {name}
    assert set(tomllib.loads(rendered.of("ConfigMap")[name]["data"]["accounts.toml"])["accounts"]) == {"acme", "globex"}
    volumes = {volume["name"]: volume for volume in rendered.pods()[name]["volumes"]}
    secrets = [source["secret"]["name"] for source in volumes["secrets"]["projected"]["sources"]]
    assert secrets == ["zendesk-chat-acme", "zendesk-chat-globex"]


def test_every_pod_is_locked_down(tmp_path: Path) -> None:
    rendered = render(values_file(EVERYTHING, tmp_path))
    deployed = [one["spec"]["template"]["spec"] for one in rendered.of("Deployment").values()]
    pods = [*rendered.pods().values(), *deployed]
    assert len(pods) == 3
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"].items() >= {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000}.items()
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}


def test_the_cluster_chooses_the_user_if_you_let_it(tmp_path: Path) -> None:
    for pod in render(values_file(TWO | {"uid": None}, tmp_path)).pods().values():
        assert pod["securityContext"].keys() == {"runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"}


def test_only_what_a_retry_can_fix_is_retried(two: Rendered) -> None:
    for job in two.of("CronJob").values():
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        spec = job["spec"]["jobTemplate"]["spec"]
        (fail, ignore) = spec["podFailurePolicy"]["rules"]
        assert (fail["action"], fail["onExitCodes"]["values"]) == ("FailJob", [2, 3])
        assert fail["onExitCodes"]["containerName"] == spec["template"]["spec"]["containers"][0]["name"]
        assert (ignore["action"], ignore["onPodConditions"]) == ("Ignore", [{"type": "DisruptionTarget", "status": "True"}])
        assert spec["template"]["spec"]["restartPolicy"] == "Never"  # podFailurePolicy requires it
        assert spec["backoffLimit"] == 3


def test_minutes_are_spread_and_do_not_change_when_an_account_is_added(tmp_path: Path) -> None:
    def schedules(count: int) -> dict[str, str]:
        accounts = {f"account-{number}": {} for number in range(count)}
        jobs = render(values_file({"accounts": accounts}, tmp_path)).of("CronJob")
        return {name: job["spec"]["schedule"] for name, job in jobs.items()}

    many = schedules(200)
    assert schedules(20).items() <= many.items()
    assert all(re.fullmatch(r"([0-9]|[1-5][0-9]) \* \* \* \*", schedule) for schedule in many.values())
    by_minute = Counter(many.values())
    assert len(by_minute) > 50
    assert max(by_minute.values()) <= 10


def test_an_account_has_its_own_schedule_secret_volume_and_resources(tmp_path: Path) -> None:
    own = {
        "schedule": "H */6 * * *",
        "suspend": True,
        "secret": "vault-globex",
        "volume": {"size": "50Gi"},
        "resources": {"limits": {"memory": "2Gi"}},
    }
    rendered = render(values_file({"accounts": {"acme": {}, "globex": own}}, tmp_path))
    acme, globex = (rendered.of("CronJob")[f"zendesk-chat-{name}"]["spec"] for name in ("acme", "globex"))
    assert re.fullmatch(r"\d+ \*/6 \* \* \*", globex["schedule"])
    assert (acme["suspend"], globex["suspend"]) == (False, True)
    pod = rendered.pods()["zendesk-chat-globex"]
    assert pod["containers"][0]["resources"] == {"limits": {"memory": "2Gi"}}
    assert pod["volumes"][1]["projected"]["sources"][0]["secret"]["name"] == "vault-globex"
    sizes = {
        name: one["spec"]["resources"]["requests"]["storage"] for name, one in rendered.of("PersistentVolumeClaim").items()
    }
    assert sizes == {"zendesk-chat-acme": "5Gi", "zendesk-chat-globex": "50Gi"}


def test_the_data_stays_when_an_account_is_removed(two: Rendered) -> None:
    for claim in two.of("PersistentVolumeClaim").values():
        assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_a_database_needs_no_volume_and_its_password_is_in_a_secret() -> None:
    rendered = render(CHART / "examples" / "postgres.yaml")
    assert not rendered.of("PersistentVolumeClaim")
    schemas = set()
    for name, pod in rendered.pods().items():
        assert {volume["name"] for volume in pod["volumes"]} == {"accounts", "secrets", "tmp"}
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "warehouse"}}]
        file = tomllib.loads(rendered.of("ConfigMap")[name]["data"]["accounts.toml"])
        assert "password" not in str(file).lower()
        (account,) = file["accounts"]
        schemas.add(file["schema"].replace("{account}", account))
    assert len(schemas) == len(rendered.pods())


@pytest.mark.parametrize("kind", ["kubernetes", "cilium"])
def test_the_network_policy_selects_the_pods_of_the_syncs(kind: str, tmp_path: Path) -> None:
    rendered = render(values_file(EVERYTHING | {"networkPolicy": {"kind": kind}}, tmp_path))
    (policy,) = [one["spec"] for one in rendered.manifests if one["kind"].endswith("NetworkPolicy")]
    selector = policy["podSelector" if kind == "kubernetes" else "endpointSelector"]["matchLabels"].items()
    templates = [job["spec"]["jobTemplate"]["spec"]["template"] for job in rendered.of("CronJob").values()]
    assert all(selector <= template["metadata"]["labels"].items() for template in templates)
    (exporter,) = rendered.of("Deployment").values()
    assert not selector <= exporter["spec"]["template"]["metadata"]["labels"].items()


def test_nothing_of_the_network_is_restricted_if_you_say_so(tmp_path: Path) -> None:
    rendered = render(values_file(TWO | {"networkPolicy": {"kind": "none"}}, tmp_path))
    assert not [one for one in rendered.manifests if one["kind"].endswith("NetworkPolicy")]


def test_the_notes_name_the_secrets_to_create(tmp_path: Path) -> None:
    values = {"accounts": {"acme": {}, "globex": {"secret": "vault-globex"}}, "envSecret": "warehouse"}
    done = helm("install", "zendesk-chat", CHART, "--dry-run=client", values=values_file(values, tmp_path))
    notes = done.stdout.partition("NOTES:")[2]
    assert re.findall(r"^  (\S+)$", notes, re.MULTILINE) == ["zendesk-chat-acme", "vault-globex"]
    assert "create secret generic warehouse --from-env-file=FILE" in notes
    assert "job --from=cronjob/zendesk-chat-acme first-acme" in notes


def test_the_size_of_the_temporary_files_is_a_value(tmp_path: Path) -> None:
    for pod in render(values_file(TWO | {"tmpSize": "20Gi"}, tmp_path)).pods().values():
        (tmp,) = [volume for volume in pod["volumes"] if volume["name"] == "tmp"]
        assert tmp["emptyDir"] == {"sizeLimit": "20Gi"}


def test_accounts_may_read_their_tokens_from_variables_or_configuration_files(tmp_path: Path) -> None:
    config = "/run/secrets/zendesk-chat/{account}/config.json"
    rendered = render(values_file({"accounts": {"acme": {}}, "settings": {"config": config}}, tmp_path))
    (file,) = rendered.of("ConfigMap").values()
    assert tomllib.loads(file["data"]["accounts.toml"]) == {
        "config": config,
        "to": "/data/{account}.duckdb",
        "accounts": {"acme": {}},
    }


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__
