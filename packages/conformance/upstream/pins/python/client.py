"""Python's client: pages, patches of each kind, apply, subresources, watches that end, a leader."""
import os
import sys
import threading
import time

from kubernetes import client, config, dynamic, watch
from kubernetes.client import api_client
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
apps = client.AppsV1Api()


def config_map(name):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "1"})


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except client.ApiException as error:
        assert error.status == status, error
        return error
    raise AssertionError(f"{status} was expected")


def pages_and_watches():
    for name in ("py-1", "py-2", "py-3"):
        core.create_namespaced_config_map("default", config_map(name))
    page = core.list_namespaced_config_map("default", limit=2)
    assert page.metadata._continue, "a page goes on"
    listed = core.list_namespaced_config_map("default")
    core.patch_namespaced_config_map("py-1", "default", {"data": {"b": "2"}})
    version = listed.metadata.resource_version
    seen = []
    stream = watch.Watch().stream(
        core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=10,
        field_selector="metadata.name=py-1", allow_watch_bookmarks=True,
    )
    for event in stream:
        seen.append((event["type"], event["object"].metadata.name, event["object"].data))
        break
    assert seen == [("MODIFIED", "py-1", {"a": "1", "b": "2"})], seen
    # The server ends a watch when its time is over, and the client ends with it.
    began = time.monotonic()
    quiet = watch.Watch().stream(
        core.list_namespaced_config_map, "default", timeout_seconds=1, label_selector="no=body")
    assert list(quiet) == []
    assert time.monotonic() - began >= 0.5, "it waited"
    refused(409, core.create_namespaced_config_map, "default", config_map("py-1"))
    core.delete_collection_namespaced_config_map(
        "default", field_selector="metadata.name!=kube-root-ca.crt")
    left = [each.metadata.name for each in core.list_namespaced_config_map("default").items]
    assert [name for name in left if name.startswith("py-")] == [], left


def subresources():
    labels = {"app": "py"}
    container = client.V1Container(name="c", image="busybox:1.36")
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container]))
    spec = client.V1DeploymentSpec(
        replicas=1, paused=True, selector=client.V1LabelSelector(match_labels=labels),
        template=template)
    apps.create_namespaced_deployment(
        "default", client.V1Deployment(metadata=client.V1ObjectMeta(name="py"), spec=spec))
    scaled = apps.patch_namespaced_deployment_scale("py", "default", {"spec": {"replicas": 3}})
    assert scaled.spec.replicas == 3, scaled
    apps.patch_namespaced_deployment_status("py", "default", {"status": {"observedGeneration": 7}})
    read = apps.read_namespaced_deployment("py", "default")
    assert (read.spec.replicas, read.status.observed_generation) == (3, 7), read
    apps.delete_namespaced_deployment("py", "default", propagation_policy="Background")


def apply():
    """Two managers; one is told that a field is the other's, and takes it by force."""
    maps = dynamic.DynamicClient(api_client.ApiClient()).resources.get(
        api_version="v1", kind="ConfigMap")

    def applied(manager, data, force=False):
        body = {"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "py-applied"}, "data": data}
        return maps.server_side_apply(
            body=body, name="py-applied", namespace="default", field_manager=manager,
            force_conflicts=force)

    applied("one", {"a": "1", "b": "1"})
    try:
        applied("two", {"a": "2"})
        raise AssertionError("a conflict was expected")
    except dynamic.exceptions.ConflictError as error:
        assert '.data.a' in str(error.body), error
    taken = applied("two", {"a": "2"}, force=True)
    assert taken.data.to_dict() == {"a": "2", "b": "1"}, taken
    given_up = applied("one", {})
    assert given_up.data.to_dict() == {"a": "2"}, given_up
    maps.delete(name="py-applied", namespace="default")


def finalizers():
    body = config_map("py-held")
    body.metadata.finalizers = ["example.com/held"]
    core.create_namespaced_config_map("default", body)
    core.delete_namespaced_config_map("py-held", "default")
    held = core.read_namespaced_config_map("py-held", "default")
    assert held.metadata.deletion_timestamp is not None
    core.patch_namespaced_config_map("py-held", "default", [
        {"op": "remove", "path": "/metadata/finalizers"}])
    refused(404, core.read_namespaced_config_map, "py-held", "default")


def leader():
    started = threading.Event()
    lock = LeaseLock("py-leader", "default", "me")
    election = electionconfig.Config(
        lock, lease_duration=17, renew_deadline=15, retry_period=5,
        onstarted_leading=started.set, onstopped_leading=lambda: None)
    threading.Thread(target=leaderelection.LeaderElection(election).run, daemon=True).start()
    assert started.wait(60), "nobody leads"
    lease = client.CoordinationV1Api().read_namespaced_lease("py-leader", "default")
    assert lease.spec.holder_identity == "me", lease


for step in (pages_and_watches, subresources, apply, finalizers, leader):
    step()
print("ok", flush=True)
os._exit(0)  # Its leader leads until it is killed.
