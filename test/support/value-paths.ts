/** What a name stands for in a template, as a path of values: `*` is the component that a caller names, undefined no value at all. */
type Place = string | undefined;

const REF = /(?<variable>\$\w*)?(?<names>(?:\.[\w*]+)+)/g;
const joined = (place: string, name: string): string => (place === "" ? name : `${place}.${name}`);

/** Paths of values that templates of Helm read, as far as their text tells: `with` and variables are followed, `*` is any component. */
export function valuePaths(template: string): ReadonlySet<string> {
  const paths = new Set<string>();
  const variables = new Map<string, Place>();
  const dots: Place[] = [undefined];
  const placeOf = ({ variable, names = "" }: Partial<Record<string, string>>): Place => {
    const [, ofValues] = /\.Values(?:\.|$)(.*)/.exec(names) ?? [];
    if (ofValues !== undefined) return ofValues;
    const base = variable === undefined ? dots.at(-1) : variables.get(variable);
    return base === undefined ? undefined : joined(base, names.slice(1));
  };
  const single = (text: string): Place => {
    const [found] = [...text.trim().matchAll(REF)];
    return found?.[0] === text.trim() ? placeOf(found.groups ?? {}) : undefined;
  };
  for (const action of actionsOf(template)) {
    for (const { groups = {} } of action.matchAll(REF)) {
      const place = placeOf(groups);
      if (place !== undefined && place !== "") paths.add(place);
    }
    const { word, rest = "" } = /^(?<word>if|with|range|define|else|end)\b(?<rest>.*)/s.exec(action)?.groups ?? {};
    if (word === "end") dots.pop();
    if (word === "else") dots.splice(-1, 1, dots.at(-2));
    if (word === "if") dots.push(dots.at(-1));
    if (word === "with") dots.push(single(rest));
    if (word === "range" || word === "define") dots.push(undefined);
    const [, variable, value = ""] = /^(\$\w+) := (.*)$/s.exec(action) ?? [];
    if (variable !== undefined) variables.set(variable, single(value));
  }
  return paths;
}

/** What stands between braces, without comments and quoted text. */
const actionsOf = (template: string): string[] =>
  [...template.matchAll(/\{\{-?\s*(?!-?\s*\/\*)(.*?)\s*-?\}\}/gs)].map(([, action = ""]) =>
    action.replaceAll(/"[^"]*"/g, '""').replaceAll(/\(?index \.root\.Values \.component\)?/g, ".Values.*"),
  );
