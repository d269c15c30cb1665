/**
 * Stand-ins for the images that upstream's e2e specs name, made from files of this machine.
 *
 * agnhost, sample-apiserver, nnp and etcd are upstream's own programs (by `npm run upstream`); the
 * tools that specs run beside agnhost come from the machine: a static busybox, and bash, curl, dig,
 * getent and ss with their libraries when they are there. `nginx` is busybox's web server under
 * that name: enough for specs that want a page.
 *
 * Source  test/utils/image/manifest.go (names), test/images/agnhost/Dockerfile (entrypoint, paths)
 */
import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import {
  createAuthority,
  findProgram,
  type ImageStore,
  issue,
  type LayerEntry,
  run,
} from "nanokube";

const registry = "registry.k8s.io/e2e-test-images";
const etcdImage = "registry.k8s.io/etcd:3.6.8-0";
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const accounts: readonly LayerEntry[] = [
  {
    type: "file",
    path: "etc/passwd",
    content:
      "root:x:0:0:root:/root:/bin/sh\n" +
      "user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh\n" +
      "nobody:x:65534:65534:nobody:/:/bin/false\n",
  },
  {
    type: "file",
    path: "etc/group",
    content:
      "root:x:0:\nuser-defined-in-image:x:1000:\n" +
      "group-defined-in-image:x:50000:user-defined-in-image\nnogroup:x:65534:\n",
  },
  { type: "file", path: "etc/nsswitch.conf", content: "hosts: files dns\n" },
];

/** `nc -v -t|-u -w SECONDS HOST PORT`, as specs call it; busybox's knows neither -t nor -u. */
const netcat = `#!/bin/bash
protocol=tcp seconds=2
while getopts vztuw: flag; do
  case $flag in
    u) protocol=udp ;; w) seconds=$OPTARG ;; z) probe=1 ;; v) verbose=1 ;; esac
done
shift $((OPTIND - 1))
open="exec 3<>/dev/$protocol/$1/$2"
timeout "$seconds" bash -c "$open" || exit 1
[ -n "$verbose" ] && echo "Connection to $1 $2 port [$protocol/*] succeeded!" >&2
[ -n "$probe" ] && exit 0
# Who is ended by its time says so, and specs take any word here for a failure.
exec 2>/dev/null
eval "$open"
exec 4<&0
cat <&4 >&3 &
timeout "$seconds" cat <&3
exit 0
`;

const directories = [
  ...["bin", "sbin", "usr", "usr/bin", "usr/sbin", "usr/local", "usr/local/bin", "etc", "home"],
  ...["home/user-defined-in-image", "root", "run", "uploads", "var", "var/log", "var/run"],
];

async function busyboxLayer(busybox: string, taken: readonly string[] = []): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = directories.map((path) => ({ type: "directory", path }));
  for (const path of ["tmp", "var/tmp"]) entries.push({ type: "directory", path, mode: 0o1777 });
  entries.push(...accounts);
  entries.push({ type: "copy", path: "bin/busybox", mode: 0o755, source: busybox });
  const paths = (await run([busybox, "--list-full"])).trim().split("\n");
  const plain = paths.map((path) => path.replace(/^\//, ""));
  // The image that specs know has every program in /bin.
  for (const path of new Set(plain.flatMap((each) => [each, `bin/${basename(each)}`]))) {
    if (basename(path) === "busybox" || taken.includes(basename(path))) continue;
    entries.push({ type: "symlink", path, target: "/bin/busybox" });
  }
  return entries;
}

/** The programs, and the libraries they ask for at the paths where they ask. */
async function programEntries(programs: readonly string[]): Promise<LayerEntry[]> {
  const files = new Map<string, string>();
  for (const program of programs) {
    files.set(`bin/${basename(program)}`, await realpath(program));
    for (const line of (await run(["ldd", program])).split("\n")) {
      const library = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1];
      if (library !== undefined) files.set(library.slice(1), await realpath(library));
    }
  }
  const parents = new Set<string>();
  for (const path of files.keys()) {
    for (let at = dirname(path); at !== "."; at = dirname(at)) parents.add(at);
  }
  const made = [...parents].filter((path) => !directories.includes(path)).sort();
  return [
    ...made.map((path): LayerEntry => ({ type: "directory", path })),
    ...[...files].map(
      ([path, source]): LayerEntry => ({ type: "copy", path, mode: 0o755, source }),
    ),
  ];
}

/**
 * Busybox's shell hands on no variable whose name is not an identifier, as specs have them; bash
 * does. Else busybox's own stays, whose words specs know.
 */
const handingOn = `#!/bin/bash
while IFS= read -r -d '' variable; do
  [[ \${variable%%=*} =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || exec -a "$0" /bin/bash "$@"
done </proc/self/environ
exec -a "$0" /bin/busybox "$@"
`;

async function shellLayer(busybox: string): Promise<LayerEntry[]> {
  const bash = findProgram("bash");
  if (bash === undefined) return busyboxLayer(busybox);
  return [
    ...(await busyboxLayer(busybox, ["sh"])),
    ...(await programEntries([bash])),
    { type: "file", path: "bin/sh", mode: 0o755, content: handingOn },
  ];
}

/** Busybox and the machine's programs beside it. */
async function toolsLayer(busybox: string): Promise<LayerEntry[]> {
  const wanted = ["bash", "curl", "dig", "getent", "ss"];
  const found = wanted.flatMap((name) => findProgram(name) ?? []);
  const bash = found.some((program) => basename(program) === "bash");
  // Debian's busybox shell prefers its own applets to PATH: with other tools about, bash is sh.
  const taken = [...(bash ? ["sh", "nc"] : []), ...found.map((program) => basename(program))];
  const entries = [...(await busyboxLayer(busybox, taken)), ...(await programEntries(found))];
  if (!bash) return entries;
  entries.push({ type: "symlink", path: "bin/sh", target: "bash" });
  entries.push({ type: "file", path: "bin/nc", mode: 0o755, content: netcat });
  return entries;
}

