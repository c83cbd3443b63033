/** Ordering things that need each other. */

export type DependencyOrder = { readonly order: readonly string[] } | { readonly cycle: readonly string[] };

/**
 * Each name after those it needs; otherwise in the order given. A cycle comes back as a path whose last name is its first.
 * @param needs names outside the list are of no concern here
 */
export function dependencyOrder(names: readonly string[], needs: (name: string) => readonly string[]): DependencyOrder {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (order.includes(name)) return undefined;
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    for (const needed of needs(name)) {
      const cycle = names.includes(needed) ? visit(needed, [...path, name]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    order.push(name);
    return undefined;
  };
  for (const name of names) {
    const cycle = visit(name, []);
    if (cycle !== undefined) return { cycle };
  }
  return { order };
}
