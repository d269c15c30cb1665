/**
 * One run: a cluster, clients, and everything that can go wrong, decided by one seed.
 *
 * After a while of faults all of them end: then the members must find together, answer a write, and
 * have the same state. The clients' history must be linearizable.
 *
 * Errors  Violation; the same seed and faults give the same run
 */
import { createSeededRandom, type Random } from "@nanokube/machinery";
import { etcd } from "@nanokube/rpc";
import type { MemberChangeRequest } from "../core/cluster.ts";
import { InvariantBroken } from "../core/raft/invariant.ts";
import type { Consensus } from "../io/consensus.ts";
import { memberIdOf } from "../io/identity.ts";
import { Invariants, Violation } from "./invariants.ts";
import { nonLinearizableKeys, type Operation } from "./linearizability.ts";
import { Scheduler } from "./scheduler.ts";
import { SimClient } from "./sim-client.ts";
import { SimDisk } from "./sim-disk.ts";
import { SimMember, urlOf } from "./sim-member.ts";
import { SimNetwork } from "./sim-network.ts";

export const allFaults = [
  "drop",
  "double",
  "delay",
  "partition",
  "crash",
  "tear",
  "skew",
  "membership",
  "transfer",
  "compaction",
] as const;
export type Fault = (typeof allFaults)[number];

export interface SimulationOptions {
  readonly seed: number;
  readonly faults?: readonly Fault[] | undefined;
  /** How long faults go on. */
  readonly faultsMs?: number | undefined;
  readonly clients?: number | undefined;
  readonly leaseReads?: boolean | undefined;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly events: number;
  readonly operations: number;
}

const keys = ["a", "b", "c"];
const recoverMs = 4000;
const membersMax = 5;

export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const simulation = new Simulation(options);
  let violation: Violation | undefined;
  try {
    await simulation.run();
  } catch (error) {
    if (error instanceof Violation) violation = error;
    else violation = new Violation(`${(error as Error).stack}`);
  } finally {
    simulation.end();
  }
  return { violation, events: simulation.events, operations: simulation.operations };
}

