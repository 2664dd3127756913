// picture.ts: docs/spin.svg, what the README shows: packets forwarded while a node computes, drawn by the run.

interface Bar {
  readonly label: string
  readonly lost: number
}

const width = 720
const left = 190
const span = width - left - 150
const rowHeight = 46

function bar({ label, lost }: Bar, sent: number, row: number): string {
  const y = 44 + row * rowHeight
  const kept = ((sent - lost) / sent) * span
  const text = lost === 0 ? 'none lost' : `${lost.toLocaleString('en-US')} lost`
  return `  <text x="${left - 12}" y="${y + 19}" text-anchor="end">${label}</text>
  <rect x="${left}" y="${y}" width="${span}" height="28" fill="#e5484d"/>
  <rect x="${left}" y="${y}" width="${kept.toFixed(1)}" height="28" fill="#30a46c"/>
  <text x="${left + span + 12}" y="${y + 19}">${text}</text>`
}

/** Two bars: of `sent` packets, those forwarded (green) and lost (red) while a coroutine and a C process node compute. */
export function spinPicture(sent: number, coroutine: number, native: number): string {
  const rows = [
    { label: 'a coroutine of corod', lost: coroutine },
    { label: 'a process node in C', lost: native },
  ]
  const height = 44 + rows.length * rowHeight + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="15">
  <title>${sent.toLocaleString('en-US')} packets through VPP while one node computes for 5 s</title>
  <rect width="${width}" height="${height}" fill="#ffffff"/>
  <text x="12" y="26" font-weight="bold">${sent.toLocaleString('en-US')} packets through VPP while one node computes for 5 s</text>
${rows.map((row, i) => bar(row, sent, i)).join('\n')}
</svg>
`
}
