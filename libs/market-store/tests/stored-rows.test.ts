import { expect, it } from 'vitest'

import { testDatabase } from '@tickertape/testing'

import {
  CopyRows,
  Database,
  bulkCopy,
  ensureTradePartitions,
  isDataError,
  migrate,
  tradeDay,
  tradeFormat,
  trades,
  tryStoredRows,
} from '../src/index.ts'
import { plainTrade } from './plain-trade.ts'

async function open() {
  const created = await testDatabase()
  await migrate(created.url)
  const database = new Database(created.url, { applicationName: 'test' })
  await ensureTradePartitions(database, [tradeDay(Date.UTC(2026, 0, 5))])
  return {
    database,
    store: async (...prices: readonly number[]) => {
      const rows = new CopyRows(tradeFormat)
      for (const [offset, mantissa] of prices.entries()) {
        const price = { mantissa, exponent: 0 }
        rows.append(plainTrade(`t${offset}`, { price }), { partition: 0, offset })
      }
      await database.transaction((transaction) => bulkCopy(transaction, rows))
    },
    answer: () =>
      database.transaction((transaction) => tryStoredRows(transaction, trades, isDataError)),
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await created[Symbol.asyncDispose]()
    },
  }
}

async function tradesIn(database: Database): Promise<readonly unknown[]> {
  return (await database.query('select * from trades order by trade_id')).rows
}

it.each([
  ['as it was', 'select', 'taken'],
  ['with a check that all rows pass', 'alter table trades add check (price > 0)', 'taken'],
  [
    'with a check that one row passes',
    'alter table trades add check (price > 2) not valid',
    'taken',
  ],
  [
    'with a check that none passes',
    'alter table trades add check (price > 3) not valid',
    'refused',
  ],
  // A role without the right to delete got that error instead of the rule's, which counted as taken.
  ['that nobody may delete from', 'revoke delete on trades from current_user', 'unknown'],
  [
    'that nobody may delete from, with a check that none passes',
    `revoke delete on trades from current_user;
      alter table trades add check (price > 3) not valid`,
    'refused',
  ],
])(
  'what a table %s (%s) does with what it holds: %s, and it is left as it was',
  async (_, alteration, expected) => {
    await using at = await open()
    await at.store(1, 2, 3)
    await at.database.query(alteration)
    const before = await tradesIn(at.database)
    expect(await at.answer()).toBe(expected)
    expect(await tradesIn(at.database)).toEqual(before)
  },
)

it('a table without rows says nothing', async () => {
  await using at = await open()
  await at.database.query('alter table trades add check (price < 0)')
  expect(await at.answer()).toBe('unknown')
})
