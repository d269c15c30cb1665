/**
 * On whose behalf is this call? Of use only while authentication is enabled.
 *
 * A token (metadata `token`, from HTTP `authorization`) counts before the client's certificate; the
 * certificate's common name counts only with --client-cert-auth, and never for the JSON gateway's
 * own connection.
 * Errors  InvalidAuthToken for a token that nobody was given
 * Source  etcd v3.6 server/auth/store.go AuthInfoFromCtx, AuthInfoFromTLS
 */
import type { Init, ServerCall } from "@nanokube/rpc";
import { type Identity, nobody, rootName } from "../core/auth/auth-store.ts";
import type { Entry, PlainEntry } from "../core/entry.ts";
import { EtcdError } from "../core/errors.ts";
import { guarded, type Member, toRpc, write } from "./member.ts";

export type Caller = Pick<ServerCall, "metadata" | "peerCommonName">;

/** The member asks itself, and may: stands for a call of root's. */
export const rootCall: Caller = { metadata: {}, peerCommonName: undefined };

export function identify(member: Member, call: Caller): Identity | Promise<Identity> {
  const { auth } = member.state;
  if (!auth.enabled) return nobody;
  if (call === rootCall) return { username: rootName, revision: auth.revision };
  const text = call.metadata["token"] ?? call.metadata["authorization"];
  if (text === undefined) return fromCertificate(member, call);
  const token = text.split(", ")[0]!;
  if (member.webTokens !== undefined) return member.webTokens.verify(token);
  const username = auth.tokens.use(token, member.clock.now());
  if (username === undefined) throw new EtcdError("InvalidAuthToken");
  return { username, revision: auth.revision };
}

function fromCertificate({ state, clientCertAuth }: Member, call: Caller): Identity {
  if (!clientCertAuth || call.peerCommonName === undefined) return nobody;
  if (call.metadata["grpcgateway-accept"] !== undefined) return nobody;
  return { username: call.peerCommonName, revision: state.auth.revision };
}

/** A write with the name of who asks for it; refused or done when it is applied. */
export function writeAs<T>(
  member: Member,
  call: Caller,
  entry: PlainEntry,
): Promise<Init<T>> | Init<T> {
  if (!member.state.auth.enabled) return write<T>(member, entry);
  const who = guarded(() => identify(member, call));
  if (!(who instanceof Promise)) return write<T>(member, asWho(who, entry));
  return who.then(
    (found) => write<T>(member, asWho(found, entry)),
    (error) => {
      throw toRpc(error);
    },
  );
}

function asWho(who: Identity, entry: PlainEntry): Entry {
  return who === nobody ? entry : { kind: "as", who, entry };
}

/** What the member does by itself, such as ending a lease that has run out. */
export function writeAsRoot<T>(member: Member, entry: PlainEntry): Promise<Init<T>> | Init<T> {
  const { auth } = member.state;
  if (!auth.enabled) return write<T>(member, entry);
  return write<T>(member, asWho({ username: rootName, revision: auth.revision }, entry));
}

interface Read<T> {
  check(who: Identity): void;
  run(): T | Promise<T>;
  /** Sees everything that was acknowledged, by any member, before it was asked for. */
  readonly isLinearizable?: boolean | undefined;
}

/** A read that needs `check` to pass; stays synchronous while it can. */
export function readAs<T>(
  member: Member,
  call: Caller,
  { check, run, isLinearizable }: Read<T>,
): T | Promise<T> {
  const barrier = isLinearizable === true ? guarded(() => member.proposals.barrier()) : undefined;
  if (barrier !== undefined) {
    return barrier.then(
      () => readAs(member, call, { check, run }),
      (error) => {
        throw toRpc(error);
      },
    );
  }
  if (!member.state.auth.enabled) return guarded(run);
  const checked = (who: Identity) =>
    guarded(() => {
      check(who);
      return run();
    });
  const who = guarded(() => identify(member, call));
  if (!(who instanceof Promise)) return checked(who);
  return who.then(checked, (error) => {
    throw toRpc(error);
  });
}

/** For what only root may do, outside the log: maintenance and membership. */
export function readAsAdmin<T>(member: Member, call: Caller, run: () => T): T | Promise<T> {
  return readAs(member, call, { check: (who) => member.state.auth.checkAdmin(who), run });
}
