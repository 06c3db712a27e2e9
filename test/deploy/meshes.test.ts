import { envoyGateway } from "../support/envoy-gateway.ts";
import { istioGateway, istioOutbound } from "../support/istio.ts";
import { meshEnvoy } from "../support/mesh-envoy.ts";
import { testMesh } from "../support/mesh-tests.ts";

// The same as in test/e2e, with the Envoy that the meshes have.
for (const mesh of [envoyGateway, istioGateway, istioOutbound]) testMesh(mesh, meshEnvoy);
