/**
 * A KMS v2 plugin for tests: it "seals" with a key of its own by XOR, rotates and fails on request.
 */
import { createHash } from "node:crypto";
import { createServer, RpcError, type RpcServer } from "@nanokube/rpc";
import { KeyManagementService } from "@nanokube/rpc/kms";

const internalCode = 13;

export class KmsPlugin {
  keyId = "key-1";
  healthz = "ok";
  /** Answers nothing but errors. */
  isDown = false;
  /** How often a seed had to be opened. */
  decrypted = 0;
  readonly #server: RpcServer;

  constructor() {
    this.#server = createServer();
    this.#server.add(KeyManagementService, {
      status: () => {
        this.#mayFail();
        return { version: "v2", healthz: this.healthz, keyId: this.keyId };
      },
      encrypt: ({ plaintext }) => {
        this.#mayFail();
        const annotations = { "seal.example.com": new TextEncoder().encode("xor") };
        return { ciphertext: sealed(plaintext, this.keyId), keyId: this.keyId, annotations };
      },
      decrypt: ({ ciphertext, keyId, annotations }) => {
        this.#mayFail();
        this.decrypted++;
        if (new TextDecoder().decode(annotations["seal.example.com"]) !== "xor") {
          throw new RpcError(internalCode, "the annotations are lost");
        }
        return { plaintext: sealed(ciphertext, keyId) };
      },
    });
  }

  #mayFail(): void {
    if (this.isDown) throw new RpcError(internalCode, "the key is in the safe");
  }

  async listen(path: string): Promise<void> {
    await this.#server.listen({ path });
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}

function sealed(bytes: Uint8Array, keyId: string): Uint8Array {
  const key = createHash("sha512").update(keyId).digest();
  return bytes.map((byte, i) => byte ^ key[i % key.length]!);
}
