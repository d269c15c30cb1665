import { expect, test } from "vitest";
import { wantedDestination, wayOutRules } from "./way-out.ts";

test("what stays within comes before what is redirected", () => {
  expect(wayOutRules(["10.200.0.0/16"], 15001)).toBe(`*nat
:NANOKUBE-WAY-OUT - [0:0]
-A NANOKUBE-WAY-OUT -d 10.200.0.0/16 -j RETURN
-A NANOKUBE-WAY-OUT -d 127.0.0.0/8 -j RETURN
-A NANOKUBE-WAY-OUT -d 169.254.0.0/16 -j RETURN
-A NANOKUBE-WAY-OUT -d 224.0.0.0/4 -j RETURN
-A NANOKUBE-WAY-OUT -p tcp -j REDIRECT --to-ports 15001
COMMIT
`);
});

test("the destination is the client's, not that of the answers", () => {
  const line =
    "tcp      6 431999 ESTABLISHED src=10.200.0.5 dst=198.51.100.2 sport=40112 dport=8080 " +
    "src=10.200.0.1 dst=10.200.0.5 sport=15001 dport=40112 [ASSURED] mark=0 use=1\n";
  expect(wantedDestination(line)).toEqual({ host: "198.51.100.2", port: 8080 });
  expect(wantedDestination("")).toBeUndefined();
});
