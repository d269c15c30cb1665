/**
 * Scripts of etcdctl commands: each line is run on every etcd, in order, and must print the same.
 *
 * Shapes  a line is the command's arguments; `input` goes to its standard input; "" in quotes is an
 *         empty argument, and quotes hold blanks together
 */

export interface CtlLine {
  readonly line: string;
  readonly input?: string;
  /** Only etcdctl releases that know the command. */
  readonly since?: string;
  /** It goes on until it is ended: what it printed after this while counts. */
  readonly forMs?: number;
}

const lines = (text: string): CtlLine[] =>
  text
    .trim()
    .split("\n")
    .map((line) => ({ line: line.trim() }));

const txn = 'mod("a") > "0"\nvalue("a") = "1"\n\nput c 3\nget a\ndel b\n\nput d 4\nget d\n\n';

const keys: CtlLine[] = [
  ...lines(`
    put a 1
    put b 2 --prev-kv
    put b 22 --prev-kv
    put --ignore-value b
    put --ignore-value nokey
    get a
    get a z
    get --prefix "" -w simple
    get --from-key "" --limit 1 -w json
    get a z --keys-only
    get a z --count-only -w fields
    get a z --print-value-only --order=DESCEND --sort-by=VALUE
    get a --rev 2
    get a --rev 999
    get a -w json
    get a -w fields
    get a -w json --hex
    get missing
    get missing -w json
    put a
    get
    put
    get a b c
    put "with blank" "a value with blanks"
    get "with blank"
    put longer 1 --lease=zz
    put -w json j 1
    put -w fields j 2 --prev-kv
    put -w json j 3 --prev-kv
    del j --prev-kv -w json
    del j -w fields
  `),
  { line: "put from-stdin", input: "what came in\n" },
  { line: "get from-stdin" },
  { line: "txn -i", input: txn },
  { line: "txn -i -w json", input: 'ver("a") > "0"\n\nget a\n\n\n' },
  { line: "txn -i -w fields", input: 'create("a") > "0"\n\nput a 5\nget a\n\n\n' },
  { line: "txn -i", input: 'ver("zz") = "0"\n\nput zz 1\n\nput zz 2\n\n' },
  { line: "txn -i", input: "\nput a 1\nput a 2\n\n\n" },
  { line: "txn -i", input: 'nonsense("a") = "0"\n\n\n\n' },
  ...lines(`
    get --prefix -w json k
    del a --prev-kv
    del nothing
    del c z -w json
    del --prefix ""
    put a 1
    put a 2
    compaction 4
    compaction 4
    compaction 4000
    compaction 10 --physical
    get b --rev 3
    get b --rev 4
    get a --rev 10
  `),
];

const watches: CtlLine[] = [
  ...lines("put w 1\nput w 2\nput wx 3\ndel w\nput w 4"),
  { line: "watch w --rev 12", forMs: 500 },
  { line: "watch w --rev 12 --prefix --prev-kv", forMs: 500 },
  { line: "watch w --rev 12 -w json", forMs: 500 },
  { line: "watch w --rev 12 -w fields", forMs: 500 },
  { line: "watch w wz --rev 12", forMs: 500 },
  { line: "watch w --rev 1", forMs: 500 },
  { line: "watch z a", forMs: 500 },
  { line: "watch -i", input: "watch w --rev 12\nwatch wx --rev 12 --prev-kv\n", forMs: 700 },
  { line: "watch w --rev 12 -- echo changed", forMs: 700 },
];

const leases = lines(`
  lease list
  lease list -w json
  lease grant 9000000001
  lease timetolive 1234 --keys
  lease timetolive 1234 -w json
  lease revoke 1234
  lease keep-alive 1234
  put --lease=1234 x y
`);

const formats = ["simple", "json", "fields", "table"];

