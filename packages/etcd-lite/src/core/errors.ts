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
const unknown = 2;
const notFound = 5;
const permissionDenied = 7;
const resourceExhausted = 8;
const failedPrecondition = 9;
const outOfRange = 11;
const unimplemented = 12;
const unavailable = 14;
const dataLoss = 15;
const unauthenticated = 16;

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
  InvalidClientVersion: sure(invalidArgument, "invalid client api version"),
  MemberNotFound: sure(notFound, "member not found"),
  AuthNotEnabled: sure(failedPrecondition, "authentication is not enabled"),
  RootUserNotExist: sure(failedPrecondition, "root user does not exist"),
  RootRoleNotExist: sure(failedPrecondition, "root user does not have root role"),
  UserAlreadyExist: sure(failedPrecondition, "user name already exists"),
  UserEmpty: sure(invalidArgument, "user name is empty"),
  UserNotFound: sure(failedPrecondition, "user name not found"),
  RoleAlreadyExist: sure(failedPrecondition, "role name already exists"),
  RoleNotFound: sure(failedPrecondition, "role name not found"),
  RoleEmpty: sure(invalidArgument, "role name is empty"),
  AuthFailed: sure(invalidArgument, "authentication failed, invalid user ID or password"),
  PermissionNotGiven: sure(invalidArgument, "permission not given"),
  PermissionDenied: sure(permissionDenied, "permission denied"),
  RoleNotGranted: sure(failedPrecondition, "role is not granted to the user"),
  PermissionNotGranted: sure(failedPrecondition, "permission is not granted to the role"),
  InvalidAuthToken: sure(unauthenticated, "invalid auth token"),
  InvalidAuthMgmt: sure(invalidArgument, "invalid auth management"),
  AuthOldRevision: sure(invalidArgument, "revision of auth store is old"),
  // These have no text of their own on the wire: they pass as they are inside etcd.
  NoPasswordUser: {
    code: unknown,
    text: "auth: authentication failed, password was given for no password user",
    definite: true,
  },
  VerifyOnly: {
    code: unknown,
    text: "auth: token signing attempted with verify-only key",
    definite: true,
  },
  PasswordTooLong: {
    code: unknown,
    text: "bcrypt: password length exceeds 72 bytes",
    definite: true,
  },
  WrongDowngradeVersionFormat: sure(invalidArgument, "wrong downgrade target version format"),
  InvalidDowngradeTargetVersion: sure(invalidArgument, "invalid downgrade target version"),
  DowngradeInProcess: sure(failedPrecondition, "cluster has a downgrade job in progress"),
  UnknownMethod: sure(unknown, "unknown method"),
  NoInflightDowngrade: sure(failedPrecondition, "no inflight downgrade job"),
  NotCapable: sure(unimplemented, "not capable"),
  BadLeaderTransferee: sure(failedPrecondition, "bad leader transferee"),
  MemberExist: sure(failedPrecondition, "member ID already exist"),
  PeerURLExist: sure(failedPrecondition, "Peer URLs already exists"),
  MemberNotEnoughStarted: sure(
    failedPrecondition,
    "re-configuration failed due to not enough started members",
  ),
  MemberBadURLs: sure(invalidArgument, "given member URLs are invalid"),
  MemberNotLearner: sure(failedPrecondition, "can only promote a learner member"),
  LearnerNotReady: sure(
    failedPrecondition,
    "can only promote a learner member which is in sync with leader",
  ),
  TooManyLearners: sure(failedPrecondition, "too many learner members in cluster"),
  NotSupportedForLearner: sure(failedPrecondition, "rpc not supported for learner"),
  TooManyRequests: sure(resourceExhausted, "too many requests"),
  NoLeader: sure(unavailable, "no leader"),
  NotLeader: sure(failedPrecondition, "not leader"),
  LeaderChanged: sure(unavailable, "leader changed"),
  Unhealthy: sure(unavailable, "unhealthy cluster"),
  Corrupt: sure(dataLoss, "corrupt cluster"),
  Stopped: { code: unavailable, text: "etcdserver: server stopped", definite: false },
  TimeoutLeaderFail: {
    code: unavailable,
    text: "etcdserver: request timed out, possibly due to previous leader failure",
    definite: false,
  },
  TimeoutConnectionLost: {
    code: unavailable,
    text: "etcdserver: request timed out, possibly due to connection lost",
    definite: false,
  },
  TimeoutLeaderTransfer: {
    code: unavailable,
    text: "etcdserver: request timed out, leader transfer took too long",
    definite: false,
  },
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
