import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Rows beyond each edge that are kept, so that a scroll finds them drawn. */
const overscan = 6

export interface VirtualListProps<Item> {
  readonly items: readonly Item[]
  readonly rowHeight: number
  readonly label: string
  readonly keyOf: (item: Item) => string
  readonly row: (item: Item) => ComponentChildren
  readonly selected: number
  readonly onSelect: (item: Item) => void
  /** The items that are in view, as it changes. */
  readonly onView?: (items: readonly Item[]) => void
}

/** A list box that draws only the rows in view: thousands of instruments are as light as ten. */
export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { items, rowHeight, selected, onSelect, onView, keyOf } = props
  const frame = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 800 })
  const measure = (): void => {
    const element = frame.current
    if (element !== null) setView({ top: element.scrollTop, height: element.clientHeight })
  }
  useLayoutEffect(() => {
    measure()
    const observer = new ResizeObserver(measure)
    if (frame.current !== null) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = frame.current
    if (element === null || selected < 0) return
    const top = selected * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight - element.clientHeight
    }
  }, [selected])
  const first = Math.max(0, Math.floor(view.top / rowHeight) - overscan)
  const last = Math.min(items.length, Math.ceil((view.top + view.height) / rowHeight) + overscan)
  const shown = items.slice(first, last)
  const keys = shown.map(keyOf).join('\n')
  useEffect(() => onView?.(shown), [keys])
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1)
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -items.length,
      End: items.length,
    }
    const step = steps[event.key]
    const item = items[Math.min(items.length - 1, Math.max(0, selected + (step ?? 0)))]
    if (step === undefined || item === undefined) return
    event.preventDefault()
    event.stopPropagation()
    onSelect(item)
  }
  return (
    <div
      class="virtual-list"
      ref={frame}
      role="listbox"
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={selected >= first && selected < last ? `row-${selected}` : undefined}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      <div
        class="virtual-space"
        style={{ height: `${items.length * rowHeight}px` }}
        role="presentation"
      >
        {shown.map((item, at) => (
          <div
            key={keyOf(item)}
            id={`row-${first + at}`}
            class="virtual-row"
            role="option"
            aria-selected={first + at === selected}
            aria-setsize={items.length}
            aria-posinset={first + at + 1}
            style={{
              height: `${rowHeight}px`,
              transform: `translateY(${(first + at) * rowHeight}px)`,
            }}
            onClick={() => onSelect(item)}
          >
            {props.row(item)}
          </div>
        ))}
      </div>
    </div>
  )
}
