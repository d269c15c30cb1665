/**
 * One directory holds a cluster: certificates, store, images, nodes, logs, records of processes.
 *
 * Errors  `open` names a directory that holds no cluster
 */
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type ClusterState, parseState } from "../core/cluster-state.ts";
import { Daemons } from "./daemon.ts";
import { ImageStore } from "./image-store.ts";
import { PKI } from "./pki.ts";
import { writeWhole } from "./write-whole.ts";

/** By hand: Node's own recursive mkdir never ends where the kernel says ENOENT of a child (/proc). */
async function makeTree(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !existsSync(dirname(path))) {
      await makeTree(dirname(path));
      return makeTree(path);
    }
    if (code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}

export class DataDir {
  readonly path: string;
  readonly daemons: Daemons;
  readonly images: ImageStore;
  readonly pki: PKI;

  constructor(path: string) {
    this.path = resolve(path);
    this.daemons = new Daemons(this.path);
    this.images = new ImageStore(join(this.path, "images"));
    this.pki = new PKI(this.path);
  }

  get kubeconfig(): string {
    return join(this.path, "kubeconfig");
  }

  /** Kubeconfig of a component's own user. */
  componentKubeconfig(user: string): string {
    return join(this.path, "kubeconfigs", user);
  }

  node(name: string): string {
    return join(this.path, "nodes", name);
  }

  log(name: string): string {
    return join(this.path, "logs", `${name}.log`);
  }

  async make(): Promise<void> {
    await makeTree(this.path);
    await makeTree(join(this.path, "kubeconfigs"));
    await makeTree(join(this.path, "logs"));
  }

  async readState(): Promise<ClusterState | undefined> {
    const file = join(this.path, "cluster.json");
    try {
      return parseState(await readFile(file, "utf8"), file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async requireState(): Promise<ClusterState> {
    const state = await this.readState();
    if (state === undefined) throw new Error(`${this.path} holds no cluster: run "nanokube up"`);
    return state;
  }

  /** As before a start that failed; undefined when there was no cluster. */
  async restoreState(state: ClusterState | undefined): Promise<void> {
    if (state === undefined) await rm(join(this.path, "cluster.json"), { force: true });
    else await this.writeState(state);
  }

  async writeState(state: ClusterState): Promise<void> {
    const file = join(this.path, "cluster.json");
    await writeWhole(file, `${JSON.stringify(state, undefined, 2)}\n`);
  }
}
