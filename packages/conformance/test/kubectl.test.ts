/** What people type: every kubectl there is, against our API server. */
import { statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findPrograms, missing } from "../src/subjects/programs.ts";

const manifest = (image: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "${image}", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, minimum: 1, default: 3}}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
`;

const ours = apiServerSubjects().find((subject) => subject.name === "apiserver")!;
/** One of each size: the same release in two places is tested once. */
const programs = [
  ...new Map(findPrograms("kubectl").map((one) => [statSync(one).size, one])).values(),
];

describe.skipIf(programs.length === 0)(
  programs.length === 0 ? missing("kubectl") : "kubectl",
  () => {
    let server: ApiServerInstance;
    let dir: string;
    beforeAll(async () => {
      server = await ours.open();
      dir = await mkdtemp(join(tmpdir(), "kubectl-"));
    });
    afterAll(async () => {
      await server?.close();
      if (dir !== undefined) await rm(dir, { recursive: true, force: true });
    });

    describe.each(programs)("%s", (program) => {
      const namespace = `n${programs.indexOf(program)}`;
      const run = async (command: string, input?: string) => {
        const argv = [
          `--kubeconfig=${server.kubeconfig}`,
          `--cache-dir=${dir}/${namespace}`,
          "-n",
          namespace,
        ];
        const result = await execa(program, [...argv, ...command.split(" ")], {
          reject: false,
          all: true,
          ...(input === undefined ? { stdin: "ignore" } : { input }),
        });
        return { code: result.exitCode, text: result.all };
      };
      const ok = async (command: string, input?: string) => {
        const { code, text } = await run(command, input);
        expect(code, `${command}: ${text}`).toBe(0);
        return text;
      };

      test("apply, again, changed, diff", async () => {
        await ok(`create namespace ${namespace}`);
        expect(await ok("apply -f -", manifest("nginx:1"))).toMatch(
          /web created\nservice\/web created/,
        );
        expect(await ok("apply -f -", manifest("nginx:1"))).toMatch(/unchanged[\s\S]*unchanged/);
        const diff = await run("diff -f -", manifest("nginx:2"));
        expect(diff.code).toBe(1);
        expect(diff.text).toMatch(/-\s+- image: nginx:1\n\+\s+- image: nginx:2/);
        expect(await ok("apply -f -", manifest("nginx:2"))).toContain(
          "deployment.apps/web configured",
        );
        expect(
          await ok("apply --server-side --force-conflicts -f -", manifest("nginx:3")),
        ).toContain("serverside-applied");
      });

      test("get in every form", async () => {
        expect(await ok("get deploy -o wide")).toMatch(
          /NAME\s+READY.*IMAGES\s+SELECTOR\nweb\s+0\/2/,
        );
        expect(
          await ok("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}"),
        ).toBe("nginx:3");
        expect(await ok("get deploy,svc -o name")).toBe("deployment.apps/web\nservice/web");
        expect(await ok("get svc -l app=none")).toContain("No resources found");
        expect(await ok("get cm --chunk-size=1 -A")).toContain(
          "extension-apiserver-authentication",
        );
        expect(await ok("describe svc web")).toMatch(/Type:\s+ClusterIP/);
        expect(await ok("explain deployment.spec.replicas")).toContain("replicas <integer>");
        expect(await ok("api-resources --api-group=apps -o name")).toContain("deployments.apps");
        expect(await ok("version")).toContain("Server Version: v1.36");
      });

      test("change in every way", async () => {
        await ok("label deploy web x=y");
        await ok("annotate deploy web note=here");
        await ok("scale deploy web --replicas=5");
        await ok("set image deploy/web c=nginx:4");
        await ok('patch deploy web -p {"spec":{"paused":true}}');
        await ok('patch deploy web --type=merge -p {"spec":{"paused":false}}');
        await ok(
          'patch deploy web --type=json -p [{"op":"add","path":"/metadata/labels/z","value":"1"}]',
        );
        const web = JSON.parse(await ok("get deploy web -o json")) as {
          metadata: { labels: object; annotations: { note: string }; generation: number };
          spec: { replicas: number };
        };
        expect(web.metadata.labels).toEqual({ app: "web", x: "y", z: "1" });
        expect(web.metadata.annotations.note).toBe("here");
        expect(web.spec.replicas).toBe(5);
        expect(web.metadata.generation).toBe(8);
      });

      test("wrong manifests are told what is wrong, and nothing is left", async () => {
        const wrong = manifest("nginx")
          .replace("replicas: 2", "replicas: -2")
          .replaceAll("name: web", "name: bad");
        const { code, text } = await run("create -f -", wrong.split("---")[0]);
        expect(code).toBe(1);
        expect(text).toBe(
          'The Deployment "bad" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0',
        );
        const unknown = await run(
          "apply -f -",
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u}\nfoo: 1\n",
        );
        expect(unknown.text).toContain('strict decoding error: unknown field "foo"');
        expect((await run("get cm u")).text).toBe(
          'Error from server (NotFound): configmaps "u" not found',
        );
      });

      test("custom resources", async () => {
        const own = definition.replaceAll("example.com", `${namespace}.example.com`);
        await ok("apply -f -", own);
        await ok(
          `wait --for=condition=Established crd/widgets.${namespace}.example.com --timeout=10s`,
        );
        const widget = `apiVersion: ${namespace}.example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {}\n`;
        await ok("apply -f -", widget);
        expect(await ok(`get widgets.${namespace}.example.com`)).toMatch(/NAME\s+SIZE\nw\s+3/);
        const { text } = await run("apply -f -", widget.replace("{}", "{size: 0}"));
        expect(text).toContain("spec.size in body should be greater than or equal to 1");
        await ok(`delete crd widgets.${namespace}.example.com`);
        expect((await run(`get widgets.${namespace}.example.com`)).code).toBe(1);
      });

      test("watch and delete", async () => {
        const seen = execa(
          program,
          [`--kubeconfig=${server.kubeconfig}`, "-n", namespace, "get", "cm", "-w", "-o", "name"],
          { reject: false },
        );
        const lines: string[] = [];
        seen.stdout.on("data", (chunk: Buffer) =>
          lines.push(...chunk.toString().split("\n").filter(Boolean)),
        );
        // The root CA's ConfigMap comes with a controller; there is none here.
        await expect
          .poll(async () => (await run("create cm first --from-literal=a=b")).code)
          .toBeDefined();
        await expect.poll(() => lines, { timeout: 10_000 }).toContain("configmap/first");
        await ok("delete cm first");
        await expect.poll(() => lines.filter((line) => line === "configmap/first").length).toBe(2);
        seen.kill("SIGKILL");
        await seen;
        await ok("delete deploy web --cascade=background");
        await ok("delete svc web");
        expect((await run("get deploy web")).text).toContain("not found");
      });
    });
  },
);
