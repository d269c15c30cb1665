/**
 * The Auth service: users, roles, and tokens for passwords.
 *
 * Passwords are hashed here, before anything is proposed: the log never holds one. The comparison
 * takes tens of milliseconds by design, and happens here too.
 * Source  etcd v3.6 server/etcdserver/v3_server.go Authenticate, UserAdd; api/v3rpc/auth.go
 */
import type { etcd, Handlers, ServerCall } from "@nanokube/rpc";
import type { AuthEntry, AuthEntryKind } from "../core/auth/auth-entry.ts";
import { EtcdError } from "../core/errors.ts";
import { writeAs } from "./identify.ts";
import { guarded, type Member, toRpc, write } from "./member.ts";

export function createAuthService(member: Member): Handlers<typeof etcd.Auth> {
  const proposed =
    <T>(kind: AuthEntryKind) =>
    (request: object, call: ServerCall) =>
      writeAs<T>(member, call, { kind, request } as AuthEntry);
  return {
    authEnable: proposed<etcd.AuthEnableResponse>("authEnable"),
    authDisable: proposed<etcd.AuthDisableResponse>("authDisable"),
    authStatus: proposed<etcd.AuthStatusResponse>("authStatus"),
    authenticate: (request) => authenticate(member, request),
    userAdd: async (request, call) => {
      const entry = { kind: "userAdd", request: await withHash(member, request) } as const;
      return writeAs<etcd.AuthUserAddResponse>(member, call, entry);
    },
    userGet: proposed<etcd.AuthUserGetResponse>("userGet"),
    userList: proposed<etcd.AuthUserListResponse>("userList"),
    userDelete: proposed<etcd.AuthUserDeleteResponse>("userDelete"),
    userChangePassword: async (request, call) => {
      const hashed = request.password === "" ? request : await withHash(member, request);
      const entry = { kind: "userChangePassword", request: hashed } as const;
      return writeAs<etcd.AuthUserChangePasswordResponse>(member, call, entry);
    },
    userGrantRole: proposed<etcd.AuthUserGrantRoleResponse>("userGrantRole"),
    userRevokeRole: proposed<etcd.AuthUserRevokeRoleResponse>("userRevokeRole"),
    roleAdd: proposed<etcd.AuthRoleAddResponse>("roleAdd"),
    roleGet: proposed<etcd.AuthRoleGetResponse>("roleGet"),
    roleList: proposed<etcd.AuthRoleListResponse>("roleList"),
    roleDelete: proposed<etcd.AuthRoleDeleteResponse>("roleDelete"),
    roleGrantPermission: proposed<etcd.AuthRoleGrantPermissionResponse>("roleGrantPermission"),
    roleRevokePermission: proposed<etcd.AuthRoleRevokePermissionResponse>("roleRevokePermission"),
  };
}

interface WithPassword {
  readonly password: string;
  readonly options?: etcd.UserAddOptions | undefined;
}

const passwordMaxBytes = 72;

async function withHash<T extends WithPassword>(member: Member, request: T): Promise<T> {
  if (request.options?.noPassword) return request;
  if (Buffer.byteLength(request.password) > passwordMaxBytes) {
    throw toRpc(new EtcdError("PasswordTooLong"));
  }
  const { hash } = await import("bcryptjs"); // Not before somebody has a password.
  const hashed = await hash(request.password, member.bcryptCost);
  return { ...request, password: "", hashedPassword: Buffer.from(hashed).toString("base64") };
}

async function authenticate(member: Member, { name, password }: etcd.AuthenticateRequest) {
  const { auth } = member.state;
  for (;;) {
    const stored = guarded(() => auth.passwordOf(name));
    const { revision } = auth;
    if (!(await matches(password, stored))) throw toRpc(new EtcdError("AuthFailed"));
    const token = member.webTokens === undefined ? randomToken(member) : "";
    const request = { name, password: token };
    const entry = { kind: "authenticate", request } as const;
    const response = await write<etcd.AuthenticateResponse>(member, entry);
    // Users changed meanwhile: the password may be another one.
    if (revision !== auth.revision) continue;
    if (member.webTokens === undefined) return response;
    try {
      return { ...response, token: await member.webTokens.sign({ username: name, revision }) };
    } catch (error) {
      throw toRpc(error);
    }
  }
}

async function matches(password: string, stored: Uint8Array): Promise<boolean> {
  const { compare } = await import("bcryptjs");
  return compare(password, Buffer.from(stored).toString()).catch(() => false);
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** etcd's form: 16 letters, a point, a number that makes it unique. */
function randomToken(member: Member): string {
  const bytes = [...member.random.bytes(48)];
  // Bytes beyond the last whole multiple of the alphabet would make some letters likelier.
  const fair = bytes.filter((byte) => byte < 4 * letters.length);
  const text = fair.slice(0, 16).map((byte) => letters[byte % letters.length]!);
  return `${text.join("")}.${member.state.index + 1}`;
}
