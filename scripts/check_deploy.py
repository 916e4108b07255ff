#!/usr/bin/env python3
"""Checks the files of deploy/ against each other and against the server: settings and metrics that they name exist,
times fit, manifests follow their schemas, alerts have a paragraph in the runbook.

Through scripts/check-deploy. Prints every fault; status 1 when there is one.
"""

import fnmatch
import json
import re
import subprocess
import sys
import traceback
from pathlib import Path

import kubernetes_validate
import promql_parser
import yaml

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.31"
faults: list[str] = []


def fault(where: object, what: str) -> None:
    faults.append(f"{where}: {what}")


def demand(holds: object, where: object, what: str) -> None:
    if not holds:
        fault(where, what)


def read(path: str) -> str:
    return (ROOT / path).read_text()


def tracked(*folders: str) -> list[Path]:
    """Files that git has or would take, so that a build folder or a secret beside them is not looked at."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


SOURCES = {path: path.read_text() for path in tracked("server/src") if path.suffix == ".rs"}
RUST = "\n".join(SOURCES.values())


# Settings.

def default_of(setting: str) -> int:
    """The default of a setting, from the reference that the server itself writes."""
    found = re.search(rf"^\| `{re.escape(setting)}`:.*\| `(\d+)` \|$", read("docs/configuration.md"), re.MULTILINE)
    assert found, f"docs/configuration.md has no number for {setting}"
    return int(found[1])


def check_names() -> None:
    """Every setting and metric that a file of deploy/ or a document names is one that the server has."""
    # What Compose, our own tools and other systems use under a like name.
    foreign = re.compile(r"HUBBUB_(IMAGE_TAG|BIN|URL|CONFIG|TEST_\w+)|hubbub_(protocol|server|client|before|restore)\w*")
    for path in [*tracked("deploy"), *ROOT.glob("*.md")]:
        for name in sorted(set(re.findall(r"\b(?:HUBBUB_[A-Z_]*[A-Z]|hubbub_[a-z_]*[a-z])\b", path.read_text()))):
            plain = re.sub(r"_(bucket|count|sum)$", "", name)
            known = f'"{name}"' in RUST or f'"{plain}"' in RUST
            demand(known or foreign.fullmatch(name), path.relative_to(ROOT), f"{name} is unknown to the server")


# Metrics.

def measured() -> dict[str, set[str]]:
    """Each metric that the server measures somewhere, with its labels. Described alone is not measured."""
    found: dict[str, set[str]] = {}
    for path, text in SOURCES.items():
        if path.name == "catalogue.rs":
            continue
        for call in re.finditer(r'\b(?:counter|gauge|histogram)!\(\s*"([a-z_]+)"((?:[^()]|\([^()]*\))*)\)', text):
            found.setdefault(call[1], set()).update(re.findall(r'"(\w+)"\s*=>', call[2]))
    return found


METRICS = measured()
KINDS = dict((name, kind) for kind, name in re.findall(r'\b(Counter|Gauge|Histogram),\s*"([a-z_]+)"',
                                                       read("server/src/telemetry/catalogue.rs")))
# What Prometheus itself adds.
OF_PROMETHEUS = {"instance", "job", "le"}


def selectors(node, grouped=frozenset()):
    """Each (name, labels that are asked for) of a parsed expression; labels of a grouping belong to all beneath it."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name, {matcher.name for matcher in node.matchers.matchers} | grouped
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from selectors(node.vector_selector, grouped)
    elif isinstance(node, promql_parser.AggregateExpr):
        by = set(node.modifier.labels) if node.modifier else set()
        yield from selectors(node.expr, grouped | by)
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from selectors(node.lhs, grouped)
        yield from selectors(node.rhs, grouped)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from selectors(argument, grouped)
    elif isinstance(node, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        yield from selectors(node.expr, grouped)


def check_expression(where: str, expression: str, recorded: set[str]) -> None:
    try:
        parsed = promql_parser.parse(expression)
    except Exception as error:  # the parser raises what it likes
        return fault(where, f"{error}: {expression}")
    found = list(selectors(parsed))
    demand(found, where, "asks for no metric")
    for name, labels in found:
        if name == "up" or name in recorded:
            continue
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        histogram = KINDS.get(base) == "Histogram"
        metric = base if histogram else name
        demand(not histogram or base != name, where, f"{name} is a histogram: _bucket, _count or _sum of it")
        if metric not in METRICS:
            fault(where, f"{metric} is measured nowhere in the server")
            continue
        unknown = labels - METRICS[metric] - OF_PROMETHEUS
        demand(not unknown, where, f"{metric} has no label {sorted(unknown)}")
        demand(not histogram or name.endswith("_bucket") or "le" not in labels, where, f"{name} has no le")


def check_alerts() -> set[str]:
    """The rules; gives what they record."""
    where = "deploy/prometheus/alerts.yaml"
    recorded: set[str] = set()
    runbook = read("deploy/RUNBOOK.md")
    anchors = {heading.strip().lower() for heading in re.findall(r"^#+ (Hubbub\w+)$", runbook, re.MULTILINE)}
    named = set()
    for group in yaml.safe_load(read(where))["groups"]:
        demand(set(group) <= {"name", "interval", "rules"}, where, f"group {group['name']} has unknown members")
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            check_expression(f"{where}, {name}", rule["expr"], recorded)
            if "record" in rule:
                demand(re.fullmatch(r"hubbub:[a-z_]+:[a-z0-9_]+", name), where, f"{name} is no name of a recording")
                recorded.add(name)
                continue
            demand(set(rule) == {"alert", "expr", "for", "labels", "annotations"}, where, f"{name} lacks something")
            demand(name not in named, where, f"{name} is there twice")
            named.add(name)
            demand(rule["labels"].get("severity") in ("page", "ticket"), where, f"{name} has no severity")
            demand(re.fullmatch(r"\d+[smh]", rule["for"]), where, f"{name}: for {rule['for']}")
            anchor = rule["annotations"]["runbook"].removeprefix("deploy/RUNBOOK.md#")
            demand(anchor in anchors and name.lower().startswith(anchor), where,
                   f"{name}: the runbook has no heading for it, #{anchor}")
    used = {rule["annotations"]["runbook"].rpartition("#")[2] for group in yaml.safe_load(read(where))["groups"]
            for rule in group["rules"] if "alert" in rule}
    demand(anchors <= used, "deploy/RUNBOOK.md", f"no alert leads to {sorted(anchors - used)}")
    return recorded


def check_dashboard(recorded: set[str]) -> None:
    where = "deploy/grafana/dashboard.json"
    dashboard = json.loads(read(where))
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    ids, places = set(), set()
    for panel in dashboard["panels"]:
        title = panel["title"]
        demand(panel["id"] not in ids, where, f"{title}: id {panel['id']} is there twice")
        ids.add(panel["id"])
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        demand(at["x"] + at["w"] <= 24 and not cells & places, where, f"{title} lies over another panel")
        places |= cells
        demand(panel["targets"] and panel["description"], where, f"{title} shows or says nothing")
        for target in panel["targets"]:
            expression = target["expr"]
            used = set(re.findall(r"\$(?!__)(\w+)", expression))
            demand(used <= variables, where, f"{title}: no variable {used - variables}")
            expression = expression.replace("$__rate_interval", "5m").replace("$node", ".*")
            check_expression(f"{where}, {title}", expression, recorded)


def check_measurements() -> None:
    check_dashboard(check_alerts())


# Containers.

def covers(pattern: str, path: str) -> bool:
    """Whether a pattern of a .dockerignore names a path or a folder above it."""
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
    return any(fnmatch.fnmatch(one, pattern) and one.count("/") == pattern.count("/") for one in above)


def check_dockerfile() -> None:
    where = "deploy/Dockerfile"
    text = read(where)
    patterns = [line for line in read(f"{where}.dockerignore").splitlines() if line and not line.startswith("#")]

    def is_sent(path: str) -> bool:
        sent = True
        for pattern in patterns:
            if covers(pattern.lstrip("!"), path):
                sent = pattern.startswith("!")
        return sent

    copied = []
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        copied += sources
    for source in copied:
        files = tracked(source)
        demand(files, where, f"COPY {source}: there is no such thing")
        for file in files:
            name = str(file.relative_to(ROOT))
            demand(is_sent(name) or "/dist/" in name, where, f"{name} does not get past .dockerignore")
    for secret in ("deploy/.env", ".git/config", "data/hubbub.db", "target/debug/hubbub", "web-client/node_modules/x"):
        demand(not is_sent(secret), where, f"{secret} would be sent to the builder")
    # What the sources include from outside of their own folders must be copied too.
    for path, source in SOURCES.items():
        for include in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source):
            name = str((path.parent / include).resolve().relative_to(ROOT))
            demand(any(name == one or name.startswith(f"{one}/") for one in copied), where, f"{name} is not copied")
    for member in re.findall(r'"([\w/-]+)"', re.search(r"^members = \[(.*?)\]", read("Cargo.toml"), re.M | re.S)[1]):
        demand(member in copied, where, f"{member} is part of the workspace and not copied")
    last = text.rpartition("\nFROM ")[2]
    demand(re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE), where, "it runs as root, or by a name")
    demand("HEALTHCHECK" in last and "STOPSIGNAL SIGTERM" in last, where, "no health check or stop signal")
    for image in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        demand(re.search(r":\w", image) and not image.endswith(":latest"), where, f"{image} moves")


