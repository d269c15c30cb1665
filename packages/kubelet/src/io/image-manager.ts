/**
 * Makes sure that an image is on the node: by the pull policy, with back-off, in upstream's words.
 *
 * Errors  ImageError: `reason` becomes the container's waiting reason, `message` its message
 * Units   back-off 10 s doubling to 5 min, per pod and image
 * Source  pkg/kubelet/images/image_manager.go, types.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { EventRecorder } from "@nanokube/client";
import type { Clock } from "@nanokube/machinery";
import { BackOff } from "../core/back-off.ts";
import { credentialsFor, type ImageCredentials, withDefaultTag } from "../core/image-name.ts";
import { containerReference, podNamespace, podUID } from "../core/pod.ts";
import type { SandboxConfig } from "../core/sandbox-config.ts";
import type { ImageUser } from "../core/security-context.ts";
import { formatDuration } from "../core/time.ts";
import { describeRpcError, type ImageClient } from "./cri-runtime.ts";
import type { ObjectCache } from "./object-cache.ts";

const BACK_OFF_MS = 10_000;
const BACK_OFF_MS_MAX = 300_000;

export class ImageError extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface ImageRequest {
  pod: Pod;
  /** Whom events are about. */
  containerName: string;
  image: string;
  policy: string;
  sandboxConfig: SandboxConfig;
  signal: AbortSignal;
}

export interface FoundImage {
  ref: string;
  user: ImageUser;
}

export interface ImageManagerOptions {
  images: ImageClient;
  objects: ObjectCache;
  recorder: EventRecorder;
  clock: Clock;
}

export class ImageManager {
  readonly #images: ImageClient;
  readonly #objects: ObjectCache;
  readonly #recorder: EventRecorder;
  readonly #clock: Clock;
  readonly #backOff = new BackOff(BACK_OFF_MS, BACK_OFF_MS_MAX);
  readonly #lastError = new Map<string, string>();
  /** Pulls of one image at a time are one pull. */
  readonly #pulls = new Map<string, Promise<string>>();

  constructor(options: ImageManagerOptions) {
    this.#images = options.images;
    this.#objects = options.objects;
    this.#recorder = options.recorder;
    this.#clock = options.clock;
  }

