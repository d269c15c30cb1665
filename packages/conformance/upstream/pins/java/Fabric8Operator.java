// An operator written with fabric8's client: a kind of its own, an informer, a finalizer, a status,
// server-side apply, a leader, a watch that ends; with a pod, exec, logs and a forwarded port.
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

public class Fabric8Operator {
  static final String FINALIZER = "fabric8.example.com/held";
  static final ResourceDefinitionContext KIOSKS = new ResourceDefinitionContext.Builder()
      .withGroup("fabric8.example.com").withVersion("v1").withKind("Kiosk").withPlural("kiosks")
      .withNamespaced(true).build();

  final KubernetesClient client;

  Fabric8Operator(KubernetesClient client) {
    this.client = client;
  }

  public static void main(String[] args) throws Exception {
    Config config = Config.fromKubeconfig(null, Files.readString(new File(args[0]).toPath()), null);
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      Fabric8Operator operator = new Fabric8Operator(client);
      if (args.length > 1) {
        operator.streams(args[1], args[2], Integer.parseInt(args[3]));
      } else {
        operator.define();
        operator.operate();
        operator.apply();
        operator.watch();
        operator.lead();
      }
    }
    System.out.println("ok");
    System.exit(0);
  }

  void define() {
    client.apiextensions().v1().customResourceDefinitions().resource(new CustomResourceDefinitionBuilder()
        .withNewMetadata().withName("kiosks.fabric8.example.com").endMetadata()
        .withNewSpec().withGroup("fabric8.example.com").withScope("Namespaced")
        .withNewNames().withPlural("kiosks").withSingular("kiosk").withKind("Kiosk").endNames()
        .addNewVersion().withName("v1").withServed(true).withStorage(true)
        .withNewSchema().withNewOpenAPIV3Schema().withType("object")
        .withXKubernetesPreserveUnknownFields(true).endOpenAPIV3Schema().endSchema()
        .withNewSubresources().withNewStatus().endStatus().endSubresources()
        .endVersion().endSpec().build()).create();
    eventually("the kind is served", () -> {
      try {
        return client.genericKubernetesResources(KIOSKS).inNamespace("default").list() != null;
      } catch (KubernetesClientException refused) {
        return false;
      }
    });
  }

  GenericKubernetesResource kiosk(String name) {
    return client.genericKubernetesResources(KIOSKS).inNamespace("default").withName(name).get();
  }

  /** A conflict is no end: whoever was faster is read, and it is tried again. */
  void work(GenericKubernetesResource seen) {
    CompletableFuture.runAsync(() -> {
      for (GenericKubernetesResource kiosk = seen; kiosk != null; kiosk = kiosk(seen.getMetadata().getName())) {
        try {
          reconcile(kiosk);
          return;
        } catch (KubernetesClientException refused) {
          if (refused.getCode() != 409) throw refused;
        }
      }
    }).exceptionally(failed -> {
      failed.printStackTrace();
      return null;
    });
  }

  /** Each kiosk has a config map of its size, and says so in its status. */
  void reconcile(GenericKubernetesResource seen) {
    var resource = client.genericKubernetesResources(KIOSKS).inNamespace("default")
        .withName(seen.getMetadata().getName());
    if (seen.getMetadata().getDeletionTimestamp() != null) {
      resource.edit(kiosk -> {
        kiosk.getMetadata().getFinalizers().remove(FINALIZER);
        return kiosk;
      });
      return;
    }
    if (!seen.getMetadata().getFinalizers().contains(FINALIZER)) {
      resource.edit(kiosk -> {
        kiosk.getMetadata().getFinalizers().add(FINALIZER);
        return kiosk;
      });
      return;
    }
    Integer size = seen.get("spec", "size");
    client.configMaps().inNamespace("default").resource(new ConfigMapBuilder()
        .withNewMetadata().withName(seen.getMetadata().getName()).endMetadata()
        .addToData("size", String.valueOf(size)).build()).serverSideApply();
    Integer ready = seen.get("status", "ready");
    if (!size.equals(ready)) {
      resource.editStatus(kiosk -> {
        kiosk.setAdditionalProperty("status", Map.of("ready", size));
        return kiosk;
      });
    }
  }

  void operate() throws Exception {
    var handler = new ResourceEventHandler<GenericKubernetesResource>() {
      public void onAdd(GenericKubernetesResource kiosk) {
        work(kiosk);
      }

      public void onUpdate(GenericKubernetesResource before, GenericKubernetesResource kiosk) {
        work(kiosk);
      }

      public void onDelete(GenericKubernetesResource kiosk, boolean unknown) {}
    };
    try (var informer = client.genericKubernetesResources(KIOSKS).inNamespace("default").inform(handler)) {
      var resource = client.genericKubernetesResources(KIOSKS).inNamespace("default").withName("java-corner");
      client.resource(new GenericKubernetesResourceBuilder()
          .withApiVersion("fabric8.example.com/v1").withKind("Kiosk")
          .withNewMetadata().withName("java-corner").withNamespace("default").endMetadata()
          .addToAdditionalProperties("spec", Map.of("size", 3)).build()).create();
      eventually("the status follows", () -> Integer.valueOf(3).equals(kiosk("java-corner").get("status", "ready")));
      resource.patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"size\":5}}");
      eventually("the child follows", () -> "5".equals(
          client.configMaps().inNamespace("default").withName("java-corner").get().getData().get("size")));
      resource.delete();
      resource.waitUntilCondition(kiosk -> kiosk == null, 60, TimeUnit.SECONDS);
    }
    client.apiextensions().v1().customResourceDefinitions().withName("kiosks.fabric8.example.com").delete();
  }

  /** Two managers; one is told that a field is the other's, and takes it by force. */
  void apply() {
    applied("1", "one", false);
    try {
      applied("2", "two", false);
      throw new AssertionError("a conflict was expected");
    } catch (KubernetesClientException refused) {
      check("409", refused.getCode() == 409);
    }
    check("taken by force", applied("2", "two", true).getData().get("a").equals("2"));
    client.configMaps().inNamespace("default").withName("applied").delete();
  }

  ConfigMap applied(String value, String manager, boolean force) {
    PatchContext context = new PatchContext.Builder().withPatchType(PatchType.SERVER_SIDE_APPLY)
        .withFieldManager(manager).withForce(force).build();
    return client.configMaps().inNamespace("default").resource(new ConfigMapBuilder()
        .withNewMetadata().withName("applied").endMetadata().addToData("a", value).build()).patch(context);
  }

  void watch() throws Exception {
    CountDownLatch seen = new CountDownLatch(2);
    var maps = client.configMaps().inNamespace("default");
    Watcher<ConfigMap> watcher = new Watcher<>() {
      public void eventReceived(Action action, ConfigMap map) {
        seen.countDown();
      }

      public void onClose(WatcherException cause) {}
    };
    // fabric8 watches over WebSocket where it may.
    try (var watch = maps.withField("metadata.name", "watched").watch(watcher)) {
      maps.resource(new ConfigMapBuilder().withNewMetadata().withName("watched").endMetadata().build()).create();
      maps.withName("watched").delete();
      check("two events", seen.await(60, TimeUnit.SECONDS));
    }
  }

  void lead() throws Exception {
    CountDownLatch leads = new CountDownLatch(1);
    var config = new LeaderElectionConfigBuilder().withName("fabric8")
        .withLock(new LeaseLock("default", "fabric8-leader", "me"))
        .withLeaseDuration(Duration.ofSeconds(15)).withRenewDeadline(Duration.ofSeconds(10))
        .withRetryPeriod(Duration.ofSeconds(2)).withReleaseOnCancel(true)
        .withLeaderCallbacks(new LeaderCallbacks(leads::countDown, () -> {}, name -> {})).build();
    var election = client.leaderElector().withConfig(config).build().start();
    check("somebody leads", leads.await(60, TimeUnit.SECONDS));
    check("the lease says who", "me".equals(client.leases().inNamespace("default")
        .withName("fabric8-leader").get().getSpec().getHolderIdentity()));
    election.cancel(true);
  }

  void streams(String namespace, String name, int port) throws Exception {
    var pod = client.pods().inNamespace(namespace).withName(name);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (var command = pod.writingOutput(out).writingError(err)
        .exec("sh", "-c", "echo said; echo complained >&2; exit 3")) {
      check("the code", command.exitCode().get(60, TimeUnit.SECONDS) == 3);
    }
    check("its words", out.toString().equals("said\n") && err.toString().equals("complained\n"));
    check("its log", pod.getLog().startsWith("started"));
    try (var forward = pod.portForward(port)) {
      URI uri = URI.create("http://127.0.0.1:" + forward.getLocalPort() + "/");
      var answer = HttpClient.newHttpClient().send(
          HttpRequest.newBuilder(uri).version(HttpClient.Version.HTTP_1_1).build(),
          HttpResponse.BodyHandlers.ofString());
      check("the page", answer.body().equals("page\n"));
    }
  }

  static void eventually(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!holds.getAsBoolean()) {
      check(what, System.nanoTime() < end);
      try {
        Thread.sleep(50);
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    }
  }

  static void check(String what, boolean holds) {
    if (!holds) throw new AssertionError(what);
  }
}
