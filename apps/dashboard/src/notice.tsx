import type { ComponentChildren } from 'preact'

/** What stands where data would: why there is none, and what can be done. */
export function Notice({
  title,
  children,
  onRetry,
}: {
  readonly title: string
  readonly children?: ComponentChildren
  readonly onRetry?: (() => void) | undefined
}) {
  return (
    <div class="notice" role="status">
      <p class="notice-title">{title}</p>
      {children !== undefined && <p class="notice-text">{children}</p>}
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Room of the size of what is on its way. */
export function Skeleton({ rows, height }: { readonly rows: number; readonly height: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} class="skeleton-row" style={{ height: `${height}px` }} />
      ))}
    </div>
  )
}
