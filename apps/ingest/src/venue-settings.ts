import { SettingsError, choiceSetting, textSetting, urlSetting } from '@tickertape/service-runtime'
import type { Setting, SettingValues } from '@tickertape/service-runtime'

import { okxChannels } from './mapper-okx.ts'
import type { BinanceOptions } from './venue-binance.ts'
import type { DeribitOptions } from './venue-deribit.ts'
import type { OkxOptions } from './venue-okx.ts'

/** A text that is printed nowhere. */
function secretSetting(about: string): Setting<string> {
  return { ...textSetting({ default: '', about }), secret: true }
}

/** What only one venue has. */
export const venueSettings = {
  INGEST_DERIBIT_INTERVAL: choiceSetting(['100ms', 'agg2', 'raw'], {
    default: '100ms',
    about: 'How long Deribit gathers trades before it sends them; raw needs an account',
  }),
  INGEST_DERIBIT_CLIENT_ID: textSetting({
    default: '',
    about: "Id of a key of Deribit's, which may only read; empty: a session without one",
  }),
  INGEST_DERIBIT_CLIENT_SECRET: secretSetting('Secret of that key; never printed'),
  INGEST_DERIBIT_ARCHIVE_URL: urlSetting(['http', 'https'], {
    default: '',
    optional: true,
    about:
      "Base address of Deribit's trades older than a day; empty: Deribit's own, unless INGEST_REST_URL is set",
  }),
  INGEST_BINANCE_STREAM: choiceSetting(['auto', 'trade', 'aggTrade'], {
    default: 'auto',
    about:
      'Single trades or aggregate ones, whose ids are counted apart: another choice needs topics of its own; auto: trade on spot, aggTrade on futures',
  }),
  INGEST_BINANCE_API_KEY: secretSetting(
    "A key of Binance's, which its futures ask for the history of single trades; never printed",
  ),
  INGEST_OKX_CHANNEL: choiceSetting(okxChannels, {
    default: 'trades-all',
    about:
      'trades-all: each trade; trades: one record for what an order makes at one price, whose losses do not show and cannot be fetched',
  }),
} as const

export interface VenueSettings {
  readonly deribit: DeribitOptions
  readonly binance: BinanceOptions
  readonly okx: OkxOptions
}

const deribitArchive = 'https://history.deribit.com/api/v2'

/**
 * @param restUrl where the venue's REST interface is, if it is not the venue's own.
 * @throws SettingsError
 */
export function readVenueSettings(
  values: SettingValues<typeof venueSettings>,
  restUrl: string,
): VenueSettings {
  const clientId = values.INGEST_DERIBIT_CLIENT_ID
  const clientSecret = values.INGEST_DERIBIT_CLIENT_SECRET
  const problems: string[] = []
  if ((clientId === '') !== (clientSecret === '')) {
    problems.push('INGEST_DERIBIT_CLIENT_ID and INGEST_DERIBIT_CLIENT_SECRET must be set together')
  }
  if (values.INGEST_DERIBIT_INTERVAL === 'raw' && clientId === '') {
    problems.push('INGEST_DERIBIT_INTERVAL raw needs INGEST_DERIBIT_CLIENT_ID and its secret')
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return {
    deribit: {
      interval: values.INGEST_DERIBIT_INTERVAL,
      account: clientId === '' ? undefined : { clientId, clientSecret },
      archiveUrl:
        values.INGEST_DERIBIT_ARCHIVE_URL || (restUrl === '' ? deribitArchive : undefined),
    },
    binance: {
      stream: values.INGEST_BINANCE_STREAM,
      apiKey: values.INGEST_BINANCE_API_KEY,
    },
    okx: { channel: values.INGEST_OKX_CHANNEL },
  }
}
