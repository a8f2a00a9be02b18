import { describe, expect, it } from 'vitest'

import { dashboardPlans } from '../dashboards.ts'
import { buildDashboard } from './dashboard.ts'

const dashboards = dashboardPlans.map(buildDashboard)

describe.each(dashboards.map((dashboard) => ({ title: dashboard.title, dashboard })))(
  '$title',
  ({ dashboard }) => {
    // The panels of the SDK's type, rows aside.
    const panels = (dashboard.panels ?? []).flatMap((panel) => ('targets' in panel ? [panel] : []))

    it('has panels with a title and a query each, and no title twice', () => {
      expect(panels.length).toBeGreaterThan(5)
      const titles = panels.map(({ title }) => title)
      expect(new Set(titles).size).toBe(titles.length)
      for (const { targets } of panels) expect(targets?.length).toBeGreaterThan(0)
    })

    it('lays no panel over another one', () => {
      const cells = panels.flatMap(({ gridPos }) => {
        if (gridPos === undefined) throw new Error('a panel has no place')
        const { x, y, w, h } = gridPos
        expect(x + w).toBeLessThanOrEqual(24)
        return Array.from({ length: w * h }, (_, cell) => {
          return `${x + (cell % w)},${y + Math.floor(cell / w)}`
        })
      })
      expect(new Set(cells).size).toBe(cells.length)
    })
  },
)

it('no two dashboards share an address', () => {
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length)
})
