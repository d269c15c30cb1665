/** Raft by scripts: what the thesis says, and what goes wrong without it. */
import { createSeededRandom } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { commitsOfFigure } from "../../sim/figure-3-7.ts";
import type { Leader } from "./leader.ts";
import { type MemberId, type Message, nobody, type Payload } from "./message.ts";
import { Raft, type RaftOptions } from "./raft.ts";

const payload = (isChange = false): Payload => ({ sizeBytes: 10, isChange });

/** Members whose disks are instant; messages wait until they are delivered. */
class Script {
  readonly members = new Map<MemberId, Raft>();
  readonly applied = new Map<MemberId, number[]>();
  readonly reads = new Map<MemberId, number[]>();
  #queue: Message[] = [];
  readonly #cut = new Set<MemberId>();

  constructor(count: number, more: Partial<RaftOptions> = {}) {
    const voters = Array.from({ length: count }, (_, i) => BigInt(i + 1));
    for (const id of voters) {
      const random = createSeededRandom(Number(id));
      this.members.set(
        id,
        new Raft({
          id,
          membership: { voters, learners: [] },
          hardState: { term: 1, vote: nobody, commit: 0 },
          log: { base: { index: 0, term: 0 }, entries: [] },
          electionTicks: 10,
          heartbeatTicks: 1,
          random: () => random.next(),
          session: Number(id),
          ...more,
        }),
      );
      this.applied.set(id, []);
      this.reads.set(id, []);
    }
  }

  at(id: number): Raft {
    return this.members.get(BigInt(id))!;
  }

  cut(...ids: number[]): void {
    for (const id of ids) this.#cut.add(BigInt(id));
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Carries out what one member decided. */
  #settle(raft: Raft): void {
    for (let storage = raft.takeStorage(); storage; storage = raft.takeStorage()) {
      raft.persisted(storage);
      this.#queue.push(...storage.promises);
    }
    this.#queue.push(...raft.takeMessages());
    for (const { index } of raft.takeCommitted()) this.applied.get(raft.id)!.push(index);
    for (const { index } of raft.takeReads()) this.reads.get(raft.id)!.push(index);
  }

