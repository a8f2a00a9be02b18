import { effect } from '@preact/signals'
import { render } from 'preact'

import './styles/colors.css'
import './styles/page.css'
import './styles/market.css'
import './styles/tables.css'
import { App } from './app.tsx'
import { followConnection, generation } from './gateway.ts'
import { followCatalog } from './instrument-catalog.ts'
import { followKeyboard } from './keyboard.ts'
import { followPreferences } from './preferences.ts'
import { followAddress } from './view-state.ts'

followPreferences()
followAddress()
followConnection()
followKeyboard()
effect(() => {
  // Again with each new token.
  void generation.value
  const following = followCatalog()
  return () => following[Symbol.dispose]()
})

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
