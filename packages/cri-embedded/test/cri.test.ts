/** CRI v1 on our runtime and on containerd: one table, every subject. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codes, createClient, cri, RpcError } from "@nanokube/rpc";
import { dialSpdy } from "@nanokube/rpc/streaming";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Subject, subjects } from "./subjects.ts";

type Opened = Awaited<ReturnType<Subject["open"]>>;

class Bench {
  readonly runtime;
  readonly images;
  readonly #opened: Opened;
  #serial = 0;

  constructor(opened: Opened) {
    this.#opened = opened;
    this.runtime = createClient(opened.channel, cri.RuntimeService);
    this.images = createClient(opened.channel, cri.ImageService);
  }

  sandboxConfig(name: string) {
    this.#serial += 1;
    const uid = `uid-${this.#serial}`;
    return {
      metadata: { name, namespace: "default", uid, attempt: 0 },
      hostname: name,
      logDirectory: join(this.#opened.logDir, uid),
      labels: { app: name, "io.kubernetes.pod.uid": uid },
      linux: { securityContext: { namespaceOptions: { pid: cri.NamespaceMode.CONTAINER } } },
    };
  }

  async sandbox(name: string) {
    const config = this.sandboxConfig(name);
    const { podSandboxId } = await this.runtime.runPodSandbox({ config });
    return { config, id: podSandboxId };
  }

  async create(
    sandbox: { config: ReturnType<Bench["sandboxConfig"]>; id: string },
    name: string,
    command: string[],
    more: object = {},
  ) {
    const image = await this.images.imageStatus({ image: { image: "busybox:latest" } });
    if (image.image === undefined)
      await this.images.pullImage({ image: { image: "busybox:latest" } });
    const { containerId } = await this.runtime.createContainer({
      podSandboxId: sandbox.id,
      sandboxConfig: sandbox.config,
      config: {
        metadata: { name, attempt: 0 },
        image: { image: "busybox:latest" },
        command,
        logPath: `${name}.log`,
        labels: { container: name },
        annotations: { note: "kept" },
        linux: { resources: { oomScoreAdj: 1000 } },
        ...more,
      },
    });
    return containerId;
  }

  async run(name: string, command: string[], more: object = {}) {
    const sandbox = await this.sandbox(name);
    const id = await this.create(sandbox, "main", command, more);
    await this.runtime.startContainer({ containerId: id });
    return { sandbox, id };
  }

  async status(containerId: string) {
    return (await this.runtime.containerStatus({ containerId })).status!;
  }

  async ended(containerId: string) {
    for (;;) {
      const status = await this.status(containerId);
      if (status.state === cri.ContainerState.CONTAINER_EXITED) return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  log(sandbox: { config: { logDirectory: string } }, name = "main") {
    return readFileSync(join(sandbox.config.logDirectory, `${name}.log`), "utf8");
  }
}

async function failure(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RpcError) return error;
  throw new Error(`expected an RpcError, got ${String(error)}`);
}

describe.each(subjects)("$name", (subject) => {
  describe.skipIf(subject.skip !== undefined)(subject.skip ?? "runs", () => {
    let opened: Opened;
    let bench: Bench;
    beforeAll(async () => {
      opened = await subject.open();
      bench = new Bench(opened);
    });
    afterAll(() => opened?.close());

    test("it says who it is and that it is ready", async () => {
      const version = await bench.runtime.version({});
      expect(version.runtimeApiVersion).toBe("v1");
      const { status } = await bench.runtime.status({});
      const ready = Object.fromEntries(status!.conditions.map((c) => [c.type, c.status]));
      expect(ready).toMatchObject({ RuntimeReady: true, NetworkReady: true });
    });

    test("a sandbox is ready, has an address, stops, and is removed", async () => {
      const { id, config } = await bench.sandbox("box");
      const { status } = await bench.runtime.podSandboxStatus({ podSandboxId: id });
      expect(status).toMatchObject({
        id,
        state: cri.PodSandboxState.SANDBOX_READY,
        labels: config.labels,
      });
      expect(status!.network!.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      await bench.runtime.stopPodSandbox({ podSandboxId: id });
      const stopped = await bench.runtime.podSandboxStatus({ podSandboxId: id });
      expect(stopped.status!.state).toBe(cri.PodSandboxState.SANDBOX_NOTREADY);
      await bench.runtime.removePodSandbox({ podSandboxId: id });
      const gone = await failure(bench.runtime.podSandboxStatus({ podSandboxId: id }));
      expect(gone.code).toBe(codes.NOT_FOUND);
    });

    test("stopping twice and removing what is not there succeeds", async () => {
      const { id } = await bench.sandbox("twice-stopped");
      await bench.runtime.stopPodSandbox({ podSandboxId: id });
      await bench.runtime.stopPodSandbox({ podSandboxId: id });
      await bench.runtime.removePodSandbox({ podSandboxId: id });
      await bench.runtime.removePodSandbox({ podSandboxId: "absent" });
      await bench.runtime.removeContainer({ containerId: "absent" });
    });

    test("asking for a container that is not there is NOT_FOUND", async () => {
      const error = await failure(bench.runtime.containerStatus({ containerId: "absent" }));
      expect(error.code).toBe(codes.NOT_FOUND);
    });

    test("lists are filtered by labels and state", async () => {
      const { sandbox, id } = await bench.run("listed", ["sleep", "100"]);
      const found = await bench.runtime.listPodSandbox({
        filter: { labelSelector: { app: "listed" } },
      });
      expect(found.items.map((item) => item.id)).toEqual([sandbox.id]);
      const running = await bench.runtime.listContainers({
        filter: {
          podSandboxId: sandbox.id,
          state: { state: cri.ContainerState.CONTAINER_RUNNING },
        },
      });
      expect(running.containers.map((c) => [c.id, c.labels])).toEqual([
        [id, { container: "main" }],
      ]);
      const exited = await bench.runtime.listContainers({
        filter: { podSandboxId: sandbox.id, state: { state: cri.ContainerState.CONTAINER_EXITED } },
      });
      expect(exited.containers).toEqual([]);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test.for([
      ["0 is Completed", ["sh", "-c", "exit 0"], 0, "Completed"],
      ["3 is Error", ["sh", "-c", "exit 3"], 3, "Error"],
      [
        "a signal is 128 and its number",
        ["sh", "-c", "kill -KILL $$; sleep 1; exit 9"],
        undefined,
        "Error",
      ],
    ] as const)("exit code: %s", async ([, command, code, reason]) => {
      const { sandbox, id } = await bench.run("exits", [...command]);
      const status = await bench.ended(id);
      // Process 1 of a container can't kill itself; a plain process can.
      expect(status.exitCode).toSatisfy(
        (c: number) => c === (code ?? c) && (code !== undefined || [137, 9].includes(c)),
      );
      expect(status.reason).toBe(reason);
      // containerd notes the start a moment after a short program has ended.
      expect(status.finishedAt).toBeGreaterThan(status.startedAt - 1e9);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test("output becomes CRI log lines, stdout and stderr apart", async () => {
      const { sandbox, id } = await bench.run("logs", [
        "sh",
        "-c",
        "echo one; echo two >&2; printf end",
      ]);
      await bench.ended(id);
      const lines = bench.log(sandbox).trim().split("\n");
      const parsed = lines.map((line) =>
        /^\S+T\S+ (stdout|stderr) ([FP]) (.*)$/.exec(line)!.slice(1),
      );
      expect(parsed.filter(([stream]) => stream === "stdout").map(([, , text]) => text)).toEqual([
        "one",
        "end",
      ]);
      expect(parsed).toContainEqual(["stderr", "F", "two"]);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test("variables and the working directory reach the program", async () => {
      const envs = [{ key: "GREETING", value: new TextEncoder().encode("hi there") }];
      const { sandbox, id } = await bench.run("env", ["sh", "-c", 'echo "$GREETING in $PWD"'], {
        envs,
        workingDir: "/etc",
      });
      await bench.ended(id);
      expect(bench.log(sandbox)).toMatch(/hi there in \/etc\n$/);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test("execSync answers output and exit code, and is cut at its time limit", async () => {
      const { sandbox, id } = await bench.run("exec", ["sleep", "100"]);
      const cmd = ["sh", "-c", "echo out; echo err >&2; exit 5"];
      const answer = await bench.runtime.execSync({ containerId: id, cmd });
      expect([answer.stdout, answer.stderr].map((b) => Buffer.from(b).toString())).toEqual([
        "out\n",
        "err\n",
      ]);
      expect(answer.exitCode).toBe(5);
      const late = await failure(
        bench.runtime.execSync({ containerId: id, cmd: ["sleep", "10"], timeout: 1 }),
      );
      expect(late.code).toBe(codes.DEADLINE_EXCEEDED);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    // A runtime in a network of its own serves streams where this process can't go.
    test.skipIf(!subject.reachable)(
      "exec streams stdin to its end and gives the exit code",
      async () => {
        const { sandbox, id } = await bench.run("stream", ["sleep", "100"]);
        const { url } = await bench.runtime.exec({
          containerId: id,
          cmd: ["sh", "-c", "cat; exit 7"],
          stdin: true,
          stdout: true,
          stderr: true,
        });
        const { session } = await dialSpdy(url, ["v4.channel.k8s.io"]);
        const [error, stdin, stdout] = await Promise.all(
          ["error", "stdin", "stdout", "stderr"].map((streamType) =>
            session.openStream({ streamType }),
          ),
        );
        const text = async (stream: AsyncIterable<Buffer>) => {
          const chunks: Buffer[] = [];
          for await (const chunk of stream) chunks.push(chunk);
          return Buffer.concat(chunks).toString();
        };
        stdin!.end("through the stream");
        expect(await text(stdout!)).toBe("through the stream");
        expect(JSON.parse(await text(error!))).toMatchObject({
          status: "Failure",
          reason: "NonZeroExitCode",
          details: { causes: [{ reason: "ExitCode", message: "7" }] },
        });
        session.close();
        await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
      },
    );

    test("TERM first, KILL after the grace", async () => {
      const trap = [
        "sh",
        "-c",
        "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done",
      ];
      const polite = await bench.run("polite", trap);
      while (!bench.log(polite.sandbox).includes("up")) await new Promise((r) => setTimeout(r, 20));
      await bench.runtime.stopContainer({ containerId: polite.id, timeout: 10 });
      expect((await bench.status(polite.id)).exitCode).toBe(4);
      const stubborn = await bench.run("stubborn", [
        "sh",
        "-c",
        "trap '' TERM; echo up; while :; do sleep 0.05; done",
      ]);
      while (!bench.log(stubborn.sandbox).includes("up"))
        await new Promise((r) => setTimeout(r, 20));
      await bench.runtime.stopContainer({ containerId: stubborn.id, timeout: 1 });
      expect((await bench.status(stubborn.id)).exitCode).toBe(137);
      for (const { sandbox } of [polite, stubborn]) {
        await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
      }
    });

    test("a program that is not there can't be started", async () => {
      const sandbox = await bench.sandbox("absent");
      const id = await bench.create(sandbox, "main", ["no-such-program"]);
      const error = await failure(bench.runtime.startContainer({ containerId: id }));
      expect(error.details).toContain(
        'exec: "no-such-program": executable file not found in $PATH',
      );
      expect((await bench.status(id)).reason).toBe("StartError");
      expect((await bench.status(id)).exitCode).toBe(128);
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test("a container can't be started twice", async () => {
      const { sandbox, id } = await bench.run("twice", ["sleep", "100"]);
      const error = await failure(bench.runtime.startContainer({ containerId: id }));
      expect(error.details).toContain("CONTAINER_RUNNING");
      await bench.runtime.removePodSandbox({ podSandboxId: sandbox.id });
    });

    test("an image that is not there can't be used", async () => {
      const { image } = await bench.images.imageStatus({ image: { image: "absent:1" } });
      expect(image).toBeUndefined();
      const error = await failure(
        bench.images.pullImage({ image: { image: "nowhere.invalid/absent:1" } }),
      );
      expect(error.details).toContain("failed to resolve reference");
    });
  });
});
