/**
 * The venue's time where its WebSocket tells none: asked for elsewhere, then a question on the socket,
 * whose answer comes behind everything that was sent before.
 *
 * @returns undefined if the time was not told; the barrier still shows that the connection lives.
 * @throws what the barrier throws.
 */
export async function timeBehindBarrier(
  time: () => Promise<number>,
  barrier: () => Promise<unknown>,
): Promise<number | undefined> {
  const told = await time().catch(() => undefined)
  await barrier()
  return told
}
