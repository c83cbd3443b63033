/**
 * Tells a client something in passing. One that left meanwhile is no failure of the work that tells: on a closed connection the library
 * throws at once, on a breaking one it rejects later.
 */
export function tell(send: () => Promise<void>): void {
  const sending = async () => send();
  sending().catch(() => undefined);
}