SERVICE_KEYS = {
    "build", "cap_add", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "logging", "networks",
    "ports", "profiles", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "sysctls", "tmpfs",
    "ulimits", "user", "volumes",
}


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|min|h)?", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, None: 1, "m": 60, "min": 60, "h": 3600}[unit]


def check_compose() -> None:
    where = "deploy/compose.yaml"
    compose = yaml.safe_load(read(where))
    demand({key for key in compose if not key.startswith("x-")} <= {"name", "services", "volumes", "networks"}, where,
           "unknown members")
    services, networks = compose["services"], compose["networks"]
    for name, service in services.items():
        at = f"{where}, {name}"
        demand(set(service) <= SERVICE_KEYS, at, f"unknown: {set(service) - SERVICE_KEYS}")
        demand(re.fullmatch(r"[\w./-]+:(\d[\w.-]*|\$\{\w+:-\w+\})", service["image"]), at, f"{service['image']} moves")
        demand(set(service.get("networks", ["default"])) <= {*networks, "default"}, at, "unknown network")
        demand("no-new-privileges:true" in service["security_opt"], at, "may gain privileges")
        demand(name == "postgres" or (service["read_only"] and service["cap_drop"] == ["ALL"]), at, "is not confined")
        wanted = service.get("depends_on", {})
        for other in wanted:
            demand(other in services, at, f"depends on {other}")
            if isinstance(wanted, dict) and wanted[other]["condition"] == "service_healthy":
                demand("healthcheck" in services[other], at, f"{other} has no health check")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]
            demand(there, at, f"there is no {source}")
        # Doubled dollars are the container's own.
        for variable in re.findall(r"(?<!\$)\$\{?(\w+[^}]*)", json.dumps(service).replace("$$", "")):
            demand(re.match(r"\w+:[-?].", variable), at, f"${{{variable}}} may be empty")
        published = service.get("ports", [])
        demand(not published or name == "proxy", at, "is published")
    node = services["node1"]
    demand(seconds(node["stop_grace_period"]) > default_of("drain.grace_s") + 5, where, "nodes are cut while they drain")
    proxy = services["proxy"]["networks"]["front"]["ipv4_address"]
    demand(node["environment"]["HUBBUB_TRUSTED_PROXIES"] == proxy, where, "another proxy is trusted than there is")
    addresses = [services[name]["networks"]["front"]["ipv4_address"] + ":8080" for name in ("node1", "node2")]
    for file in ("nginx.conf", "haproxy.cfg"):
        servers = re.findall(r"^\s*server (?:node\d )?(\d[\d.:]+)", read(f"deploy/{file}"), re.MULTILINE)
        demand(servers == addresses, f"deploy/{file}", f"its nodes are {servers}, Compose has {addresses}")
    # deploy/make-env writes all that has to be set.
    needed = set(re.findall(r"\$\{(\w+):\?", read(where)))
    written = set(re.findall(r"'?\"?(\w+)=", read("deploy/make-env").partition("printf '%s\\n'")[2]))
    demand(needed <= written, "deploy/make-env", f"does not write {needed - written}")


