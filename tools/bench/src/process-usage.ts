import { readFile } from 'node:fs/promises'

export interface ProcessUsage {
  /** User and system time of all its threads so far, in seconds. */
  readonly cpuSeconds: number
  /** The most memory that it ever held, in MB of 10^6 bytes. */
  readonly peakRssMb: number
  /** What it holds now, in the same. */
  readonly rssMb: number
}

/** Ticks in which Linux tells CPU times to programs: USER_HZ, on every architecture that Node runs on. */
const ticksPerSecond = 100

/**
 * Reads /proc of a running process.
 *
 * @throws Error elsewhere than on Linux, or if the process is gone.
 */
export async function usageOf(pid: number): Promise<ProcessUsage> {
  if (process.platform !== 'linux') {
    throw new Error('CPU time and memory of a process are read from /proc: run this bench on Linux')
  }
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  return { cpuSeconds: cpuSecondsOf(stat), peakRssMb: peakRssMbOf(status), rssMb: rssMbOf(status) }
}

/** From /proc/[pid]/stat, proc_pid_stat(5): utime and stime are fields 14 and 15. */
export function cpuSecondsOf(stat: string): number {
  // The second field, a name in parentheses, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** From /proc/[pid]/status: VmHWM, in units of 1024 bytes. */
export function peakRssMbOf(status: string): number {
  return megabytesOf('VmHWM', status)
}

/** From /proc/[pid]/status: VmRSS, in the same units. */
export function rssMbOf(status: string): number {
  return megabytesOf('VmRSS', status)
}

function megabytesOf(field: string, status: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  return (Number(kibibytes) * 1024) / 1e6
}