  /** Until nobody has anything to say. */
  settle(): void {
    for (let i = 0; i < 1000; i++) {
      for (const raft of this.members.values()) this.#settle(raft);
      const messages = this.#queue;
      this.#queue = [];
      if (messages.length === 0) return;
      for (const message of messages) {
        if (this.#cut.has(message.from) || this.#cut.has(message.to)) continue;
        this.members.get(message.to)?.step(message);
      }
    }
    throw new Error("they never come to an end");
  }

  tick(count: number, ...ids: number[]): void {
    for (let i = 0; i < count; i++) {
      for (const raft of this.members.values()) {
        if (ids.length === 0 || ids.includes(Number(raft.id))) raft.tick();
      }
      this.settle();
    }
  }

  elect(id: number): Leader {
    this.at(id).campaign();
    this.settle();
    const { role } = this.at(id);
    expect(role.name).toBe("leader");
    return role as Leader;
  }

  propose(id: number, count = 1): void {
    this.at(id).propose(Array.from({ length: count }, () => payload()));
    this.settle();
  }

  terms(id: number): number[] {
    const { log } = this.at(id);
    const indexes = Array.from({ length: log.lastIndex }, (_, i) => i + 1);
    return indexes.map((index) => log.term(index)!);
  }
}

describe("elections", () => {
  test("one of three stands, wins, and its mark is committed everywhere", () => {
    const script = new Script(3);
    script.elect(1);
    expect(script.at(1).term).toBe(2);
    script.tick(1);
    for (const id of [1, 2, 3]) {
      expect(script.at(id).leader).toBe(1n);
      expect(script.applied.get(BigInt(id))).toEqual([1]);
    }
  });

  test("whose log is older does not win (thesis 3.6.1)", () => {
    const script = new Script(3, { checkQuorum: false });
    script.elect(1);
    script.cut(3);
    script.propose(1, 3);
    script.heal();
    script.cut(1);
    script.at(3).campaign();
    script.settle();
    expect(script.at(3).role.name).not.toBe("leader");
    script.elect(2);
  });

  test("a member that comes back raises no term: it asks first (9.6)", () => {
    const script = new Script(3);
    script.elect(1);
    script.cut(3);
    script.tick(100);
    expect(script.at(3).role.name).toBe("preCandidate");
    expect(script.at(3).term).toBe(2);
    script.heal();
    script.tick(20);
    expect(script.at(1).role.name).toBe("leader");
    expect(script.at(3).leader).toBe(1n);
  });

  test("a leader without a majority steps down; the majority finds another", () => {
    const script = new Script(3);
    script.elect(1);
    script.cut(1);
    script.tick(60);
    expect(script.at(1).role.name).not.toBe("leader");
    expect([2, 3].filter((id) => script.at(id).role.name === "leader")).toHaveLength(1);
  });

  test("alone, a member's own vote counts when the disk has it", () => {
    const script = new Script(1);
    script.at(1).campaign();
    expect(script.at(1).role.name).toBe("candidate");
    script.settle();
    expect(script.at(1).role.name).toBe("leader");
  });
});

describe("the log", () => {
  test("what a leader of before left behind is replaced", () => {
    const script = new Script(3, { checkQuorum: false });
    script.elect(1);
    script.cut(1);
    script.propose(1, 5); // Nobody hears of these.
    script.elect(2);
    script.propose(2, 2);
    script.heal();
    script.tick(3);
    expect(script.terms(1)).toEqual(script.terms(2));
    expect(script.applied.get(1n)).toEqual([1, 2, 3, 4]);
  });

  test("an entry of an older term is not committed by counting (figure 3.7)", () => {
    expect(commitsOfFigure()).toEqual({ withOlderEntry: 1, withOwnEntry: 3 });
  });

  test("a follower far behind is found with a few questions, not one an entry", () => {
    const script = new Script(3, { checkQuorum: false });
    script.elect(1);
    script.cut(3);
    script.propose(1, 500);
    script.heal();
    script.tick(2);
    expect(script.at(3).log.lastIndex).toBe(501);
  });

  test("what is compacted away comes as a snapshot", () => {
    const script = new Script(3, { checkQuorum: false });
    const leader = script.elect(1);
    script.cut(3);
    script.propose(1, 20);
    script.at(1).log.compact(15);
    script.heal();
    script.tick(1);
    expect(leader.progress.get(3n)!.match).toBe(21);
    expect(script.at(3).log.firstIndex).toBe(22);
    script.propose(1, 2);
    script.tick(1);
    expect(script.applied.get(3n)!.slice(-2)).toEqual([22, 23]);
  });
});

describe("reads", () => {
  test("a majority confirms that the leader still leads", () => {
    const script = new Script(3);
    script.elect(1);
    script.at(1).read(7);
    expect(script.reads.get(1n)).toEqual([]);
    script.settle();
    expect(script.reads.get(1n)).toEqual([1]);
    script.at(2).read(8);
    script.settle();
    expect(script.reads.get(2n)).toEqual([1]);
  });

  test.each([
    [3, ["readIndex", "readIndexAnswer"]],
    [5, ["readIndex", "heartbeat"]],
  ])("of %i members: who asks has said that it follows, which may be enough", (count, said) => {
    const script = new Script(count);
    script.elect(1);
    script.settle();
    const [leader, follower] = [script.at(1), script.at(2)];
    follower.read(7);
    const [question] = follower.takeMessages();
    leader.step(question!);
    const [answer] = leader.takeMessages();
    expect([question!.type, answer!.type]).toEqual(said);
    // One that asked before it went over to another leader proves the time before that only.
    follower.step({ type: "heartbeat", from: 3n, to: 2n, term: 9, beat: 1, commit: 0 });
    follower.step(answer!);
    expect(follower.takeReads()).toEqual([]);
  });

  test("a learner that asks proves nothing", () => {
    const script = new Script(3);
    script.elect(1);
    script.settle();
    const leader = script.at(1);
    leader.changeMembership({ type: "addLearner", id: 9n });
    leader.takeMessages();
    leader.step({ type: "readIndex", from: 9n, to: 1n, term: leader.term, read: 1, index: 0 });
    const types = leader.takeMessages().map(({ type }) => type);
    expect(types).toContain("heartbeat");
    expect(types).not.toContain("readIndexAnswer");
  });

  test("a leader that was replaced confirms nothing", () => {
    const script = new Script(3, { checkQuorum: false });
    script.elect(1);
    script.cut(1);
    script.elect(2);
    script.propose(2);
    script.at(1).read(7);
    script.tick(5);
    expect(script.reads.get(1n)).toEqual([]);
  });

  test("by lease at once, and not when the lease has run out", () => {
    const script = new Script(3, { leaseReads: true });
    script.elect(1);
    script.tick(2);
    script.cut(1);
    script.at(1).read(1);
    expect(script.at(1).takeReads()).toHaveLength(1);
    for (let i = 0; i < 10; i++) script.at(1).tick();
    script.at(1).read(2);
    expect(script.at(1).takeReads()).toHaveLength(0);
  });
});

describe("members", () => {
  test("one change at a time: the second is nothing until the first is applied", () => {
    const script = new Script(3);
    const leader = script.elect(1);
    script.at(1).propose([payload(true), payload(true)]);
    expect(script.at(1).log.entry(2)!.payload?.isChange).toBe(true);
    expect(script.at(1).log.entry(3)!.payload).toBeUndefined();
    expect(leader.canChange).toBe(false);
    script.settle();
    expect(leader.canChange).toBe(true);
  });

  test("a learner gets everything and counts for nothing", () => {
    const script = new Script(3);
    const leader = script.elect(1);
    for (const raft of script.members.values()) {
      raft.changeMembership({ type: "addLearner", id: 9n });
    }
    script.tick(1);
    expect(leader.progress.has(9n)).toBe(true);
    expect(script.at(1).membership.majority).toBe(2);
  });

  test("leadership moves to who is asked, with all of the log", () => {
    const script = new Script(3);
    const leader = script.elect(1);
    script.propose(1, 3);
    leader.transferTo(3n);
    expect(script.at(1).propose([payload()])).toBe("transferring");
    script.settle();
    expect(script.at(3).role.name).toBe("leader");
    expect(script.at(1).role.name).toBe("follower");
  });

  test("a leader does not remove itself: it hands over, and the change is nothing", () => {
    const script = new Script(3);
    script.elect(1);
    script.at(1).propose([{ sizeBytes: 10, isChange: true, removes: 1n }]);
    script.settle();
    expect(script.at(1).role.name).toBe("follower");
    expect(script.at(1).log.entry(2)!.payload).toBeUndefined();
    expect(script.at(1).leader).not.toBe(1n);
  });
});