const cluster: CtlLine[] = [
  ...formats.map((format) => ({ line: `endpoint status -w ${format}` })),
  ...formats.map((format) => ({ line: `endpoint health -w ${format}` })),
  ...formats.map((format) => ({ line: `endpoint hashkv -w ${format}` })),
  ...formats.map((format) => ({ line: `member list -w ${format}` })),
  ...["status", "health", "hashkv"].flatMap((what) =>
    formats.map((format) => ({ line: `endpoint ${what} --cluster -w ${format}` })),
  ),
  ...lines(`
    put a 1
    put a 2
    put b 1
    del b
    put a 3
    compaction 3
    endpoint hashkv --rev 2
    endpoint hashkv --rev 3
    endpoint hashkv --rev 4
    compaction 5
    endpoint hashkv --rev 3
    endpoint hashkv --rev 5
    endpoint hashkv
    member add x --peer-urls=nonsense
    member add x --peer-urls=http://localhost:2380
    member update 8e9e05c52164694d --peer-urls=http://localhost:2380
    member list -w simple
    endpoint hashkv --rev 100000
    alarm list
    alarm disarm
    alarm list -w json
    defrag
    move-leader 8e9e05c52164694d
    move-leader 1
    member add
    member remove 1234
    member remove 8e9e05c52164694d
    member update 1234 --peer-urls=http://127.0.0.1:1
    member promote 1234
    member promote 8e9e05c52164694d
  `),
  { line: "downgrade validate 3.5", since: "3.5" },
  { line: "downgrade validate 3.4", since: "3.5" },
  { line: "downgrade validate x", since: "3.5" },
  { line: "downgrade cancel", since: "3.5" },
  { line: "downgrade enable 3.7", since: "3.5" },
  { line: "downgrade enable 3.4", since: "3.5" },
  { line: "downgrade enable", since: "3.5" },
];

const as = (user: string, text: string) =>
  lines(text).map(({ line }) => ({ line: `--user ${user}:secret ${line}` }));

const auth: CtlLine[] = [
  ...lines(`
    auth enable
    role add root
    role add reader
    role add reader
    role add writer
    role grant-permission reader read app/ app0
    role grant-permission reader read --prefix shared/
    role grant-permission reader nonsense a
    role grant-permission writer readwrite app/a app/m
    role grant-permission writer write --from-key x
    role grant-permission nothing write a
    role get reader
    role get reader -w json
    role get reader -w fields
    role get nothing
    role list
    role list -w json
    role revoke-permission reader nothing
    role revoke-permission writer x --from-key
    user add root:secret
    user add ann:secret
    user add ann:secret
    user add bob --no-password
    user add eve:secret
    user grant-role root root
    user grant-role ann reader
    user grant-role ann nothing
    user grant-role nobody reader
    user revoke-role ann writer
    user get ann
    user get ann -w json
    user get ann --detail
    user get nobody
    user list
    user list -w json
    put app/b 1
  `),
  { line: "auth status", since: "3.5" },
  { line: "user passwd eve --interactive=false", input: "secret\n" },
  ...lines("auth enable\nget app/b\nput app/b 2\nuser list\nendpoint hashkv"),
  ...as(
    "ann",
    'get app/b\nput app/b 2\nget --prefix app/\nget --prefix ""\nuser get ann\nuser list',
  ),
  ...as("eve", "get app/b\nuser get eve\nuser get ann\nrole list"),
  ...lines("--user ann:wrong get app/b\n--user nobody:secret get app/b"),
  ...as(
    "root",
    `put app/b 3
     get --prefix ""
     role get root
     user delete root
     role delete root
     user revoke-role root root
     role delete reader
     user get ann
     user delete eve
     user list
     endpoint hashkv
     auth disable`,
  ),
  ...lines("get app/b\nauth disable"),
];

/** What the first script about users leaves out: odd names, who may look after the cluster. */
const authCorners: CtlLine[] = [
  ...lines(`
    role add ""
    user add "":secret
    user add empty: --interactive=false
    user add none --no-password --interactive=false
    user passwd nobody --interactive=false
    user delete nobody
    role delete nothing
    role add r
    role grant-permission r read a
    role grant-permission r write a
    role grant-permission r readwrite a z
    role grant-permission r read "" --prefix
    role grant-permission r read z a
    role grant-permission r read --prefix p/
    role get r
    role get r -w json
    role revoke-permission r a
    role revoke-permission r a
    role revoke-permission r a z
    role revoke-permission r p/ --prefix
    role get r
    role grant-permission r readwrite own/ --prefix
    user add root:secret
    user add ann:secret
    user grant-role ann r
    user grant-role ann r
    user revoke-role ann nothing
    user get ann
    role delete r
    user get ann
    role add r
    role grant-permission r readwrite own/ --prefix
    user grant-role ann r
    user grant-role root root
    auth enable
    auth enable
    user list
    member list
    endpoint status -w fields
    endpoint health
    alarm list
    defrag
    compaction 2
  `),
  ...as(
    "ann",
    `put own/a 1
     put other 1
     del own/ --prefix
     del "" --from-key
     get own/ --prefix --count-only
     member list
     member add m --peer-urls=http://127.0.0.1:1
     alarm list
     alarm disarm
     defrag
     endpoint hashkv
     snapshot save /nonexistent/file
     move-leader 1
     compaction 2
     auth disable
     role list
     user add x:y
     role get r
     role get root`,
  ),
  { line: "--user ann:secret auth status", since: "3.5" },
  { line: "--user ann:secret downgrade validate 3.5", since: "3.5" },
  { line: "--user ann:secret txn -i", input: "\nput own/t 1\n\n\n" },
  { line: "--user ann:secret txn -i", input: "\nput own/t 1\nput other 1\n\n\n" },
  { line: "--user ann:secret txn -i", input: 'value("other") = "1"\n\nget own/t\n\n\n' },
  { line: "--user ann:secret watch own/ --prefix --rev 1", forMs: 500 },
  { line: "--user ann:secret watch other", forMs: 500 },
  { line: "--user root:secret user passwd ann --interactive=false", input: "new\n" },
  ...lines("--user ann:secret get own/t\n--user ann:new get own/t"),
  ...as("root", "user revoke-role ann r\nuser get ann\nauth disable\nauth disable"),
];

