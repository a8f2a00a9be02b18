import { ConnectionBanner, ConnectionState } from './connection-banner.tsx'
import { MarketView } from './market-view.tsx'
import { HelpOverlay, showsHelp, TokenOverlay } from './overlays.tsx'
import { PipelineView } from './pipeline-view.tsx'
import { switchTheme, switchZone, theme, zone } from './preferences.ts'
import { StatisticsView } from './statistics-view.tsx'
import { show, views, viewState, writeAddress } from './view-state.ts'

const viewNames = { market: 'Markets', statistics: 'Statistics', pipeline: 'Pipeline' } as const

export function App() {
  const { view } = viewState.value
  return (
    <>
      <TopBar />
      <main class="main">
        {view === 'market' && <MarketView />}
        {view === 'statistics' && <StatisticsView />}
        {view === 'pipeline' && <PipelineView />}
      </main>
      <ConnectionBanner />
      <HelpOverlay />
      <TokenOverlay />
    </>
  )
}

function TopBar() {
  const state = viewState.value
  return (
    <header class="top">
      <span class="brand">
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden>
          <path d="M5 4v16M3 9h4v7H3zM12 3v14M10 6h4v6h-4zM19 7v14M17 11h4v6h-4z" />
        </svg>
        <span class="brand-name">Tickertape</span>
      </span>
      <nav aria-label="Views">
        {views.map((each) => (
          <a
            key={each}
            href={writeAddress({ ...state, view: each })}
            aria-current={each === state.view ? 'page' : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return
              event.preventDefault()
              show({ view: each })
            }}
          >
            {viewNames[each]}
          </a>
        ))}
      </nav>
      <span class="top-space" />
      <ConnectionState />
      <button
        type="button"
        class="icon-button zone-button"
        aria-label={`Times are ${zone.value === 'utc' ? 'in UTC' : 'local'}; switch`}
        title="UTC or local time (z)"
        onClick={switchZone}
      >
        {zone.value === 'utc' ? 'UTC' : 'Local'}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={theme.value === 'dark' ? 'Switch to light' : 'Switch to dark'}
        title="Dark or light (t)"
        onClick={switchTheme}
      >
        {theme.value === 'dark' ? '☾' : '☀'}
      </button>
      <button
        type="button"
        class="icon-button help-button"
        aria-label="Help"
        title="Keys (?)"
        onClick={() => {
          showsHelp.value = true
        }}
      >
        ?
      </button>
    </header>
  )
}