def check_proxies() -> None:
    """A silent WebSocket is ended by the server, which says why, and not by the proxy."""
    idle_s = default_of("connections.idle_timeout_ms") / 1000
    socket = read("deploy/nginx.conf").partition("location = /v1/ws {")[2].partition("}")[0]
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        demand(seconds(re.search(rf"{name} (\w+);", socket)[1]) > idle_s, "deploy/nginx.conf", f"{name} is too short")
    tunnel = re.search(r"timeout tunnel (\w+)", read("deploy/haproxy.cfg"))[1]
    demand(seconds(tunnel) > idle_s, "deploy/haproxy.cfg", "timeout tunnel is too short")
    ingress = yaml.safe_load(read("deploy/kubernetes/ingress.yaml"))["metadata"]["annotations"]
    for name in ("proxy-read-timeout", "proxy-send-timeout"):
        demand(int(ingress[f"nginx.ingress.kubernetes.io/{name}"]) > idle_s, "ingress.yaml", f"{name} is too short")


# Machines and clusters.

def check_units() -> None:
    for unit in DEPLOY.glob("systemd/*.service"):
        stop = int(re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)[1])
        demand(stop > default_of("drain.grace_s") + 5, unit.name, "the node is killed while it drains")
        demand("\nRestart=on-failure\n" in unit.read_text(), unit.name, "a node that ends with status 1 stays down")


