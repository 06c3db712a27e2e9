import { expect, test } from "vitest";
import { z } from "zod";
import { goldens, manifestsOf, workloadsOf } from "../../support/manifests.ts";

const RefSchema = z.looseObject({ valueFrom: z.looseObject({ secretKeyRef: z.looseObject({ name: z.string(), key: z.string() }) }) });

/** The variable SERIN_NATS of sidecars, from the Secret that they name, and that of controllers. */
function natsIn(overlay: string): { sidecars: string[]; controllers: string[] } {
  const [, text = ""] = goldens().find(([name]) => name === `kustomize/${overlay}.yaml`) ?? [];
  const manifests = manifestsOf(text);
  const variables = workloadsOf(manifests).flatMap(({ containers }) => containers.flatMap(({ env }) => env));
  const secrets = variables.flatMap((variable) => {
    const { name, key } = RefSchema.parse(variable).valueFrom.secretKeyRef;
    return manifests.filter(({ kind, metadata }) => kind === "Secret" && metadata.name === name).map(({ data }) => data[key] ?? "");
  });
  return {
    sidecars: secrets.map((value) => Buffer.from(value, "base64").toString()),
    controllers: manifests.flatMap(({ data }) => data["SERIN_NATS"] ?? []),
  };
}

test.each(["istio", "envoy-gateway"])("in the overlay %s the sidecars beside Envoy and the controllers have one NATS", (overlay) => {
  const { sidecars, controllers } = natsIn(overlay);
  expect(sidecars).toEqual(["nats://serin-nats.serin:4222"]);
  expect(sidecars).toEqual(controllers);
});
