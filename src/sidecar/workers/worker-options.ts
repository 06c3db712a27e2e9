import { extname, join } from "node:path";
import { UsageError } from "../../contract/errors.ts";
import { SidecarOptionsSchema, type SidecarSettings } from "../options.ts";

/** Stands for the worker's number in the path of a socket. */
const PLACEHOLDER = "{worker}";
const MAX_PORT = 65_535;

/** What each of several workers is started with. Throws UsageError where they would meet on one address, ZodError where a name gets too long. */
export function workerOptions(settings: SidecarSettings, count: number): SidecarSettings[] {
  const all = Array.from({ length: count }, (_, index) =>
    SidecarOptionsSchema.parse({
      ...onAddresses(settings, (address) => addressOf(address, index)),
      id: `${settings.id}-${index}`,
      ...(settings.stateDir !== undefined && { stateDir: join(settings.stateDir, `worker-${index}`) }),
      // The parent has them; it says what else is pushed.
      metrics: "off",
      otlp: false,
    }),
  );
  refuseMeeting([settings.metrics, ...all.flatMap(({ extProc, als }) => (als === undefined ? [extProc] : [extProc, als]))]);
  return all;
}

/** What a single process is started with: the placeholder is 0, and all else as it is. */
export const singleOptions = (settings: SidecarSettings): SidecarSettings =>
  onAddresses(settings, (address) => (address.startsWith("unix:") ? address.replaceAll(PLACEHOLDER, "0") : address));

const onAddresses = (settings: SidecarSettings, change: (address: string) => string): SidecarSettings => ({
  ...settings,
  extProc: change(settings.extProc),
  ...(settings.als !== undefined && { als: change(settings.als) }),
});

function addressOf(address: string, index: number): string {
  if (address.startsWith("unix:")) {
    if (address.includes(PLACEHOLDER)) return address.replaceAll(PLACEHOLDER, String(index));
    const extension = extname(address);
    return `${address.slice(0, address.length - extension.length)}-${index}${extension}`;
  }
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  if (port === 0) return address;
  if (port + index > MAX_PORT)
    throw new UsageError(`${address}: worker ${index} would get port ${port + index}; the highest is ${MAX_PORT}, begin lower`);
  return `${address.slice(0, colon)}:${port + index}`;
}

function refuseMeeting(addresses: readonly string[]): void {
  const fixed = addresses.filter((address) => !/:0+$/.test(address) || address.startsWith("unix:"));
  const twice = fixed.find((address, index) => fixed.indexOf(address) < index);
  if (twice !== undefined)
    throw new UsageError(`${twice} would be used twice; workers count up from the address given, so leave room between addresses`);
}