class Simulation {
  readonly #scheduler = new Scheduler();
  readonly #invariants = new Invariants();
  readonly #random: Random;
  readonly #faults: ReadonlySet<Fault>;
  readonly #faultsMs: number;
  readonly #options: SimulationOptions;
  readonly #network: SimNetwork;
  readonly #members: SimMember[] = [];
  readonly #clients: SimClient[] = [];
  readonly #keptEntries: number;
  readonly #preVote: boolean;
  readonly #checkQuorum: boolean;
  readonly #appendBytesMax: number;
  readonly #inflightMax: number;
  #isHealed = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
    this.#faults = new Set(options.faults ?? allFaults);
    this.#faultsMs = options.faultsMs ?? 2000;
    this.#keptEntries = [2, 20, 20_000][Math.floor(this.#random.next() * 3)]!;
    // Safety may depend on neither.
    this.#preVote = this.#random.next() < 0.7;
    this.#checkQuorum = this.#random.next() < 0.7;
    this.#appendBytesMax = [1, 200, 100_000][Math.floor(this.#random.next() * 3)]!;
    this.#inflightMax = this.#random.next() < 0.3 ? 2 : 256;
    const has = (fault: Fault) => this.#faults.has(fault);
    this.#network = new SimNetwork(this.#scheduler, this.#random, {
      dropShare: has("drop") ? this.#random.next() ** 2 * 0.3 : 0,
      doubleShare: has("double") ? this.#random.next() * 0.1 : 0,
      delayMsMax: has("delay") ? 5 + this.#random.next() * 60 : 2,
    });
  }

  get events(): number {
    return this.#scheduler.eventCount;
  }

  get #history(): Operation[] {
    return this.#clients.flatMap(({ history }) => history);
  }

  get operations(): number {
    return this.#history.length;
  }

  async run(): Promise<void> {
    const size = this.#random.next() < 0.7 ? 3 : this.#random.next() < 0.5 ? 5 : 1;
    const names = Array.from({ length: size }, (_, i) => `m${i + 1}`);
    for (const name of names) this.#create(name, () => names, false);
    for (const member of this.#members) this.#start(member);
    for (let i = 0; i < (this.#options.clients ?? 4); i++) this.#addClient(`c${i}`);
    this.#schedule("crash", 150, () => this.#crash());
    this.#schedule("partition", 200, () => this.#partition());
    this.#schedule("membership", 250, () => this.#reconfigure());
    this.#schedule("transfer", 200, () => this.#transfer());
    this.#schedule("compaction", 150, () => this.#compact());
    await this.#runUntil(this.#faultsMs);
    this.#heal();
    await this.#runUntil(this.#faultsMs + recoverMs);
    // Without them members that were removed, or come back, may disturb the others for ever.
    if (this.#preVote && this.#checkQuorum) this.#checkRecovered();
    const broken = nonLinearizableKeys(this.#history);
    if (broken.length > 0) throw new Violation(`not linearizable: keys ${broken.join()}`);
  }

  #runUntil(ms: number): Promise<void> {
    return this.#scheduler.run(ms, () => this.#check());
  }

  #check(): void {
    for (const { consensus, failure } of this.#members) {
      if (failure !== undefined) throw failure;
      if (consensus === undefined) continue;
      const { node, state } = consensus;
      if (node.failure instanceof InvariantBroken) throw node.failure;
      if (node.failure !== undefined) throw node.failure;
      this.#invariants.check(node.raft, state);
    }
  }

  #schedule(fault: Fault, everyMs: number, run: () => void): void {
    if (!this.#faults.has(fault)) return;
    const again = () => {
      if (this.#isHealed) return;
      run();
      this.#scheduler.after(this.#random.next() * 2 * everyMs, again);
    };
    this.#scheduler.after(50 + this.#random.next() * 2 * everyMs, again);
  }

  #create(name: string, names: () => readonly string[], joinExisting: boolean): SimMember {
    const random = this.#random;
    const isTearing = this.#faults.has("tear");
    const member = new SimMember({
      name,
      initialCluster: () => names().map((other) => ({ name: other, peerURLs: [urlOf(other)] })),
      joinExisting,
      connect: () => this.#directory(),
      scheduler: this.#scheduler,
      network: this.#network,
      disk: new SimDisk({ scheduler: this.#scheduler, random, isTearing }),
      random,
      clockRate: this.#faults.has("skew") ? 0.8 + random.next() * 0.4 : 1,
      keptEntries: this.#keptEntries,
      preVote: this.#preVote,
      checkQuorum: this.#checkQuorum,
      appendBytesMax: this.#appendBytesMax,
      inflightMax: this.#inflightMax,
      leaseReads: this.#options.leaseReads ?? false,
    });
    this.#members.push(member);
    return member;
  }

  #start(member: SimMember): void {
    member.start().catch((error) => {
      // Who was removed before it joined has nowhere to go. Everything else is a violation.
      const isTooLate = /error validating|couldn't find local name/.test(String(error));
      if (!isTooLate || !member.isJoining) member.failure = error as Error;
      else this.#scheduler.after(50, () => this.#joinWhenKnown(member));
    });
  }

  /** What a member that joins is told: the members, by whoever knows most. */
  #directory() {
    const known = this.#newest;
    const answer = {
      clusterId: known?.identity.clusterId ?? 0n,
      members: known?.state.cluster.sorted ?? [],
    };
    const never = () => undefined as never;
    return { unary: async () => answer as never, stream: never, upgrade: never, close() {} };
  }

  get #newest(): Consensus | undefined {
    return this.#members
      .flatMap(({ consensus }) => consensus ?? [])
      .sort((a, b) => b.state.index - a.state.index)[0];
  }

  #knownNames(): string[] {
    return this.#newest?.state.cluster.sorted.map(({ name }) => name) ?? [];
  }

  #addClient(name: string): void {
    const { nowMs } = this.#scheduler;
    this.#clients.push(
      new SimClient({
        scheduler: this.#scheduler,
        random: this.#random,
        members: () => this.#members,
        keys,
        name,
        untilMs: nowMs + this.#faultsMs + 500,
      }),
    );
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random.next() * items.length)];
  }

  // What goes wrong.

  #crash(): void {
    const member = this.#pick(this.#members.filter(({ isUp }) => isUp));
    if (member === undefined) return;
    member.kill();
    this.#scheduler.after(this.#random.next() * 300, () => this.#revive(member));
  }

  #revive(member: SimMember): void {
    if (!member.isUp && !member.isStarting && !member.isRemoved) this.#start(member);
  }

  #partition(): void {
    const groups = new Map(
      this.#members.map(({ id }) => [id, Math.floor(this.#random.next() * 2)] as const),
    );
    this.#network.partition(groups, this.#random.next() < 0.3);
    this.#scheduler.after(this.#random.next() * 400, () => this.#network.heal());
  }

  #transfer(): void {
    const member = this.#pick(this.#members.filter(({ isUp }) => isUp));
    const leader = this.#members.find(({ consensus }) => consensus?.node.isLeader);
    if (member !== undefined) leader?.consensus?.node.transferTo(member.id);
  }

  #compact(): void {
    const member = this.#pick(this.#members.filter(({ isUp }) => isUp));
    const revision = (member?.consensus?.state.store.revision ?? 0) - 3;
    if (revision < 2) return;
    this.#propose(member!, { kind: "compact", request: etcd.CompactionRequest.fill({ revision }) });
  }

  #propose(member: SimMember, entry: Parameters<Consensus["proposals"]["propose"]>[0]): void {
    member.ask(async ({ proposals }) => proposals.propose(entry)).catch(() => {});
  }

  /** One change: sometimes a new learner, sometimes a promotion, sometimes somebody goes. */
  #reconfigure(): void {
    const asked = this.#pick(this.#members.filter(({ isUp }) => isUp));
    const cluster = asked?.consensus?.state.cluster;
    if (asked === undefined || cluster === undefined || cluster.members.size === 0) return;
    const all = cluster.sorted;
    const learner = all.find(({ isLearner }) => isLearner);
    const change = (action: MemberChangeRequest["action"], member = all[0]!) =>
      this.#propose(asked, { kind: "memberChange", request: { action, member } });
    const dice = this.#random.next();
    if (learner !== undefined && dice < 0.5) change("promote", learner);
    else if (all.length > 1 && dice < 0.6) change("remove", this.#pick(all));
    else if (all.length < membersMax) {
      const name = `m${this.#members.length + 1}`;
      const peerURLs = [urlOf(name)];
      const isLearner = this.#random.next() < 0.5;
      const id = memberIdOf(peerURLs, name);
      change("add", { id, name, peerURLs, clientURLs: [], isLearner });
      const joiner = this.#create(name, () => this.#knownNames(), true);
      this.#scheduler.after(20 + this.#random.next() * 100, () => this.#joinWhenKnown(joiner));
    }
  }

  /** A member that was added starts; who was not, does not. */
  #joinWhenKnown(joiner: SimMember): void {
    if (this.#knownNames().includes(joiner.name)) this.#revive(joiner);
    else if (this.#scheduler.nowMs < this.#faultsMs + recoverMs / 2)
      this.#scheduler.after(50, () => this.#joinWhenKnown(joiner));
  }

  // And how it ends.

  #heal(): void {
    this.#isHealed = true;
    this.#network.heal();
    this.#network.faults = { dropShare: 0, doubleShare: 0, delayMsMax: 2 };
    for (const member of this.#members) {
      if (!member.isUp) this.#joinOrRevive(member);
    }
  }

  #joinOrRevive(member: SimMember): void {
    if (member.hasStarted) this.#revive(member);
    else this.#joinWhenKnown(member);
  }

  #checkRecovered(): void {
    const newest = this.#newest;
    if (newest === undefined) throw new Violation("liveness: nobody is up");
    const { cluster } = newest.state;
    for (const { id, name } of cluster.sorted) {
      const member = this.#members.find((candidate) => candidate.name === name);
      const { consensus } = member!;
      if (consensus === undefined) continue; // It was added, and never began.
      const { raft } = consensus.node;
      if (raft.leader === 0n) throw new Violation(`liveness: ${name} (${id}) knows no leader`);
      if (consensus.state.index !== newest.state.index) {
        const { index } = consensus.state;
        throw new Violation(`liveness: ${name} is at ${index}, others at ${newest.state.index}`);
      }
      this.#invariants.checkHash(consensus.state);
    }
  }

  end(): void {
    for (const member of this.#members) member.kill();
  }
}
