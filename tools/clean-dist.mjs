// clean-dist.mjs: removes emitted files whose source is gone, so that a deleted test cannot go on passing.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './prepare.mjs'

const dist = join(root, 'dist')

function walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      walk(path)
      if (readdirSync(path).length === 0) rmSync(path, { recursive: true })
      continue
    }
    const source = relative(dist, path).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (!existsSync(join(root, source))) rmSync(path)
  }
}

if (existsSync(dist)) walk(dist)
