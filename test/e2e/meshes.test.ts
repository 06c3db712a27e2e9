import { inject } from "vitest";
import { istioGateway, istioOutbound } from "../support/istio.ts";
import { testMesh } from "../support/mesh-tests.ts";

for (const mesh of [istioGateway, istioOutbound]) testMesh(mesh, () => inject("envoyProgram"));
