import { useEffect, useState } from 'preact/hooks'

import { GatewayError } from '@tickertape/client'
import type { FeedResource, GapResource, Pipeline, RejectedCounts } from '@tickertape/client'

import { count, durationText, momentText } from './format.ts'
import { client, explain, generation } from './gateway.ts'
import { Notice, Skeleton } from './notice.tsx'
import { zone } from './preferences.ts'
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
  const [look, setLook] = useState<Look>()
  const [failure, setFailure] = useState<string>()
  const [rates, setRates] = useState<readonly Pipeline[]>([])
  const run = generation.value
  useEffect(() => {
    const ended = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async (): Promise<void> => {
      try {
        const seen = await takeLook(ended.signal)
        setLook(seen)
        setFailure(undefined)
        const { pipeline } = seen
        if (pipeline !== undefined) setRates((before) => [...before, pipeline].slice(-ratesKept))
      } catch (error) {
        if (ended.signal.aborted) return
        setFailure(explain(error))
      }
      if (!ended.signal.aborted) timer = setTimeout(() => void next(), lookEveryMs)
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
          {failure !== undefined && look !== undefined
            ? `As of ${momentText(look.at, zone.value)}. ${failure}`
            : 'The road of a trade, as this gateway sees it'}
        </p>
      </header>
      {look === undefined && failure === undefined && <Skeleton rows={8} height={48} />}
      {look === undefined && failure !== undefined && (
        <Notice title="The pipeline cannot be shown">{failure}</Notice>
      )}
      {look !== undefined && <PipelineBody look={look} rates={rates} />}
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
          Delays, rates and rejected records are shown to keys with the scope admin.
        </p>
      ) : (
        <Road pipeline={pipeline} rates={rates} />
      )}
      <div class="two-columns">
        <Feeds feeds={feeds} />
        {rejected !== undefined && <Rejected rejected={rejected} />}
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
        {pipeline.lags.map(({ topic, reader, records }) => (
          <div key={`${topic} ${reader}`} class="card">
            <h2>{reader} behind</h2>
            <p class="card-figure">{count(records)}</p>
            <p class="soft">records of {topic}</p>
          </div>
        ))}
        {pipeline.gateways.map(({ instance, clients, seenAt }) => (
          <div key={instance} class="card">
            <h2>Clients</h2>
            <p class="card-figure">{count(clients)}</p>
            <p class="soft">
              of {instance}, {durationText(Math.max(0, pipeline.at - seenAt))} ago
            </p>
          </div>
        ))}
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

function Feeds({ feeds }: { readonly feeds: readonly FeedResource[] }) {
  return (
    <div class="table-box">
      <h2 class="table-title">Feeds</h2>
      {feeds.length === 0 && <p class="soft">No feed has told of itself yet.</p>}
      {feeds.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Feed</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Behind
              </th>
              <th scope="col" class="number">
                Instruments
              </th>
              <th scope="col" class="number">
                Open gaps
              </th>
            </tr>
          </thead>
          <tbody>
            {feeds.map(({ feedId, state, lagMs, instruments, openGaps }) => (
              <tr key={feedId}>
                <th scope="row">{feedId}</th>
                <td>
                  <span class={`feed-state feed-${state}`}>{state}</span>
                </td>
                <td class="number">{durationText(lagMs)}</td>
                <td class="number">{count(instruments)}</td>
                <td class={`number ${openGaps > 0 ? 'warns' : ''}`}>{count(openGaps)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Rejected({ rejected }: { readonly rejected: RejectedCounts }) {
  return (
    <div class="table-box">
      <h2 class="table-title">Rejected in the last day</h2>
      {rejected.counts.length === 0 && <p class="soft">None: every record could be used.</p>}
      {rejected.counts.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Stage</th>
              <th scope="col" class="number">
                Records
              </th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {rejected.counts.map(({ reason, stage, count: records, lastRejectedAt }) => (
              <tr key={`${reason} ${stage}`}>
                <th scope="row">{reason}</th>
                <td>{stage}</td>
                <td class="number">{count(records)}</td>
                <td>{momentText(lastRejectedAt, zone.value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Gaps({ gaps }: { readonly gaps: readonly GapResource[] }) {
  return (
    <div class="table-box">
      <h2 class="table-title">Open gaps</h2>
      {gaps.length === 0 && <p class="soft">None: nothing is known to be missing.</p>}
      {gaps.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">From</th>
              <th scope="col" class="number">
                Length
              </th>
              <th scope="col">Sequences</th>
            </tr>
          </thead>
          <tbody>
            {gaps.map(
              ({ gapId, feedId, instrumentId, fromTime, toTime, fromSequence, toSequence }) => (
                <tr key={gapId}>
                  <th scope="row">{instrumentId ?? `all of ${feedId}`}</th>
                  <td>{momentText(fromTime, zone.value)}</td>
                  <td class="number">{durationText(toTime - fromTime)}</td>
                  <td>
                    {fromSequence === null || toSequence === null
                      ? '–'
                      : `${count(fromSequence)} to ${count(toSequence)}`}
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      )}
    </div>
  )
}