const page = "<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head></html>\n";

function nginxLayer(): LayerEntry[] {
  return [
    { type: "directory", path: "usr/share" },
    { type: "directory", path: "usr/share/nginx" },
    { type: "directory", path: "usr/share/nginx/html" },
    { type: "file", path: "usr/share/nginx/html/index.html", content: page },
    {
      type: "file",
      path: "usr/sbin/nginx",
      mode: 0o755,
      content: "#!/bin/sh\nexec /bin/busybox httpd -f -p 80 -h /usr/share/nginx/html\n",
    },
  ];
}

export interface TestImageSources {
  /** Upstream's agnhost. */
  agnhost: string;
  /** A static busybox. */
  busybox: string;
  /** Upstream's etcd, sample-apiserver and nnp; the image of one that is not there is left out. */
  etcd: string | undefined;
  sampleApiserver: string | undefined;
  nnp: string | undefined;
}

interface Image {
  names: readonly string[];
  layers: readonly (readonly LayerEntry[])[];
  config: object;
}

const images = (name: string, ...tags: string[]) => tags.map((tag) => `${registry}/${name}:${tag}`);

const programLayer = (path: string, source: string, mode = 0o755): LayerEntry[] => [
  { type: "copy", path, mode, source },
];

function programImages(from: TestImageSources, busybox: readonly LayerEntry[]): Image[] {
  const { etcd, sampleApiserver, nnp } = from;
  const Env = [path];
  const all: Image[] = [];
  if (etcd !== undefined) {
    const layers = [busybox, programLayer("usr/local/bin/etcd", etcd)];
    all.push({ names: [etcdImage], layers, config: { Cmd: ["etcd"], Env } });
  }
  if (sampleApiserver !== undefined) {
    const config = { Entrypoint: ["/sample-apiserver"], Env };
    const layers = [busybox, programLayer("sample-apiserver", sampleApiserver)];
    all.push({ names: images("sample-apiserver", "1.29.2"), layers, config });
  }
  if (nnp !== undefined) {
    // Set-uid: it prints whether that still made it root.
    const layers = [busybox, programLayer("usr/local/bin/nnp", nnp, 0o4755)];
    all.push({ names: images("nonewprivs", "1.4"), layers, config: { Cmd: ["nnp"], Env } });
  }
  return all;
}

/** What agnhost's servers with TLS show; specs also ask its web server for the file. */
async function localhostCertificate(): Promise<LayerEntry[]> {
  const commonName = "localhost";
  const { cert, key } = await issue(await createAuthority(commonName), {
    commonName,
    addresses: ["127.0.0.1", "::1"],
  });
  return [
    { type: "file", path: "localhost.crt", content: cert },
    { type: "file", path: "localhost.key", content: key },
  ];
}

async function allImages(from: TestImageSources): Promise<Image[]> {
  const busybox = await busyboxLayer(from.busybox);
  const shell = await shellLayer(from.busybox);
  const tools = await toolsLayer(from.busybox);
  const agnhost: LayerEntry[] = [
    ...programLayer("agnhost", from.agnhost),
    { type: "symlink", path: "agnhost-2", target: "agnhost" },
    ...(await localhostCertificate()),
  ];
  const picture = (name: string): LayerEntry[] => [
    { type: "file", path: "data.json", content: `{"image": "${name}.jpg"}\n` },
    { type: "file", path: "etc/os-release", content: 'ID=alpine\nNAME="Alpine Linux"\n' },
  ];
  const Env = [path];
  const Entrypoint = ["/agnhost"];
  return [
    {
      names: images("agnhost", "2.63.0", "2.55"),
      layers: [tools, agnhost],
      config: { Entrypoint, Cmd: ["pause"], Env },
    },
    {
      names: images("nautilus", "1.8"),
      layers: [tools, agnhost, picture("nautilus")],
      config: { Entrypoint, Cmd: ["test-webserver"], Env },
    },
    {
      names: images("kitten", "1.8"),
      layers: [tools, agnhost, picture("kitten")],
      config: { Entrypoint, Cmd: ["test-webserver"], Env },
    },
    {
      names: images("busybox", "1.37.0-1", "1.36.1-1"),
      layers: [shell],
      config: { Cmd: ["sh"], Env },
    },
    { names: images("nonroot", "1.5"), layers: [busybox], config: { User: "1234", Env } },
    { names: images("glibc-dns-testing", "2.0.0"), layers: [tools], config: { Env } },
    {
      names: images("nginx", "1.27-0", "1.15-4"),
      layers: [busybox, nginxLayer()],
      config: { Cmd: ["nginx"], Env },
    },
    ...programImages(from, busybox),
  ];
}

/** Puts the images into the cluster's own store, from which its nodes pull. */
export async function addTestImages(store: ImageStore, from: TestImageSources): Promise<string[]> {
  const built: string[] = [];
  for (const { names, layers, config } of await allImages(from)) {
    for (const name of names) {
      // Two versions of one image must differ, as specs that roll an update compare their digests.
      const version: LayerEntry[] = [{ type: "file", path: ".image", content: `${name}\n` }];
      built.push(...(await store.add({ names: [name], layers: [...layers, version], config })));
    }
  }
  return built;
}
