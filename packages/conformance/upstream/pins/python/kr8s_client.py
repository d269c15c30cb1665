"""kr8s: kinds found by discovery, patches, labels, waits, watches, a kind of its own."""
import sys
import threading

import kr8s
from kr8s.objects import ConfigMap, Deployment, new_class, object_from_spec

api = kr8s.api(kubeconfig=sys.argv[1])


def maps():
    made = ConfigMap({"metadata": {"name": "kr8s", "namespace": "default"}, "data": {"a": "1"}},
                     api=api)
    made.create()
    made.patch({"data": {"b": "2"}})
    made.label({"app": "kr8s"})
    made.annotate({"note": "x"})
    found = list(api.get("configmaps", namespace="default", label_selector={"app": "kr8s"}))
    assert [dict(each.data) for each in found] == [{"a": "1", "b": "2"}], found
    again = ConfigMap.get("kr8s", namespace="default", api=api)
    assert again.exists() and again.annotations["note"] == "x", again
    again.delete()
    again.wait("delete", timeout=60)
    assert not again.exists()


def watches():
    seen = []

    def follow():
        for kind, each in api.watch("configmaps", namespace="default",
                                    field_selector={"metadata.name": "kr8s-seen"}):
            seen.append(kind)
            if kind == "DELETED":
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    made = ConfigMap({"metadata": {"name": "kr8s-seen", "namespace": "default"}}, api=api)
    made.create()
    while not seen:
        thread.join(0.05)
    made.delete()
    thread.join(60)
    assert (seen[0], seen[-1]) == ("ADDED", "DELETED"), seen


def scales():
    labels = {"app": "kr8s"}
    deployment = Deployment({
        "metadata": {"name": "kr8s", "namespace": "default"},
        "spec": {"replicas": 1, "paused": True, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "c", "image": "busybox:1.36"}]}}},
    }, api=api)
    deployment.create()
    # Its scale() waits for pods, which nobody makes here: what it sends is this patch.
    deployment.patch({"spec": {"replicas": 3}}, subresource="scale")
    deployment.refresh()
    assert deployment.replicas == 3, deployment.raw
    deployment.patch({"status": {"observedGeneration": 7}}, subresource="status")
    deployment.refresh()
    assert deployment.status.observedGeneration == 7, deployment.raw
    deployment.delete()


def kinds():
    """Everything discovery names, and an object of a class made from it."""
    names = {each["name"] for each in api.api_resources()}
    assert {"pods", "deployments", "leases", "customresourcedefinitions"} <= names, names
    Lease = new_class(kind="Lease", version="coordination.k8s.io/v1", namespaced=True)
    lease = Lease({"metadata": {"name": "kr8s", "namespace": "default"},
                   "spec": {"holderIdentity": "me"}}, api=api)
    lease.create()
    assert lease.spec.holderIdentity == "me"
    lease.delete()
    assert object_from_spec(lease.to_dict(), api=api).kind == "Lease"


for step in (maps, watches, scales, kinds):
    step()
print("ok")
