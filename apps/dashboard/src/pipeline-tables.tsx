import type { ComponentChildren } from 'preact'

import type { FeedResource, GapResource, Pipeline, RejectedCounts } from '@tickertape/client'

import { count, durationText, momentText } from './format.ts'
import { zone } from './preferences.ts'

export function Feeds({ feeds }: { readonly feeds: readonly FeedResource[] }) {
  return (
    <Titled title="Feeds">
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
    </Titled>
  )
}

export function Readers({ pipeline }: { readonly pipeline: Pipeline }) {
  return (
    <Titled title="Readers of topics">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Topic</th>
            <th scope="col">Reader</th>
            <th scope="col" class="number">
              Records behind
            </th>
          </tr>
        </thead>
        <tbody>
          {pipeline.lags.map(({ topic, reader, records }) => (
            <tr key={`${topic} ${reader}`}>
              <th scope="row">{topic}</th>
              <td>{reader}</td>
              <td class="number">{count(records)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Titled>
  )
}

export function Gateways({ pipeline }: { readonly pipeline: Pipeline }) {
  return (
    <Titled title="Gateways">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col" class="number">
              Clients
            </th>
            <th scope="col" class="number">
              Seen
            </th>
          </tr>
        </thead>
        <tbody>
          {pipeline.gateways.map(({ instance, clients, seenAt }) => (
            <tr key={instance}>
              <th scope="row">{instance}</th>
              <td class="number">{count(clients)}</td>
              <td class="number">{durationText(Math.max(0, pipeline.at - seenAt))} ago</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Titled>
  )
}

export function Rejected({ rejected }: { readonly rejected: RejectedCounts }) {
  return (
    <Titled title="Rejected in the last day">
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
    </Titled>
  )
}

export function Gaps({ gaps }: { readonly gaps: readonly GapResource[] }) {
  return (
    <Titled title="Open gaps">
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
    </Titled>
  )
}

/** A table that scrolls by itself where it is wider than the page, by keyboard as well. */
function Titled({
  title,
  children,
}: {
  readonly title: string
  readonly children: ComponentChildren
}) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={title}>
      <h2 class="table-title">{title}</h2>
      {children}
    </div>
  )
}
