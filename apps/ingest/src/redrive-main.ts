import { runRedriveCommand } from '@tickertape/redrive'
import { SettingsError, readSettings } from '@tickertape/service-runtime'

import { environment } from './config.ts'
import { redrive, redriveSettings } from './redrive-command.ts'

await runRedriveCommand(
  async (args, write, signal) =>
    redrive(readSettings(redriveSettings, 'REDRIVE_', environment), args, write, signal),
  [SettingsError],
)
