export { binomial, randomOf } from "../../src/core/simulate/random.ts";
