import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The documents that somebody reads, by their paths from the root. */
export function documents(root: string): readonly string[] {
  const found = globSync(['*.md', 'docs/**/*.md', '{apps,libs,tools}/*/*.md'], { cwd: root })
  return found.toSorted()
}

/** Links of a document to other files and headings that lead nowhere. */
export function brokenLinks(root: string, document: string): readonly string[] {
  const text = withoutCode(readFileSync(join(root, document), 'utf8'))
  const links = [...text.matchAll(/\]\((?<target>[^)\s]+)\)/g)].map(
    ({ groups }) => groups?.['target'] ?? '',
  )
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', heading] = link.split('#')
    const target = path === '' ? document : normalize(join(dirname(document), path))
    if (!existsSync(join(root, target))) return true
    return heading !== undefined && !headings(join(root, target)).has(heading)
  })
}

/** Files of tests that a document names and that do not exist: by path, or by name anywhere. */
export function missingTests(root: string, document: string): readonly string[] {
  const text = readFileSync(join(root, document), 'utf8')
  const named = new Set(
    text.match(/[\w./-]+\.test\.ts/g)?.map((name) => name.replace(/^(\.\.\/)+/, '')),
  )
  const all = globSync('{apps,libs,tools}/*/{src,tests}/**/*.test.ts', { cwd: root })
  return [...named].filter(
    (name) => !all.some((file) => file === name || file.endsWith(`/${name}`)),
  )
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`]*`/g, '')
}

/** As GitHub makes anchors of headings: in lower case, punctuation left out, spaces as hyphens. */
function headings(file: string): ReadonlySet<string> {
  const text = readFileSync(file, 'utf8').replaceAll(/^```.*?^```/gms, '')
  const anchors = [...text.matchAll(/^#+ (?<title>.*)$/gm)].map(({ groups }) =>
    (groups?.['title'] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
  return new Set(anchors)
}
