/** By the library's own weights, greatest first: the length in ms that a mark of it begins. */
const withinDay = [
  [43_200_000, 33],
  [21_600_000, 32],
  [10_800_000, 31],
  [3_600_000, 30],
  [1_800_000, 22],
  [300_000, 21],
  [60_000, 20],
  [1_000, 10],
] as const

const [year, month, day, none] = [70, 60, 50, 0]

/**
 * How much a time deserves a mark on the axis: the more the longer what begins between the time before it and
 * itself. Times are ms of a clock as if it stood in UTC. One that was put back (the end of summer time) begins its
 * hours once more, but no day.
 */
export function markWeight(before: number, time: number): number {
  const [a, b] = [new Date(before), new Date(time)]
  if (b.getUTCFullYear() !== a.getUTCFullYear()) return year
  if (b.getUTCMonth() !== a.getUTCMonth()) return month
  if (b.getUTCDate() !== a.getUTCDate()) return day
  const begun = withinDay.find(([ms]) => Math.floor(before / ms) !== Math.floor(time / ms))
  return begun === undefined ? none : begun[1]
}
