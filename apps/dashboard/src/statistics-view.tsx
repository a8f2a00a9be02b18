import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'

import type { StatsOf } from '@tickertape/client'

import { compactDecimal, compactUsd, count } from './format.ts'
import { client, explain, generation, noteNotice } from './gateway.ts'
import { Notice, Skeleton } from './notice.tsx'
import { QualityBadge } from './quality-badge.tsx'
import { show, statsSpans, statsSubjects, viewState } from './view-state.ts'

type Stats = StatsOf[keyof StatsOf]

/** Rows that are drawn; a search finds the rest. */
const mostRows = 200
/** Updates of many rows are drawn together. */
const drawEveryMs = 500

const filter = signal('')
const subjectNames = { tokens: 'Tokens', pairs: 'Pairs', instruments: 'Instruments' } as const

type State =
  | { readonly status: 'loading' }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'live'; readonly rows: readonly Stats[] }

export function StatisticsView() {
  const { of, span } = viewState.value
  const state = useStats()
  return (
    <section class="panel page" aria-label="Statistics">
      <header class="page-header">
        <h1>Statistics</h1>
        <div class="tabs" role="group" aria-label="Statistics of">
          {statsSubjects.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === of}
              onClick={() => show({ of: each })}
            >
              {subjectNames[each]}
            </button>
          ))}
        </div>
        <div class="tabs" role="group" aria-label="Time span">
          {statsSpans.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === span}
              onClick={() => show({ span: each })}
            >
              {each}
            </button>
          ))}
        </div>
        <input
          id="search"
          class="search"
          type="search"
          placeholder={`Filter ${of}`}
          aria-label={`Filter ${of}`}
          value={filter.value}
          onInput={({ currentTarget }) => {
            filter.value = currentTarget.value
          }}
        />
      </header>
      <StatsBody state={state} />
    </section>
  )
}

function StatsBody({ state }: { readonly state: State }) {
  if (state.status === 'loading') return <Skeleton rows={10} height={34} />
  if (state.status === 'failed') {
    return <Notice title="Statistics cannot be shown">{state.reason}</Notice>
  }
  const wanted = filter.value.toLowerCase()
  const found = state.rows
    .filter((row) => nameOf(row).toLowerCase().includes(wanted))
    .sort((a, b) => Number(b.notionalUsd ?? -1) - Number(a.notionalUsd ?? -1))
  if (found.length === 0) {
    return (
      <Notice
        title={state.rows.length === 0 ? 'Nothing was traded in this span' : 'Nothing is found'}
      />
    )
  }
  const most = Number(found[0]?.notionalUsd ?? 0)
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label="Statistics, by volume in USD">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Volume in USD
            </th>
            <th scope="col" class="wide-only">
              <span class="for-readers">Share of the greatest</span>
            </th>
            <th scope="col" class="number">
              Volume
            </th>
            <th scope="col">Bought by takers</th>
            <th scope="col" class="number">
              Trades
            </th>
            <th scope="col">Known</th>
          </tr>
        </thead>
        <tbody>
          {found.slice(0, mostRows).map((row) => (
            <StatsRow key={nameOf(row)} row={row} most={most} />
          ))}
        </tbody>
      </table>
      {found.length > mostRows && (
        <p class="soft table-more">
          The first {mostRows} of {count(found.length)}; the filter finds the others.
        </p>
      )}
    </div>
  )
}

function StatsRow({ row, most }: { readonly row: Stats; readonly most: number }) {
  const name = nameOf(row)
  // Of a token it tells of the pairs that it is the base of.
  const bought = shareOf(row.buyVolume, 'token' in row ? row.volumeAsBase : row.volume)
  const known = knownShare(row)
  return (
    <tr>
      <th scope="row">
        {'instrumentId' in row ? (
          <button
            type="button"
            class="link"
            onClick={() => show({ view: 'market', instrument: row.instrumentId })}
          >
            {name}
          </button>
        ) : (
          name
        )}
      </th>
      <td class="number">{compactUsd(row.notionalUsd)}</td>
      <td class="wide-only">
        <meter
          class="bar"
          min={0}
          max={Math.max(most, 1)}
          value={Number(row.notionalUsd ?? 0)}
          aria-label={`${name}: share of the greatest`}
        />
      </td>
      <td class="number" title={row.volume ?? 'Counted in contracts of unknown size'}>
        {compactDecimal(row.volume)}
      </td>
      <td>
        {bought === undefined ? (
          <span class="soft">–</span>
        ) : (
          <span class="bought">
            <meter
              class="bar bar-bought"
              min={0}
              max={1}
              value={bought}
              aria-label={`${name}: bought by takers`}
            />
            {Math.round(bought * 100)}%
          </span>
        )}
      </td>
      <td class="number">{count(row.tradeCount)}</td>
      <td>
        {known === 1 ? (
          <span class="soft">all</span>
        ) : (
          <span title="How much of the time is fully known, over all instruments">
            <QualityBadge quality={row.quality} />{' '}
            <span class="soft">{Math.floor(known * 100)}% known</span>
          </span>
        )}
      </td>
    </tr>
  )
}

/** The statistics that the address asks for, kept as the stream tells them. */
function useStats(): State {
  const { of, span } = viewState.value
  const [state, setState] = useState<State>({ status: 'loading' })
  const run = generation.value
  useEffect(() => {
    setState({ status: 'loading' })
    let rows = new Map<string, Stats>()
    let timer: ReturnType<typeof setTimeout> | undefined
    const draw = (): void => {
      timer = undefined
      setState({ status: 'live', rows: [...rows.values()] })
    }
    const subscription = client.stream().stats(
      { of, span, names: ['*'] },
      {
        event: (event) => {
          if (event.type === 'reset') return
          if (event.type === 'snapshot') {
            rows = new Map(event.stats.map((each) => [nameOf(each), each]))
            draw()
          } else {
            rows.set(nameOf(event.stats), event.stats)
            timer ??= setTimeout(draw, drawEveryMs)
          }
        },
        error: (error) => setState({ status: 'failed', reason: explain(error) }),
        notice: noteNotice,
      },
    )
    return () => {
      clearTimeout(timer)
      subscription.close()
    }
  }, [of, span, run])
  return state
}

function nameOf(stats: Stats): string {
  if ('instrumentId' in stats) return stats.instrumentId
  return 'token' in stats ? stats.token : `${stats.base}/${stats.quote}`
}

/** Of all minutes, of each instrument counted apart. */
function knownShare({ minutes }: Stats): number {
  const known = minutes.complete + minutes.quiet + minutes.backfilled
  const all = known + minutes.gap + minutes.partial + minutes.missing
  return all === 0 ? 1 : known / all
}

function shareOf(part: string | null, whole: string | null): number | undefined {
  if (part === null || whole === null || Number(whole) === 0) return undefined
  return Number(part) / Number(whole)
}
