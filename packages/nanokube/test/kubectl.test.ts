/** What people do with kubectl all day, with every kubectl that is there, on real containers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../conformance/src/subjects/free-ports.ts";
import { missingReason } from "../../conformance/src/upstream/cache.ts";
import { fabric8Operator } from "../../conformance/src/upstream/java.ts";
import { pythonProgram, pythonWithClient } from "../../conformance/src/upstream/python.ts";
import { containersReason, eventually, kubectls, runCommand, TestCluster } from "./cluster.ts";

const paths = kubectls();
const reason = containersReason ?? missingReason("kubectl");

// Where they are not there, conformance's clients.test.ts says so.
const python = await pythonWithClient();
const java = await fabric8Operator();

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: httpd
        image: busybox:1.36
        command: [sh, -c, "mkdir -p /www; echo page > /www/index.html; echo started; exec httpd -f -p 8080 -h /www"]
        ports: [{ containerPort: 8080 }]
        readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
`;

describe.skipIf(reason !== undefined)(`kubectl (${reason ?? paths.length})`, () => {
  const shared = new TestCluster();
  beforeAll(() => shared.up());
  afterAll(() => shared.destroy());

  describe.each(paths)("%s", (path) => {
    const namespace = `t${paths.indexOf(path)}`;
    const run = (...args: string[]) =>
      runCommand([path, "-n", namespace, ...args], { env: shared.env });
    const ok = async (...args: string[]) => {
      const result = await run(...args);
      if (result.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${result.stderr}`);
      return result.stdout;
    };
    const input = (text: string, ...args: string[]) =>
      runCommand([path, "-n", namespace, ...args], { env: shared.env, input: text });
    const podName = () =>
      ok("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}");

    beforeAll(async () => {
      await ok("create", "namespace", namespace);
      const applied = await input(web, "apply", "-f", "-");
      expect(applied.stdout).toBe("deployment.apps/web created\n");
      await ok("rollout", "status", "deployment/web", "--timeout=90s");
    });

    test("apply again changes nothing, and diff sees a change", async () => {
      expect((await input(web, "apply", "-f", "-")).stdout).toBe("deployment.apps/web unchanged\n");
      expect((await input(web, "diff", "-f", "-")).code).toBe(0);
      const changed = await input(web.replace("replicas: 1", "replicas: 2"), "diff", "-f", "-");
      expect(changed.code).toBe(1);
      expect(changed.stdout).toMatch(/^-\s+replicas: 1$/m);
      expect(changed.stdout).toMatch(/^\+\s+replicas: 2$/m);
    });

    // No kubectl has a part in these.
    if (path === paths[0]) {
      test.skipIf(python === undefined)(
        "Python's client and kr8s run commands in a pod, reach its port, follow its log",
        async () => {
          const args = [pythonProgram("pod_streams"), join(shared.dataDir, "kubeconfig")];
          const pod = await podName();
          const command = [python!, ...args, namespace, pod, "8080"];
          const done = await runCommand(command);
          expect(done, done.stderr).toMatchObject({ code: 0, stdout: "ok\n" });
        },
      );

      test.skipIf(java === undefined)("so does fabric8's", async () => {
        const args = [join(shared.dataDir, "kubeconfig"), namespace, await podName(), "8080"];
        const done = await runCommand([...java!, ...args]);
        expect(done, done.stderr).toMatchObject({ code: 0, stdout: "ok\n" });
      });
    }

    test("get -o wide", async () => {
      const [head, row] = (await ok("get", "pods", "-o", "wide")).split("\n");
      expect(head!.split(/\s{2,}/)).toEqual([
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "IP",
        "NODE",
        "NOMINATED NODE",
        "READINESS GATES",
      ]);
      expect(row).toMatch(/^web-\S+ +1\/1 +Running +0 +\S+ +10\.\S+ +n1 +<none> +<none>$/);
    });

    test("get -w shows a pod being made", async () => {
      const watch = shared.start(["-n", namespace, "get", "pods", "-w", "--no-headers"]);
      let seen = "";
      watch.stdout.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
      });
      try {
        await eventually(
          async () => seen,
          (text) => text.includes("Running"),
        );
        await ok("run", "watched", "--image=busybox:1.36", "--", "sleep", "600");
        await eventually(
          async () => seen,
          (text) => /watched +1\/1 +Running/.test(text),
        );
        await ok("delete", "pod", "watched", "--grace-period=1");
      } finally {
        watch.kill();
      }
    });

    test("describe", async () => {
      const text = await ok("describe", "pod", await podName());
      for (const want of [
        "Successfully assigned",
        "Created",
        "Started",
        "Ready             True",
      ]) {
        expect(text).toContain(want);
      }
      expect(await ok("describe", "deployment", "web")).toContain("Scaled up replica set web-");
    });

    test("logs -f", async () => {
      await ok(
        "run",
        "talker",
        "--image=busybox:1.36",
        "--",
        "sh",
        "-c",
        "for i in 1 2 3; do echo line $i; sleep 1; done; sleep 600",
      );
      await ok("wait", "--for=condition=ready", "pod/talker", "--timeout=60s");
      const follow = shared.start(["-n", namespace, "logs", "-f", "talker"]);
      let seen = "";
      follow.stdout.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
      });
      await eventually(
        async () => seen,
        (text) => text === "line 1\nline 2\nline 3\n",
      ).finally(() => follow.kill());
      expect(await ok("logs", "talker", "--tail=1")).toBe("line 3\n");
      await ok("delete", "pod", "talker", "--grace-period=1");
    });

    test("exec, with and without a terminal", async () => {
      const pod = await podName();
      expect(await ok("exec", pod, "--", "echo", "said")).toBe("said\n");
      const piped = await input("piped\n", "exec", "-i", pod, "--", "cat");
      expect(piped).toMatchObject({ stdout: "piped\n", code: 0 });
      expect((await run("exec", pod, "--", "sh", "-c", "exit 7")).code).toBe(7);
      // script(1) gives kubectl a terminal, so that -t is real.
      const command = `${path} -n ${namespace} exec -it ${pod} -- sh -c "tty; exit 3"`;
      const terminal = await runCommand(["script", "-qec", command, "/dev/null"], {
        env: shared.env,
      });
      expect(terminal.stdout).toContain("/dev/pts/");
      expect(terminal.code).toBe(3);
    });

    test("cp there and back", async () => {
      const pod = await podName();
      const dir = mkdtempSync(join(tmpdir(), "nanokube-cp-"));
      try {
        writeFileSync(join(dir, "there"), "carried\n");
        await ok("cp", join(dir, "there"), `${pod}:/tmp/there`);
        await ok("cp", `${pod}:/tmp/there`, join(dir, "back"));
        expect(readFileSync(join(dir, "back"), "utf8")).toBe("carried\n");
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });

    test("port-forward", async () => {
      const port = await freePort();
      const forward = shared.start([
        "-n",
        namespace,
        "port-forward",
        "deployment/web",
        `${port}:8080`,
      ]);
      try {
        const page = () => fetch(`http://127.0.0.1:${port}/`).then((r) => r.text());
        expect(await eventually(page, (text) => text !== "")).toBe("page\n");
      } finally {
        forward.kill();
      }
    });

    test("scale, label, annotate, patch", async () => {
      expect(await ok("scale", "deployment/web", "--replicas=2")).toBe(
        "deployment.apps/web scaled\n",
      );
      await ok("rollout", "status", "deployment/web", "--timeout=60s");
      expect(await ok("label", "deployment/web", "tier=front")).toBe(
        "deployment.apps/web labeled\n",
      );
      expect(await ok("get", "deploy", "-l", "tier=front", "-o", "name")).toBe(
        "deployment.apps/web\n",
      );
      expect(await ok("annotate", "deployment/web", "note=seen")).toBe(
        "deployment.apps/web annotated\n",
      );
      const edit =
        '{"spec":{"template":{"spec":{"containers":[{"name":"httpd","env":[{"name":"A","value":"1"}]}]}}}}';
      expect(await ok("patch", "deployment/web", "-p", edit)).toBe("deployment.apps/web patched\n");
      expect(
        await ok(
          "get",
          "deploy",
          "web",
          "-o",
          "jsonpath={.spec.template.spec.containers[0].image}",
        ),
      ).toBe("busybox:1.36");
      await ok("scale", "deployment/web", "--replicas=1");
    });

    test("edit, with an editor that is a program", async () => {
      const edited = await runCommand([path, "-n", namespace, "edit", "deployment/web"], {
        env: { ...shared.env, KUBE_EDITOR: "sed -i s/note:.seen/note:\\ edited/" },
      });
      expect(edited.stdout).toBe("deployment.apps/web edited\n");
      expect(await ok("get", "deploy", "web", "-o", "jsonpath={.metadata.annotations.note}")).toBe(
        "edited",
      );
    });

    test("rollout status and undo", async () => {
      await ok("set", "env", "deployment/web", "VERSION=2");
      await ok("rollout", "status", "deployment/web", "--timeout=90s");
      expect(await ok("rollout", "history", "deployment/web")).toMatch(/^[23] /m);
      expect(await ok("rollout", "undo", "deployment/web")).toBe(
        "deployment.apps/web rolled back\n",
      );
      await ok("rollout", "status", "deployment/web", "--timeout=90s");
      const env = await ok(
        "get",
        "deploy",
        "web",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].env[*].name}",
      );
      expect(env).toBe("A");
    });

    test("explain", async () => {
      const text = await ok("explain", "deployment");
      expect(text).toMatch(/^KIND: +Deployment$/m);
      expect(text).toMatch(/^ +spec\t<DeploymentSpec>/m);
    });

    test("delete --cascade", async () => {
      await ok("delete", "deployment/web", "--cascade=orphan");
      const left = await ok("get", "rs,pods", "-l", "app=web", "-o", "name");
      expect(left).toMatch(/^replicaset\.apps\/web-[\s\S]*^pod\/web-/m);
      await ok("delete", "rs", "-l", "app=web", "--cascade=foreground", "--timeout=60s");
      await eventually(
        () => ok("get", "rs,pods", "-l", "app=web", "-o", "name"),
        (names) => names === "",
      );
    });

    afterAll(async () => {
      await ok("delete", "namespace", namespace, "--timeout=90s");
      expect((await run("get", "namespace", namespace)).stderr).toContain(
        `namespaces "${namespace}" not found`,
      );
    });
  });
});
