/**
 * What a grader drives: a subject opens sessions, a session answers operations one by one.
 *
 * A slot in a child process and an etcd on the network are both subjects; the grader knows only
 * this.
 */

export interface Session<Op, Reply> {
  /** True: further operations may be sent before the answers come; these come in order. */
  readonly isPipelined: boolean;
  run(op: Op): Promise<Reply>;
  close(): Promise<void>;
}

export interface Subject<Op, Reply> {
  /** "slot src/mvcc-store.ts", "etcd http://127.0.0.1:2379". */
  readonly name: string;
  /** A slot must answer a seed twice in the same way; a server may be disturbed, and is asked again. */
  readonly kind: "slot" | "server";
  /** A new, empty state. */
  open(): Promise<Session<Op, Reply>>;
  close(): Promise<void>;
}

/** The student's program did something that ends a history: crashed, hung, did not load. */
export class SubjectFailed extends Error {
  override readonly name = "SubjectFailed";
  readonly reason: "load" | "crash" | "hang" | "protocol";

  constructor(reason: SubjectFailed["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Nothing that the student could help: no binary, no connection, no free port. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}
