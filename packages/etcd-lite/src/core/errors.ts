/**
 * Every error etcd answers here: name, gRPC code, exact text, and whether the
 * request is surely undone.
 *
 * `definite` false means "unknown": the write may or may not have happened, a client must look.
 * Source  etcd v3.6 api/v3rpc/rpctypes/error.go
 */

export interface ErrorFact {
  /** A gRPC code number. */
  readonly code: number;
  readonly text: string;
  readonly definite: boolean;
}

const invalidArgument = 3;
const notFound = 5;
const resourceExhausted = 8;
const failedPrecondition = 9;
const outOfRange = 11;
const unimplemented = 12;
const unavailable = 14;
const dataLoss = 15;

const sure = (code: number, text: string): ErrorFact => ({
  code,
  text: `etcdserver: ${text}`,
  definite: true,
});

export const errors = {
  EmptyKey: sure(invalidArgument, "key is not provided"),
  KeyNotFound: sure(invalidArgument, "key not found"),
  ValueProvided: sure(invalidArgument, "value is provided"),
  LeaseProvided: sure(invalidArgument, "lease is provided"),
  TooManyOps: sure(invalidArgument, "too many operations in txn request"),
  DuplicateKey: sure(invalidArgument, "duplicate key given in txn request"),
  InvalidSortOption: sure(invalidArgument, "invalid sort option"),
  RequestTooLarge: sure(invalidArgument, "request is too large"),
  Compacted: sure(outOfRange, "mvcc: required revision has been compacted"),
  FutureRevision: sure(outOfRange, "mvcc: required revision is a future revision"),
  NoSpace: sure(resourceExhausted, "mvcc: database space exceeded"),
  LeaseNotFound: sure(notFound, "requested lease not found"),
  LeaseExists: sure(failedPrecondition, "lease already exists"),
  LeaseTTLTooLarge: sure(outOfRange, "too large lease TTL"),
  MemberNotFound: sure(notFound, "member not found"),
  AuthNotEnabled: sure(failedPrecondition, "authentication is not enabled"),
  NotCapable: sure(unimplemented, "not capable"),
  BadLeaderTransferee: sure(failedPrecondition, "bad leader transferee"),
  Corrupt: sure(dataLoss, "corrupt cluster"),
  Stopped: { code: unavailable, text: "etcdserver: server stopped", definite: false },
  Timeout: { code: unavailable, text: "etcdserver: request timed out", definite: false },
} as const satisfies Record<string, ErrorFact>;

export type ErrorName = keyof typeof errors;

export class EtcdError extends Error {
  override readonly name = "EtcdError";
  readonly kind: ErrorName;

  constructor(kind: ErrorName) {
    super(errors[kind].text);
    this.kind = kind;
  }

  get code(): number {
    return errors[this.kind].code;
  }
}
