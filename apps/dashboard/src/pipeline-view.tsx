import { useEffect, useState } from 'preact/hooks'

import { GatewayError } from '@tickertape/client'
import type { FeedResource, GapResource, Pipeline, RejectedCounts } from '@tickertape/client'

import { asksForKey, keyTrouble } from './access.ts'
import { compactUsd, count, durationText, momentText } from './format.ts'
import { client, explain, generation } from './gateway.ts'
import { Notice, Skeleton } from './notice.tsx'
import { zone } from './preferences.ts'
import { Feeds, Gaps, Gateways, Readers, Rejected } from './pipeline-tables.tsx'
import { Sparkline } from './sparkline.tsx'

/** Between two looks, and how many rates are remembered: two minutes. */
const lookEveryMs = 2_000
const ratesKept = 60

interface Look {
  readonly at: number
  readonly feeds: readonly FeedResource[]
  readonly gaps: readonly GapResource[]
  /** These two are for operators: undefined where the key or token has not the scope for it. */
  readonly pipeline: Pipeline | undefined
  readonly rejected: RejectedCounts | undefined
}

const hopNames = {
  venue: 'Venue',
  ingest: 'Ingest',
  aggregator: 'Aggregator',
  gateway: 'Gateway',
  database: 'Database',
} as const

export function PipelineView() {
  const [seen, setSeen] = useState<Look>()
  const [failure, setFailure] = useState<string>()
  const [rates, setRates] = useState<readonly Pipeline[]>([])
  const run = generation.value
  useEffect(() => {
    const ended = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async (): Promise<void> => {
      // A key that is refused is refused again, and counts against the address each time.
      if (keyTrouble.value === undefined) await look()
      if (!ended.signal.aborted) timer = setTimeout(() => void next(), lookEveryMs)
    }
    const look = async (): Promise<void> => {
      try {
        const taken = await takeLook(ended.signal)
        setSeen(taken)
        setFailure(undefined)
        const { pipeline } = taken
        if (pipeline !== undefined) setRates((before) => [...before, pipeline].slice(-ratesKept))
      } catch (error) {
        if (ended.signal.aborted) return
        setFailure(explain(error))
      }
    }
    void next()
    return () => {
      ended.abort()
      clearTimeout(timer)
    }
  }, [run])
  return (
    <section class="panel page" aria-label="Pipeline">
      <header class="page-header">
        <h1>Pipeline</h1>
        <p class="soft page-note">
          {failure !== undefined && seen !== undefined
            ? `As of ${momentText(seen.at, zone.value)}. ${failure}`
            : 'The road of a trade, as this gateway sees it'}
        </p>
      </header>
      {seen === undefined && failure === undefined && <Skeleton rows={8} height={48} />}
      {seen === undefined && failure !== undefined && (
        <Notice title="The pipeline cannot be shown">{failure}</Notice>
      )}
      {seen !== undefined && <PipelineBody look={seen} rates={rates} />}
    </section>
  )
}

async function takeLook(signal: AbortSignal): Promise<Look> {
  const [{ feeds }, { gaps }, pipeline, rejected] = await Promise.all([
    client.feeds({ signal }),
    client.gaps({ state: 'open', limit: 100 }, { signal }),
    ifAllowed(client.pipeline({ signal })),
    ifAllowed(client.rejected({}, { signal })),
  ])
  return { at: Date.now(), feeds, gaps, pipeline, rejected }
}

async function ifAllowed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'forbidden') return undefined
    throw error
  }
}

function PipelineBody({
  look,
  rates,
}: {
  readonly look: Look
  readonly rates: readonly Pipeline[]
}) {
  const { pipeline, feeds, gaps, rejected } = look
  return (
    <div class="pipeline" tabIndex={0} role="region" aria-label="State of the pipeline">
      {pipeline === undefined ? (
        <p class="soft">
          Delays, rates and rejected records are shown to keys with the scope admin.{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              asksForKey.value = true
            }}
          >
            Use another key
          </button>
        </p>
      ) : (
        <Road pipeline={pipeline} rates={rates} />
      )}
      <div class="two-columns">
        <Feeds feeds={feeds} />
        {rejected !== undefined && <Rejected rejected={rejected} />}
        {pipeline !== undefined && <Readers pipeline={pipeline} />}
        {pipeline !== undefined && <Gateways pipeline={pipeline} />}
      </div>
      <Gaps gaps={gaps} />
    </div>
  )
}

function Road({
  pipeline,
  rates,
}: {
  readonly pipeline: Pipeline
  readonly rates: readonly Pipeline[]
}) {
  return (
    <>
      <ol class="hops">
        {pipeline.hops.map(({ hop, p50Ms, p99Ms, about }) => (
          <li key={hop} class="hop" title={about}>
            <h2>{hopNames[hop]}</h2>
            <p class="hop-figure">{durationText(p50Ms)}</p>
            <p class="soft">p99 {durationText(p99Ms)}</p>
            <p class="hop-about">{about}</p>
          </li>
        ))}
      </ol>
      <div class="cards">
        <Rate
          name="Trades a second"
          value={pipeline.tradesPerSecond}
          values={rates.map((each) => each.tradesPerSecond)}
        />
        <Rate
          name="Candles a second"
          value={pipeline.candlesPerSecond}
          values={rates.map((each) => each.candlesPerSecond)}
        />
        <div class="card">
          <h2>Volume in 24 h</h2>
          <p class="card-figure">{compactUsd(pipeline.notionalUsd24h)}</p>
          <p class="soft">over all instruments</p>
        </div>
      </div>
    </>
  )
}

function Rate({
  name,
  value,
  values,
}: {
  readonly name: string
  readonly value: number
  readonly values: readonly number[]
}) {
  return (
    <div class="card">
      <h2>{name}</h2>
      <p class="card-figure">{value < 10 ? value.toFixed(1) : count(Math.round(value))}</p>
      <Sparkline values={values.map(String)} width={120} height={24} />
    </div>
  )
}