/** What an answer holds beside what is usually printed: each command that the others show simply. */
const everyField: CtlLine[] = [
  ...lines(`
    put f/a 1
    put f/a 2 --prev-kv -w protobuf
    put f/b 1 -w protobuf
    get f/ --prefix -w protobuf
    get f/ --prefix -w table
    get f/a --rev 2 -w protobuf
    get f/ --prefix --count-only -w simple
    get f/ --prefix --keys-only -w fields
    get f/ --prefix --consistency=s -w fields
    get f/ --prefix --sort-by=VERSION --order=DESCEND -w json
    get f/ --prefix --sort-by=CREATE --order=ASCEND --limit 1 -w fields
    get f/ --prefix --sort-by=MODIFY --order=DESCEND --keys-only
    get f/ --prefix --sort-by=KEY --order=DESCEND --limit 1 -w json
    get f/ --prefix --sort-by=NONSENSE
    get f/ --prefix --order=NONSENSE
    get f/a f/b --prefix
    get --from-key f/b --print-value-only
    del f/b --prev-kv -w protobuf
    del f/ --prefix --prev-kv -w fields
    del f/ --prefix -w json
    compaction 3 -w json
    lease list -w fields
    lease list -w protobuf
    lease timetolive 1234 -w fields
    lease timetolive 1234 --keys -w protobuf
    lease revoke 1234 -w json
    lease keep-alive --once 1234 -w json
    member list -w protobuf
    member list -w fields --hex
    member update 8e9e05c52164694d --peer-urls=http://localhost:2380 -w fields
    member add x --peer-urls=http://localhost:2380 -w json
    endpoint hashkv -w protobuf
    alarm list -w fields
    alarm disarm -w protobuf
    role add every -w fields
    role add every -w json
    role grant-permission every readwrite k -w json
    role get every -w protobuf
    role list -w fields
    role list -w table
    role revoke-permission every k -w fields
    role get every
    user add every:secret -w json
    user grant-role every every -w fields
    user get every -w protobuf
    user get every -w fields
    user list -w fields
    user revoke-role every every -w json
    user delete every -w fields
    role delete every -w json
    snapshot save /nonexistent/file
    defrag -w json
    put
    get "" --prefix --rev 1
    nonsense
  `),
  { line: "txn -i -w protobuf", input: 'mod("f/a") > "0"\n\nput f/a 1\nget f/a\ndel f/a\n\n\n' },
  { line: "txn -i -w table", input: "\nput f/a 1\n\n\n" },
  { line: "auth status -w fields", since: "3.5" },
  { line: "auth status -w json", since: "3.5" },
  { line: "auth status -w protobuf", since: "3.5" },
  { line: "downgrade validate 3.5 -w fields", since: "3.5" },
  { line: "get f/a --max-create-rev 3 -w json", since: "3.6" },
  { line: "get f/ --prefix --min-mod-rev 2 --max-mod-rev 100 -w json", since: "3.6" },
  { line: "get f/ --prefix --min-create-rev 4 -w json", since: "3.6" },
];

export const ctlScripts: readonly (readonly [name: string, script: readonly CtlLine[]])[] = [
  ["keys and transactions", keys],
  ["watches", watches],
  ["leases", leases],
  ["the cluster and its upkeep", cluster],
  ["users and roles", auth],
  ["users and roles, corners", authCorners],
  ["every field of the answers", everyField],
];

/** The words of a line. */
export function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}
