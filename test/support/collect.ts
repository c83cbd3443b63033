/** Everything a stream gives, mapped. */
export async function collect<T, R>(items: AsyncIterable<T>, map: (item: T) => R): Promise<R[]> {
  const collected: R[] = [];
  for await (const item of items) collected.push(map(item));
  return collected;
}
