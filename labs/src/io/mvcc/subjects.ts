/**
 * From what --subject says to something that can be graded.
 *
 * Shapes  FILE.ts         a slot file
 *         reference       the package's own store
 *         etcd:URL        an etcd that runs; nobody else may write to it meanwhile
 *         bin:PATH        an etcd that is started for the grading; bin:etcd finds one
 * Errors  EnvironmentError when there is no such file, binary or server
 */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { findUpstream, type Surroundings } from "nanokube/programs";
import type { LabManifest } from "../../core/lab.ts";
import type { Operation, Reply } from "../../core/mvcc/operation.ts";
import { EnvironmentError, type Subject } from "../../core/subject.ts";
import { etcdVersion } from "../upstream.ts";
import { type EtcdProcess, startEtcd } from "./etcd-process.ts";
import { createEtcdSubject } from "./etcd-subject.ts";
import { copyReference } from "./reference.ts";
import { createSlotSubject } from "./slot-process.ts";

export interface OpenSubject {
  readonly subject: Subject<Operation, Reply>;
  readonly second: Subject<Operation, Reply> | undefined;
  /** "etcd 3.6.8", or "". */
  readonly upstream: string;
  close(): Promise<void>;
}

export interface SubjectOptions {
  readonly lab: LabManifest;
  readonly env: Surroundings;
  onOutput?(text: string): void;
}

export async function openSubject(spec: string, options: SubjectOptions): Promise<OpenSubject> {
  if (spec.startsWith("etcd:")) return openServer(spec.slice("etcd:".length));
  if (spec.startsWith("bin:")) return openBinary(spec.slice("bin:".length), options);
  if (spec === "reference") {
    const copy = copyReference();
    return openSlot(copy.file, "reference", options, () => copy.remove());
  }
  if (!existsSync(spec)) throw new EnvironmentError(`${spec}: no such file`);
  return openSlot(spec, relative(process.cwd(), spec), options);
}

export function openSlot(
  file: string,
  shownAs: string,
  { lab, onOutput }: Pick<SubjectOptions, "lab" | "onOutput">,
  after: () => void = () => {},
): OpenSubject {
  const { operationMs, heapMiB } = lab.budget;
  const slot = { file, shownAs, operationMs, heapMiB };
  const subject = createSlotSubject(onOutput ? { ...slot, onOutput } : slot);
  const second = createSlotSubject(slot);
  const close = async () => {
    await Promise.all([subject.close(), second.close()]);
    after();
  };
  return { subject, second, upstream: "", close };
}

async function openServer(
  url: string,
  server?: EtcdProcess,
  upstream = "etcd",
): Promise<OpenSubject> {
  if (!/^https?:\/\/[^/]+$/.test(url)) {
    throw new EnvironmentError(`etcd:${url}: the URL must be like http://127.0.0.1:2379`);
  }
  const subject = createEtcdSubject(url);
  const close = async () => {
    await subject.close();
    await server?.close();
  };
  try {
    await (await subject.open()).close(); // Whether it is there at all, before anything is graded.
  } catch (error) {
    await close();
    throw error;
  }
  return { subject, second: undefined, upstream, close };
}

async function openBinary(name: string, { env }: SubjectOptions): Promise<OpenSubject> {
  const binary = name.includes("/") ? name : findUpstream(name, env);
  if (binary === undefined) {
    throw new EnvironmentError(`${name} is not in the cache of upstream's programs or on PATH`);
  }
  const server = await startEtcd(binary);
  return openServer(server.url, server, `etcd ${etcdVersion(binary)}`);
}
