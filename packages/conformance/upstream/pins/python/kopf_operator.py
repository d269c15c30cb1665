"""An operator of kopf's: a kind of its own, handlers, a finalizer, a status, children that follow."""
import asyncio
import os
import sys
import threading
import time

os.environ["KUBECONFIG"] = sys.argv[1]  # Where kopf looks; read when the client is imported.

import kopf
from kubernetes import client, config

config.load_kube_config()
core = client.CoreV1Api()
definitions = client.ApiextensionsV1Api()
objects = client.CustomObjectsApi()
where = {"group": "kopf.example.com", "version": "v1", "namespace": "default", "plural": "stalls"}
deleted = threading.Event()


@kopf.on.startup()
def configure(settings, **_):
    settings.posting.enabled = False
    settings.persistence.finalizer = "kopf.example.com/held"


@kopf.on.create("kopf.example.com", "v1", "stalls")
@kopf.on.update("kopf.example.com", "v1", "stalls", field="spec")
def follow(spec, name, namespace, patch, **_):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"size": str(spec["size"])}}
    kopf.adopt(body)
    try:
        core.create_namespaced_config_map(namespace, body)
    except client.ApiException as error:
        assert error.status == 409, error
        core.patch_namespaced_config_map(name, namespace, {"data": body["data"]})
    patch.status["ready"] = spec["size"]


@kopf.on.delete("kopf.example.com", "v1", "stalls")
def gone(**_):
    deleted.set()


def define():
    any_object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definitions.create_custom_resource_definition({
        "metadata": {"name": "stalls.kopf.example.com"},
        "spec": {
            "group": "kopf.example.com", "scope": "Namespaced",
            "names": {"plural": "stalls", "singular": "stall", "kind": "Stall"},
            "versions": [{
                "name": "v1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": any_object, "status": any_object}}},
                "subresources": {"status": {}},
            }],
        },
    })


def eventually(what, holds):
    end = time.monotonic() + 60
    while True:
        try:
            if holds():
                return
        except client.ApiException as error:
            if error.status != 404:
                raise
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.05)


def size_of(name):
    return core.read_namespaced_config_map(name, "default").data["size"]


def stall():
    return objects.get_namespaced_custom_object(name="corner", **where)


def is_gone():
    try:
        stall()
        return False
    except client.ApiException as error:
        return error.status == 404


def exercise():
    body = {"apiVersion": "kopf.example.com/v1", "kind": "Stall",
            "metadata": {"name": "corner"}, "spec": {"size": 3}}
    objects.create_namespaced_custom_object(body=body, **where)
    eventually("the child is made", lambda: size_of("corner") == "3")
    eventually("the status follows", lambda: stall()["status"]["ready"] == 3)
    assert stall()["metadata"]["finalizers"] == ["kopf.example.com/held"], stall()
    objects.patch_namespaced_custom_object(name="corner", body={"spec": {"size": 5}}, **where)
    eventually("the child follows", lambda: size_of("corner") == "5")
    objects.delete_namespaced_custom_object(name="corner", **where)
    eventually("the finalizer lets go", is_gone)
    assert deleted.is_set(), "the handler was asked"


def main():
    define()
    eventually("the kind is served", lambda: objects.list_namespaced_custom_object(**where) and True)
    stop, ready = threading.Event(), threading.Event()

    def run():
        asyncio.run(kopf.operator(
            standalone=True, namespace="default", stop_flag=stop, ready_flag=ready))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60), "the operator does not begin"
    exercise()
    stop.set()
    thread.join(30)
    definitions.delete_custom_resource_definition("stalls.kopf.example.com")
    print("ok")


main()
