export { waitFor } from "../../src/demo/wait-for.ts";
