/**
 * What went wrong as one line for people: the kernel's refusals in the words that Go's programs
 * use, "mkdir /data: permission denied".
 */
const words: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EDQUOT: "disk quota exceeded",
  EISDIR: "is a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

interface SystemError {
  code?: string;
  syscall?: string;
  path?: string;
}

function refusalLine({ code = "", syscall, path }: SystemError): string | undefined {
  const word = words[code];
  if (word === undefined || syscall === undefined) return undefined;
  return `${[syscall, path].filter(Boolean).join(" ")}: ${word}`;
}

export function failureLine(error: unknown): string {
  const refusal = refusalLine(error as SystemError);
  if (refusal !== undefined) return refusal;
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n").find((line) => line.trim() !== "") ?? "it gave no reason";
}

/** The same for what Node has put into a sentence: "ENOSPC: no space left on device, write". */
export function inPlainWords(text: string): string {
  const match = /^(E[A-Z0-9]+): [^,]*, (\w+)(?: '([^']*)')?$/.exec(text);
  if (match === null) return text;
  const [, code = "", syscall = "", path = ""] = match;
  return refusalLine({ code, syscall, path }) ?? text;
}