  #say(request: ImageRequest, type: "Normal" | "Warning", reason: string, message: string): void {
    const about = containerReference(request.pod, request.containerName);
    this.#recorder.event(about, type, reason, message);
  }

  async #find(image: string): Promise<FoundImage | undefined> {
    const { image: found } = await this.#images.imageStatus({ image: { image } });
    if (found === undefined || found.id === "") return undefined;
    const uid = found.uid?.value ?? (found.username === "" ? 0 : undefined);
    return { ref: found.id, user: { uid, username: found.username } };
  }

  /** The user an image wants, when it is there. */
  async userOf(ref: string): Promise<ImageUser> {
    return (await this.#find(ref))?.user ?? { uid: 0, username: "" };
  }

  async #credentials(pod: Pod, image: string): Promise<ImageCredentials[]> {
    const found: ImageCredentials[] = [];
    for (const { name } of pod.spec?.imagePullSecrets ?? []) {
      if (!name) continue;
      const secret = await this.#objects.secret(podNamespace(pod), name).catch(() => undefined);
      found.push(...credentialsFor(image, secret?.data));
    }
    return found;
  }

  async #pull(request: ImageRequest, image: string): Promise<string> {
    const { pod, sandboxConfig } = request;
    const credentials = await this.#credentials(pod, image);
    const tries: (ImageCredentials | undefined)[] =
      credentials.length === 0 ? [undefined] : credentials;
    let failure: unknown;
    for (const auth of tries) {
      try {
        const { imageRef } = await this.#images.pullImage({
          image: { image, annotations: { ...pod.metadata?.annotations } },
          ...(auth === undefined ? {} : { auth }),
          sandboxConfig,
        });
        return imageRef;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #pullOnce(request: ImageRequest, image: string): Promise<string> {
    const secrets = (request.pod.spec?.imagePullSecrets ?? []).map((entry) => entry.name);
    const key = JSON.stringify([image, podNamespace(request.pod), secrets]);
    const running = this.#pulls.get(key);
    if (running !== undefined) return running;
    const pull = this.#pull(request, image).finally(() => this.#pulls.delete(key));
    this.#pulls.set(key, pull);
    return pull;
  }

  async #pullWithBackOff(request: ImageRequest, image: string): Promise<FoundImage> {
    const key = `${podUID(request.pod)}_${image}`;
    const start = this.#clock.now();
    if (this.#backOff.remainingSinceUpdate(key, start) > 0) {
      const message = `Back-off pulling image "${image}"`;
      this.#say(request, "Normal", "BackOff", message);
      const before = this.#lastError.get(key);
      throw new ImageError(
        "ImagePullBackOff",
        before === undefined ? message : `${message}: ${before}`,
      );
    }
    this.#lastError.delete(key);
    this.#say(request, "Normal", "Pulling", `Pulling image "${image}"`);
    let ref: string;
    try {
      ref = await this.#pullOnce(request, image);
    } catch (error) {
      const text = describeRpcError(error);
      this.#say(request, "Warning", "Failed", `Failed to pull image "${image}": ${text}`);
      this.#backOff.next(key, this.#clock.now(), this.#clock.now());
      this.#lastError.set(key, `ErrImagePull: ${text}`);
      throw new ImageError("ErrImagePull", text);
    }
    const { image: status } = await this.#images.imageStatus({ image: { image: ref } });
    const took = formatDuration(this.#clock.now() - start);
    this.#say(
      request,
      "Normal",
      "Pulled",
      `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${status?.size ?? 0} bytes.`,
    );
    const username = status?.username ?? "";
    const uid = status?.uid?.value ?? (username === "" ? 0 : undefined);
    return { ref, user: { uid, username } };
  }

  /** How long until the pull may be tried again. */
  retryMs(pod: Pod, requested: string): number {
    try {
      const key = `${podUID(pod)}_${withDefaultTag(requested)}`;
      return this.#backOff.remainingSinceUpdate(key, this.#clock.now()) || BACK_OFF_MS;
    } catch {
      return BACK_OFF_MS_MAX;
    }
  }

  async ensure(request: ImageRequest): Promise<FoundImage> {
    let image: string;
    try {
      image = withDefaultTag(request.image);
    } catch (error) {
      const text = (error as Error).message;
      const message = `Failed to apply default image tag "${request.image}": ${text}`;
      this.#say(request, "Warning", "InspectFailed", message);
      throw new ImageError("InvalidImageName", message);
    }
    if (request.policy === "Always") return this.#pullWithBackOff(request, image);
    let found: FoundImage | undefined;
    try {
      found = await this.#find(image);
    } catch (error) {
      const message = `Failed to inspect image "": ${describeRpcError(error)}`;
      this.#say(request, "Warning", "InspectFailed", message);
      throw new ImageError("ImageInspectError", message);
    }
    if (found !== undefined) {
      const there = "already present on machine and can be accessed by the pod";
      const message = `Container image "${request.image}" ${there}`;
      this.#say(request, "Normal", "Pulled", message);
      return found;
    }
    if (request.policy === "Never") {
      const message = `Container image "${request.image}" is not present with pull policy of Never`;
      this.#say(request, "Warning", "ErrImageNeverPull", message);
      throw new ImageError("ErrImageNeverPull", message);
    }
    return this.#pullWithBackOff(request, image);
  }

  forget(uid: string): void {
    this.#backOff.forget((key) => key.startsWith(`${uid}_`));
    for (const key of this.#lastError.keys()) {
      if (key.startsWith(`${uid}_`)) this.#lastError.delete(key);
    }
  }
}
