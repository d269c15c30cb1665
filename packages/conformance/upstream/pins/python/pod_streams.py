"""exec over WebSocket, port-forward and a log that goes on, by Python's client and by kr8s."""
import sys
import urllib.request

import kr8s
from kubernetes import client, config
from kubernetes.stream import portforward, stream
from kr8s.objects import Pod

kubeconfig, namespace, name, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
config.load_kube_config(kubeconfig)
core = client.CoreV1Api()


def run(command, **options):
    return stream(core.connect_get_namespaced_pod_exec, name, namespace, command=command,
                  stdin=options.pop("stdin", False), stdout=True, stderr=True, tty=False, **options)


def executes():
    assert run(["echo", "from inside"]) == "from inside\n"
    shell = run(["sh"], stdin=True, _preload_content=False)
    shell.write_stdin("echo said; echo complained >&2; exit 3\n")
    shell.run_forever(timeout=60)
    assert shell.read_stdout() == "said\n"
    assert shell.read_stderr() == "complained\n"
    assert shell.returncode == 3, shell.returncode


def forwards():
    # To the pod through the API server: no port of this machine is taken.
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, name, namespace,
                            ports=str(port))
    socket = forwarded.socket(port)
    socket.setblocking(True)
    socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while chunk := socket.recv(4096):
        answer += chunk
    socket.close()
    assert b" 200 OK" in answer and answer.endswith(b"page\n"), answer


def by_kr8s():
    pod = Pod.get(name, namespace=namespace, api=kr8s.api(kubeconfig=kubeconfig))
    done = pod.exec(["echo", "again"])
    assert done.stdout == b"again\n", done
    with pod.portforward(remote_port=port, local_port="auto") as local:
        with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=30) as answer:
            assert answer.read() == b"page\n"
    assert next(iter(pod.logs(follow=True))) == "started"


for step in (executes, forwards, by_kr8s):
    step()
print("ok")
