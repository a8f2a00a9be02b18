import { defaultHorzScaleBehavior } from 'lightweight-charts'
import type { IHorzScaleBehavior, TickMarkWeightValue, Time } from 'lightweight-charts'

import { markWeight } from './mark-weight.ts'

type Behavior = IHorzScaleBehavior<Time>
type Points = Parameters<Behavior['fillWeightsForPoints']>[0]

const DefaultBehavior = defaultHorzScaleBehavior()

/**
 * A time axis whose marks are by the days and hours of the local time zone; the library itself sets them by those
 * of UTC. Which of the two counts is asked whenever points come.
 */
export function marksBy(isLocal: () => boolean): Behavior {
  const behavior = new DefaultBehavior()
  const byUtc = behavior.fillWeightsForPoints.bind(behavior)
  behavior.fillWeightsForPoints = (points: Points, startIndex: number): void => {
    if (!isLocal()) {
      byUtc(points, startIndex)
      return
    }
    for (let index = startIndex; index < points.length; index += 1) {
      const point = points[index]
      const before = points[index - 1] ?? points[0]
      if (point === undefined || before === undefined) continue
      const weight = markWeight(localTime(timeOf(before)), localTime(timeOf(point)))
      // The library's brand on its own numbers.
      point.timeWeight = weight as TickMarkWeightValue
    }
  }
  return behavior
}

/** What a clock on the wall shows, as if it stood in UTC. */
function localTime(time: number): number {
  return time - new Date(time).getTimezoneOffset() * 60_000
}

function timeOf({ originalTime }: Points[number]): number {
  // Only seconds are given to the chart.
  return Number(originalTime) * 1_000
}
