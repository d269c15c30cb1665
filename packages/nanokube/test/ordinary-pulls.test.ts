/** Images from registries on the network: over HTTP, over HTTPS, and with a pull secret. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planNetwork } from "../src/core/topology.ts";
import { DataDir } from "../src/io/data-dir.ts";
import { findProgram } from "../src/io/programs.ts";
import { containersReason, eventually, TestCluster } from "./cluster.ts";
import { leftovers } from "./leaks.ts";
import { type PrivateRegistry, startPrivateRegistry } from "./private-registry.ts";

const user = { name: "team", password: "pull: it" };

describe.skipIf(containersReason !== undefined)(
  `ordinary pulls (${containersReason ?? "containerd"})`,
  () => {
    const cluster = new TestCluster();
    const directory = mkdtempSync(join(tmpdir(), "nanokube-registry-"));
    let before: ReturnType<typeof leftovers>;
    const registries: PrivateRegistry[] = [];

    /** What an administrator tells a node's containerd about a registry. */
    function trust({ address, ca }: PrivateRegistry): void {
      const place = join(cluster.dataDir, "nodes", "n1", "certs.d", address);
      mkdirSync(place, { recursive: true });
      const server = `${ca === undefined ? "http" : "https"}://${address}`;
      const lines = [`server = "${server}"`, `[host."${server}"]`];
      if (ca !== undefined) {
        writeFileSync(join(place, "ca.crt"), ca);
        lines.push(`ca = "${join(place, "ca.crt")}"`);
      }
      writeFileSync(join(place, "hosts.toml"), `${lines.join("\n")}\n`);
    }

    async function open(name: string, tls: boolean, asked?: typeof user): Promise<PrivateRegistry> {
      const { slot } = await new DataDir(cluster.dataDir).requireState();
      const registry = await startPrivateRegistry({
        host: planNetwork(slot).gateway,
        directory: join(directory, name),
        busybox: findProgram("busybox")!,
        tls,
        ...(asked === undefined ? {} : { user: asked }),
      });
      registries.push(registry);
      trust(registry);
      return registry;
    }

    const pod = (name: string, image: string, secret?: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
  ${secret === undefined ? "" : `imagePullSecrets: [{ name: ${secret} }]`}
  containers: [{ name: c, image: "${image}", imagePullPolicy: Always }]
`;
    const ready = (name: string) =>
      cluster.kubectl("wait", "--for=condition=ready", `pod/${name}`, "--timeout=60s");

    beforeAll(async () => {
      before = leftovers();
      await cluster.up();
    });

    afterAll(async () => {
      await cluster.destroy();
      for (const registry of registries) await registry.close();
      rmSync(directory, { recursive: true, force: true });
      expect(leftovers()).toEqual(before);
    });

    test("over HTTP; Always asks the registry each time, and fetches layers once", async () => {
      const registry = await open("http", false);
      const manifests = () => registry.served.filter((line) => line.includes("/manifests/"));
      await cluster.apply(pod("first", registry.image));
      await ready("first");
      const once = manifests().length;
      expect(once).toBeGreaterThan(0);
      const blobs = registry.served.filter((line) => line.includes("/blobs/")).length;
      await cluster.apply(pod("second", registry.image));
      await ready("second");
      expect(manifests().length).toBeGreaterThan(once);
      expect(registry.served.filter((line) => line.includes("/blobs/"))).toHaveLength(blobs);
      const events = await cluster.kubectl("get", "events", "-o", "jsonpath={.items[*].message}");
      expect(events).toContain(`Successfully pulled image "${registry.image}"`);
    });

    test("over HTTPS with a secret; without one the pull is refused, and says so", async () => {
      const registry = await open("https", true, user);
      await cluster.apply(pod("nobody", registry.image));
      const reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}";
      await eventually(
        () => cluster.kubectl("get", "pod", "nobody", "-o", reason),
        (why) => why === "ErrImagePull" || why === "ImagePullBackOff",
      );
      const events = await cluster.kubectl("get", "events", "-o", "jsonpath={.items[*].message}");
      expect(events).toContain(`Failed to pull image "${registry.image}"`);
      expect(events).toContain("401 Unauthorized");
      expect(registry.served).toEqual([]);

      const login = [`--docker-server=${registry.address}`, `--docker-username=${user.name}`];
      await cluster.kubectl(
        ...["create", "secret", "docker-registry", "pull", ...login],
        `--docker-password=${user.password}`,
      );
      await cluster.apply(pod("somebody", registry.image, "pull"));
      await ready("somebody");
      expect(registry.served).toContain("HEAD /v2/team/app/manifests/1");
    });

    test("with the secret of the pod's service account", async () => {
      const registry = await open("account", true, user);
      await cluster.kubectl(
        ...["create", "secret", "docker-registry", "of-account"],
        `--docker-server=https://${registry.address}`,
        ...[`--docker-username=${user.name}`, `--docker-password=${user.password}`],
      );
      const patch = '{"imagePullSecrets":[{"name":"of-account"}]}';
      await cluster.kubectl("patch", "serviceaccount", "default", "-p", patch);
      await cluster.apply(pod("by-account", registry.image));
      await ready("by-account");
    });
  },
);
