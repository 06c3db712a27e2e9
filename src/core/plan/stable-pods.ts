import type { PodShown } from "../../contract/handover.ts";

/** What is known of a pod; images by the names of its containers. */
export interface Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<string, string>>;
}

/** What stable's pods do not show that they must, for people; undefined where each of them shows it. */
export function podsLack(shown: PodShown, pods: readonly Pod[]): string | undefined {
  const others = pods.filter((pod) => !shows(shown, pod));
  const [first] = others;
  if (first === undefined) return pods.length === 0 ? "stable's Service has no pods" : undefined;
  return `${others.length} of ${pods.length} pods do not show it: ${first.name} has ${has(shown, first)}`;
}

const shows = (shown: PodShown, { labels, images }: Pod): boolean =>
  "label" in shown ? labels[shown.label] === shown.equals : imagesOf(shown, images).includes(shown.image);

const imagesOf = ({ container }: { container?: string | undefined }, images: Pod["images"]): readonly (string | undefined)[] =>
  container === undefined ? Object.values(images) : [images[container]];

const has = (shown: PodShown, { labels, images }: Pod): string =>
  "label" in shown
    ? (labels[shown.label] ?? `no label ${shown.label}`)
    : imagesOf(shown, images)
        .map((image) => image ?? "no such container")
        .join(", ");