def check_kubernetes() -> None:
    folder = DEPLOY / "kubernetes"
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for resource in kustomization["resources"]:
        demand((folder / resource).is_file(), "kustomization.yaml", f"there is no {resource}")
    manifests = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        demand(path.name in (folder / "kustomization.yaml").read_text(), path.name, "the kustomization does not name it")
        for manifest in yaml.safe_load_all(path.read_text()):
            manifests[manifest["kind"]] = manifest
            try:
                kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.InvalidSchemaError) as error:
                fault(path.name, str(error).splitlines()[0])
    check_deployment(manifests["Deployment"])
    label = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for kind, path in {"Service": ["selector"], "PodDisruptionBudget": ["selector", "matchLabels"],
                       "NetworkPolicy": ["podSelector", "matchLabels"], "Deployment": ["selector", "matchLabels"]}.items():
        found = manifests[kind]["spec"]
        for key in path:
            found = found[key]
        demand(found == label, kind, f"selects {found}, the pods have {label}")
    demand(manifests["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["pods"]["metric"]["name"] in METRICS, "autoscaler",
           "its metric does not exist")


def check_deployment(deployment: dict) -> None:
    where = "deployment.yaml"
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    variables = {one["name"]: one for one in container["env"]}
    grace_s = int(variables["HUBBUB_DRAIN_GRACE_S"]["value"])
    waves_s = 10 * int(variables["HUBBUB_DRAIN_WAVE_MS"]["value"]) / 1000
    demand(waves_s <= grace_s - 5, where, "the waves do not fit into the grace")
    before_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    demand(pod["terminationGracePeriodSeconds"] >= before_s + grace_s + 5, where, "the node is killed while it drains")
    for name in ("DATABASE_URL", "REDIS_URL"):
        demand("secretKeyRef" in variables[name]["valueFrom"], where, f"{name} is no reference to a secret")
    demand(container["livenessProbe"]["httpGet"]["path"] == "/livez", where, "liveness must ask nothing else")
    demand(container["readinessProbe"]["httpGet"]["path"] == "/readyz", where, "readiness")
    demand("startupProbe" in container, where, "no startup probe")
    confined = container["securityContext"]
    demand(pod["securityContext"]["runAsNonRoot"] and confined["readOnlyRootFilesystem"], where, "not confined")
    demand(not confined["allowPrivilegeEscalation"] and confined["capabilities"]["drop"] == ["ALL"], where, "privileges")
    user = re.search(r"^USER (\d+):", read("deploy/Dockerfile"), re.MULTILINE)[1]
    demand(str(pod["securityContext"]["runAsUser"]) == user, where, "another user than the image's")
    demand(not pod["automountServiceAccountToken"] and not pod["enableServiceLinks"], where, "knows the cluster")


def main() -> int:
    checks = (check_names, check_measurements, check_dockerfile, check_compose, check_proxies, check_units,
              check_kubernetes)
    for check in checks:
        try:
            check()
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            line = traceback.extract_tb(error.__traceback__)[-1].line
            fault(check.__name__, f"something that it looks for is not there: {error!r} at {line}")
    for one in faults:
        print(one)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
