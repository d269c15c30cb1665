import { describe, expect, test } from "vitest";
import { findMembers, type SrvLookup, type SrvRecord } from "./srv-discovery.ts";

const addresses: Readonly<Record<string, string>> = {
  "a.example": "10.0.0.1",
  "b.example": "10.0.0.2",
  "c.example": "10.0.0.3",
  "10.0.0.2": "10.0.0.2",
};

/** What etcd 3.6.8 makes of these records: seen on the program, kept here. */
function lookupOf(records: Readonly<Record<string, readonly string[]>>): SrvLookup {
  const missing = (name: string) => Promise.reject(new Error(`lookup ${name}: no such host`));
  return {
    async records(name): Promise<readonly SrvRecord[]> {
      const found = records[name.split("._tcp")[0]!];
      if (found === undefined) return missing(name);
      return found.map((one) => {
        const [target, port] = one.split(" ");
        return { target: target!, port: Number(port) };
      });
    },
    address: async (host) => addresses[host] ?? missing(host),
  };
}

const three = ["a.example. 2380", "b.example. 2380", "c.example. 2380"];
const asked = { domain: "example", service: "", name: "me", peerURLs: ["http://10.0.0.2:2380"] };

describe("members found by DNS", () => {
  test("mine is where I am, the others have numbers", async () => {
    const found = await findMembers(asked, lookupOf({ "_etcd-server": three }));
    expect(found).toBe("0=http://a.example:2380,me=http://b.example:2380,1=http://c.example:2380");
  });

  test("of a service of its own, with TLS", async () => {
    const mine = { ...asked, service: "x", peerURLs: ["https://10.0.0.2:2380"] };
    const found = await findMembers(mine, lookupOf({ "_etcd-server-ssl-x": three.slice(1) }));
    expect(found).toBe("me=https://b.example:2380,0=https://c.example:2380");
  });

  test("nobody, or not me", async () => {
    await expect(findMembers(asked, lookupOf({}))).rejects.toThrow(
      "error querying DNS SRV records for _etcd-server-ssl lookup",
    );
    const others = lookupOf({ "_etcd-server": three.slice(0, 1) });
    await expect(findMembers(asked, others)).rejects.toThrow(
      'cannot find local etcd member "me" in SRV records',
    );
  });

  test("a scheme that does not fit is not taken", async () => {
    const other = { ...asked, peerURLs: ["https://10.0.0.2:2380"] };
    await expect(
      findMembers(other, lookupOf({ "_etcd-server": three.slice(1, 2) })),
    ).rejects.toThrow("scheme mismatch with expected peer https://10.0.0.2:2380");
  });
});
