import { inject } from "vitest";
import { envoyGateway } from "../support/envoy-gateway.ts";
import { istioGateway, istioOutbound } from "../support/istio.ts";
import { testMesh } from "../support/mesh-tests.ts";

for (const mesh of [envoyGateway, istioGateway, istioOutbound]) testMesh(mesh, () => inject("envoyProgram"));
