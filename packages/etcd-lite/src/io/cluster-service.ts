/**
 * The Cluster service: who the members are, and changes of that.
 *
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/member.go
 */
import type { etcd, Handlers } from "@nanokube/rpc";
import type { ClusterMember } from "../core/cluster.ts";
import { EtcdError } from "../core/errors.ts";
import { isPeerURL } from "../core/flags.ts";
import { readAsAdmin } from "./identify.ts";
import { guarded, header, type Member } from "./member.ts";

export function createClusterService(member: Member): Handlers<typeof etcd.Cluster> {
  const { reconfiguration, state } = member;
  const answer = () => ({
    header: { ...header(member), revision: 0 },
    members: state.cluster.sorted.map(toMessage),
  });
  return {
    memberList: async ({ linearizable }) => {
      if (linearizable) await member.proposals.barrier();
      return answer();
    },
    memberAdd: async ({ peerURLs, isLearner }, call) => {
      guarded(() => {
        if (peerURLs.length === 0 || !peerURLs.every(isPeerURL))
          throw new EtcdError("MemberBadURLs");
      });
      await readAsAdmin(member, call, () => undefined);
      const added = await reconfiguration.add(peerURLs, isLearner);
      return { ...answer(), member: { ID: added.id, peerURLs, isLearner } };
    },
    memberRemove: async ({ ID }, call) => {
      await readAsAdmin(member, call, () => undefined);
      await reconfiguration.remove(ID);
      return answer();
    },
    memberUpdate: async ({ ID, peerURLs }, call) => {
      await readAsAdmin(member, call, () => undefined);
      await reconfiguration.update(ID, peerURLs);
      return answer();
    },
    memberPromote: async ({ ID }, call) => {
      await readAsAdmin(member, call, () => undefined);
      await reconfiguration.promote(ID);
      return answer();
    },
  };
}

function toMessage({ id: ID, name, peerURLs, clientURLs, isLearner }: ClusterMember) {
  return { ID, name, peerURLs: [...peerURLs], clientURLs: [...clientURLs], isLearner };
}
